"""The TEXT argument of `fourm query`: stdin, and what is not a text; a part of `cli`."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Sequence

import retrieval

_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_IMAGE = re.compile(r"\S+\.(jpe?g|png|webp|bmp|gif|tiff?|heic|avif)", re.IGNORECASE)


def typed_text(text: str | None, more: Sequence[str] = ()) -> str | None:
    """The text to search for; `-` stands for what stdin holds.

    Args:
        text: the argument TEXT; None: not given.
        more: further arguments, which only unquoted texts have.

    Raises:
        retrieval.UsageError: several arguments, a URL, or the name of a file.
    """
    if text == "-" and more:
        raise retrieval.UsageError("- reads stdin and takes no other words", where="text")
    if text is None or text == "-":
        return text and _stdin()
    if more:
        raise retrieval.UsageError(
            f'put a text of several words in quotes: "{" ".join([text, *more])}"', where="text"
        )
    if _URL.fullmatch(text):
        raise retrieval.UsageError(
            "URLs are not fetched; download the image and give its path with --image", where="text"
        )
    if os.path.isfile(text) or _IMAGE.fullmatch(text):
        raise retrieval.UsageError(
            f"{shlex.quote(text)} is the name of a file; to search by an image, use "
            f"--image {shlex.quote(text)}",
            where="text",
        )
    return text


def _stdin() -> str:
    if sys.stdin is None:
        raise retrieval.UsageError("cannot read stdin: it is closed", where="text")
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise retrieval.UsageError("stdin is not UTF-8 text", where="text") from None

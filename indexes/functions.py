"""What conditions need and SQLite does not have, as functions of its connections."""

from __future__ import annotations

import fnmatch
import math
import re
import sqlite3
from functools import lru_cache
from typing import Any

from indexes.text_keys import text_key

_EARTH = 6_371_008.8  # mean radius in metres


def add_functions(connection: sqlite3.Connection) -> None:
    """Make the functions of this module known to a connection."""
    for name, count, function in (
        ("fourm_key", 1, _key),
        ("fourm_folder", 1, _folder),
        ("fourm_name", 1, _name),
        ("fourm_suffix", 1, _suffix),
        ("fourm_like", 2, _like),
        ("fourm_metres", 4, _metres),
    ):
        connection.create_function(name, count, function, deterministic=True)


def _text(stored: Any) -> str:
    """A stored text or path; bytes that are not UTF-8 become replacement characters."""
    return stored.decode("utf-8", "replace") if isinstance(stored, bytes) else str(stored)


def _key(stored: Any) -> str | None:
    return None if stored is None else text_key(_text(stored))


def _folder(path: Any) -> str:
    return text_key(_text(path).rpartition("/")[0])


def _name(path: Any) -> str:
    return text_key(_text(path).rpartition("/")[2])


def _suffix(path: Any) -> str | None:
    """Of `a.tar.gz` it is `gz`, of the line `captions.txt:12` it is `txt`."""
    stem, dot, suffix = _text(path).rpartition("/")[2].rpartition(".")
    if not (stem and dot):
        return None
    return text_key(suffix.partition(":")[0].partition("#")[0]) or None


def _like(stored: Any, pattern: str) -> bool:
    return stored is not None and _matcher(pattern).match(text_key(_text(stored))) is not None


@lru_cache(maxsize=64)
def _matcher(pattern: str) -> re.Pattern[str]:
    """A pattern of LIKE as one of fnmatch, which does not backtrack from one `*` to another."""
    glob, characters = [], iter(text_key(pattern))
    for character in characters:
        if character == "\\":
            character = next(characters, "\\")
        elif character in "%_":
            glob.append("*" if character == "%" else "?")
            continue
        glob.append(f"[{character}]" if character in "*?[" else character)
    return re.compile(fnmatch.translate("".join(glob)))


def _metres(latitude: Any, longitude: Any, to_latitude: float, to_longitude: float) -> Any:
    """Length of the great circle between two places in degrees (haversine)."""
    if latitude is None or longitude is None:
        return None
    phi, to_phi = math.radians(latitude), math.radians(to_latitude)
    share = (
        math.sin((to_phi - phi) / 2) ** 2
        + math.cos(phi)
        * math.cos(to_phi)
        * math.sin(math.radians(to_longitude - longitude) / 2) ** 2
    )
    return 2 * _EARTH * math.asin(min(1.0, math.sqrt(share)))

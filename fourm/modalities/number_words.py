"""Numbers as text: what boxes, poses, palettes and the like have in common.

4M-21 writes a number as `v0=17`; `v0` .. `v3` are four alphabets of 1000 numbers, each number one
token. Which alphabet tells what the number means: `v0` a left edge, `v1` a top edge, and so on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fourm.errors import BadInput

LARGEST = 999
_WORD = re.compile(r"(v[0-3])=(0|[1-9][0-9]{0,2})")
_HALF = 512


def number_word(axis: int, value: int) -> str:
    """`v<axis>=<value>`.

    Raises:
        BadInput: the value is not 0 .. 999, so that no token stands for it.
    """
    if not 0 <= value <= LARGEST:
        raise BadInput(f"a number must be 0 to {LARGEST}, got {value}")
    return f"v{axis}={value}"


def read_number(word: str, axis: int | None = None) -> int | None:
    """The number of a word, or None if it is not a number (of that axis)."""
    match = _WORD.fullmatch(word)
    if match is None or (axis is not None and match[1] != f"v{axis}"):
        return None
    return int(match[2])


def read_numbers(words: Sequence[str], axes: Iterable[int]) -> list[int] | None:
    """The numbers of the first words, one for each axis, or None if they do not follow the axes."""
    numbers = []
    for position, axis in enumerate(axes):
        value = read_number(words[position], axis) if position < len(words) else None
        if value is None:
            return None
        numbers.append(value)
    return numbers


def code_words(codes: Iterable[int]) -> list[str]:
    """Tokens 0 .. 1023 of a tokenizer as words: `v0=` for the lower half, `v1=` for the upper.

    Raises:
        BadInput: a code that is not an integer, or outside 0 .. 1023.
    """
    words = []
    for code in codes:
        if int(code) != code or not 0 <= code < 2 * _HALF:
            raise BadInput(f"a code must be 0 to {2 * _HALF - 1}, got {code}")
        words.append(f"v{int(code) // _HALF}={int(code) % _HALF}")
    return words


def read_codes(words: Sequence[str], count: int) -> list[int] | None:
    """The codes of the first `count` words, or None if those are not codes."""
    codes = []
    for word in words[:count]:
        low, high = read_number(word, 0), read_number(word, 1)
        code = low if low is not None else None if high is None else high + _HALF
        if code is None or (low or high or 0) >= _HALF:
            return None
        codes.append(code)
    return codes if len(codes) == count else None

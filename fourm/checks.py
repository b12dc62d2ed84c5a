"""Checks that inputs of several modalities share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm.errors import BadInput
from fourm.messages import shown


def as_array(value: Any, what: str) -> NDArray[Any]:
    """Anything as an array.

    Raises:
        BadInput: rows of different lengths; `what` names it in the message.
    """
    try:
        return np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadInput(f"{what} must be an array of numbers ({error})") from None


def finite_array(value: Any, what: str) -> NDArray[np.float32]:
    """An array of finite numbers as float32; a copy where need be.

    Raises:
        BadInput: anything else, e.g. an array of objects, booleans or complex numbers, NaN or
            infinity; `what` names it in the message.
    """
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:  # rows of different lengths
        raise BadInput(f"{what} must be an array of numbers ({error})") from None
    if array.dtype.kind not in "uif":
        raise BadInput(f"{what} must be an array of numbers, got {array.dtype}")
    if array.size == 0:
        raise BadInput(f"{what} must not be empty, got the shape {array.shape}")
    with np.errstate(over="ignore", invalid="ignore"):  # too large for float32: infinite, refused
        single = array.astype(np.float32)
    if not np.isfinite(single).all():
        raise BadInput(f"{what} must be finite, got NaN or infinity")
    return single


def finite(value: Any, what: str) -> float:
    """A finite number, from Python or numpy.

    Raises:
        BadInput: anything else; `what` names it in the message.
    """
    try:
        if not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value):
            return float(value)
    except OverflowError:  # an int that no float holds
        pass
    raise BadInput(f"{what} must be a finite number, got {shown(value)}")


def finite_numbers(values: Any, what: str, length: int) -> tuple[float, ...]:
    """A sequence of `length` finite numbers.

    Raises:
        BadInput: anything else; `what` names it in the message.
    """
    if isinstance(values, np.ndarray) and values.ndim == 1:
        values = values.tolist()
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        raise BadInput(f"{what} must be {length} numbers, got {shown(values)}")
    if len(values) != length:
        raise BadInput(f"{what} must be {length} numbers, got {len(values)}")
    return tuple(finite(value, f"a number of {what}") for value in values)


NOTHING_LEFT = "nothing is left of the text: it has only characters that the model does not read"


def unicode_text(value: Any) -> str:
    """A string that can be written as UTF-8.

    Raises:
        BadInput: another type, or surrogates: bytes of another charset, from a terminal.
    """
    if not isinstance(value, str):
        raise BadInput(f"a text must be a string, got {type(value).__name__}")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise BadInput("the text is not valid UTF-8")
    return value

"""The keys of metadata, and the text that 4M-21 reads them as."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fourm.checks import finite
from fourm.errors import BadInput
from fourm.messages import shown
from fourm.modalities.decimals import decimal
from fourm.modalities.number_words import LARGEST, number_word, read_number

Scale = Literal["pixels", "count", "binned", "steps"]
_PIXELS_A_STEP = 32
_HIGHEST_BIN = 49
_BINS = 50


@dataclass(frozen=True)
class MetadataKey:
    """One key.

    Attributes:
        id: number under which the model knows it.
        name: e.g. `"brightness"`.
        scale: `pixels` (in steps of 32), `count`, `binned` (49 equal steps from `low` to `high`) or
            `steps` (the number of thresholds that are reached).
        low, high: the range of values that can be told apart.
        thresholds: for `steps`.
    """

    id: int
    name: str
    scale: Scale
    low: float
    high: float
    thresholds: tuple[float, ...] = ()

    def encode(self, value: float) -> int:
        """The number that is written for a value; values out of range are clamped."""
        if self.scale == "steps":
            return sum(value >= threshold for threshold in self.thresholds)
        if self.scale == "binned":
            share = (_clamp(value, self.low, self.high) - self.low) / (self.high - self.low)
            return int(share * _HIGHEST_BIN)
        steps = math.floor(value / _PIXELS_A_STEP) if self.scale == "pixels" else int(value)
        return int(_clamp(steps, 0, LARGEST))

    def decode(self, number: int) -> float:
        """A value for a written number: the lower end of what it may have been."""
        if self.scale == "pixels":
            return number * _PIXELS_A_STEP
        if self.scale == "binned":
            # 50, although encoding has 49: the reference's own asymmetry.
            return number / _BINS * (self.high - self.low) + self.low
        return number

    def value_of(self, number: int) -> float:
        """A value that is written as this number, where there is one: the middle of its step."""
        if self.scale == "pixels":
            return min(number, LARGEST) * _PIXELS_A_STEP
        if self.scale == "binned":
            share = min((number + 0.5) / _HIGHEST_BIN, 1.0)
            return share * (self.high - self.low) + self.low
        if self.scale == "steps":
            return (self.low, *self.thresholds)[min(number, len(self.thresholds))]
        return number


def _keys() -> tuple[MetadataKey, ...]:
    most_pixels = float(_PIXELS_A_STEP * (LARGEST + 1) - 1)
    rows: list[tuple[str, Scale, float, float, tuple[float, ...]]] = [
        ("original_width", "pixels", 0, most_pixels, ()),
        ("original_height", "pixels", 0, most_pixels, ()),
        ("caption_n_chars", "count", 0, LARGEST, ()),
        ("caption_n_words", "count", 0, LARGEST, ()),
        ("caption_n_sentences", "count", 0, LARGEST, ()),
        ("n_humans", "count", 0, LARGEST, ()),
        ("n_sam_instances", "count", 0, LARGEST, ()),
        ("n_coco_instances", "count", 0, LARGEST, ()),
        ("coco_instance_diversity", "count", 0, LARGEST, ()),
        ("colorfulness", "binned", 0, 150, ()),
        ("brightness", "binned", 0, 255, ()),
        ("contrast", "binned", 0, 127, ()),
        ("saturation", "binned", 0, 255, ()),
        ("entropy", "binned", 0, 10, ()),
        ("walkability", "binned", 0, 1, ()),
        ("objectness", "binned", 0, 1, ()),
        ("semantic_diversity", "count", 0, LARGEST, ()),
        ("geometric_complexity", "binned", 0, 0.75, ()),
        ("occlusion_score", "binned", 0, 0.25, ()),
        ("watermark_score", "steps", 0, 1, (0.5,)),
        ("aesthetic_score", "steps", 0, 10, (4.5, 5.5)),
    ]
    return tuple(MetadataKey(i, *row) for i, row in enumerate(rows))


KEYS: Mapping[str, MetadataKey] = {key.name: key for key in _keys()}
_NAMES = {key.id: key.name for key in KEYS.values()}


def metadata_text(values: Mapping[str, float]) -> str:
    """Metadata as the model reads it, in the order given: `v1=5 v0=2 v1=10 v0=24 ...`.

    Values out of a key's range are clamped.

    Raises:
        BadInput: an unknown key, or a value that is not a finite number.
    """
    words = []
    for name, value in values.items():
        key = _key(name)
        words += [number_word(1, key.id), number_word(0, key.encode(finite(value, name)))]
    return " ".join(words)


def parse_metadata(text: str) -> dict[str, float]:
    """Metadata of a text that a model has written; what is truncated or unknown is skipped.

    Values are those of the reference, `MetadataKey.decode`: written again, some become smaller.
    """
    return {name: KEYS[name].decode(number) for name, number in _written(text).items()}


def parse_writable_metadata(text: str) -> dict[str, float]:
    """The same with values that are written as the same numbers, `MetadataKey.value_of`."""
    return {name: KEYS[name].value_of(number) for name, number in _written(text).items()}


def _written(text: str) -> dict[str, int]:
    words = text.split()
    values: dict[str, int] = {}
    at = 0
    while at + 1 < len(words):
        id_, number = read_number(words[at], 1), read_number(words[at + 1], 0)
        if id_ is None or number is None:
            at += 1
            continue
        if id_ in _NAMES:
            values[_NAMES[id_]] = number
        at += 2
    return values


def read_metadata(text: str) -> dict[str, float]:
    """Metadata as a user writes it: `brightness=200 n_humans=3`, commas or spaces between.

    Raises:
        BadInput: another form, an unknown or repeated key, or a value out of its range.
    """
    values: dict[str, float] = {}
    for part in text.replace(",", " ").split():
        name, _, written = part.partition("=")
        _key(name)
        try:
            value = decimal(written)
        except ValueError:
            raise BadInput(f"{shown(part)} must be {name}=<number>") from None
        if name in values:
            raise BadInput(f"{name} is given twice")
        values[name] = value
    return checked_metadata(values)


def checked_metadata(values: Mapping[str, object]) -> dict[str, float]:
    """Metadata as a program gives it.

    Raises:
        BadInput: none, an unknown key, not a number, or a value out of its range.
    """
    if not values:
        raise BadInput("no metadata is given; write for example brightness=200 n_humans=3")
    checked = {}
    for name, value in values.items():
        key = _key(name)
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise BadInput(f"{name} must be a number, got {shown(value)}")
        if not key.low <= value <= key.high:
            raise BadInput(
                f"{name} must be between {key.low:g} and {key.high:g}, got {shown(value)}"
            )
        checked[name] = float(value)
    return checked


def _key(name: object) -> MetadataKey:
    if not isinstance(name, str) or name not in KEYS:
        raise BadInput(f"{shown(name)} is not a metadata key; known: {', '.join(KEYS)}")
    return KEYS[name]


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)

"""Metadata as vectors that are similar for similar values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fourm.checks import finite
from fourm.errors import BadInput
from fourm.messages import shown
from fourm.modalities.items import ItemVectors, shares

VALUE_KNOTS = 12
"""A value is shared between the two nearest of 12 equally spaced ones."""

RANGES: Mapping[str, tuple[float, float]] = {
    "n_humans": (0, 11),
    "n_coco_instances": (0, 22),
    "coco_instance_diversity": (0, 11),
    "colorfulness": (0, 110),
    "brightness": (0, 255),
    "contrast": (0, 110),
    "saturation": (0, 220),
    "entropy": (3, 8),
}
"""Keys that have vectors, and the range within which their values are told apart."""

METADATA_WIDTH = len(RANGES) * VALUE_KNOTS


def metadata_items(metadata: Mapping[str, float]) -> ItemVectors:
    """(n, METADATA_WIDTH) float32: one row for each key, in the order of `RANGES`.

    Raises:
        BadInput: none at all, a key that `RANGES` does not have, or a value that is not finite.
    """
    unknown = [name for name in metadata if name not in RANGES]
    if unknown or not metadata:
        refused = ", ".join(map(shown, unknown)) if unknown else "nothing"
        raise BadInput(f"this model reads {', '.join(RANGES)}; not {refused}", where="metadata")
    rows = np.zeros((len(metadata), len(RANGES), VALUE_KNOTS), np.float32)
    given = [name for name in RANGES if name in metadata]
    for row, name in zip(rows, given, strict=True):
        value = finite(metadata[name], name)
        row[list(RANGES).index(name)] = shares(np.array([value]), *RANGES[name], VALUE_KNOTS)[0]
    return rows.reshape(len(metadata), METADATA_WIDTH)

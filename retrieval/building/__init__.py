"""Building: from the folder of a gallery to an index that is up to date with it."""

from retrieval.building.build import DEFAULT_BATCH_SIZE, BuildOptions, BuildReport, build
from retrieval.building.opening import (
    Wanted,
    discard_if_empty,
    open_for_building,
    open_if_there,
    patterns_for,
    require_model,
    require_reader,
)

__all__ = [
    "DEFAULT_BATCH_SIZE",
    "BuildOptions",
    "BuildReport",
    "Wanted",
    "build",
    "discard_if_empty",
    "open_for_building",
    "open_if_there",
    "patterns_for",
    "require_model",
    "require_reader",
]

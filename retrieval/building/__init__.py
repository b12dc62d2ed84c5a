"""From a folder of pictures, or items of another kind, to an index that is up to date with it."""

from retrieval.building.build import DEFAULT_BATCH_SIZE, BuildOptions, BuildReport, build
from retrieval.building.opening import Wanted, open_for_building, open_if_there, require_model

__all__ = [
    "DEFAULT_BATCH_SIZE",
    "BuildOptions",
    "BuildReport",
    "Wanted",
    "build",
    "open_for_building",
    "open_if_there",
    "require_model",
]

"""From a folder of pictures to an index that is up to date with it."""

from retrieval.building.build import DEFAULT_BATCH_SIZE, BuildOptions, BuildReport, build

__all__ = ["DEFAULT_BATCH_SIZE", "BuildOptions", "BuildReport", "build"]

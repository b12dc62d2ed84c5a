"""A query: one or several inputs that go into one forward pass of the model together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from retrieval.errors import UsageError
from retrieval.queries.arrays import read_depth, read_features
from retrieval.queries.drawings import read_canny, read_drawing, read_palette_of
from retrieval.queries.inputs import Input
from retrieval.queries.instances import read_instances
from retrieval.queries.people import read_poses
from retrieval.queries.photo import read_photo
from retrieval.queries.segmentation import read_segmentation
from retrieval.queries.words import read_words
from retrieval.queries.written import names_file, read_boxes, read_facts, read_palette
from retrieval.sources import SOURCES

READERS: dict[str, Callable[[object], Input]] = {
    "text": read_words,
    "image": read_photo,
    "seg": read_segmentation,
    "depth": read_depth,
    "normals": partial(read_drawing, kind="normals"),
    "edges": partial(read_drawing, kind="edges"),
    "canny": read_canny,
    "sam_edges": partial(read_drawing, kind="sam_edges"),
    "boxes": read_boxes,
    "palette": read_palette,
    "palette_of": read_palette_of,
    "metadata": read_facts,
    "sam": read_instances,
    "poses": read_poses,
    "t5": partial(read_features, kind="t5"),
    "clip_features": partial(read_features, kind="clip_features"),
    "dinov2_features": partial(read_features, kind="dinov2_features"),
    "imagebind_features": partial(read_features, kind="imagebind_features"),
    "dinov2_embedding": partial(read_features, kind="dinov2_embedding"),
    "imagebind_embedding": partial(read_features, kind="imagebind_embedding"),
    "image_tokens": partial(read_drawing, kind="image_tokens"),
}
"""How each of `retrieval.sources` is read."""

DEPTH_NEAR = "depth_near"
"""Says which values of `depth` are near; no source of its own."""


@dataclass(frozen=True, eq=False)
class Query:
    """Inputs of different kinds, read and checked."""

    inputs: tuple[Input, ...]

    @classmethod
    def read(cls, **sources: object) -> Query:
        """Read what the user gave; a source that is None was not given.

        Args:
            sources: `text` (words), `image` (path, Pillow picture or uint8 array (H, W, 3)), `seg`
                (path or array (H, W) of COCO panoptic category ids, 0 = nothing), and the others
                that `READERS` lists: paths of files, or what these files hold; `depth_near`, `low`
                or `high`, belongs to `depth`.

        Raises:
            UsageError: nothing was given, a kind of input that does not exist, or one kind twice.
            QueryError: an input cannot be read.
        """
        near = sources.pop(DEPTH_NEAR, None)
        if near is not None and sources.get("depth") is None:
            raise UsageError("depth_near: says which end of a depth map is near; give one")
        unknown = [kind for kind in sources if kind not in READERS]
        if unknown:
            raise UsageError(f"unknown kind of query: {unknown[0]}; known: {', '.join(READERS)}")
        inputs = tuple(
            reader(sources[kind])
            if kind != "depth" or near is None
            else read_depth(sources[kind], near)
            for kind, reader in READERS.items()
            if sources.get(kind) is not None
        )
        if not inputs:
            raise UsageError("nothing to search for: give words, a picture or a segmentation map")
        kinds = [entry.kind for entry in inputs]
        if doubled := [kind for kind in kinds if kinds.count(kind) > 1]:
            raise UsageError(f"{doubled[0]}: given twice, directly and taken from a photo")
        return cls(inputs)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the inputs."""
        return tuple(entry.kind for entry in self.inputs)

    @property
    def values(self) -> dict[str, Any]:
        """Kind -> value, as the model takes them."""
        return {entry.kind: entry.value for entry in self.inputs}


def input_files(sources: Mapping[str, Any]) -> tuple[Path, ...]:
    """The files among what the command line was given."""
    files = [
        Path(value)
        for source in SOURCES
        if not source.typed and (value := sources.get(source.name)) is not None
    ]
    return (*files, *map(Path, filter(names_file, sources.get("boxes") or ())))

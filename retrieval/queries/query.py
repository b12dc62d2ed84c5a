"""A query: one or several inputs, and how they are combined."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.errors import UsageError
from retrieval.modalities import modifiers, sources
from retrieval.queries.arrays import read_depth, read_features
from retrieval.queries.combining import How, combined, read_pushed, read_weights
from retrieval.queries.drawings import read_drawing, read_lines
from retrieval.queries.inputs import Input
from retrieval.queries.instances import read_instances
from retrieval.queries.options import COMBINING
from retrieval.queries.parts import read_part, read_use_only, take_parts
from retrieval.queries.people import read_poses
from retrieval.queries.photo import read_photo
from retrieval.queries.segmentation import read_segmentation
from retrieval.queries.words import read_words
from retrieval.queries.written import names_file, read_boxes, read_facts, read_palette

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from retrieval.query_inputs import QueryInputs

READERS: dict[str, Callable[[object], Input]] = {
    "text": read_words,
    "image": read_photo,
    "seg": read_segmentation,
    "depth": read_depth,
    "normals": partial(read_drawing, kind="normals"),
    "edges": partial(read_lines, kind="edges"),
    "canny": partial(read_part, kind="edges"),
    "sam_edges": partial(read_lines, kind="sam_edges"),
    "boxes": read_boxes,
    "palette": read_palette,
    "palette_of": partial(read_part, kind="palette"),
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
"""How each of `retrieval.modalities` is read."""


@dataclass(frozen=True, eq=False)
class Query:
    """Inputs, read and checked.

    Attributes:
        inputs: of different kinds; only words to push away from may come several times.
        combine: `together`, `guided` or `late`: see `retrieval.queries.combining`.
        use_only: the modalities that stand for a photo, if only parts of it are used.
        files: the files that the inputs were read from.
    """

    inputs: tuple[Input, ...]
    combine: How = "together"
    use_only: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    @classmethod
    def read(cls, **inputs: Unpack[QueryInputs]) -> Query:
        """Read what the user gave; what is None was not given.

        Args:
            given: `text` (words), `image` (path, Pillow picture or uint8 array (H, W, 3)), `seg`
                (path or array (H, W) of COCO panoptic category ids, 0 = nothing), and the others
                that `READERS` lists: paths of files, or what these files hold.
                `depth_near`, `low` or `high`, says which values of `depth` are near. `use_only`
                names parts of `image`, which are used in its place. `negative_text` is a text, or
                a list of them, to search away from. `weights` maps inputs (and `not`, for those
                texts) to numbers, and `combine` is `together`, `guided` or `late`.

        Raises:
            UsageError: nothing was given, a kind of input that does not exist, or one kind twice;
                weights for what goes into one pass.
            QueryError: an input, a weight or a part cannot be read.
        """
        given: dict[str, Any] = dict(inputs)
        files = input_files(given)
        said = {
            name: given.pop(name, None) for name in (*modifiers(), *(o.name for o in COMBINING))
        }
        values = {name: value for name, value in given.items() if value is not None}
        unknown = [name for name in given if name not in READERS]
        if unknown:
            raise UsageError(f"unknown kind of query: {unknown[0]}; known: {', '.join(READERS)}")
        if said["depth_near"] is not None and "depth" not in values:
            raise UsageError("says which end of a depth map is near; give one", where="depth_near")
        use_only = () if said["use_only"] is None else read_use_only(said["use_only"])
        if use_only and "image" not in values:
            raise UsageError("applies to parts of an image; give one (image)", where="use only")
        # Light things first: a typing error should not wait for photos.
        weights = None if said["weights"] is None else read_weights(said["weights"])
        pushed = [] if said["negative_text"] is None else read_pushed(said["negative_text"])
        read = list(_read(values, said["depth_near"], use_only))
        if not read and not pushed:
            raise UsageError("nothing to search for: give words, a picture or a segmentation map")
        kinds = [entry.kind for entry in read]
        if doubled := [kind for kind in kinds if kinds.count(kind) > 1]:
            raise UsageError("given twice, directly and taken from a photo", where=doubled[0])
        return cls(*combined([*read, *pushed], weights, said["combine"]), use_only, files)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the inputs."""
        return tuple(entry.kind for entry in self.inputs)

    @property
    def values(self) -> dict[str, Any]:
        """Kind -> value, as the model takes them: no parts that are still to be predicted, and no
        words to push away from."""
        return {
            entry.kind: entry.value
            for entry in self.inputs
            if entry.origin != "predicted" and entry.weight >= 0
        }


def _read(sources: Mapping[str, object], near: object, take: tuple[str, ...]) -> Iterator[Input]:
    for name, reader in READERS.items():
        if name not in sources:
            continue
        if name == "image" and take:
            yield from take_parts(sources[name], take)
        elif name == "depth" and near is not None:
            yield read_depth(sources[name], near)
        else:
            yield reader(sources[name])


def input_files(given: Mapping[str, Any]) -> tuple[Path, ...]:
    """The files among what the command line or a query file gave."""
    files = [
        Path(value)
        for source in sources().values()
        if not source.typed and isinstance(value := given.get(source.name), (str, os.PathLike))
    ]
    boxes = given.get("boxes")
    return (*files, *map(Path, filter(names_file, boxes if isinstance(boxes, list) else [boxes])))

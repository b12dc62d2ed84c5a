"""Segmentation maps, read.

A map may come as
- a grey image, 8 or 16 bits, or an array of ids (0 = nothing; 255 and -1 are nothing, too);
- an RGB image in the colours that `fourm classes` prints (black = nothing), or of a data set's
  palette, possibly with soft edges;
- a palette image: by its colours if a palette has all that it uses, else by its indices;
- COCO's panoptic PNG with its JSON beside it;
- binary masks with the names of their classes;
- a `.npy` file of one of these.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.messages import shown
from fourm.modalities.palette import written_colour
from retrieval.errors import QueryError
from retrieval.images.decoding import MAX_PIXELS
from retrieval.inputs import Input
from retrieval.modalities.panoptic import NOTHING, Ids
from retrieval.modalities.segmentation.files import array_of, open_map
from retrieval.modalities.segmentation.formats import (
    Colour,
    SegFormat,
    formats,
    shares,
)
from retrieval.modalities.segmentation.guessing import (
    format_of_colours,
    format_of_ids,
    is_mask,
    mask_without_name,
    pixels,
    some,
    unknown_ids,
)
from retrieval.modalities.segmentation.masks import masks_in, named_mask, read_named_masks
from retrieval.modalities.segmentation.panoptic_png import (
    annotation_of,
    ids_of_segments,
    segments_of,
)
from retrieval.modalities.segmentation.soft_edges import nearest_colours

AUTO, PANOPTIC = "auto", "coco-panoptic"
_LOSSY = {"JPEG", "MPO"}
_NEARLY = 8

Read = tuple[Ids, str, list[str]]
"""Ids, the format that they were read as, and further notes."""


def read_map(source: object, *, seg_format: str = AUTO, bgr: bool = False) -> Input:
    """A map of COCO panoptic category ids, int32 (H, W), at the size it was given.

    Args:
        source: a path, `dog=mask.png` or a list of such, a Pillow image, an array, a mapping of
            names to masks, or what Hugging Face's panoptic post-processing returns.
        seg_format: one of the choices of `--seg-format`.
        bgr: colours of arrays are in BGR order.

    Raises:
        QueryError: no such file, not a map, an id or a colour that no class has (the message names
            it and says how many pixels have it), ids that may be of another format, a map without
            any class.
    """
    name = None
    if isinstance(source, list) and source and all(map(_is_path, source)):
        named = [named_mask(entry) for entry in source]
        if len(source) > 1 and None in named:
            raise QueryError("expected one map, or several masks such as dog=mask.png", where="seg")
        source = source[0] if len(source) == 1 else dict_of([one for one in named if one])
    if (mask := named_mask(source)) is not None:
        source = {mask[0]: mask[1]}
    if isinstance(source, Mapping):
        ids, read_as, notes = _from_mapping(source, seg_format)
        files = [Path(one).name for one in source.values() if _is_path(one)]
        name = files[0] if len(files) == 1 else None
    elif isinstance(source, (str, os.PathLike)):
        path = Path(source)
        with open_map(path) as opened:
            reader = _Reader(str(path), seg_format, path)
            ids, read_as, notes = reader.read(opened)
        name = path.name
    elif isinstance(source, Image.Image):
        ids, read_as, notes = _Reader("seg", seg_format).read(source)
    else:
        array = array_of(source)
        if bgr and array.ndim == 3:
            array = array[..., ::-1]
        ids, read_as, notes = _Reader("seg", seg_format).read(array)
    if not ids.any():
        where = source if name and _is_path(source) else "seg"
        raise QueryError("the map is empty: no pixel has a class", where=where)
    said = f"read as: {shares(ids)}" + (f" ({read_as})" if read_as else "")
    return Input("seg", ids, name, notes=(said, *notes), read_as=read_as)


def dict_of(masks: list[tuple[str, Path]]) -> dict[str, list[Path]]:
    """Name -> its masks, in the order in which they were given."""
    found: dict[str, list[Path]] = {}
    for name, file in masks:
        found.setdefault(name, []).append(file)
    return found


def _is_path(source: object) -> bool:
    return isinstance(source, (str, os.PathLike))


def _from_mapping(source: Mapping[Any, Any], seg_format: str) -> Read:
    if "segments_info" not in source:
        return read_named_masks(masks_in(source)), "", []
    values = array_of(source.get("segmentation"))
    if values.ndim != 2 or values.dtype.kind not in "iu":
        raise QueryError("expected segmentation (H, W) beside segments_info", where="seg")
    segments = segments_of(source["segments_info"], "seg")
    found, where = np.unique(values, return_inverse=True)
    table = np.array([segments.get(int(number), -1) for number in found], np.int32)
    return _Reader("seg", "coco" if seg_format == PANOPTIC else seg_format).read(
        table[where].reshape(values.shape)
    )


class _Reader:
    """Reads one image or array.

    Attributes:
        where: for messages.
        asked: value of `seg_format`.
        path: of its file, if any.
    """

    def __init__(self, where: str, asked: str, path: Path | None = None) -> None:
        self.where = where
        self.asked = asked
        self.path = path

    def read(self, opened: Image.Image | NDArray[Any]) -> Read:
        return self._array(opened) if isinstance(opened, np.ndarray) else self._image(opened)

    def _array(self, array: NDArray[Any]) -> Read:
        coloured = array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8
        if not coloured and (array.ndim != 2 or array.dtype.kind not in "iub"):
            raise QueryError(
                "expected integers (H, W) or uint8 colours (H, W, 3), "
                f"got {array.dtype} {shown(array.shape)}",
                where=self.where,
            )
        if array.shape[0] * array.shape[1] > MAX_PIXELS:
            raise QueryError(f"more than the limit of {MAX_PIXELS} pixels", where=self.where)
        return self._colours(np.asarray(array)) if coloured else self._ids(np.asarray(array))

    def _image(self, image: Image.Image) -> Read:
        mode, lossy = image.mode, image.format in _LOSSY
        if lossy and mode == "L" and is_mask(np.asarray(image)):
            raise QueryError(mask_without_name(self.where), where=self.where)
        if lossy and mode != "RGB":
            raise QueryError(
                f"{image.format} changes the values of a map; save it as PNG", where=self.where
            )
        if mode == "P":
            return self._palette(image)
        if mode in ("L", "1") or mode.startswith("I"):
            return self._ids(np.asarray(image))
        if mode == "LA":
            grey, alpha = np.moveaxis(np.asarray(image), -1, 0)
            return self._ids(np.where(alpha == 0, 0, grey))
        if mode == "RGBA":
            array = np.array(image)
            array[array[..., 3] < 128] = 0
            return self._colours(array[..., :3])
        if mode == "RGB":
            return self._colours(np.asarray(image), image.format if lossy else None)
        raise QueryError(
            f"an image of mode {mode} is not a segmentation map; save it as a grey PNG of ids",
            where=self.where,
        )

    def _ids(self, values: NDArray[Any]) -> Read:
        if not values.size:
            raise QueryError("the map has no pixels", where=self.where)
        if self.asked == PANOPTIC:
            raise QueryError("expected an RGB image of segment ids", where=self.where)
        entry = self._format_of_ids(values)
        if entry.unknown(values):
            raise QueryError(unknown_ids(entry, values), where=self.where)
        return entry.read(values), entry.name, []

    def _format_of_ids(self, values: NDArray[Any]) -> SegFormat:
        if self.asked == AUTO:
            return format_of_ids(values, self.where, self.path.stem if self.path else "")
        trained = formats()["cityscapes trainIds"]
        if self.asked == "cityscapes" and 255 in values and not trained.unknown(values):
            return trained  # labelIds have no 255
        return formats()[self.asked]

    def _palette(self, image: Image.Image) -> Read:
        indices = np.asarray(image)
        if not indices.size:
            raise QueryError("the map has no pixels", where=self.where)
        entries = np.zeros((256, 3), np.uint8)
        palette = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
        entries[: len(palette)] = palette
        if image.info.get("transparency") is not None:
            alpha = np.asarray(image.convert("RGBA"))[..., 3]
            painted = np.where((alpha < 128)[..., None], 0, entries[indices]).astype(np.uint8)
        else:
            painted = entries[indices]
        if self.asked == PANOPTIC:
            return self._colours(painted)
        if (read := self._exact(painted)) is not None:
            return read
        try:
            ids = self._ids(indices)
            if ids[0].any():
                return ids
        except QueryError as error:
            if " is not a" not in error.reason:
                raise  # it may be of several formats
        try:
            return self._colours(painted)
        except QueryError as error:
            raise QueryError(
                f"{error.reason}; nor are the palette's indices category ids", where=self.where
            ) from None

    def _colours(self, array: NDArray[np.uint8], lossy: str | None = None) -> Read:
        if not array.size:
            raise QueryError("the map has no pixels", where=self.where)
        if self.asked in (AUTO, PANOPTIC) and (read := self._segments(array)) is not None:
            return read
        if (read := self._exact(array)) is not None:
            return read
        strange = self._strange(array, formats()["coco" if self.asked == AUTO else self.asked])
        grey = bool((array == array[..., :1]).all())
        if self.asked == AUTO and grey and is_mask(array[..., 0]):
            raise QueryError(mask_without_name(self.where), where=self.where)
        if not grey and (lossy or not _mistyped(strange)):
            for entry in self._palettes():
                if (soft := nearest_colours(array, entry.colours, 3 if lossy else 2)) is not None:
                    ids, far = _looked_up(soft[0], entry), soft[1]
                    notes = ["its edges are soft: each pixel took the nearest colour of a class"]
                    if far:
                        notes.append(f"{_listed(far)} belongs to no class")
                    return ids, entry.name, notes
        raise QueryError(_colour_error(strange, lossy), where=self.where)

    def _segments(self, array: NDArray[np.uint8]) -> Read | None:
        try:
            found = annotation_of(self.path) if self.path is not None else None
        except QueryError:
            if self.asked != AUTO:
                raise
            found = None  # of something else
        if found is not None:
            segments, file = found
            ids = ids_of_segments(array, segments, self.where)
            return ids, f"{PANOPTIC}, {file.name}", []
        if self.asked == AUTO:
            return None
        raise QueryError(
            "no JSON beside it names its segments; COCO's panoptic PNGs have one of the same "
            "name, or of the name of their folder",
            where=self.where,
        )

    def _palettes(self) -> list[SegFormat]:
        named = formats().values() if self.asked == AUTO else [formats()[self.asked]]
        return [entry for entry in named if entry.colours]

    def _exact(self, array: NDArray[np.uint8]) -> Read | None:
        """A map in nothing but the colours of one palette."""
        used = _colours_of(array)
        if self.asked == AUTO:
            entry = format_of_colours((colour for colour, _ in used), self.where)
        else:
            entry = formats()[self.asked]
            if not all(colour in entry.colours for colour, _ in used):
                entry = None
        return None if entry is None else (_looked_up(array, entry), entry.name, [])

    def _strange(self, array: NDArray[np.uint8], entry: SegFormat) -> list[tuple[Colour, int]]:
        known = entry.colours or formats()["coco"].colours
        return [(colour, count) for colour, count in _colours_of(array) if colour not in known]


def _colours_of(array: NDArray[np.uint8]) -> list[tuple[Colour, int]]:
    """(colour, pixel count), the most frequent first."""
    packed = array.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    found, counts = np.unique(packed, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [
        ((value >> 16, value >> 8 & 255, value & 255), count)
        for value, count in zip(found[order].tolist(), counts[order].tolist(), strict=True)
    ]


def _looked_up(array: NDArray[np.uint8], entry: SegFormat) -> Ids:
    packed = array.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    found, where = np.unique(packed, return_inverse=True)
    table = np.array(
        [
            entry.colours.get((value >> 16, value >> 8 & 255, value & 255), NOTHING)
            for value in found.tolist()
        ],
        np.int32,
    )
    return table[where].reshape(packed.shape)


def _mistyped(strange: list[tuple[Colour, int]]) -> bool:
    """Whether the only colour without a class is nearly that of one: no soft edge is so."""
    if len(strange) != 1:
        return False
    known = np.array(list(formats()["coco"].colours))
    return bool(np.abs(known - strange[0][0]).max(axis=1).min() < _NEARLY)


def _listed(strange: list[tuple[Colour, int]]) -> str:
    return some([f"colour {written_colour(one)} ({pixels(count)})" for one, count in strange])


def _colour_error(strange: list[tuple[Colour, int]], lossy: str | None) -> str:
    if lossy:
        return (
            f"{lossy} changes the values of a map; save it as PNG: {_listed(strange)} belongs to "
            "no class"
        )
    hint = "`fourm classes` lists the colours"
    if all(red == green == blue for (red, green, blue), _ in strange):
        hint = "if its greys are category ids, save it as a grey PNG"
    return f"{_listed(strange)} belongs to no class; {hint}"

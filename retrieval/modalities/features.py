"""What modalities share that are arrays of another network: feature maps and embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from retrieval.drawing.panel import Panel
from retrieval.inputs import Input
from retrieval.modalities.drawings import shape_text
from retrieval.modalities.modality import Items, Modality, Output, Source
from retrieval.suffixes import ARRAY_SUFFIXES

if TYPE_CHECKING:
    from PIL import Image

    from fourm.modalities import Decoded


def feature_map(name: str, title: str, help: str, aliases: tuple[str, ...] = ()) -> Modality:
    """Features (C, h, w) of a network."""
    output = Output(
        (".npy", "_pca.png"),
        write=lambda decoded, panel: (decoded.value, panel.image),
        draw=_draw_map,
        summary=shape_text,
        details=_details,
    )
    return array_modality(name, title, help, output, aliases=aliases)


def embedding(name: str, title: str, help: str) -> Modality:
    """The vector (C,) of an image by a network."""
    output = Output(
        (".npy",),
        write=lambda decoded, panel: (decoded.value,),
        draw=_draw_vector,
        summary=shape_text,
        details=_details,
    )
    return array_modality(name, title, help, output)


def array_modality(
    name: str,
    title: str,
    help: str,
    output: Output | None = None,
    *,
    part_of_photo: bool = True,
    aliases: tuple[str, ...] = (),
) -> Modality:
    """A modality whose values are arrays, one a `.npy` file."""
    source = Source(
        name,
        "FILE",
        help,
        read=partial(_read, modality=name),
        items=Items(".npy files", ARRAY_SUFFIXES),
    )
    return Modality(
        name,
        title,
        (source,),
        draw=_draw_shape,
        output=output,
        part_of_photo=part_of_photo,
        aliases=aliases,
    )


def _read(source: object, modality: str) -> Input:
    """An array for the model to check: only it knows which shape it takes."""
    from retrieval.inputs.arrays import read_array

    array, name = read_array(source, modality)
    return Input(modality, array, name)


def _draw_shape(entry: Input, title: str) -> Panel:
    from retrieval.escaping import printable

    name = printable(entry.name) if entry.name else None
    return Panel(title, name or title, rows=(("shape", shape_text(entry.value)),), name=name)


def _draw_map(decoded: Decoded, title: str, ground: Image.Image | None) -> Panel:
    from retrieval.drawing.painting import main_components

    image = main_components(decoded.value)
    return Panel(title, shape_text(decoded.value), image=image, crisp=True)


def _draw_vector(decoded: Decoded, title: str, ground: Image.Image | None) -> Panel:
    import numpy as np

    count, length = len(decoded.value), float(np.linalg.norm(decoded.value))
    rows = (("numbers", str(count)), ("length", f"{length:.3g}"))
    return Panel(title, f"{count} numbers", rows=rows)


def _details(value: Any) -> Mapping[str, Any]:
    return {
        "shape": list(value.shape),
        "scale": "as the tokenizer decodes it, not of unit length; its direction is what counts",
    }

"""Depth maps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.drawing.panel import Panel
from retrieval.errors import QueryError
from retrieval.inputs import Input, existing_file
from retrieval.modalities.drawings import image_panel, shape_text
from retrieval.modalities.modality import Items, Modality, Modifier, Output, Source
from retrieval.suffixes import ARRAY_SUFFIXES, IMAGE_SUFFIXES

if TYPE_CHECKING:
    from PIL import Image

    from fourm.modalities import Decoded

DEPTH_NEAR = Modifier(
    "depth_near",
    "WORD",
    "Which values of --depth are near: low (distances, the default) or high (disparities).",
    typed=True,
    choices=("low", "high"),
)


def read_depth(source: object, depth_near: object = "low") -> Input:
    """A depth map (H, W) with small values near.

    Args:
        source: a grey image of 8 or 16 bits, a .npy file, a Pillow image or an array.
        depth_near: "low" if small values are near (distances), "high" if large ones are
            (disparities).

    Raises:
        QueryError: it is not such a map.
    """
    import numpy as np
    from PIL import Image

    from fourm.messages import shown
    from retrieval.inputs.arrays import grey_values, read_array, read_grey

    name: str | None = None
    if isinstance(source, Image.Image):
        array = grey_values(source, "depth")
    elif isinstance(source, (str, os.PathLike)) and Path(source).suffix.lower() != ".npy":
        path = existing_file(source, "a depth map")
        array, name = read_grey(path), path.name
    else:
        array, name = read_array(source, "depth")
    if array.ndim != 2:
        raise QueryError(
            f"expected a depth map (H, W), got {shown(array.shape)}",
            where=source if name else "depth",
        )
    if depth_near == "high":
        # Bytes and 16 bits have a range; that of the other types means nothing.
        ranged = array.dtype in (np.uint8, np.uint16)
        array = np.iinfo(array.dtype).max - array if ranged else -array.astype(np.float64)
    return Input("depth", array, name)


def _draw(entry: Input, title: str) -> Panel:
    """Near is light."""
    import numpy as np
    from PIL import Image

    from retrieval.drawing.painting import nearness

    grey = Image.fromarray(np.round(255 * nearness(entry.value)).astype(np.uint8))
    return image_panel(grey, entry.name, title)


def _draw_output(decoded: Decoded, title: str, ground: Image.Image | None) -> Panel:
    from retrieval.drawing.painting import depth_colours

    return Panel(title, "depth map", image=depth_colours(decoded.value))


def _write(decoded: Decoded, panel: Panel) -> tuple[Any, ...]:
    from PIL import Image

    from retrieval.drawing.painting import depth_levels

    return Image.fromarray(depth_levels(decoded.value)), panel.image


DEPTH = Modality(
    "depth",
    "Depth map",
    (
        Source(
            "depth",
            "FILE",
            "Depth map: a grey PNG of 8 or 16 bits, or .npy (H, W).",
            read=read_depth,
            items=Items("depth maps", IMAGE_SUFFIXES | ARRAY_SUFFIXES),
            modifiers=(DEPTH_NEAR,),
        ),
    ),
    draw=_draw,
    output=Output((".png", "_colours.png"), write=_write, draw=_draw_output, summary=shape_text),
)

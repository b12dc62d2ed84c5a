"""One self-contained HTML page of a query and its hits."""

from __future__ import annotations

import base64
import io
import os
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from PIL import Image

from retrieval.paths import read_file_path
from retrieval.report.results import Results, Tile
from retrieval.written import replace

# Tiles get the width that the shape of their image asks for, within these bounds.
_NARROWEST, _WIDEST = 0.72, 2.4


def write_page(results: Results, file: str | os.PathLike[str]) -> None:
    """Write the page; a file that is there is replaced.

    Raises:
        UsageError: the file cannot be written.
    """
    path = read_file_path(file, "file")
    page = page_html(results).encode()
    replace(path, lambda target: target.write(page))


def page_html(results: Results) -> str:
    """The page with embedded images."""
    return _template().render(results=results, data_uri=data_uri, shape=tile_shape)


def data_uri(image: Image.Image) -> str:
    """The image as a data URI: JPEG, or PNG where it has alpha."""
    form, options = ("PNG", {"optimize": True}) if image.mode == "RGBA" else ("JPEG", _JPEG)
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    content = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{form.lower()};base64,{content}"


_JPEG = {"quality": 82, "progressive": True}


def tile_shape(tile: Tile) -> str:
    """Width over height of a tile, for CSS."""
    if tile.thumbnail is None:
        return "1.333"
    ratio = tile.thumbnail.width / tile.thumbnail.height
    return f"{min(max(ratio, _NARROWEST), _WIDEST):.3f}"


@cache
def _template() -> Template:
    text = files("retrieval.report").joinpath("page.html").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)

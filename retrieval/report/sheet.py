"""A contact sheet: the query and its hits in one image."""

from __future__ import annotations

import os

from PIL import Image, ImageDraw

from retrieval.drawing.blocks import (
    ACCENT,
    GAP,
    GROUND,
    INK,
    MARGIN,
    SOFT,
    WIDTH,
    draw_panel,
    fitted,
    flow,
    font_of,
    on_checks,
    text_width,
    with_note,
    wrapped,
)
from retrieval.images.contact_sheets import contact_sheet_tag
from retrieval.paths import read_file_path
from retrieval.report.results import Results, Tile
from retrieval.written import replace

_MAT = "#eae7e0"
_COLUMNS = 5
_CELL, _IMAGE_HEIGHT, _CAPTION = 280, 210, 44


def save_sheet(results: Results, file: str | os.PathLike[str]) -> None:
    """Write the contact sheet as PNG, whatever the file's suffix; a file there is replaced.

    Raises:
        UsageError: the file cannot be written.
    """
    path = read_file_path(file, "file")
    image = draw_sheet(results)
    replace(path, lambda target: image.save(target, "PNG", pnginfo=contact_sheet_tag()))


def draw_sheet(results: Results) -> Image.Image:
    """The contact sheet, RGB, 1544 pixels wide."""
    blocks = [with_note(draw_panel(panel), panel.note) for panel in results.panels]
    rows = flow(blocks)
    top = sum(max(block.height for block in row) + GAP for row in rows)
    lines = -(-len(results.tiles) // _COLUMNS)
    grid = lines * (_IMAGE_HEIGHT + _CAPTION + GAP)
    sheet = Image.new("RGB", (WIDTH, 2 * MARGIN + top + 44 + grid - GAP), GROUND)
    draw = ImageDraw.Draw(sheet)
    y = MARGIN
    for row in rows:
        x = MARGIN
        for block in row:
            sheet.paste(block, (x, y))
            x += block.width + GAP
        y += max(block.height for block in row) + GAP
    heading = f"{len(results.tiles)} nearest of {results.counted} in {results.gallery}"
    draw.text((MARGIN, y + 4), fitted(heading, font_of(18), WIDTH - 2 * MARGIN), SOFT, font_of(18))
    y += 44
    for number, tile in enumerate(results.tiles):
        column, line = number % _COLUMNS, number // _COLUMNS
        _draw_tile(
            sheet,
            tile,
            MARGIN + column * (_CELL + GAP),
            y + line * (_IMAGE_HEIGHT + _CAPTION + GAP),
        )
    return sheet


def _draw_tile(sheet: Image.Image, tile: Tile, x: int, y: int) -> None:
    draw = ImageDraw.Draw(sheet)
    box = (x, y, x + _CELL - 1, y + _IMAGE_HEIGHT - 1)
    draw.rectangle(box, _MAT)
    if tile.thumbnail is not None:
        scale = min(_CELL / tile.thumbnail.width, _IMAGE_HEIGHT / tile.thumbnail.height)
        size = (
            max(1, round(tile.thumbnail.width * scale)),
            max(1, round(tile.thumbnail.height * scale)),
        )
        image = on_checks(tile.thumbnail).resize(size, Image.Resampling.LANCZOS)
        sheet.paste(image, (x + (_CELL - size[0]) // 2, y + (_IMAGE_HEIGHT - size[1]) // 2))
    elif tile.text is not None:
        _draw_text(draw, tile.text, x + 12, y + 10)
    else:
        note = fitted(tile.note or "", font_of(14), _CELL - 24)
        draw.text((x + 12, y + _IMAGE_HEIGHT // 2 - 9), note, SOFT, font_of(14))
    font = font_of(16)
    below = y + _IMAGE_HEIGHT + 8
    rank = f"{tile.hit.rank}"
    draw.text((x, below), rank, SOFT, font)
    draw.text((x + _CELL, below), tile.score, ACCENT, font, anchor="ra")
    left = text_width(rank + "  ", font)
    room = _CELL - left - text_width(tile.score + "  ", font)
    label = f"{tile.modality}: " if tile.modality else ""
    label = fitted(label + tile.folder + tile.name, font, room)
    draw.text((x + left, below), label, INK, font)


def _draw_text(draw: ImageDraw.ImageDraw, text: str, x: int, y: int) -> None:
    font, width = font_of(20), _CELL - 24
    most = (_IMAGE_HEIGHT - 20) // 26
    lines = wrapped(text, font, width)
    if len(lines) > most:
        lines = [*lines[: most - 1], fitted(" ".join(lines[most - 1 :]), font, width)]
    for number, line in enumerate(lines):
        draw.text((x, y + 26 * number), line, INK, font)

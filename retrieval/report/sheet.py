"""A contact sheet: the query and its hits in one picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from retrieval.errors import UsageError
from retrieval.report.panels import Panel
from retrieval.report.results import Results, Tile

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_GROUND, _INK, _SOFT, _LINE = "#f6f5f2", "#1d1c1a", "#65625c", "#dedbd4"
_CARD, _MAT, _ACCENT, _CHECK = "#ffffff", "#eae7e0", "#0f6b5c", "#e4e1da"
_COLUMNS = 5
_CELL, _PICTURE_HEIGHT, _CAPTION = 280, 210, 44
_GAP, _MARGIN = 20, 32
_WIDTH = 2 * _MARGIN + _COLUMNS * _CELL + (_COLUMNS - 1) * _GAP
_QUERY_HEIGHT = 240
_LEGEND_ROW = 26


def save_sheet(results: Results, file: str | os.PathLike[str]) -> None:
    """Write the contact sheet as PNG, whatever the file's suffix; a file there is replaced.

    Raises:
        UsageError: the file cannot be written.
    """
    image = draw_sheet(results)
    try:
        with Path(file).open("wb") as target:
            image.save(target, "PNG")
    except OSError as error:
        raise UsageError(f"cannot be written ({error.strerror})", where=Path(file)) from None


def draw_sheet(results: Results) -> Image.Image:
    """The contact sheet, RGB, 1544 pixels wide."""
    blocks = [_with_note(_panel(panel), panel.note) for panel in results.panels]
    rows = _flow(blocks)
    top = sum(max(block.height for block in row) + _GAP for row in rows)
    lines = -(-len(results.tiles) // _COLUMNS)
    grid = lines * (_PICTURE_HEIGHT + _CAPTION + _GAP)
    sheet = Image.new("RGB", (_WIDTH, 2 * _MARGIN + top + 44 + grid - _GAP), _GROUND)
    draw = ImageDraw.Draw(sheet)
    y = _MARGIN
    for row in rows:
        x = _MARGIN
        for block in row:
            sheet.paste(block, (x, y))
            x += block.width + _GAP
        y += max(block.height for block in row) + _GAP
    heading = f"{len(results.tiles)} nearest of {results.counted} in {results.gallery}"
    draw.text((_MARGIN, y + 4), _fitted(heading, _font(18), _WIDTH - 2 * _MARGIN), _SOFT, _font(18))
    y += 44
    for number, tile in enumerate(results.tiles):
        column, line = number % _COLUMNS, number // _COLUMNS
        _draw_tile(
            sheet,
            tile,
            _MARGIN + column * (_CELL + _GAP),
            y + line * (_PICTURE_HEIGHT + _CAPTION + _GAP),
        )
    return sheet


def draw_panels(sections: Sequence[tuple[str, Sequence[Panel]]]) -> Image.Image:
    """Panels under their titles, in sections with a heading each, RGB, 1544 pixels wide.

    Sections without panels are left out.
    """
    shown = [(heading, _flow([_titled(p) for p in panels])) for heading, panels in sections]
    shown = [(heading, rows) for heading, rows in shown if rows]
    heights = [[max(block.height for block in row) + _GAP for row in rows] for _, rows in shown]
    total = sum(44 + sum(rows) for rows in heights)
    sheet = Image.new("RGB", (_WIDTH, 2 * _MARGIN + max(total, 44) - _GAP), _GROUND)
    draw = ImageDraw.Draw(sheet)
    y = _MARGIN
    for (heading, rows), below in zip(shown, heights, strict=True):
        draw.text((_MARGIN, y + 4), heading, _ACCENT, _font(22))
        y += 44
        for row, height in zip(rows, below, strict=True):
            x = _MARGIN
            for block in row:
                sheet.paste(block, (x, y))
                x += block.width + _GAP
            y += height
    return sheet


def draw_panel(panel: Panel) -> Image.Image:
    """One panel, its legend beside it, RGB."""
    return _panel(panel)


def _titled(panel: Panel) -> Image.Image:
    block = _panel(panel)
    if panel.rows or (panel.words is None and panel.picture is None):
        return block  # drawn with its title
    font = _font(18)
    title = _fitted(panel.title, font, max(block.width, 160))
    wide = max(block.width, _text_width(title, font))
    titled = Image.new("RGB", (wide, block.height + 30), _GROUND)
    ImageDraw.Draw(titled).text((0, 2), title, _SOFT, font)
    titled.paste(block, (0, 30))
    return titled


def _panel(panel: Panel) -> Image.Image:
    if panel.words is not None:
        return _words_block(panel.words)
    if panel.picture is None:
        return _rows_block(panel)
    picture = _on_checks(panel.picture)
    method = Image.Resampling.NEAREST if panel.crisp else Image.Resampling.LANCZOS
    scale = min(_QUERY_HEIGHT / picture.height, 480 / picture.width)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(size, method)
    per_column = _QUERY_HEIGHT // _LEGEND_ROW
    columns = [
        panel.legend[start : start + per_column]
        for start in range(0, len(panel.legend), per_column)
    ][:4]
    widths = [
        max(_text_width(f"{e.label}  {e.percent}", _font(16)) for e in column) + 28 + _GAP
        for column in columns
    ]
    block = Image.new("RGB", (picture.width + _GAP + sum(widths), _QUERY_HEIGHT), _GROUND)
    block.paste(picture, (0, 0))
    draw = ImageDraw.Draw(block)
    x = picture.width + _GAP
    for column, width in zip(columns, widths, strict=True):
        for row, entry in enumerate(column):
            y = row * _LEGEND_ROW
            draw.rounded_rectangle((x, y + 3, x + 16, y + 19), 4, entry.colour, _LINE)
            draw.text((x + 26, y), entry.label, _INK, _font(16))
            after = x + 26 + _text_width(entry.label + "  ", _font(16))
            draw.text((after, y), entry.percent, _SOFT, _font(16))
        x += width
    return block if columns else block.crop((0, 0, picture.width, _QUERY_HEIGHT))


def _with_note(block: Image.Image, note: str) -> Image.Image:
    if not note:
        return block
    wider = max(block.width, _text_width(note, _font(16)))
    noted = Image.new("RGB", (wider, block.height + 30), _GROUND)
    noted.paste(block, (0, 0))
    ImageDraw.Draw(noted).text((0, block.height + 6), note, _SOFT, _font(16))
    return noted


def _words_block(words: str) -> Image.Image:
    font = _font(34)
    lines = _wrapped(words, font, 660)
    if len(lines) > 5:
        lines = [*lines[:4], _fitted(" ".join(lines[4:]), font, 660)]
    width = max(_text_width(line, font) for line in lines) + 8
    block = Image.new("RGB", (width, max(_QUERY_HEIGHT, 44 * len(lines))), _GROUND)
    draw = ImageDraw.Draw(block)
    y = (block.height - 44 * len(lines)) // 2
    for line in lines:
        draw.text((0, y), line, _INK, font)
        y += 44
    return block


def _rows_block(panel: Panel) -> Image.Image:
    rows = panel.rows or (("", panel.summary),)
    font = _font(18)
    keys = max(_text_width(_fitted(key, font, 320), font) for key, _ in rows)
    values = max(_text_width(_fitted(value, font, 320), font) for _, value in rows)
    title = _fitted(panel.title, _font(22), 660)
    width = max(keys + _GAP + values, _text_width(title, _font(22)))
    block = Image.new("RGB", (width, max(_QUERY_HEIGHT, 44 + _LEGEND_ROW * len(rows))), _GROUND)
    draw = ImageDraw.Draw(block)
    draw.text((0, 4), title, _INK, _font(22))
    for number, (key, value) in enumerate(rows):
        y = 44 + number * _LEGEND_ROW
        draw.text((0, y), _fitted(key, font, 320), _SOFT, font)
        draw.text((keys + _GAP, y), _fitted(value, font, 320), _INK, font)
    return block


def _draw_tile(sheet: Image.Image, tile: Tile, x: int, y: int) -> None:
    draw = ImageDraw.Draw(sheet)
    box = (x, y, x + _CELL - 1, y + _PICTURE_HEIGHT - 1)
    draw.rectangle(box, _MAT)
    if tile.thumbnail is not None:
        scale = min(_CELL / tile.thumbnail.width, _PICTURE_HEIGHT / tile.thumbnail.height)
        size = (
            max(1, round(tile.thumbnail.width * scale)),
            max(1, round(tile.thumbnail.height * scale)),
        )
        picture = _on_checks(tile.thumbnail).resize(size, Image.Resampling.LANCZOS)
        sheet.paste(picture, (x + (_CELL - size[0]) // 2, y + (_PICTURE_HEIGHT - size[1]) // 2))
    elif tile.words is not None:
        _draw_words(draw, tile.words, x + 12, y + 10)
    else:
        note = _fitted(tile.note or "", _font(14), _CELL - 24)
        draw.text((x + 12, y + _PICTURE_HEIGHT // 2 - 9), note, _SOFT, _font(14))
    font = _font(16)
    below = y + _PICTURE_HEIGHT + 8
    rank = f"{tile.hit.rank}"
    draw.text((x, below), rank, _SOFT, font)
    draw.text((x + _CELL, below), tile.score, _ACCENT, font, anchor="ra")
    left = _text_width(rank + "  ", font)
    room = _CELL - left - _text_width(tile.score + "  ", font)
    label = f"{tile.kind}: " if tile.kind else ""
    label = _fitted(label + tile.folder + tile.name, font, room)
    draw.text((x + left, below), label, _INK, font)


def _draw_words(draw: ImageDraw.ImageDraw, words: str, x: int, y: int) -> None:
    font, width = _font(20), _CELL - 24
    most = (_PICTURE_HEIGHT - 20) // 26
    lines = _wrapped(words, font, width)
    if len(lines) > most:
        lines = [*lines[: most - 1], _fitted(" ".join(lines[most - 1 :]), font, width)]
    for number, line in enumerate(lines):
        draw.text((x, y + 26 * number), line, _INK, font)


def _flow(blocks: Sequence[Image.Image]) -> list[list[Image.Image]]:
    """Blocks side by side while there is room, then in a new row."""
    rows: list[list[Image.Image]] = []
    used = _WIDTH
    for block in blocks:
        if used + block.width > _WIDTH - 2 * _MARGIN:
            rows.append([])
            used = 0
        rows[-1].append(block)
        used += block.width + _GAP
    return rows


def _on_checks(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, _CARD)
    draw = ImageDraw.Draw(ground)
    for y in range(0, picture.height, 16):
        for x in range((y // 16 % 2) * 16, picture.width, 32):
            draw.rectangle((x, y, x + 15, y + 15), _CHECK)
    ground.paste(picture, (0, 0), picture)
    return ground


def _wrapped(text: str, font: Font, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or _text_width(longer, font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [_fitted(line, font, width) for line in lines]


def _fitted(text: str, font: Font, width: int) -> str:
    """The text, its middle left out if it is too wide: the ends of names tell them apart."""
    if _text_width(text, font) <= width:
        return text
    keep = len(text)
    while keep > 2:
        keep = min(keep - 1, int(keep * 0.97) or 1)
        head = keep // 3
        shorter = f"{text[:head]}…{text[len(text) - (keep - head) :]}"
        if _text_width(shorter, font) <= width:
            return shorter
    return "…"


def _text_width(text: str, font: Font) -> int:
    return int(font.getlength(text)) + 1


@cache
def _font(size: int) -> Font:
    return ImageFont.load_default(size)

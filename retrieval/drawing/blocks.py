"""Panels as blocks of pixels, in one look for sheets and files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from retrieval.drawing.panel import Panel

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

GROUND, INK, SOFT, ACCENT, CARD = "#f6f5f2", "#1d1c1a", "#65625c", "#0f6b5c", "#ffffff"
GAP, MARGIN = 20, 32
WIDTH = 1544
_LINE, _CHECK = "#dedbd4", "#e4e1da"
_QUERY_HEIGHT = 240
_LEGEND_ROW = 26


def draw_panels(sections: Sequence[tuple[str, Sequence[Panel]]]) -> Image.Image:
    """Panels under their titles, in sections with a heading each, RGB, 1544 pixels wide.

    Sections without panels are left out.
    """
    shown = [(heading, flow([_titled(p) for p in panels])) for heading, panels in sections]
    shown = [(heading, rows) for heading, rows in shown if rows]
    heights = [[max(block.height for block in row) + GAP for row in rows] for _, rows in shown]
    total = sum(44 + sum(rows) for rows in heights)
    sheet = Image.new("RGB", (WIDTH, 2 * MARGIN + max(total, 44) - GAP), GROUND)
    draw = ImageDraw.Draw(sheet)
    y = MARGIN
    for (heading, rows), below in zip(shown, heights, strict=True):
        draw.text((MARGIN, y + 4), heading, ACCENT, font_of(22))
        y += 44
        for row, height in zip(rows, below, strict=True):
            x = MARGIN
            for block in row:
                sheet.paste(block, (x, y))
                x += block.width + GAP
            y += height
    return sheet


def _titled(panel: Panel) -> Image.Image:
    block = draw_panel(panel)
    if panel.rows or (panel.text is None and panel.image is None):
        return block  # drawn with its title
    font = font_of(18)
    title = fitted(panel.title, font, max(block.width, 160))
    wide = max(block.width, text_width(title, font))
    titled = Image.new("RGB", (wide, block.height + 30), GROUND)
    ImageDraw.Draw(titled).text((0, 2), title, SOFT, font)
    titled.paste(block, (0, 30))
    return titled


def draw_panel(panel: Panel) -> Image.Image:
    """One panel, its legend beside it, RGB."""
    if panel.text is not None:
        return _text_block(panel.text)
    if panel.image is None:
        return _rows_block(panel)
    image = on_checks(panel.image)
    method = Image.Resampling.NEAREST if panel.crisp else Image.Resampling.LANCZOS
    scale = min(_QUERY_HEIGHT / image.height, 480 / image.width)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image = image.resize(size, method)
    per_column = _QUERY_HEIGHT // _LEGEND_ROW
    columns = [
        panel.legend[start : start + per_column]
        for start in range(0, len(panel.legend), per_column)
    ][:4]
    widths = [
        max(text_width(f"{e.label}  {e.percent}", font_of(16)) for e in column) + 28 + GAP
        for column in columns
    ]
    block = Image.new("RGB", (image.width + GAP + sum(widths), _QUERY_HEIGHT), GROUND)
    block.paste(image, (0, 0))
    draw = ImageDraw.Draw(block)
    x = image.width + GAP
    for column, width in zip(columns, widths, strict=True):
        for row, entry in enumerate(column):
            y = row * _LEGEND_ROW
            draw.rounded_rectangle((x, y + 3, x + 16, y + 19), 4, entry.colour, _LINE)
            draw.text((x + 26, y), entry.label, INK, font_of(16))
            after = x + 26 + text_width(entry.label + "  ", font_of(16))
            draw.text((after, y), entry.percent, SOFT, font_of(16))
        x += width
    return block if columns else block.crop((0, 0, image.width, _QUERY_HEIGHT))


def with_note(block: Image.Image, note: str) -> Image.Image:
    """A block with a line of small text below it."""
    if not note:
        return block
    wider = max(block.width, text_width(note, font_of(16)))
    noted = Image.new("RGB", (wider, block.height + 30), GROUND)
    noted.paste(block, (0, 0))
    ImageDraw.Draw(noted).text((0, block.height + 6), note, SOFT, font_of(16))
    return noted


def _text_block(text: str) -> Image.Image:
    font = font_of(34)
    lines = wrapped(text, font, 660)
    if len(lines) > 5:
        lines = [*lines[:4], fitted(" ".join(lines[4:]), font, 660)]
    width = max(text_width(line, font) for line in lines) + 8
    block = Image.new("RGB", (width, max(_QUERY_HEIGHT, 44 * len(lines))), GROUND)
    draw = ImageDraw.Draw(block)
    y = (block.height - 44 * len(lines)) // 2
    for line in lines:
        draw.text((0, y), line, INK, font)
        y += 44
    return block


def _rows_block(panel: Panel) -> Image.Image:
    rows = panel.rows or (("", panel.summary),)
    font = font_of(18)
    keys = max(text_width(fitted(key, font, 320), font) for key, _ in rows)
    values = max(text_width(fitted(value, font, 320), font) for _, value in rows)
    title = fitted(panel.title, font_of(22), 660)
    width = max(keys + GAP + values, text_width(title, font_of(22)))
    block = Image.new("RGB", (width, max(_QUERY_HEIGHT, 44 + _LEGEND_ROW * len(rows))), GROUND)
    draw = ImageDraw.Draw(block)
    draw.text((0, 4), title, INK, font_of(22))
    for number, (key, value) in enumerate(rows):
        y = 44 + number * _LEGEND_ROW
        draw.text((0, y), fitted(key, font, 320), SOFT, font)
        draw.text((keys + GAP, y), fitted(value, font, 320), INK, font)
    return block


def flow(blocks: Sequence[Image.Image]) -> list[list[Image.Image]]:
    """Blocks side by side while there is room, then in a new row."""
    rows: list[list[Image.Image]] = []
    used = WIDTH
    for block in blocks:
        if used + block.width > WIDTH - 2 * MARGIN:
            rows.append([])
            used = 0
        rows[-1].append(block)
        used += block.width + GAP
    return rows


def on_checks(image: Image.Image) -> Image.Image:
    """An image over a checkerboard where it is transparent, RGB."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, CARD)
    draw = ImageDraw.Draw(ground)
    for y in range(0, image.height, 16):
        for x in range((y // 16 % 2) * 16, image.width, 32):
            draw.rectangle((x, y, x + 15, y + 15), _CHECK)
    ground.paste(image, (0, 0), image)
    return ground


def wrapped(text: str, font: Font, width: int) -> list[str]:
    """The text in lines of at most so many pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or text_width(longer, font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [fitted(line, font, width) for line in lines]


def fitted(text: str, font: Font, width: int) -> str:
    """The text, its middle left out if it is too wide: the ends of names tell them apart."""
    if text_width(text, font) <= width:
        return text
    keep = len(text)
    while keep > 2:
        keep = min(keep - 1, int(keep * 0.97) or 1)
        head = keep // 3
        shorter = f"{text[:head]}…{text[len(text) - (keep - head) :]}"
        if text_width(shorter, font) <= width:
            return shorter
    return "…"


def text_width(text: str, font: Font) -> int:
    """The width of a line in pixels."""
    return int(font.getlength(text)) + 1


@cache
def font_of(size: int) -> Font:
    """Pillow's own font."""
    return ImageFont.load_default(size)

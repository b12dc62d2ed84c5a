"""Results as aligned tables, nothing cut off; a part of `cli`."""

from __future__ import annotations

import shlex
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import retrieval

if TYPE_CHECKING:
    from retrieval import (
        BuildReport,
        Evaluation,
        Gallery,
        Hit,
        LeftOutFile,
        PanopticClass,
        SkippedItem,
    )

Align = Literal["left", "right"]

_SHOWN_MISSING = 3
_COUNTS_OF_FEW = ("several_frames", "wide", "wide_without_squares")
"""Counts of a gallery that are shown where they are not 0."""
_SHOWN_KINDS = 8
_UNSEEN = ("\u200c", "\u200d")
"""Joiners, which are not escaped otherwise."""


def table(
    rows: Iterable[Sequence[object]], heads: Sequence[str], align: Sequence[Align] = ()
) -> str:
    """Rows under headers, two spaces between columns; left-aligned by default."""
    texts = [[retrieval.printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(heads, *texts, strict=True)]
    sides = [*align, *["left"] * (len(heads) - len(align))]
    return "\n".join(
        "  ".join(_padded(*cell) for cell in zip(row, widths, sides, strict=True)).rstrip()
        for row in [heads, *texts]
    )


def told_apart(names: Sequence[str]) -> list[str]:
    """Names, of which those that look like another one show what is different as an escape.

    They look alike if they are encoded in different ways (NFC and NFD), or have characters that
    cannot be seen.
    """
    alike = Counter(map(_look, set(names)))
    return ["".join(map(_plain, name)) if alike[_look(name)] > 1 else name for name in names]


def _look(name: str) -> str:
    return unicodedata.normalize("NFC", "".join(c for c in name if c not in _UNSEEN))


def _plain(character: str) -> str:
    if character in _UNSEEN or unicodedata.combining(character):
        return character.encode("unicode_escape").decode("ascii")
    return character


def key_values(pairs: Iterable[tuple[str, object]]) -> str:
    """One key and value per line, the values aligned."""
    texts = [(name, retrieval.printable(str(value))) for name, value in pairs]
    width = max(_width(name) for name, _ in texts)
    return "\n".join(f"{_padded(name, width, 'left')}  {value}" for name, value in texts)


def hits_table(gallery: Gallery, hits: Sequence[Hit]) -> str:
    """Hits, best first; items that are text are shown with it."""
    if not hits:
        return "no hits" if gallery.count() else "no items in this index"
    spaces = list(hits[0].scores) if len(hits[0].scores) > 1 else []
    mixed = any(hit.modality != "image" for hit in hits)
    texts = {hit.id: _text_of(gallery, hit) for hit in hits if hit.modality == "text"}
    paths = told_apart([hit.path for hit in hits])
    rows = [
        (
            hit.rank,
            f"{hit.score:.4f}",
            *(f"{hit.scores[space]:.4f}" for space in spaces),
            *([hit.modality] if mixed else ()),
            f"{path}  (missing)" if hit.missing else path,
            *([texts.get(hit.id, "")] if texts else ()),
        )
        for hit, path in zip(hits, paths, strict=True)
    ]
    heads = ("rank", "score", *spaces, *(["modality"] if mixed else ()), "path")
    right: list[Align] = ["right"] * (2 + len(spaces))
    return table(rows, (*heads, "text") if texts else heads, right)


def build_summary(report: BuildReport, index: str) -> str:
    """What a build did, and how to list what it skipped."""
    counts = {
        "indexed": report.indexed,
        "unchanged": report.unchanged,
        "completed": report.completed,
        "moved": report.moved,
        "edited (metadata only)": report.edited,
        "deleted": report.deleted,
        "missing": report.missing,
        "skipped": report.skipped,
    }
    parts = [f"{count} {what}" for what, count in counts.items() if count or what == "indexed"]
    text = f"{index}: {', '.join(parts)}"
    if report.skipped:
        text += f" (reasons: fourm info --skipped {shlex.quote(index)})"
    if report.left_out:
        kinds = [f"{count} {kind}" for kind, count in report.left_out.items()]
        rest = len(kinds) - _SHOWN_KINDS
        more = f" and {rest} more kinds" if rest > 0 else ""
        text += (
            f"\nleft out: {', '.join(kinds[:_SHOWN_KINDS])}{more} "
            f"(fourm info --left-out {shlex.quote(index)})"
        )
    for space, count in report.incomplete.items():
        text += (
            f"\nspace {space} is incomplete: {count} items could not be read; run the same command "
            "again once they can"
        )
    return text


def away_warning(report: BuildReport) -> str:
    """Items of folders that are empty or gone, the first folders by name."""
    folders = report.missing_folders
    names = ", ".join(f"{name or '.'}/" for name in folders[:_SHOWN_MISSING])
    rest = len(folders) - _SHOWN_MISSING
    more = f" and {rest} more" if rest > 0 else ""
    items = "1 item is" if report.missing == 1 else f"{report.missing} items are"
    return (
        f"{items} missing, in folders that are empty or gone: {names}{more}. They are kept, hidden "
        "from searches, until the files are back; --prune deletes them."
    )


def index_text(about: Mapping[str, Any]) -> str:
    """An index, its galleries and its spaces, one block each."""
    blocks = [{name: about[name] for name in ("items", "skipped", "missing", "model")}]
    blocks += [_gallery(entry) for entry in about["galleries"]]
    blocks += [_block("space", "space", entry) for entry in about["spaces"]]
    return "\n\n".join(key_values(block.items()) for block in blocks)


def skipped_table(
    items: Sequence[SkippedItem | LeftOutFile], nothing: str = "nothing was skipped"
) -> str:
    """Skipped items, or files that are left out, and the reasons; `nothing` says that none are."""
    if not items:
        return nothing
    named = list(zip(items, told_apart([item.path for item in items]), strict=True))
    if len({item.modality for item in items}) == 1:
        return table([(path, item.reason) for item, path in named], ("path", "reason"))
    rows = [(item.modality, path, item.reason) for item, path in named]
    return table(rows, ("modality", "path", "reason"))


def classes_table(classes: Sequence[PanopticClass], *, swatches: bool = False) -> str:
    """The classes of segmentation maps; `swatches` paints each colour, for terminals."""
    rows = [
        (entry.id, hex_colour(entry.colour), "thing" if entry.is_thing else "stuff", entry.name)
        for entry in classes
    ]
    lines = table(rows, ("id", "colour", "type", "name"), ("right",)).split("\n")
    if not swatches:
        return "\n".join(lines)
    painted = [
        "\x1b[48;2;{};{};{}m    \x1b[0m  ".format(*entry.colour) + line
        for entry, line in zip(classes, lines[1:], strict=True)
    ]
    return "\n".join(["      " + lines[0], *painted])


def class_entry(entry: PanopticClass) -> dict[str, Any]:
    """A class with the keys of `fourm classes --json`."""
    colour = hex_colour(entry.colour)
    return {"id": entry.id, "name": entry.name, "colour": colour, "thing": entry.is_thing}


def hex_colour(colour: tuple[int, int, int]) -> str:
    """`#rrggbb` of red, green and blue, 0 to 255."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def evaluation_table(result: Evaluation) -> str:
    """The metrics; shares in percent."""
    shares = {name: value for name, value in result.as_dict().items() if "@" in name}
    entries: list[tuple[str, object]] = [("queries", result.queries), ("items", result.items)]
    entries += [(name, f"{100 * share:.1f} %") for name, share in shares.items()]
    entries += [("median rank", f"{result.median_rank:g}")]
    entries += [("MAP", f"{result.mean_average_precision:.3f}")]
    return key_values(entries)


def missing_warning(paths: Sequence[str]) -> str:
    """Relevant items that are not searched, the first by name."""
    rest = len(paths) - _SHOWN_MISSING
    more = f" and {rest} more" if rest > 0 else ""
    what = "1 relevant item is" if len(paths) == 1 else f"{len(paths)} relevant items are"
    count = "counts" if len(paths) == 1 else "count"
    names = ", ".join(paths[:_SHOWN_MISSING])
    return f"{what} not among those searched and {count} as never found: {names}{more}"


def _text_of(gallery: Gallery, hit: Hit) -> str:
    try:
        return str(gallery.read(hit).value)
    except retrieval.ItemError as error:
        return f"({error})"


def _gallery(entry: Mapping[str, Any]) -> dict[str, object]:
    told = dict(entry)
    if told.get("wide_without_squares"):
        told["wide_without_squares"] = f"{told['wide_without_squares']} (`fourm index` adds them)"
    return _block("gallery", "modality", told)


def _block(title: str, key: str, entry: Mapping[str, Any]) -> dict[str, object]:
    rest = {
        name.replace("_", " "): _told(value)
        for name, value in entry.items()
        if name != key and value not in ("", []) and (value != 0 or name not in _COUNTS_OF_FEW)
    }
    return {title: entry[key], **rest}


def _told(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _padded(text: str, width: int, side: str) -> str:
    space = " " * (width - _width(text))
    return space + text if side == "right" else text + space


def _width(text: str) -> int:
    """Columns in a terminal: wide East Asian characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )

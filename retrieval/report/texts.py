"""What the command line prints for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retrieval.errors import PictureError
from retrieval.report.table import Align, facts, table

if TYPE_CHECKING:
    from fourm.modalities.seg import PanopticClass
    from retrieval.building import BuildReport
    from retrieval.evaluation import Evaluation
    from retrieval.gallery import Gallery
    from retrieval.hits import Hit

_SHOWN = 3


def hits_table(hits: Sequence[Hit], words: Mapping[int, str] | None = None) -> str:
    """Hits, best first.

    Args:
        hits: they.
        words: id -> text of an item that is read rather than looked at.
    """
    if not hits:
        return "no pictures in this index"
    spaces = list(hits[0].scores) if len(hits[0].scores) > 1 else []
    mixed = any(hit.modality != "image" for hit in hits)
    rows = [
        (
            hit.rank,
            f"{hit.score:.4f}",
            *(f"{hit.scores[space]:.4f}" for space in spaces),
            *([hit.modality] if mixed else ()),
            hit.path,
            *([words.get(hit.id, "")] if words else ()),
        )
        for hit in hits
    ]
    heads = ("rank", "score", *spaces, *(["modality"] if mixed else ()), "path")
    right: list[Align] = ["right"] * (2 + len(spaces))
    return table(rows, (*heads, "text") if words else heads, right)


def words_of(gallery: Gallery, hits: Sequence[Hit]) -> dict[int, str]:
    """Id -> text of those hits whose items are words, as far as they can be read."""
    found = {}
    for hit in hits:
        if hit.modality == "text":
            try:
                found[hit.id] = gallery.read(hit).value
            except PictureError as error:
                found[hit.id] = f"({error})"
    return found


def build_summary(report: BuildReport, index: str) -> str:
    """What a build did, and where to read more about what it skipped."""
    counts = {
        "indexed": report.indexed,
        "unchanged": report.unchanged,
        "completed": report.completed,
        "moved": report.moved,
        "deleted": report.deleted,
        "skipped": report.skipped,
    }
    said = [f"{count} {what}" for what, count in counts.items() if count or what == "indexed"]
    text = f"{index}: {', '.join(said)}"
    if report.skipped:
        text += f" (why: fourm info --skipped {shlex.quote(index)})"
    for space, count in report.incomplete.items():
        text += (
            f"\nthe space {space} is incomplete: {count} items could not be read; run the same "
            "command again when they can be"
        )
    return text


def classes_table(classes: Iterable[PanopticClass], *, swatches: bool = False) -> str:
    """The classes of segmentation maps; `swatches` paints each colour (for terminals)."""
    from fourm.modalities.palette import written_colour

    rows = [
        (entry.id, written_colour(entry.colour), "thing" if entry.is_thing else "stuff", entry.name)
        for entry in classes
    ]
    lines = table(rows, ("id", "colour", "kind", "name"), ("right",)).split("\n")
    if not swatches:
        return "\n".join(lines)
    painted = [
        "\x1b[48;2;{};{};{}m    \x1b[0m  ".format(*entry.colour) + line
        for entry, line in zip(classes, lines[1:], strict=True)
    ]
    return "\n".join(["      " + lines[0], *painted])


def class_facts(entry: PanopticClass) -> dict[str, Any]:
    """A class with the keys of `fourm classes --json`."""
    from fourm.modalities.palette import written_colour

    colour = written_colour(entry.colour)
    return {"id": entry.id, "name": entry.name, "colour": colour, "thing": entry.is_thing}


def evaluation_table(result: Evaluation) -> str:
    """The measures; shares in percent."""
    from retrieval.evaluation import PRECISION_AT

    numbers = result.as_dict()
    entries = [("queries", numbers["queries"]), ("pictures", numbers["pictures"])]
    entries += [(f"recall@{k}", f"{100 * share:.1f} %") for k, share in result.recall.items()]
    entries += [(f"precision@{PRECISION_AT}", f"{100 * result.precision:.1f} %")]
    entries += [("median rank", numbers["median_rank"]), ("MAP", f"{numbers['map']:.3f}")]
    return facts(entries)


def missing_warning(paths: Sequence[str]) -> str:
    """That some relevant pictures are not in the gallery, naming the first."""
    rest = len(paths) - _SHOWN
    more = f" and {rest} more" if rest > 0 else ""
    those = "1 relevant picture is" if len(paths) == 1 else f"{len(paths)} relevant pictures are"
    count = "counts" if len(paths) == 1 else "count"
    return f"{those} not in the index and {count} as never found: {', '.join(paths[:_SHOWN])}{more}"

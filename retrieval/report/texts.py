"""What the command line prints for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retrieval.report.table import facts, table

if TYPE_CHECKING:
    from fourm import ModelCard
    from fourm.modalities.classes import PanopticClass
    from indexes import Picture
    from retrieval.building import BuildReport
    from retrieval.evaluation import Evaluation
    from retrieval.gallery import Gallery, Hit

_SHOWN = 3


def hits_table(hits: Sequence[Hit]) -> str:
    """Hits, best first."""
    if not hits:
        return "no pictures in this index"
    rows = [(hit.rank, f"{hit.score:.4f}", hit.path) for hit in hits]
    return table(rows, ("rank", "score", "path"), ("right", "right"))


def build_summary(report: BuildReport, index: str) -> str:
    """What a build did, and where to read more about what it skipped."""
    counts = {
        "indexed": report.indexed,
        "unchanged": report.unchanged,
        "moved": report.moved,
        "forgotten": report.forgotten,
        "skipped": report.skipped,
    }
    said = [f"{count} {what}" for what, count in counts.items() if count or what == "indexed"]
    text = f"{index}: {', '.join(said)}"
    if report.skipped:
        text += f" (why: fourm info --skipped {shlex.quote(index)})"
    return text


def info_facts(gallery: Gallery) -> dict[str, Any]:
    """What an index says about itself, with the keys of `fourm info --json`."""
    counts, recipe = gallery.index.counts(), gallery.index.recipe
    return {
        "root": str(gallery.root),
        "pictures": counts.indexed,
        "skipped": counts.skipped,
        "model": recipe.model,
        "fingerprint": recipe.fingerprint,
        "space": recipe.space,
        "dim": recipe.dim,
        "preprocessing": recipe.preprocessing,
    }


def info_text(entries: Mapping[str, object]) -> str:
    """The same for people."""
    return facts(entries.items())


def skipped_table(pictures: Iterable[Picture]) -> str:
    """Skipped files with the reasons."""
    rows = [(picture.path, picture.error) for picture in pictures]
    return table(rows, ("path", "reason")) if rows else "nothing was skipped"


def classes_table(classes: Iterable[PanopticClass], *, swatches: bool = False) -> str:
    """The classes of segmentation maps; `swatches` paints each colour (for terminals)."""
    rows = [
        (entry.id, _hex(entry.colour), "thing" if entry.is_thing else "stuff", entry.name)
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
    colour = _hex(entry.colour)
    return {"id": entry.id, "name": entry.name, "colour": colour, "thing": entry.is_thing}


def models_table(cards: Iterable[ModelCard]) -> str:
    """Models that can be loaded by name."""
    rows = [
        (
            card.name,
            "yes" if card.available else "no",
            ", ".join(card.inputs),
            ", ".join(card.spaces),
            card.note,
        )
        for card in cards
    ]
    return table(rows, ("name", "here", "inputs", "spaces", "note"))


def model_facts(card: ModelCard) -> dict[str, Any]:
    """A model with the keys of `fourm models --json`."""
    return {
        "name": card.name,
        "title": card.title,
        "inputs": list(card.inputs),
        "spaces": list(card.spaces),
        "where": card.where,
        "available": card.available,
        "note": card.note,
    }


def evaluation_table(result: Evaluation) -> str:
    """The measures; shares in percent."""
    numbers = result.as_dict()
    entries = [("queries", numbers["queries"]), ("pictures", numbers["pictures"])]
    entries += [(f"recall@{k}", f"{100 * share:.1f} %") for k, share in result.recall.items()]
    entries += [("median rank", numbers["median_rank"]), ("MAP", f"{numbers['map']:.3f}")]
    return facts(entries)


def missing_warning(paths: Sequence[str]) -> str:
    """That some relevant pictures are not in the gallery, naming the first."""
    rest = len(paths) - _SHOWN
    more = f" and {rest} more" if rest > 0 else ""
    return (
        f"{len(paths)} relevant pictures are not in the index and count as never found: "
        f"{', '.join(paths[:_SHOWN])}{more}"
    )


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)

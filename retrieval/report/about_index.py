"""What an index says about itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retrieval.report.table import facts, table

if TYPE_CHECKING:
    from indexes import Index, Item


def info_facts(index: Index) -> dict[str, Any]:
    """The keys of `fourm info --json`; those of one gallery or space are of the first."""
    counts = {kind: index.counts(modality=kind) for kind in index.readings}
    incomplete, recipe = index.incomplete(), index.recipe
    return {
        "root": str(index.root),
        "pictures": sum(count.indexed for count in counts.values()),
        "skipped": sum(count.skipped for count in counts.values()),
        "model": recipe.model,
        "fingerprint": recipe.fingerprint,
        "space": recipe.space,
        "dim": recipe.dim,
        "preprocessing": recipe.preprocessing,
        "galleries": [
            {
                "kind": kind,
                "root": str(index.roots[kind]),
                "items": counts[kind].indexed,
                "skipped": counts[kind].skipped,
                "options": reading.options,
            }
            for kind, reading in index.readings.items()
        ],
        "spaces": [
            {
                "space": space,
                "dim": stored.dim,
                "complete": not incomplete.get(space),
                "encoder": stored.encoder,
                "fingerprint": stored.fingerprint,
                "preprocessing": stored.preprocessing,
            }
            for space, stored in index.recipes.items()
        ],
    }


def info_text(entries: Mapping[str, Any]) -> str:
    """The same for people: the index, its galleries and its spaces, one block each."""
    blocks = [{name: entries[name] for name in ("pictures", "skipped", "model")}]
    blocks += [_block("gallery", "kind", entry) for entry in entries["galleries"]]
    blocks += [_block("space", "space", entry) for entry in entries["spaces"]]
    return "\n\n".join(facts(block.items()) for block in blocks)


def skipped_facts(index: Index) -> list[dict[str, Any]]:
    """The objects of `fourm info --skipped --json`."""
    return [
        {"path": picture.path, "reason": picture.error, "kind": picture.modality}
        for picture in _skipped(index)
    ]


def skipped_table(pictures: Sequence[Item]) -> str:
    """Skipped files with the reasons, and what they were read as if that is not always the same."""
    if not pictures:
        return "nothing was skipped"
    if len({picture.modality for picture in pictures}) == 1:
        return table([(p.path, p.error) for p in pictures], ("path", "reason"))
    rows = [(p.modality, p.path, p.error) for p in pictures]
    return table(rows, ("kind", "path", "reason"))


def skipped_text(index: Index) -> str:
    """The table of all that an index skipped."""
    return skipped_table(_skipped(index))


def _skipped(index: Index) -> list[Item]:
    return [picture for kind in index.readings for picture in index.skipped(modality=kind)]


def _block(title: str, key: str, entry: Mapping[str, Any]) -> dict[str, object]:
    rest = {name: value for name, value in entry.items() if name != key and value != ""}
    told = {name: _word(value) for name, value in rest.items()}
    return {title: entry[key], **told}


def _word(value: object) -> object:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value

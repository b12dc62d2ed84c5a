"""What an index holds, as values that JSON has."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from retrieval.building.parts import part_count
from retrieval.items import find_items
from retrieval.modalities import Source, source_named

if TYPE_CHECKING:
    from indexes import Index


@dataclass(frozen=True)
class SkippedItem:
    """A file or line of a gallery that could not be indexed.

    Attributes:
        path: relative to the root of its gallery.
        reason: why it was skipped.
        modality: of its gallery.
    """

    path: str
    reason: str
    modality: str = "image"

    def as_dict(self) -> dict[str, Any]:
        """The fields above, in this order."""
        return asdict(self)


@dataclass(frozen=True)
class LeftOutFile:
    """A file or folder in the folder of a gallery that does not belong to it.

    Attributes:
        path: relative to the root; that of a folder ends in `/`.
        kind: under which it is counted, e.g. `.CR2` or `excluded`.
        reason: why it is left out.
        modality: of the gallery.
    """

    path: str
    kind: str
    reason: str
    modality: str = "image"

    def as_dict(self) -> dict[str, Any]:
        """The fields above, in this order."""
        return asdict(self)


def describe(index: Index) -> dict[str, Any]:
    """The keys of `fourm info --json`; those of one gallery or space are of the first."""
    counts = {modality: index.counts(modality=modality) for modality in index.readings}
    sources = {modality: source_named(modality) for modality in index.readings}
    incomplete, recipe = index.incomplete(), index.recipe
    return {
        "root": str(index.root),
        "items": sum(count.indexed for count in counts.values()),
        "skipped": sum(count.skipped for count in counts.values()),
        "missing": sum(count.missing for count in counts.values()),
        "model": recipe.model,
        "fingerprint": recipe.fingerprint,
        "space": recipe.space,
        "dim": recipe.dim,
        "preprocessing": recipe.preprocessing,
        "galleries": [
            {
                "modality": modality,
                "root": str(index.roots[modality]),
                "items": counts[modality].indexed,
                "skipped": counts[modality].skipped,
                "missing": counts[modality].missing,
                "options": reading.options,
                "exclude": list(index.exclude[modality]),
                **_shapes(index, sources[modality]),
            }
            for modality, reading in index.readings.items()
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


def _shapes(index: Index, source: Source) -> dict[str, int]:
    """Counts of image files that hold more than one plain image."""
    if source.items.part is None:
        return {}
    shapes = index.shapes(modality=source.name).values()
    wide = [shape for shape in shapes if part_count(source, shape)]
    lacking = [shape for shape in wide if any(name not in shape.parts for name in index.recipes)]
    return {
        "several_frames": sum((shape.frames or 1) > 1 for shape in shapes),
        "wide": len(wide),
        "wide_without_squares": len(lacking),
    }


def skipped(index: Index) -> list[SkippedItem]:
    """What could not be indexed, gallery by gallery, sorted by path."""
    return [
        SkippedItem(item.path, item.error or "", modality)
        for modality in index.readings
        for item in index.skipped(modality=modality)
    ]


def left_out(index: Index) -> list[LeftOutFile]:
    """What does not belong to the galleries, gallery by gallery, sorted by path.

    Raises:
        UsageError: the folder of a gallery cannot be listed.
    """
    found = []
    for modality, root in index.roots.items():
        if root.is_file():
            continue
        source, exclude = source_named(modality), index.exclude[modality]
        for entry in find_items(root, source, skip=[index.folder], exclude=exclude).left_out:
            found.append(LeftOutFile(entry.path, entry.kind, entry.reason, modality))
    return found

"""Whether vectors made now can be compared with those of an index."""

from __future__ import annotations

from pathlib import Path

from indexes.errors import ReadingMismatch, RecipeMismatch
from indexes.recipe import Reading, Recipe


def require_recipe(own: Recipe, other: Recipe, folder: Path) -> None:
    """Check that two recipes do not differ, that of the index in `folder` and another.

    Raises:
        RecipeMismatch: names what differs.
    """
    differences = own.differences(other)
    if differences == ["precision"]:
        raise RecipeMismatch(
            f"this index was made with {own.model} in {own.precision}, whose vectors cannot be "
            f"compared with those in {other.precision}. Load the model in {own.precision} "
            f"(--dtype {own.precision}), or index the gallery again into another folder.",
            where=folder,
        )
    if differences:
        raise RecipeMismatch(
            f"this index was made with the model {own.model!r} in the space {own.space!r} and "
            f"cannot be used with {other.model!r} in {other.space!r} "
            f"({own.describe_differences(other)}). Use the model that it was made with, or index "
            "the gallery again into another folder.",
            where=folder,
        )


def require_reading(own: Reading, other: Reading, folder: Path) -> None:
    """Check that two galleries are read alike, that of the index in `folder` and another.

    Raises:
        ReadingMismatch: names what differs.
    """
    if own.options != other.options:
        raise ReadingMismatch(
            f"the {own.modality} gallery was read with {own.options or 'no options'}, got "
            f"{other.options or 'no options'}. Use the same options, or index into another folder.",
            where=folder,
        )
    if own.reader != other.reader:
        raise ReadingMismatch(
            f"the model reads {own.modality} with other tokenizers or weights than when this "
            "gallery was indexed, so that old and new vectors cannot be compared. Use the model "
            "that it was made with, or index into another folder.",
            where=folder,
        )

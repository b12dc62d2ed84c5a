"""How vectors were made and items were read: what must be equal to compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from indexes.errors import BadRecipe

MAX_DIM = 65536

_SHOWN_DIGITS = 12
"""Digits of a fingerprint that messages show."""

MODEL = "model"
"""The `encoder` of vectors that the model itself made."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the vectors of one embedding space were made.

    Two vectors may be compared only if all of this is equal (`differences`).

    Attributes:
        model: name of the model, for messages ("mini").
        fingerprint: digest of the files of the model, which changes whenever its vectors would.
        space: the embedding space ("clip").
        dim: length of a vector, 1 to 65536.
        preprocessing: one line that says how an input becomes a vector.
        encoder: what embedded the gallery: "model", or another network whose vectors the model
            predicts.
        precision: the dtype in which the model computes ("bfloat16"), if vectors of another one
            are too far away to be compared; None: they are not, or it is unknown.

    Raises:
        BadRecipe: an empty string, or a dimension out of range.
    """

    model: str
    fingerprint: str
    space: str
    dim: int
    preprocessing: str
    encoder: str = MODEL
    precision: str | None = None

    def __post_init__(self) -> None:
        for name in ("model", "fingerprint", "space", "preprocessing", "encoder"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise BadRecipe(f"recipe: {name} must be a non-empty string, got {value!r}")
        if self.precision is not None and (
            not isinstance(self.precision, str) or not self.precision
        ):
            raise BadRecipe(f"recipe: precision must be a non-empty string, got {self.precision!r}")
        if isinstance(self.dim, bool) or not isinstance(self.dim, int):
            raise BadRecipe(f"recipe: dim must be an integer, got {self.dim!r}")
        if not 1 <= self.dim <= MAX_DIM:
            raise BadRecipe(f"recipe: dim must be in [1, {MAX_DIM}], got {self.dim}")

    def differences(self, other: Recipe) -> list[str]:
        """Names of the fields in which two recipes differ, in the order of declaration.

        An unknown precision differs from no other.
        """
        names = [field.name for field in fields(self)]
        if self.precision is None or other.precision is None:
            names.remove("precision")
        return [name for name in names if getattr(self, name) != getattr(other, name)]

    def describe_differences(self, other: Recipe) -> str:
        """The differences between the recipe of an index (self) and another, for a message."""
        return "; ".join(
            f"{name}: expected {_shown(self, name)!r}, got {_shown(other, name)!r}"
            for name in self.differences(other)
        )


def _shown(recipe: Recipe, name: str) -> object:
    value = getattr(recipe, name)
    return value[:_SHOWN_DIGITS] if name == "fingerprint" else value


@dataclass(frozen=True, slots=True)
class Reading:
    """How the items of one gallery are read.

    Items of a gallery may be compared only if all of this is equal.

    Attributes:
        modality: of the items ("image", "depth"); an index has one gallery of each modality.
        options: how files are interpreted ("depth_near=low"); "" if there is nothing to choose.
        reader: digest of what the model reads this modality with, beyond what the fingerprints of
            recipes cover; "" if that is nothing.

    Raises:
        BadRecipe: an empty modality, or a field that is not a string.
    """

    modality: str
    options: str = ""
    reader: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.modality, str) or not self.modality:
            raise BadRecipe(f"reading: modality must be a non-empty string, got {self.modality!r}")
        for name in ("options", "reader"):
            if not isinstance(getattr(self, name), str):
                raise BadRecipe(f"reading: {name} must be a string, got {getattr(self, name)!r}")


IMAGES = Reading("image")
"""Images without options: the default of a new index."""


def check_recipes(recipes: Sequence[Recipe]) -> list[Recipe]:
    """The recipes of the spaces of an index.

    Raises:
        BadRecipe: none, or two of the same space.
    """
    names = [recipe.space for recipe in recipes]
    if not names:
        raise BadRecipe("an index needs at least one embedding space; give a recipe")
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadRecipe(f"duplicate space {twice[0]!r}")
    return list(recipes)

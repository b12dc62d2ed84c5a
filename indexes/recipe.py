"""How vectors were made and items read, so that only what is comparable meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from indexes.errors import BadRecipe

MAX_DIM = 65536

_TOLD = 12
"""Characters of a fingerprint that are enough to tell two apart."""

MODEL = "model"
"""The `encoder` of vectors that the model itself made."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the vectors of one embedding space were made.

    Two vectors may be compared only if all of this is equal.

    Attributes:
        model: the model's name, for people ("mini").
        fingerprint: a digest over the model's files, which changes whenever its vectors would.
        space: the embedding space ("dinov2").
        dim: length of a vector, 1 to 65536.
        preprocessing: one line that says what was done to the pixels and to the prediction.
        encoder: what made the gallery's vectors: "model", or another network whose vectors the
            model predicts.

    Raises:
        BadRecipe: an empty text, or a dimension outside that range.
    """

    model: str
    fingerprint: str
    space: str
    dim: int
    preprocessing: str
    encoder: str = MODEL

    def __post_init__(self) -> None:
        for name in ("model", "fingerprint", "space", "preprocessing", "encoder"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise BadRecipe(f"recipe: {name} must be a non-empty string, not {value!r}.")
        if isinstance(self.dim, bool) or not isinstance(self.dim, int):
            raise BadRecipe(f"recipe: dim must be an integer, not {self.dim!r}.")
        if not 1 <= self.dim <= MAX_DIM:
            raise BadRecipe(f"recipe: dim must lie between 1 and {MAX_DIM}, not {self.dim}.")

    def differences(self, other: Recipe) -> list[str]:
        """Names of the fields in which two recipes differ, in the order of declaration."""
        names = [field.name for field in fields(self)]
        return [name for name in names if getattr(self, name) != getattr(other, name)]

    def describe_differences(self, other: Recipe) -> str:
        """The differences in words, an index's recipe (self) against the one asked for."""
        return "; ".join(
            f"{name}: index {_told(self, name)!r}, asked {_told(other, name)!r}"
            for name in self.differences(other)
        )


def _told(recipe: Recipe, name: str) -> object:
    """A field as messages show it: of a long fingerprint the beginning."""
    value = getattr(recipe, name)
    return value[:_TOLD] if name == "fingerprint" else value


@dataclass(frozen=True, slots=True)
class Reading:
    """How the items of one gallery are read.

    Items of a gallery may be compared with each other only if all of this is equal.

    Attributes:
        kind: what they are ("image", "depth"); an index has one gallery of a kind.
        options: how such a file is understood ("depth_near=low"); "" where there is nothing to say.
        reader: a digest over what the model reads this kind with, beyond what the fingerprints of
            recipes cover; "" where that is nothing.

    Raises:
        BadRecipe: an empty kind, or something that is no text.
    """

    kind: str
    options: str = ""
    reader: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or not self.kind:
            raise BadRecipe(f"reading: kind must be a non-empty string, not {self.kind!r}.")
        for name in ("options", "reader"):
            if not isinstance(getattr(self, name), str):
                raise BadRecipe(f"reading: {name} must be a string, not {getattr(self, name)!r}.")


IMAGES = Reading("image")
"""Pictures as the model's first kind of input: what a gallery is unless it is said."""


def check_recipes(recipes: Sequence[Recipe]) -> list[Recipe]:
    """The recipes of an index's spaces.

    Raises:
        BadRecipe: none, or two of the same name.
    """
    names = [recipe.space for recipe in recipes]
    if not names:
        raise BadRecipe("an index has at least one embedding space; give a recipe.")
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadRecipe(f"the space {twice[0]!r} is there already; an index has each once.")
    return list(recipes)

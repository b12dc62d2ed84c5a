"""How the vectors of a space were made, so that only comparable vectors meet."""

from __future__ import annotations

from dataclasses import dataclass, fields

from indexes.errors import BadRecipe

MAX_DIM = 65536


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

    Raises:
        BadRecipe: an empty text, or a dimension outside that range.
    """

    model: str
    fingerprint: str
    space: str
    dim: int
    preprocessing: str

    def __post_init__(self) -> None:
        for name in ("model", "fingerprint", "space", "preprocessing"):
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
            f"{name}: index {getattr(self, name)!r}, asked {getattr(other, name)!r}"
            for name in self.differences(other)
        )

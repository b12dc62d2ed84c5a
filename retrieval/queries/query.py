"""A query: one or several inputs that go into one forward pass of the model together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from retrieval.errors import UsageError
from retrieval.queries.inputs import Input
from retrieval.queries.photo import read_photo
from retrieval.queries.segmentation import read_segmentation
from retrieval.queries.words import read_words

READERS: dict[str, Callable[[object], Input]] = {
    "text": read_words,
    "image": read_photo,
    "seg": read_segmentation,
}
"""How each kind of input is read, in the order in which pages show them."""


@dataclass(frozen=True, eq=False)
class Query:
    """Inputs of different kinds, read and checked."""

    inputs: tuple[Input, ...]

    @classmethod
    def read(cls, **sources: object) -> Query:
        """Read what the user gave; a source that is None was not given.

        Args:
            sources: `text` (words), `image` (path, Pillow picture or uint8 array (H, W, 3)), `seg`
                (path or array (H, W) of COCO panoptic category ids, 0 = nothing).

        Raises:
            UsageError: nothing was given, or a kind of input that does not exist.
            QueryError: an input cannot be read.
        """
        unknown = [kind for kind in sources if kind not in READERS]
        if unknown:
            raise UsageError(f"unknown kind of query: {unknown[0]}; known: {', '.join(READERS)}")
        inputs = tuple(
            reader(sources[kind])
            for kind, reader in READERS.items()
            if sources.get(kind) is not None
        )
        if not inputs:
            raise UsageError("nothing to search for: give words, a picture or a segmentation map")
        return cls(inputs)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the inputs."""
        return tuple(entry.kind for entry in self.inputs)

    @property
    def values(self) -> dict[str, Any]:
        """Kind -> value, as the model takes them."""
        return {entry.kind: entry.value for entry in self.inputs}

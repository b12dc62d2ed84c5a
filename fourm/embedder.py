"""The interface of a model, of a teacher, and of a model with its teachers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fourm.hub.availability import MissingTokenizer

Vectors = NDArray[np.float32]

FusionMethod = Literal["guided", "late"]
SpaceFusion = Literal["rrf", "scores"]


@dataclass(frozen=True)
class Space:
    """One embedding space.

    Attributes:
        name: e.g. `dinov2`.
        dim: length of its vectors.
        title: one-line description.
        preprocessing: one line: what is done to an image, and how its vector is read.
        teacher: name of the network whose vectors these can be compared with, or None.
        encoder: name of the teacher that embeds images itself; None: the model does.
        former_name: what indexes that were made earlier call it, or None.
        precision: dtype of the model's products, where vectors of another one differ by more than
            a cosine of 0.99; None: where they do not.
        succeeds: fingerprints of former models whose vectors of images are the same.
    """

    name: str
    dim: int
    title: str
    preprocessing: str
    teacher: str | None = None
    encoder: str | None = None
    former_name: str | None = None
    precision: str | None = None
    succeeds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Route:
    """The spaces in which queries of some inputs find most.

    Attributes:
        inputs: their modalities.
        more: whether others may come with them.
        spaces: space -> weight > 0; several are fused.
        fusion: how: `rrf`, by ranks, or `scores`, by the weighted mean of the cosines.
    """

    inputs: frozenset[str]
    more: bool
    spaces: Mapping[str, float]
    fusion: SpaceFusion = "rrf"

    def takes(self, inputs: Collection[str]) -> bool:
        """Whether it is for queries of these modalities."""
        given = frozenset(inputs)
        return self.inputs <= given if self.more else self.inputs == given


def spaces_for(embedder: Embedder, inputs: Collection[str]) -> Mapping[str, float]:
    """Space -> weight, of those in which an embedder finds most for inputs of these modalities."""
    routes = (route.spaces for route in embedder.routes if route.takes(inputs))
    return next(routes, {embedder.default_space: 1.0})


class Embedder(Protocol):
    """Samples of any modalities in, unit vectors of embedding spaces out.

    `fourm.Model`, `fourm.teachers.TeacherModel` and `fourm.teachers.ModelWithTeachers` are
    implementations. What `prepare` and `fuse` return is opaque and belongs to the embedder that
    made it. All methods may be called from several threads at once.
    """

    @property
    def name(self) -> str:
        """The model's name, e.g. `mini`."""

    @property
    def title(self) -> str:
        """One-line description."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The modalities that it reads."""

    @property
    def predictable(self) -> tuple[str, ...]:
        """The modalities that it can predict from an image and then read."""

    @property
    def metadata_keys(self) -> tuple[str, ...]:
        """The keys of metadata that it reads."""

    @property
    def missing(self) -> Mapping[str, MissingTokenizer]:
        """Further modalities and spaces -> the tokenizers that they need and this disk lacks."""

    @property
    def spaces(self) -> Mapping[str, Space]:
        """Name -> space."""

    @property
    def default_space(self) -> str:
        """The space of `embed` where none is named."""

    @property
    def routes(self) -> Sequence[Route]:
        """Which spaces find most for which inputs; the first that takes a query's inputs counts.

        Empty: `default_space`, for all.
        """

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of all that vectors depend on."""

    def space_fingerprint(self, space: str) -> str:
        """SHA-256 (hex) of all that an image's vector in a space depends on."""

    def input_fingerprint(self, modality: str) -> str:
        """SHA-256 (hex) of what a modality's vectors depend on beyond `space_fingerprint`; empty
        where that is nothing."""

    def prepare(self, inputs: Mapping[str, Any], *, predict: Sequence[str] = ()) -> Any:
        """Check the inputs of one sample and shrink them; no network runs."""

    def fuse(self, parts: Sequence[tuple[Any, float]], method: FusionMethod = "guided") -> Any:
        """Several samples as one, each with a weight."""

    def embed(
        self, prepared: Sequence[Any], /, *, space: str | None = None, seeds: int = 1
    ) -> Vectors:
        """Unit vectors in one space: float32 (B, dim)."""

    def embed_spaces(
        self, prepared: Sequence[Any], /, *, spaces: Sequence[str], seeds: int = 1
    ) -> dict[str, Vectors]:
        """Unit vectors in several spaces from one pass: space -> float32 (B, dim)."""

"""The base class of teachers: loaded when first needed, pixels in, vectors out."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from fourm.embedder import Space
from fourm.errors import BadInput, UnknownSpace
from fourm.hub.teachers import TeacherCard
from fourm.imagenet import IMAGENET_MEAN, IMAGENET_STD
from fourm.lazy import Lazy
from fourm.model.devices import choose_device, choose_dtype
from fourm.teachers.weights import TeacherState, digest, find_weights

if TYPE_CHECKING:
    import torch

SIDE = 224
"""Side of the square that 4M-21's features were made from, in pixels."""

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)

NORMALISATIONS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "clip": (CLIP_MEAN, CLIP_STD),
}
_NORMALISATION_TITLES = {
    "imagenet": "ImageNet mean and deviation",
    "clip": "CLIP's mean and deviation",
}


class Teacher(ABC):
    """A network whose vectors 4M-21 predicts.

    Weights are located and read when first needed, once for all threads.

    Args:
        source: file, folder or hub name of its weights; None: the repository of its card.
        device: `auto` or a torch device.
        dtype: `auto`, `float32`, `bfloat16` or `float16`: precision of the network.

    Attributes:
        card: its name, spaces and repository.
        name, title: those of the card.
        source, device, dtype: as chosen.

    Raises:
        BadInput: a device or dtype that this machine does not have.
    """

    card: ClassVar[TeacherCard]

    def __init__(
        self,
        source: str | os.PathLike[str] | None = None,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self.name, self.title = self.card.name, self.card.title
        self.source = self.card.repository if source is None else source
        self.device = choose_device(device)
        self.dtype = choose_dtype(dtype, self.device)
        self._place: Lazy[Path] = Lazy(lambda: find_weights(self.source, self.card.files))
        self._network: Lazy[Any] = Lazy(self._load)
        self._digest: str | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({os.fspath(self.source)!r})"

    @cached_property
    def spaces(self) -> Mapping[str, Space]:
        """Name -> `Space`; finds the weights, which may download them."""
        dim = self._dim()
        return MappingProxyType({name: self._space(name, dim) for name in self.card.outputs})

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the network: its design and its weights, whatever their file's format.

        Reads the weights.
        """
        weights = self._digest or digest(self._state(self._file()))
        return hashlib.sha256(f"{self._design()}\n{weights}".encode()).hexdigest()

    def space_fingerprint(self, space: str) -> str:
        """SHA-256 (hex) of all that vectors of a space depend on.

        Raises:
            UnknownSpace: this teacher has no such space.
        """
        about = f"{self.name}\n{self.preprocessing(space)}\n{self.fingerprint}"
        return hashlib.sha256(about.encode()).hexdigest()

    def preprocessing(self, space: str) -> str:
        """One line: what is done to an image, and what is read of the network.

        Raises:
            UnknownSpace: this teacher has no such space.
        """
        self._require(space)
        normalisation = _NORMALISATION_TITLES[self._normalisation(space)]
        steps = (f"central square, bicubic {SIDE} px", normalisation, self.card.outputs[space])
        return "; ".join([*steps, "unit length"])

    def embed_pixels(self, pixels: torch.Tensor, space: str | None = None) -> torch.Tensor:
        """Vectors of images, as the network gives them.

        Args:
            pixels: float32 (B, 3, 224, 224), 0 to 1, not normalised yet.
            space: default: the one that 4M-21 predicts.

        Returns:
            float32 (B, dim) on the CPU, not of unit length.

        Raises:
            BadInput: pixels of another shape or dtype.
            UnknownSpace: this teacher has no such space.
            ModelNotFound: the weights are not found.
            CheckpointError: they are damaged, or those of another network.
        """
        import torch

        chosen = self.card.predicted if space is None else space
        self._require(chosen)
        mean, std = NORMALISATIONS[self._normalisation(chosen)]
        if pixels.dtype != torch.float32 or pixels.shape[1:] != (3, SIDE, SIDE):
            raise BadInput(
                f"{self.name} takes float32 (B, 3, {SIDE}, {SIDE}), got "
                f"{str(pixels.dtype).removeprefix('torch.')} {list(pixels.shape)}"
            )
        centred = (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
        with torch.no_grad():
            vectors = self._read(self._network.get(), centred.to(self.device, self.dtype), chosen)
        return vectors.float().cpu()

    def _require(self, space: str) -> None:
        if space not in self.card.outputs:
            raise UnknownSpace(
                f"{self.name} has no space {space!r}; it has {', '.join(self.card.outputs)}"
            )

    def _space(self, name: str, dim: int) -> Space:
        return Space(
            name=name,
            dim=dim,
            title=f"{self.title}: {self.card.outputs[name]}",
            preprocessing=self.preprocessing(name),
            teacher=self.name,
            encoder=self.name,
        )

    def _load(self) -> Any:
        path = self._file()
        state = self._state(path)
        if "fingerprint" not in vars(self):
            self._digest = digest(state)
        network = self._build(state, path).to(self.device, self.dtype).eval()
        network.requires_grad_(False)
        return network

    @abstractmethod
    def _normalisation(self, space: str) -> str:
        """Which of `NORMALISATIONS` a space's pixels get."""

    @abstractmethod
    def _dim(self) -> int:
        """Length of the vectors, from the config alone."""

    @abstractmethod
    def _design(self) -> str:
        """All of the config that vectors depend on."""

    @abstractmethod
    def _file(self) -> Path:
        """The file of tensors."""

    @abstractmethod
    def _state(self, path: Path) -> TeacherState:
        """The tensors under the names that the library gives them, before anything is computed."""

    @abstractmethod
    def _build(self, state: TeacherState, path: Path) -> torch.nn.Module:
        """The network with its weights."""

    @abstractmethod
    def _read(self, network: Any, pixels: torch.Tensor, space: str) -> torch.Tensor:
        """Normalised pixels -> (B, dim)."""

"""One input kind each: what a user brings -> what the transformer is given.

`prepare` is cheap and safe in any thread, and keeps what it makes small; `batch` may run a
network (a tokenizer, a language model), loads it when it is first needed, and runs it in float32
whatever the transformer's precision: codes are decisions, and should not depend on it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from fourm.checkpoints import Checkpoint
from fourm.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from fourm.embeddings import ModalityInput
    from fourm.language.model import LanguageModel
    from fourm.modalities.registry import Modality
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokenizers.wordpiece import TextTokenizer

Content = NDArray[Any]
T = TypeVar("T")


class Lazy(Generic[T]):
    """A part that is loaded when it is first asked for, once, whichever thread asks first."""

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._value: T | None = None

    def get(self) -> T:
        """The part; raises what loading it raises."""
        if self._value is None:
            with self._lock:
                if self._value is None:
                    self._value = self._load()
        return self._value


class Reader(ABC):
    """Reads one kind of input for one modality of the model."""

    def __init__(self, modality: Modality) -> None:
        self.modality = modality

    @abstractmethod
    def prepare(self, value: Any) -> Content:
        """What is kept of one input until its batch comes.

        Raises:
            BadInput: it cannot be read as this kind of input.
        """

    @abstractmethod
    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """Prepared inputs of several samples, as the transformer takes them."""


class PictureReader(Reader):
    """A picture, as pixels."""

    @property
    def side(self) -> int:
        """Side of the square that the model sees, in pixels."""
        return self.modality.grid * self.modality.patch_size

    def prepare(self, value: Any) -> Content:
        """PIL image or uint8 (H, W, 3) -> uint8 (3, side, side)."""
        from fourm.modalities.pixels import square_pixels

        return square_pixels(value, self.side)

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, 3, side, side) float32, ImageNet-standardised."""
        import torch

        from fourm.embeddings import ModalityInput
        from fourm.modalities.pixels import imagenet_normalised

        pixels = torch.from_numpy(np.stack(contents)).to(device)
        return ModalityInput(imagenet_normalised(pixels))


def thinned(picture: ModalityInput, modality: Modality, step: int) -> ModalityInput:
    """Pixels with only every `step`-th row and column of patches shown; 1 shows all."""
    if step == 1:
        return picture
    import torch

    from fourm.embeddings import ModalityInput

    hidden = torch.ones(modality.grid, modality.grid, dtype=torch.bool)
    hidden[step // 2 :: step, step // 2 :: step] = False
    masked = hidden.flatten().expand(len(picture.content), -1)
    return ModalityInput(picture.content, masked.to(picture.content.device))


class MapReader(Reader):
    """A segmentation map, as tokens of the segmentation tokenizer."""

    def __init__(self, modality: Modality, folder: Callable[[], Path]) -> None:
        super().__init__(modality)
        self.tokenizer: Lazy[VQVAE] = Lazy(lambda: self._load(folder()))
        self._side: Lazy[int] = Lazy(lambda: self._measure(folder()))

    def _measure(self, folder: Path) -> int:
        """Side of the square that the tokenizer turns into the modality's tokens, in pixels."""
        patch = Checkpoint.open(folder).fields.integer("patch_size", 16, 1, 1024)
        return self.modality.grid * patch

    def _load(self, folder: Path) -> VQVAE:
        from fourm.tokenizers.loading import load_tokenizer

        tokenizer = load_tokenizer(folder, decode=False)
        if tokenizer.config.n_labels is None:
            raise ConfigError(f"{folder} is not a tokenizer of segmentation maps: no n_labels")
        if tokenizer.config.codebook_size > self.modality.vocabulary:
            raise ConfigError(
                f"{folder} has {tokenizer.config.codebook_size} codes, {self.modality.name} of the "
                f"model has only {self.modality.vocabulary} ids"
            )
        return tokenizer

    def prepare(self, value: Any) -> Content:
        """(H, W) COCO panoptic category ids, 0 = nothing -> labels uint8 (side, side)."""
        from fourm.modalities.semseg import square_labels

        return square_labels(value, self._side.get())

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n) int64 token ids."""
        import torch

        from fourm.embeddings import ModalityInput

        tokenizer = self.tokenizer.get().to(device)
        labels = torch.from_numpy(np.stack(contents)).long().to(device)
        return ModalityInput(tokenizer.encode(labels).flatten(1))


class WordReader(Reader):
    """A text, as word pieces."""

    def __init__(self, modality: Modality, file: Callable[[], Path]) -> None:
        super().__init__(modality)
        self.tokenizer: Lazy[TextTokenizer] = Lazy(lambda: self._load(file()))

    def _load(self, path: Path) -> TextTokenizer:
        from fourm.tokenizers.wordpiece import TextTokenizer

        tokenizer = TextTokenizer(path / "tokenizer.json" if path.is_dir() else path)
        if tokenizer.size > self.modality.vocabulary:
            raise ConfigError(
                f"{path} has {tokenizer.size} ids, {self.modality.name} of the model has only "
                f"{self.modality.vocabulary}"
            )
        return tokenizer

    def prepare(self, value: Any) -> Content:
        """Text -> int64 (n,) ids, at most as many as in training."""
        from fourm.modalities.text import caption_tokens

        ids = caption_tokens(self.tokenizer.get(), value, self.modality.max_tokens)
        return np.array(ids, np.int64)

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n) int64 ids and their mask."""
        import torch

        from fourm.embeddings import ModalityInput
        from fourm.language.sentences import pad

        ids, masked = pad([content.tolist() for content in contents])
        return ModalityInput(torch.from_numpy(ids).to(device), torch.from_numpy(masked).to(device))


class SentenceReader(Reader):
    """A text, as the outputs of a language model."""

    def __init__(self, modality: Modality, folder: Callable[[], Path]) -> None:
        super().__init__(modality)
        self.language_model: Lazy[LanguageModel] = Lazy(lambda: self._load(folder()))

    def _load(self, folder: Path) -> LanguageModel:
        from fourm.language.model import LanguageModel

        model = LanguageModel.load(folder, self.modality.max_tokens)
        if model.config.dim != self.modality.width:
            raise ConfigError(
                f"{folder} gives vectors of {model.config.dim}, {self.modality.name} of the model "
                f"takes {self.modality.width}"
            )
        return model

    def prepare(self, value: Any) -> Content:
        """Text -> int64 (n,) ids of the language model's word pieces."""
        return np.array(self.language_model.get().tokenize(value), np.int64)

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n, width) float32 and their mask."""
        from fourm.embeddings import ModalityInput

        model = self.language_model.get().to(device)
        ids, masked = model.batch([content.tolist() for content in contents])
        return ModalityInput(model(ids, masked), masked)

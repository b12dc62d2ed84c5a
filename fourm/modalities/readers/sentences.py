"""Words as the outputs of a language model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fourm.errors import BadInput, ConfigError
from fourm.lazy import Lazy
from fourm.modalities.readers.base import Content, Reader, numbers
from fourm.modalities.readers.items import padded

if TYPE_CHECKING:
    import torch

    from fourm.language.model import LanguageModel
    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput


class SentenceReader(Reader):
    """A text, as the outputs of a language model."""

    def __init__(self, modality: TokenSpec, folder: Callable[[], Path]) -> None:
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
        from fourm.transformer.embeddings import ModalityInput

        model = self.language_model.get().to(device)
        ids, masked = model.batch([content.tolist() for content in contents])
        return ModalityInput(model(ids, masked), masked)

    def pieces(self, content: Content) -> list[str] | None:
        """The word pieces, start and end tokens included."""
        return self.language_model.get().tokenizer.tokens(content.tolist())


class StatesReader(Reader):
    """Outputs of a language model that ran elsewhere (4M-21 reference: t5_caption)."""

    def prepare(self, value: Any) -> Content:
        """(n, width) numbers, one row a token, valid rows only -> float32."""
        states = numbers(value, self.modality.name)
        most, width = self.modality.max_tokens, self.modality.width
        if states.ndim != 2 or states.shape[1] != width or not 1 <= len(states) <= most:
            raise BadInput(
                f"{self.modality.name} takes embeddings (n, {width}) of 1 to {most} tokens, "
                f"not {states.shape}"
            )
        return states

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n, width) float32 and their mask."""
        return padded(contents, device)

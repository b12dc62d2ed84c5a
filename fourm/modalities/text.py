"""Texts (4M-21 reference: caption)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fourm.errors import ConfigError
from fourm.lazy import Lazy
from fourm.modalities.coverage import TextCoverage
from fourm.modalities.modality import Codec, GenerationDefaults, Modality
from fourm.modalities.reading import Content, Reader
from fourm.modalities.written import TextDecoder, TextReader
from fourm.tokens import text_tokens

if TYPE_CHECKING:
    import torch

    from fourm.language.model import LanguageModel
    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput


class SentenceReader(Reader):
    """Reads a text as the outputs of a language model.

    Args:
        spec: of kind `seq_emb`.
        folder: where the language model lies.
    """

    def __init__(self, spec: TokenSpec, folder: Callable[[], Path]) -> None:
        super().__init__(spec)
        self.language_model: Lazy[LanguageModel] = Lazy(lambda: self._load(folder()))

    def _load(self, folder: Path) -> LanguageModel:
        from fourm.language.model import LanguageModel

        model = LanguageModel.load(folder, self.spec.max_tokens)
        if model.config.dim != self.spec.width:
            raise ConfigError(
                f"{folder} gives vectors of {model.config.dim}, {self.spec.name} of the model "
                f"takes {self.spec.width}"
            )
        return model

    def prepare(self, value: Any) -> Content:
        """A text -> int64 (n,) ids of the language model's word pieces."""
        return np.array(self.language_model.get().tokenize(value), np.int64)

    def coverage(self, value: Any) -> TextCoverage | None:
        """How many words the model knows, and whether the text is cut."""
        tokenizer = self.language_model.get().tokenizer
        return TextCoverage.of(tokenizer.pieces(value), special=2, longest=tokenizer.max_tokens)

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n, width) float32 and their mask."""
        from fourm.transformer.embeddings import ModalityInput

        model = self.language_model.get().to(device)
        ids, masked = model.batch([content.tolist() for content in contents])
        return ModalityInput(model(ids, masked), masked)

    def pieces(self, content: Content) -> list[str] | None:
        """The word pieces, start and end tokens included."""
        return self.language_model.get().tokenizer.tokens(content.tolist())


TEXT = Modality(
    name="text",
    tokens=text_tokens("caption", 256),
    codecs={
        "seq": Codec(TextReader, TextDecoder, needs=("text_tokenizer",)),
        "seq_emb": Codec(SentenceReader, needs=("language_model",)),
    },
    generation=GenerationDefaults("autoregressive", temperature=0.3),
    generation_order=100,
    in_fingerprint=True,
)

"""Words, and what the model reads as words: boxes, palettes, metadata."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fourm.errors import BadInput, ConfigError
from fourm.lazy import Lazy
from fourm.modalities.readers.base import Content, Reader
from fourm.modalities.readers.values import as_boxes, as_colours, as_facts

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.wordpiece import TextTokenizer
    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput


class WordReader(Reader):
    """A text, as word pieces."""

    def __init__(self, modality: TokenSpec, file: Callable[[], Path]) -> None:
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
        ids = self.tokenizer.get().caption(value, self.modality.max_tokens)
        return np.array(ids, np.int64)

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n) int64 ids and their mask."""
        import torch

        from fourm.language.sentences import pad
        from fourm.transformer.embeddings import ModalityInput

        ids, masked = pad([content.tolist() for content in contents])
        return ModalityInput(torch.from_numpy(ids).to(device), torch.from_numpy(masked).to(device))

    def pieces(self, content: Content) -> list[str] | None:
        """The word pieces, the mark of the text's end included."""
        return self.tokenizer.get().tokens(content.tolist()) if _is_ids(content) else None


class WrittenReader(WordReader):
    """Something that is no text, written as one that must not be cut off."""

    @abstractmethod
    def write(self, value: Any) -> str:
        """The text of a value, or a BadInput."""

    @property
    def most(self) -> int:
        """Longest text that is read, in tokens."""
        return self.modality.max_tokens

    def prepare(self, value: Any) -> Content:
        """What `write` takes -> int64 (n,) ids."""
        return self.ids(self.write(value))

    def ids(self, text: str) -> Content:
        """int64 (n,) ids of the whole text, its end marked.

        Raises:
            BadInput: more than the model takes.
        """
        tokenizer = self.tokenizer.get()
        ids = [*tokenizer.encode(text), tokenizer.end]
        if len(ids) > self.most:
            raise BadInput(
                f"{self.modality.name} takes at most {self.most} tokens, these are {len(ids)}: "
                "give fewer"
            )
        return np.array(ids, np.int64)


class BoxesReader(WrittenReader):
    """Labelled boxes."""

    def write(self, value: Any) -> str:
        """A sequence of `Box`."""
        from fourm.modalities.boxes import LOWEST_SCORE, boxes_text

        boxes = as_boxes(value)
        if boxes and not (text := boxes_text(boxes)):
            raise BadInput(f"none of the boxes has a score of at least {LOWEST_SCORE}")
        return text if boxes else ""


class PaletteReader(WrittenReader):
    """A few colours."""

    def write(self, value: Any) -> str:
        """1 .. 7 colours, each red, green, blue from 0 to 255."""
        from fourm.modalities.palette import palette_text

        return palette_text(as_colours(value))


class MetadataReader(WrittenReader):
    """Facts about a picture."""

    @property
    def most(self) -> int:
        """All keys at once are a little more than what `max_tokens` was made for."""
        from fourm.modalities.metadata import KEYS

        return min(max(self.modality.max_tokens, 2 * len(KEYS) + 1), self.modality.position_rows)

    def write(self, value: Any) -> str:
        """Key -> number; keys are those of `fourm.modalities.metadata.KEYS`."""
        from fourm.modalities.metadata import metadata_text

        return metadata_text(as_facts(value))


def _is_ids(content: Content) -> bool:
    return isinstance(content, np.ndarray) and content.ndim == 1 and content.dtype == np.int64

"""Modalities that are written as text, with tokens of a tokenizer of their own in it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fourm.errors import ConfigError
from fourm.lazy import Lazy
from fourm.modalities.reading import Content
from fourm.modalities.written import TextDecoder, WrittenReader

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokenizers.wordpiece import TextTokenizer
    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput

_CODES = 1024


class CodedReader(WrittenReader):
    """Reads a value that is written with codes in it; they are computed with the batch.

    Args:
        spec: of kind `seq`.
        folder: where the tokenizer of the codes lies.
        file: the text tokenizer's file.
    """

    def __init__(
        self, spec: TokenSpec, folder: Callable[[], Path], file: Callable[[], Path]
    ) -> None:
        super().__init__(spec, file, write=self.draft)
        self.coder: Lazy[VQVAE] = Lazy(lambda: self._load_coder(folder()))

    def _load_coder(self, folder: Path) -> VQVAE:
        from fourm.tokenizers.loading import load_tokenizer

        coder = load_tokenizer(folder, decode=False)
        if coder.config.codebook_size > _CODES or coder.config.n_labels is not None:
            raise ConfigError(f"the tokenizer of {self.spec.name} is one of another modality")
        return coder

    def codes(self, parts: Any, device: torch.device) -> list[list[int]]:
        """Tokens of float32 parts (N, ...): N lists; none for no parts."""
        import torch

        if not len(parts):
            return []
        values = torch.from_numpy(np.asarray(parts, np.float32)).to(device)
        listed: list[list[int]] = self.coder.get().to(device).encode(values).flatten(1).tolist()
        return listed

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n) int64 ids and their mask."""
        return super().batch(
            [self.ids(self.finish(content, device)) for content in contents], device
        )

    @abstractmethod
    def draft(self, content: Content) -> str:
        """The text of a content with placeholders for the codes: as long as the finished one."""

    @abstractmethod
    def finish(self, content: Content, device: torch.device) -> str:
        """The text of a content with its codes."""


class CodedDecoder(TextDecoder):
    """Decodes a text with codes in it."""

    def __init__(self, modality: str, tokenizer: VQVAE, text_tokenizer: TextTokenizer) -> None:
        super().__init__(modality, text_tokenizer)
        self.tokenizer = tokenizer

    def parts(self, codes: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """What N rows of codes stand for, float32 (N, ...)."""
        import torch

        device = next(self.tokenizer.parameters()).device
        known = torch.tensor(codes, dtype=torch.int64, device=device)
        with torch.no_grad():
            decoded: NDArray[np.float32] = self.tokenizer.decode_tokens(known).float().cpu().numpy()
        return decoded

    def known(self, codes: Sequence[int]) -> bool:
        """Whether the tokenizer has all of these codes."""
        return all(0 <= code < self.tokenizer.config.codebook_size for code in codes)

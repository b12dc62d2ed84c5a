"""What all readers share.

`prepare` is cheap and safe in any thread, and keeps what it makes small; `batch` may run a
network (a tokenizer, a language model), loads it when it is first needed, and runs it in float32
whatever the transformer's precision: codes are decisions, and should not depend on it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from fourm.modalities.coverage import TextCoverage
    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput

Content = Any
"""What `prepare` keeps of one input: an array, or a small record of arrays."""


class Reader(ABC):
    """Reads one modality for one model.

    Attributes:
        spec: of its tokens in the model.
        keys: the keys that a value may have, where it is a dict.
    """

    keys: tuple[str, ...] = ()

    def __init__(self, spec: TokenSpec) -> None:
        self.spec = spec

    @abstractmethod
    def prepare(self, value: Any) -> Content:
        """What is kept of one input until its batch comes.

        Raises:
            BadInput: the value is not of this modality.
        """

    @abstractmethod
    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """Prepared inputs of several samples, as the transformer takes them."""

    def coverage(self, value: Any) -> TextCoverage | None:
        """What is read of a text; None where the input is not a text.

        Raises:
            BadInput: as `prepare`.
        """
        return None

    def pieces(self, content: Content) -> list[str] | None:
        """Word pieces of a text, `[UNK]` for unknown ones; None where the input is not a text."""
        return None

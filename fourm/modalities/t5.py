"""Outputs of a T5 encoder that ran elsewhere (4M-21 reference: t5_caption)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fourm.checks import finite_array
from fourm.errors import BadInput
from fourm.modalities.items import padded
from fourm.modalities.modality import Codec, Modality
from fourm.modalities.reading import Content, Reader
from fourm.tokens import SEQUENCE_ROWS, TokenSpec

if TYPE_CHECKING:
    import torch

    from fourm.transformer.embeddings import ModalityInput


class StatesReader(Reader):
    """Reads the outputs of a language model."""

    def prepare(self, value: Any) -> Content:
        """(n, width) numbers, one row for each token, without padding -> float32."""
        states = finite_array(value, self.spec.name)
        most, width = self.spec.max_tokens, self.spec.width
        if states.ndim != 2 or states.shape[1] != width or not 1 <= len(states) <= most:
            raise BadInput(
                f"{self.spec.name} must have the shape (n, {width}) with 1 to {most} rows, "
                f"got {states.shape}"
            )
        return states

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n, width) float32 and their mask."""
        return padded(contents, device)


T5 = Modality(
    name="t5",
    tokens=TokenSpec("t5_caption", "seq_emb", 77, "sincos1d", SEQUENCE_ROWS, width=4096),
    codecs={"seq_emb": Codec(StatesReader)},
)

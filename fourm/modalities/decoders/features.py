"""Feature maps and global embeddings of other networks, from their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fourm.errors import ConfigError
from fourm.modalities.decoders.base import Decoded, Decoder, Quality, token_array

if TYPE_CHECKING:
    from fourm.tokenizers.vqvae import VQVAE


class FeatureDecoder(Decoder):
    """A map (C, h, w) or one vector (C,), as its tokenizer says; not of unit length."""

    def __init__(self, kind: str, tokenizer: VQVAE) -> None:
        self.kind, self.tokenizer = kind, tokenizer
        if tokenizer.config.is_vector != kind.endswith("embedding"):
            raise ConfigError(f"the tokenizer of {kind} decodes something else")

    def decode(self, tokens: Sequence[int], quality: Quality, *, progress: bool = False) -> Decoded:
        """One token a place of the map, or one from each codebook."""
        import torch

        listed = token_array(tokens)
        device = next(self.tokenizer.parameters()).device
        with torch.no_grad():
            decoded = self.tokenizer.decode_tokens(torch.from_numpy(listed)[None].to(device))
        return Decoded(self.kind, decoded[0].float().cpu().numpy(), listed)

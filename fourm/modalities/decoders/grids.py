"""Pictures, surface normals, edges, depth and segmentation maps, from grids of tokens."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fourm.errors import ConfigError
from fourm.modalities.decoders.base import Decoded, Decoder, Quality, token_array

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.vqvae import VQVAE


class GridDecoder(Decoder):
    """A square of tokens, through the decoder of its tokenizer."""

    def __init__(self, kind: str, tokenizer: VQVAE) -> None:
        self.kind, self.tokenizer = kind, tokenizer
        if not self._fits(tokenizer):
            raise ConfigError(f"the tokenizer of {kind} decodes something else")

    def decode(self, tokens: Sequence[int], quality: Quality, *, progress: bool = False) -> Decoded:
        """Row by row from the top left corner."""
        import torch

        listed = token_array(tokens)
        device = next(self.tokenizer.parameters()).device
        with torch.no_grad():
            decoded = self._picture(torch.from_numpy(listed)[None].to(device), quality, progress)
        return Decoded(self.kind, self.value(decoded[0].float().cpu()), listed)

    def _picture(self, tokens: torch.Tensor, quality: Quality, progress: bool) -> torch.Tensor:
        import torch

        from fourm.tokenizers.diffusion.divae import DiVAE

        if not isinstance(self.tokenizer, DiVAE):
            return self.tokenizer.decode_tokens(tokens)
        noise = torch.Generator().manual_seed(quality.seed)
        shown = f"decoding {self.kind}" if progress else None
        return self.tokenizer.decode_tokens(tokens, quality.size, quality.steps, noise, shown=shown)

    def _fits(self, tokenizer: VQVAE) -> bool:
        return not tokenizer.config.is_vector and tokenizer.config.n_labels is None

    @abstractmethod
    def value(self, decoded: torch.Tensor) -> Any:
        """What the tokenizer decoded, float32 (C, H, W), in the form of the kind."""


class PictureDecoder(GridDecoder):
    """Photos and normals: values from -1 to 1 -> uint8 (H, W, 3)."""

    def _fits(self, tokenizer: VQVAE) -> bool:
        return super()._fits(tokenizer) and tokenizer.config.n_channels == 3

    def value(self, decoded: torch.Tensor) -> Any:
        """-> uint8 (H, W, 3)."""
        from fourm.modalities.pixels import uncentred

        return uncentred(decoded).permute(1, 2, 0).contiguous().numpy()


class EdgeDecoder(GridDecoder):
    """Edges: values from -1 to 1 -> uint8 (H, W), the mean of the channels."""

    def value(self, decoded: torch.Tensor) -> Any:
        """-> uint8 (H, W), 255 on an edge."""
        from fourm.modalities.pixels import uncentred

        return uncentred(decoded.mean(dim=0)).numpy()


class DepthDecoder(GridDecoder):
    """Depth, as it was standardised for the tokenizer."""

    def _fits(self, tokenizer: VQVAE) -> bool:
        return super()._fits(tokenizer) and tokenizer.config.n_channels == 1

    def value(self, decoded: torch.Tensor) -> Any:
        """-> float32 (H, W)."""
        return decoded[0].numpy()


class MapDecoder(GridDecoder):
    """Segmentation maps: the likeliest class of each pixel."""

    def _fits(self, tokenizer: VQVAE) -> bool:
        return not tokenizer.config.is_vector and tokenizer.config.n_labels is not None

    def value(self, decoded: torch.Tensor) -> Any:
        """-> uint8 (H, W), COCO panoptic category ids, 0 = nothing."""
        from fourm.modalities.semseg import ids_of_labels

        return ids_of_labels(decoded.argmax(dim=0).numpy())

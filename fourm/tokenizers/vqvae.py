"""A tokenizer put together: encoder, quantizer, decoder (4M-21 reference: tokenizers)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fourm.errors import BadInput, ConfigError
from fourm.imagenet import imagenet_restored
from fourm.tokenizers.bottleneck_mlp import BottleneckMLP, parse_bottleneck_name
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.lucid import LucidQuantizer
from fourm.tokenizers.memcodes import MemcodesQuantizer
from fourm.tokenizers.vit import ViTDecoder, ViTEncoder, parse_vit_name
from fourm.transformer.initialization import token_table


class VQ(nn.Module):
    """Encoder half of a tokenizer: what is needed to turn an input into tokens.

    Module names are those of official files. `encode=False` leaves out what decoding does not
    need (`encoder`, `quant_proj`, `cls_emb`); the codebooks are always there.
    """

    def __init__(self, config: TokenizerConfig, encode: bool = True) -> None:
        super().__init__()
        self.config = config
        self.can_encode = encode
        if encode:
            if config.n_labels is not None:
                self.cls_emb = token_table(config.n_labels, config.n_channels)
            width = self._build_encoder(config)
            self.quant_proj = nn.Conv2d(width, config.latent_dim, kernel_size=1)
        self.quantize: LucidQuantizer | MemcodesQuantizer
        if config.quant_type == "memcodes":
            self.quantize = MemcodesQuantizer(
                config.codebook_size, config.latent_dim, config.num_codebooks
            )
        else:
            self.quantize = LucidQuantizer(
                config.codebook_size, config.latent_dim, config.norm_codes, config.norm_latents
            )

    def _build_encoder(self, config: TokenizerConfig) -> int:
        self.encoder: BottleneckMLP | ViTEncoder
        if config.is_vector:
            mlp = parse_bottleneck_name(config.enc_type)
            self.encoder = BottleneckMLP(config.n_channels, mlp.width, mlp)
            return mlp.width
        vit = parse_vit_name(config.enc_type, "enc")
        patch = config.patch_size if config.patch_proj else 1
        self.encoder = ViTEncoder(config.n_channels, patch, vit, config.grid_enc, config.post_mlp)
        return vit.dim

    def latents(self, x: Tensor) -> Tensor:
        """What is quantised, before it is: (B, latent_dim, h, w), or (B, latent_dim) for vectors.

        Takes what `encode` takes and raises what it raises.
        """
        if not self.can_encode:
            raise ConfigError("this tokenizer was loaded for decoding alone: load its encoder too")
        if self.config.n_labels is not None:
            x = self._embed_labels(x)
        elif self.config.undo_std and x.shape[1:2] == (3,):  # the encoder refuses others
            x = 2 * imagenet_restored(x) - 1
        if not self.config.is_vector:
            grid: Tensor = self.quant_proj(self.encoder(x))
            return grid
        channels = self.config.n_channels
        if tuple(x.shape[1:]) not in ((channels,), (channels, 1, 1)):
            raise BadInput(f"the tokenizer takes (B, {channels}), not {tuple(x.shape)}")
        vector: Tensor = self.quant_proj(self.encoder(x.flatten(1))[:, :, None, None])
        return vector.flatten(1)

    def _embed_labels(self, labels: Tensor) -> Tensor:
        count = self.config.n_labels
        assert count is not None
        if labels.ndim != 3 or labels.is_floating_point() or labels.dtype == torch.bool:
            kind = str(labels.dtype).removeprefix("torch.")
            raise BadInput(
                f"the tokenizer takes integer class ids (B, H, W), not {kind} {tuple(labels.shape)}"
            )
        if labels.numel() and (int(labels.min()) < 0 or int(labels.max()) >= count):
            found = f"{int(labels.min())} to {int(labels.max())}"
            raise BadInput(f"class ids must be 0 to {count - 1}, not {found}")
        embedded: Tensor = self.cls_emb(labels.long())
        return embedded.movedim(-1, 1)

    def encode(self, x: Tensor) -> Tensor:
        """Input -> tokens, int64.

        Args:
            x: (B, n_channels, H, W) float for a grid tokenizer (ImageNet-standardised with
                `undo_std`), (B, H, W) class ids `0 .. n_labels - 1` where there is `n_labels`,
                (B, n_channels) float for a vector tokenizer ((B, n_channels, 1, 1) is the same).

        Returns:
            (B, h, w), or (B, num_codebooks) for a vector tokenizer: the order in which the
            encoder-decoder model stores them, once grids are flattened row by row.

        Raises:
            BadInput: another shape, type or range.
            ConfigError: the tokenizer was loaded for decoding alone.
        """
        latents = self.latents(x)
        if latents.ndim == 2 and isinstance(self.quantize, LucidQuantizer):
            return self.quantize.encode(latents[:, :, None, None]).flatten(1)
        return self.quantize.encode(latents)

    def quantised(self, tokens: Tensor) -> Tensor:
        """Tokens -> codebook values, (B, latent_dim, h, w); h = w = 1 for a vector tokenizer.

        Takes tokens as `encode` returns them; a grid may also come flattened (B, n) if it is
        square, a vector's tokens also as (B, num_codebooks, 1, 1).

        Raises:
            BadInput: another shape or type, or a token outside the codebook.
        """
        if isinstance(self.quantize, MemcodesQuantizer):
            flat = tokens.flatten(1) if tuple(tokens.shape[2:]) == (1, 1) else tokens
            return self.quantize.decode(flat)[:, :, None, None]
        return self.quantize.decode(_as_grid(tokens))


class VQVAE(VQ):
    """Tokenizer with a decoder that answers in one pass.

    `encode=False` or `decode=False` leave out that half's weights.
    """

    def __init__(self, config: TokenizerConfig, encode: bool = True, decode: bool = True) -> None:
        super().__init__(config, encode)
        self.can_decode = decode
        if decode:
            self._build_decoder(config)

    def _build_decoder(self, config: TokenizerConfig) -> None:
        self.decoder: nn.Module
        channels = config.n_channels if config.n_labels is None else config.n_labels
        if config.dec_type.startswith("BottleneckMLP/"):
            mlp = parse_bottleneck_name(config.dec_type)
            self.decoder = BottleneckMLP(mlp.width, channels, mlp)
            self.post_quant_proj = nn.Conv2d(config.latent_dim, mlp.width, kernel_size=1)
            return
        vit = parse_vit_name(config.dec_type, "dec")
        patch = (config.patch_size_dec or config.patch_size) if config.patch_proj else 1
        self.decoder = ViTDecoder(
            channels, patch, vit, config.grid_dec, config.post_mlp, config.out_conv
        )
        self.post_quant_proj = nn.Conv2d(config.latent_dim, vit.dim, kernel_size=1)

    def decode_tokens(self, tokens: Tensor) -> Tensor:
        """Tokens -> reconstruction, float.

        Returns:
            (B, n_channels, H, W); (B, n_labels, H, W) logits where there is `n_labels`;
            (B, n_channels) for a vector tokenizer, raw: not of unit length.

        Raises:
            BadInput: a token outside the codebook, or a wrong shape or type.
            ConfigError: the tokenizer was loaded for encoding alone.
        """
        return self._decode(self.quantised(tokens))

    def decode_soft(self, probabilities: Tensor) -> Tensor:
        """Reconstruction of the expected code under probabilities that sum to 1.

        Args:
            probabilities: (B, num_codebooks, codebook_size) for a vector tokenizer,
                (B, h, w, codebook_size) for a grid.

        Returns:
            As `decode_tokens`; gradients reach the probabilities.

        Raises:
            BadInput: another shape.
            ConfigError: the tokenizer was loaded for encoding alone.
        """
        expected = self.quantize.decode_soft(probabilities)
        return self._decode(expected[:, :, None, None] if expected.ndim == 2 else expected)

    def _decode(self, quantised: Tensor) -> Tensor:
        if not self.can_decode:
            raise ConfigError("this tokenizer was loaded for encoding alone: load its decoder too")
        projected = self.post_quant_proj(quantised)
        if isinstance(self.decoder, BottleneckMLP):
            out: Tensor = self.decoder(projected.flatten(1))
            return out
        grid: Tensor = self.decoder(projected)
        return grid


def _as_grid(tokens: Tensor) -> Tensor:
    if tokens.ndim != 2:
        return tokens
    side = math.isqrt(tokens.shape[1])
    if side * side != tokens.shape[1]:
        raise BadInput(
            f"{tokens.shape[1]} tokens are no square grid: give them as (B, height, width)"
        )
    return tokens.reshape(-1, side, side)

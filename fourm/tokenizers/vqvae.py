"""Tokenizers: encoder, quantizer and decoder (4M-21 reference, sec. 3)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fourm.errors import BadInput, ConfigError
from fourm.imagenet import imagenet_restored
from fourm.tokenizers.bottleneck_mlp import BottleneckMLP, parse_bottleneck_name
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.quantizers import LucidQuantizer, MemcodesQuantizer
from fourm.tokenizers.vit import ViTDecoder, ViTEncoder, parse_vit_name
from fourm.transformer.initialization import token_table


class VQ(nn.Module):
    """The encoder half of a tokenizer, from inputs to tokens.

    Module names are those of official files.

    Args:
        config: the sizes.
        encode: build `encoder`, `quant_proj` and `cls_emb`, which decoding does not need. The
            codebooks are always built.
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
        """Latents before quantisation: (B, latent_dim, h, w), or (B, latent_dim) for vectors.

        Arguments and errors as `encode`.
        """
        if not self.can_encode:
            raise ConfigError("this tokenizer was loaded without its encoder")
        if self.config.n_labels is not None:
            x = self._embed_labels(x)
        elif self.config.undo_std and x.shape[1:2] == (3,):  # the encoder refuses others
            x = 2 * imagenet_restored(x) - 1
        if not self.config.is_vector:
            grid: Tensor = self.quant_proj(self.encoder(x))
            return grid
        channels = self.config.n_channels
        if tuple(x.shape[1:]) not in ((channels,), (channels, 1, 1)):
            raise BadInput(f"the tokenizer takes (B, {channels}), got {tuple(x.shape)}")
        vector: Tensor = self.quant_proj(self.encoder(x.flatten(1))[:, :, None, None])
        return vector.flatten(1)

    def _embed_labels(self, labels: Tensor) -> Tensor:
        count = self.config.n_labels
        assert count is not None
        if labels.ndim != 3 or labels.is_floating_point() or labels.dtype == torch.bool:
            raise BadInput(
                "the tokenizer takes integer class ids (B, H, W), "
                f"got {labels.dtype} {tuple(labels.shape)}"
            )
        if labels.numel() and (int(labels.min()) < 0 or int(labels.max()) >= count):
            found = f"{int(labels.min())} to {int(labels.max())}"
            raise BadInput(f"class ids must be 0 to {count - 1}, got {found}")
        embedded: Tensor = self.cls_emb(labels.long())
        return embedded.movedim(-1, 1)

    def encode(self, x: Tensor) -> Tensor:
        """Encode inputs to tokens.

        Args:
            x: (B, n_channels, H, W) float for a grid tokenizer (ImageNet-standardised with
                `undo_std`), (B, H, W) class ids `0 .. n_labels - 1` where there is `n_labels`,
                (B, n_channels) float for a vector tokenizer ((B, n_channels, 1, 1) is the same).

        Returns:
            int64 (B, h, w), or (B, num_codebooks) for a vector tokenizer. Flattened row by row,
            they are the tokens of the transformer.

        Raises:
            BadInput: another shape, dtype or range.
            ConfigError: the tokenizer was loaded without its encoder.
        """
        latents = self.latents(x)
        if latents.ndim == 2 and isinstance(self.quantize, LucidQuantizer):
            return self.quantize.encode(latents[:, :, None, None]).flatten(1)
        return self.quantize.encode(latents)

    def quantised(self, tokens: Tensor) -> Tensor:
        """Look up the codebook values of tokens.

        Args:
            tokens: as returned by `encode`; a square grid may be flattened (B, n), and the tokens
                of a vector may be (B, num_codebooks, 1, 1).

        Returns:
            (B, latent_dim, h, w); h = w = 1 for a vector tokenizer.

        Raises:
            BadInput: another shape or dtype, or a token outside the codebook.
        """
        if isinstance(self.quantize, MemcodesQuantizer):
            flat = tokens.flatten(1) if tuple(tokens.shape[2:]) == (1, 1) else tokens
            return self.quantize.decode(flat)[:, :, None, None]
        return self.quantize.decode(_as_grid(tokens))


class VQVAE(VQ):
    """A tokenizer whose decoder runs in one pass.

    Args:
        config: the sizes.
        encode, decode: build the modules of this half.
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
        """Decode tokens.

        Returns:
            float (B, n_channels, H, W); (B, n_labels, H, W) logits if the config has `n_labels`;
            (B, n_channels) for a vector tokenizer, not normalised.

        Raises:
            BadInput: a token outside the codebook, or another shape or dtype.
            ConfigError: the tokenizer was loaded without its decoder.
        """
        return self._decode(self.quantised(tokens))

    def decode_soft(self, probabilities: Tensor) -> Tensor:
        """Decode the expectation of the codes.

        Args:
            probabilities: (B, num_codebooks, codebook_size) for a vector tokenizer,
                (B, h, w, codebook_size) for a grid; they sum to 1.

        Returns:
            As `decode_tokens`; differentiable with respect to the probabilities.

        Raises:
            BadInput: another shape.
            ConfigError: the tokenizer was loaded without its decoder.
        """
        expected = self.quantize.decode_soft(probabilities)
        return self._decode(expected[:, :, None, None] if expected.ndim == 2 else expected)

    def _decode(self, quantised: Tensor) -> Tensor:
        if not self.can_decode:
            raise ConfigError("this tokenizer was loaded without its decoder")
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
            f"{tokens.shape[1]} tokens are not a square grid; their shape must be (B, h, w)"
        )
    return tokens.reshape(-1, side, side)

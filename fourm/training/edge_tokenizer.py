"""A VQ-VAE for edge images whose encoder is constructed, not trained.

The encoder takes the slowly varying part of each cell: its first cosine coefficients, the finer
ones with less weight, so that a line one pixel off is still a similar one. The codebook comes from
k-means; the decoder is trained to draw the lines again.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fourm.modalities.pixels import centred
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.vqvae import VQVAE
from fourm.training.run import seeded
from fourm.training.space import k_means
from fourm.training.tokenizer_decoder import train_decoder

FINEST = 1.5
"""Frequency, in half waves a cell, at which a coefficient has half of its weight."""


def edge_tokenizer_config(codes: int, *, side: int = 112, grid: int = 16) -> dict[str, Any]:
    """`config.json` of a tokenizer with grid x grid tokens out of `codes`."""
    return {
        "image_size": side,
        "patch_size": side // grid,
        "n_channels": 1,
        "enc_type": "vit_nano_enc",
        "dec_type": "vit_nano_dec",
        "patch_proj": True,
        "post_mlp": False,
        "quant_type": "lucid",
        "codebook_size": codes,
        "latent_dim": 32,
        "norm_codes": False,
    }


def fit_edge_tokenizer(config: dict[str, Any], drawings: Tensor, steps: int) -> VQVAE:
    """Fit codebook and decoder.

    Args:
        config: from `edge_tokenizer_config`.
        drawings: (N, 1, side, side) uint8, 255 on an edge.
        steps: optimiser steps of the decoder.
    """
    torch.manual_seed(5)
    model = VQVAE(TokenizerConfig.from_mapping(config))
    _construct_encoder(model, config["patch_size"], config["latent_dim"])
    chosen = drawings[torch.randperm(len(drawings), generator=seeded(2))[:1000]]
    with torch.no_grad():
        latents = torch.cat([model.latents(centred(part)) for part in chosen.split(100)])
    points = latents.movedim(1, -1).flatten(0, 2)
    # Cells without a line are most of all, and one code is enough for them.
    empty = F.max_pool2d(chosen.float(), config["patch_size"]).flatten() < 64
    drawn = points[~empty]
    sample = drawn[torch.randperm(len(drawn), generator=seeded(3))[:150_000]]
    codes = k_means(sample, config["codebook_size"] - 1, seed=3, rounds=12)
    nothing = points[empty].mean(0, keepdim=True)
    stored = dict(model.named_buffers())
    for name in ("embed", "embed_avg"):
        stored[f"quantize._codebook.{name}"].copy_(torch.cat([nothing, codes]))
    train_decoder(model, drawings, centred, F.mse_loss, steps)
    return model


@torch.no_grad()
def _construct_encoder(model: VQVAE, cell: int, latent: int) -> None:
    """Blocks that add nothing, after a projection on weighted cosine coefficients."""
    weights = dict(model.named_parameters())
    for name, weight in weights.items():
        if name.startswith("encoder.") and any(
            part in name for part in ("pos_emb", "attn.proj", "mlp.fc2", "encoder.proj")
        ):
            weight.zero_()
    position = (torch.arange(cell) + 0.5) / cell
    waves = torch.cos(math.pi * torch.arange(cell)[:, None] * position) * (2 / cell) ** 0.5
    waves[0] /= 2**0.5
    planes = torch.einsum("ur,vc->uvrc", waves, waves).flatten(0, 1)
    frequency = torch.arange(cell).square()
    frequency = (frequency[:, None] + frequency).flatten().sqrt()
    order = frequency.argsort(stable=True)[:latent]
    kept = planes[order] / (1 + (frequency[order] / FINEST) ** 2)[:, None, None]
    weights["encoder.proj.weight"][: len(kept), 0].copy_(kept)
    eye = torch.eye(latent, weights["quant_proj.weight"].shape[1])
    weights["quant_proj.weight"].copy_(eye[:, :, None, None])
    weights["quant_proj.bias"].zero_()

"""A VQ-VAE for label maps whose encoder is constructed, not trained.

The encoder averages the class vectors in each cell of a grid. Class vectors are close to each
other where a language model finds the names similar (sand, dirt), and a random part keeps every
two apart. The codebook comes from k-means by cosine; the decoder is trained to reconstruct maps.

A label map is uint8 (side, side): 0 for no class, else the index of the class plus 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fourm.language.model import LanguageModel
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.vqvae import VQVAE
from fourm.training.run import seeded
from fourm.training.space import k_means
from fourm.training.tokenizer_decoder import train_decoder

Config = Mapping[str, Any]

PURE = 0.9
"""A class fills a cell if it has this share of it."""


def label_tokenizer_config(
    classes: int, codes: int, *, side: int = 64, grid: int = 8, width: int = 64
) -> dict[str, Any]:
    """`config.json` of a tokenizer with grid x grid tokens out of `codes`.

    Args:
        classes: number of classes; labels are 0 to `classes`.
        codes: entries of the codebook.
        side: of a label map, in pixels.
        grid: tokens in a row.
        width: of class vectors and codes.
    """
    return {
        "image_size": side,
        "patch_size": side // grid,
        "n_channels": width,
        "n_labels": classes + 1,
        "enc_type": "vit_nano_enc",
        "dec_type": "vit_nano_dec",
        "patch_proj": True,
        "post_mlp": False,
        "quant_type": "lucid",
        "codebook_size": codes,
        "latent_dim": width,
        "norm_codes": True,
    }


def fit_label_tokenizer(
    config: Config,
    names: Tensor,
    codebook_maps: Tensor,
    decoder_maps: Tensor,
    steps: int,
    *,
    pure: bool = False,
) -> tuple[VQVAE, Tensor]:
    """Fit codebook and decoder.

    Args:
        config: from `label_tokenizer_config`.
        names: (labels, dim) from `name_vectors`.
        codebook_maps: (N, side, side) uint8 label maps, to which the codebook is fitted.
        decoder_maps: (M, side, side) uint8 label maps, which the decoder learns to reconstruct.
        steps: optimiser steps of the decoder.
        pure: the first codes are the classes, no class first; only the others come from k-means,
            of cells that no class fills. The decoder starts with the class of each cell.

    Returns:
        The tokenizer, and (codes, labels) the mean share of each label in the cells of each code.
    """
    count = config["codebook_size"]
    shares = label_shares(config, codebook_maps).flatten(0, 1)
    table = class_vectors(names, config["latent_dim"])
    points = F.normalize(shares @ table, dim=-1)
    fixed = F.normalize(table, dim=-1) if pure else table[:0]
    mixed = (shares.max(dim=1).values < PURE).nonzero()[:, 0] if pure else torch.arange(len(points))
    sample = points[mixed[torch.randperm(len(mixed), generator=seeded(2))[:200_000]]]
    free = F.normalize(k_means(sample, count - len(fixed), seed=3, rounds=12), dim=-1)
    codes = torch.cat([fixed, free])
    nearest = torch.cat([(x @ codes.T).argmax(1) for x in points.split(1 << 14)])
    sizes = torch.bincount(nearest, minlength=count).clamp_min(1)[:, None]
    mean_shares = torch.zeros(count, len(names)).index_add_(0, nearest, shares) / sizes
    model = assemble(config, table, codes)
    if pure:
        decode_cells(model, table)
    train_decoder(model, decoder_maps, Tensor.long, F.cross_entropy, steps)
    return model, mean_shares


def label_shares(config: Config, maps: Tensor) -> Tensor:
    """Label maps (N, side, side) -> (N, grid ** 2, labels) float32, shares of labels in a cell."""
    cell, labels = config["patch_size"], config["n_labels"]
    grid = config["image_size"] // cell
    parts = []
    for rows in maps.split(512):
        blocks = rows.long().view(-1, grid, cell, grid, cell).permute(0, 1, 3, 2, 4)
        blocks = blocks.reshape(len(rows), grid**2, cell**2)
        counts = torch.zeros(*blocks.shape[:2], labels)
        parts.append(counts.scatter_add_(2, blocks, torch.ones(()).expand_as(blocks)) / cell**2)
    return torch.cat(parts)


@torch.inference_mode()
def name_vectors(language: LanguageModel, names: Sequence[str]) -> Tensor:
    """(1 + classes, dim): zeros for no class, then the mean output for each class name."""
    vectors, mask = language.encode(list(names))
    visible = (~mask)[..., None].float()
    means = (vectors * visible).sum(1) / visible.sum(1)
    return torch.cat([torch.zeros_like(means[:1]), means]).clone()


def class_vectors(names: Tensor, width: int) -> Tensor:
    """Name vectors (labels, dim) -> (labels, width): unit vectors, half of length for no class."""
    centred = names[1:] - names[1:].mean(0)
    axes = torch.linalg.svd(centred, full_matrices=False)[2][:width]
    meaning = F.normalize(centred @ axes.T, dim=-1)
    meaning = F.pad(meaning, (0, width - meaning.shape[1]))
    noise = F.normalize(torch.randn(len(names), width, generator=seeded(4)), dim=-1)
    return torch.cat([noise[:1] / 2, F.normalize(meaning + noise[1:], dim=-1)])


@torch.no_grad()
def assemble(config: Config, table: Tensor, codes: Tensor) -> VQVAE:
    """The tokenizer before its decoder is trained.

    Its encoder's blocks add nothing, and its convolution averages.

    Args:
        config: from `label_tokenizer_config`.
        table: (labels, width) class vectors.
        codes: (codes, width) unit vectors.
    """
    torch.manual_seed(5)
    model = VQVAE(TokenizerConfig.from_mapping(config))
    weights = dict(model.named_parameters()) | dict(model.named_buffers())
    for name, weight in weights.items():
        if name.startswith("encoder."):
            zeroed = "pos_emb", "attn.proj", "mlp.fc2", "encoder.proj.bias"
            if any(part in name for part in zeroed):
                weight.zero_()
    cell, width = config["patch_size"], config["latent_dim"]
    eye = torch.eye(width)[:, :, None, None]
    weights["cls_emb.weight"].copy_(table)
    weights["encoder.proj.weight"].copy_(eye.expand(-1, -1, cell, cell) / cell**2)
    weights["quant_proj.weight"].copy_(eye)
    weights["quant_proj.bias"].zero_()
    weights["quantize._codebook.embed"].copy_(codes)
    return model


@torch.no_grad()
def decode_cells(model: VQVAE, table: Tensor) -> None:
    """Let the decoder give each cell the class whose vector is most like its code.

    Its blocks add nothing, and it knows no positions.
    """
    weights = dict(model.named_parameters())
    for name, weight in weights.items():
        if name.startswith(("decoder.", "post_quant_proj.")):
            weight.zero_()
    weights["post_quant_proj.weight"].copy_(torch.eye(table.shape[1])[:, :, None, None])
    cell = model.config.patch_size**2
    weights["decoder.out_proj.weight"].copy_(10 * table.repeat_interleave(cell, dim=0))


def label_encoder(config: Config, state: Mapping[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """A function from label maps (N, side, side) to tokens (N, grid ** 2) int64."""
    model = VQVAE(TokenizerConfig.from_mapping(config))
    model.load_state_dict(state)
    model.eval()

    @torch.no_grad()
    def encode(labels: Tensor) -> Tensor:
        return torch.cat([model.encode(rows.long()).flatten(1) for rows in labels.split(256)])

    return encode

"""Stage `space`: the retrieval transform of the teacher's embeddings, and their tokenizer.

The teacher's raw CLS space is a narrow cone. The transform subtracts the training mean and
divides each principal component by its standard deviation to the power POWER, without the null
direction; retrieval compares what comes out by cosine. The tokenizer is a product code of that
same space after a random rotation: 16 chunks, one codebook of 512 entries for all of them (found
by k-means), written as a 'memcodes' VQ-VAE whose encoder and decoder are affine maps.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from fourm.training.architecture import CHUNK, CODEBOOKS, CODES
from fourm.training.run import Run, seeded

POWER = 0.5
ROUNDS = 25


def fit(run: Run) -> None:
    """Write `space`: mean (D,), matrix (D-1, D), inverse (D, D-1), rotation (D-1, D), scale (1,),
    codes (CODES, CHUNK)."""
    if run.has("space"):
        return
    features = run.load("features/flickr8k")
    train = run.load("split")["train"]
    mean, matrix, inverse = whitening(features["cls"][train], POWER)
    white = (features["cls"][train] - mean) @ matrix.T
    rotation = _rotation(matrix.shape[0], matrix.shape[1])
    rotated = white @ rotation
    scale = rotated.std()
    codes = k_means((rotated / scale).reshape(-1, CHUNK), CODES)
    run.save(
        "space",
        {
            "mean": mean,
            "matrix": matrix,
            "inverse": inverse,
            "rotation": rotation,
            "scale": scale[None],
            "codes": codes,
        },
    )


def whitening(cls: Tensor, power: float, drop: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (D,), transform (D - drop, D) and its pseudo-inverse (D, D - drop) of embeddings (N, D).

    `power` 0 only centres, 1 whitens fully.
    """
    x = cls.double()
    mean = x.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((x - mean).T))
    kept = values.numel() - drop
    values, vectors = values.flip(0)[:kept].clamp_min(1e-9), vectors.flip(1)[:, :kept]
    spread = values.sqrt().pow(power)
    return mean.float(), (vectors / spread).T.float(), (vectors * spread).float()


def transformed(space: dict[str, Tensor], cls: Tensor) -> Tensor:
    """Raw embeddings (N, D) -> unit vectors (N, D - 1) of the space."""
    return F.normalize((cls - space["mean"]) @ space["matrix"].T, dim=-1)


def decoded(space: dict[str, Tensor], probabilities: Tensor) -> Tensor:
    """Probabilities (B, CODEBOOKS, CODES) -> unit vectors (B, D - 1) of the space.

    The same as decoding softly through the tokenizer and then transforming, in one step.
    """
    chunks = (probabilities @ space["codes"]).flatten(1)
    return F.normalize(chunks @ space["rotation"].T, dim=-1)


def k_means(points: Tensor, count: int, seed: int = 0, rounds: int = ROUNDS) -> Tensor:
    """Centres (count, D) of points (N, D); an empty cluster starts again at a random point."""
    generator = seeded(seed)
    order = torch.randperm(max(len(points), count), generator=generator)[:count]
    centres = points[order % len(points)].clone()
    for _ in range(rounds):
        half = (centres * centres).sum(1) / 2
        nearest = torch.cat([(x @ centres.T - half).argmax(1) for x in points.split(1 << 14)])
        sizes = torch.bincount(nearest, minlength=count)
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        centres = sums / sizes.clamp_min(1)[:, None]
        empty = (sizes == 0).nonzero().flatten()
        again = torch.randint(len(points), (len(empty),), generator=generator)
        centres[empty] = points[again]
    return centres


def _rotation(rows: int, columns: int) -> Tensor:
    """Orthonormal rows that spread every principal component over all chunks."""
    square = torch.randn(columns, columns, generator=seeded(1))
    rotation: Tensor = torch.linalg.qr(square)[0][:rows].contiguous()
    return rotation


def tokenizer(space: dict[str, Tensor]) -> tuple[dict[str, object], dict[str, Tensor]]:
    """The global tokenizer's config and tensors in the official format.

    Nearest entry means largest <z, c> - |c|^2 / 2; the quantizer knows inner products alone, so
    every chunk carries a constant 1 beside its CHUNK values, and every entry -|c|^2 / 2.
    """
    matrix, rotation, scale = space["matrix"], space["rotation"], space["scale"]
    dim, chunk = matrix.shape[1], CHUNK + 1
    latent = CODEBOOKS * chunk
    rows = torch.arange(latent).view(CODEBOOKS, chunk)
    forward = torch.zeros(latent, dim)
    bias = torch.zeros(latent)
    forward[rows[:, :CHUNK].flatten()] = rotation.T @ matrix / scale
    bias[rows[:, :CHUNK].flatten()] = -(rotation.T @ matrix @ space["mean"]) / scale
    bias[rows[:, CHUNK]] = 1.0
    back = torch.zeros(dim, latent)
    back[:, rows[:, :CHUNK].flatten()] = space["inverse"] @ rotation * scale
    codes = space["codes"]
    entries = torch.cat([codes, -(codes * codes).sum(1, keepdim=True) / 2], dim=1)
    keep = torch.eye(chunk)
    keep[CHUNK, CHUNK] = 0
    identity = torch.eye(latent)
    zeros = torch.zeros(latent)
    state = {
        "encoder.linear_in.weight": forward,
        "encoder.linear_in.bias": bias,
        "encoder.linear_out.weight": identity,
        "encoder.linear_out.bias": zeros,
        "quant_proj.weight": identity[:, :, None, None],
        "quant_proj.bias": zeros,
        "quantize.codes": entries.expand(CODEBOOKS, -1, -1),
        "quantize.to_k.weight": torch.eye(chunk).expand(CODEBOOKS, -1, -1),
        "quantize.to_v.weight": keep.expand(CODEBOOKS, -1, -1),
        "post_quant_proj.weight": identity[:, :, None, None],
        "post_quant_proj.bias": zeros,
        "decoder.linear_in.weight": identity,
        "decoder.linear_in.bias": zeros,
        "decoder.linear_out.weight": back,
        "decoder.linear_out.bias": space["mean"],
    }
    config: dict[str, object] = {
        "enc_type": f"BottleneckMLP/B_0-Wi_{latent}",
        "dec_type": f"BottleneckMLP/B_0-Wi_{latent}",
        "n_channels": dim,
        "patch_proj": False,
        "patch_size": 1,
        "image_size": 1,
        "quant_type": "memcodes",
        "codebook_size": CODES,
        "num_codebooks": CODEBOOKS,
        "latent_dim": latent,
        "norm_codes": False,
    }
    return config, {name: tensor.clone() for name, tensor in state.items()}

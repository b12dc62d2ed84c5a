"""A retrieval space made of a network's global embeddings, and their tokenizer.

Raw embeddings lie in a narrow cone. The space subtracts their mean and divides each principal
component by its standard deviation to some power, without the component of least variance;
retrieval compares vectors of the space by cosine. The tokenizer is a product code of the same
space after a random rotation: the vector is cut into chunks, which share one codebook, and written
as a 'memcodes' VQ-VAE whose encoder and decoder are affine maps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from fourm.training.run import seeded


@dataclass(frozen=True)
class WhitenedSpace:
    """The space of embeddings with D values, all float32.

    Attributes:
        mean: (D,).
        matrix: (D - 1, D), from centred embeddings to the space.
        inverse: (D, D - 1), pseudo-inverse of `matrix`.
        rotation: (D - 1, D) with orthonormal rows, which spreads each component over all chunks.
        scale: (1,), standard deviation of the rotated values.
        codes: (codes, chunk), the codebook that all D / chunk chunks share.
    """

    mean: Tensor
    matrix: Tensor
    inverse: Tensor
    rotation: Tensor
    scale: Tensor
    codes: Tensor

    @classmethod
    def fit(
        cls,
        embeddings: Tensor,
        *,
        codebooks: int,
        codes: int,
        power: float = 0.5,
        rounds: int = 25,
    ) -> WhitenedSpace:
        """Fit the space and its codebook.

        Args:
            embeddings: (N, D), D divisible by `codebooks`.
            codebooks: tokens of an embedding.
            codes: entries of the codebook.
            power: 0 only centres, 1 whitens fully.
            rounds: iterations of k-means.
        """
        mean, matrix, inverse = whitening(embeddings, power)
        rotation = _rotation(*matrix.shape)
        rotated = (embeddings - mean) @ matrix.T @ rotation
        scale = rotated.std()
        chunks = (rotated / scale).reshape(-1, embeddings.shape[1] // codebooks)
        return cls(mean, matrix, inverse, rotation, scale[None], k_means(chunks, codes, 0, rounds))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> WhitenedSpace:
        """The space that `tensors` describes."""
        return cls(**tensors)

    def tensors(self) -> dict[str, Tensor]:
        """The attributes by name."""
        return dict(vars(self))

    def transform(self, embeddings: Tensor) -> Tensor:
        """Embeddings (N, D) -> unit vectors (N, D - 1) of the space."""
        return F.normalize((embeddings - self.mean) @ self.matrix.T, dim=-1)

    def decode(self, probabilities: Tensor) -> Tensor:
        """Probabilities (B, codebooks, codes) -> unit vectors (B, D - 1) of the space.

        The same as decoding softly through the tokenizer and then transforming, in one step.
        """
        chunks = (probabilities @ self.codes).flatten(1)
        return F.normalize(chunks @ self.rotation.T, dim=-1)

    def tokenizer(self) -> tuple[dict[str, object], dict[str, Tensor]]:
        """Config and tensors of the tokenizer, in the official format.

        The nearest entry is the one with the largest <z, c> - |c|^2 / 2. The quantizer takes inner
        products alone, so each chunk carries a constant 1, and each entry -|c|^2 / 2.
        """
        dim, (entries, width) = len(self.mean), self.codes.shape
        codebooks, chunk = dim // width, width + 1
        latent = codebooks * chunk
        rows = torch.arange(latent).view(codebooks, chunk)
        values = rows[:, :width].flatten()
        forward = torch.zeros(latent, dim)
        forward[values] = self.rotation.T @ self.matrix / self.scale
        bias = torch.zeros(latent)
        bias[values] = -(self.rotation.T @ self.matrix @ self.mean) / self.scale
        bias[rows[:, width]] = 1.0
        back = torch.zeros(dim, latent)
        back[:, values] = self.inverse @ self.rotation * self.scale
        lengths = -(self.codes * self.codes).sum(1, keepdim=True) / 2
        keep = torch.eye(chunk)
        keep[width, width] = 0
        identity = torch.eye(latent)
        zeros = torch.zeros(latent)
        state = {
            "encoder.linear_in.weight": forward,
            "encoder.linear_in.bias": bias,
            "encoder.linear_out.weight": identity,
            "encoder.linear_out.bias": zeros,
            "quant_proj.weight": identity[:, :, None, None],
            "quant_proj.bias": zeros,
            "quantize.codes": torch.cat([self.codes, lengths], dim=1).expand(codebooks, -1, -1),
            "quantize.to_k.weight": torch.eye(chunk).expand(codebooks, -1, -1),
            "quantize.to_v.weight": keep.expand(codebooks, -1, -1),
            "post_quant_proj.weight": identity[:, :, None, None],
            "post_quant_proj.bias": zeros,
            "decoder.linear_in.weight": identity,
            "decoder.linear_in.bias": zeros,
            "decoder.linear_out.weight": back,
            "decoder.linear_out.bias": self.mean,
        }
        config: dict[str, object] = {
            "enc_type": f"BottleneckMLP/B_0-Wi_{latent}",
            "dec_type": f"BottleneckMLP/B_0-Wi_{latent}",
            "n_channels": dim,
            "patch_proj": False,
            "patch_size": 1,
            "image_size": 1,
            "quant_type": "memcodes",
            "codebook_size": entries,
            "num_codebooks": codebooks,
            "latent_dim": latent,
            "norm_codes": False,
        }
        return config, {name: tensor.clone() for name, tensor in state.items()}


def whitening(embeddings: Tensor, power: float, drop: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (D,), transform (D - drop, D) and its pseudo-inverse (D, D - drop).

    Args:
        embeddings: (N, D).
        power: of the standard deviations that components are divided by.
        drop: how many components of least variance are left out.
    """
    x = embeddings.double()
    mean = x.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((x - mean).T))
    kept = values.numel() - drop
    values, vectors = values.flip(0)[:kept].clamp_min(1e-9), vectors.flip(1)[:, :kept]
    spread = values.sqrt().pow(power)
    return mean.float(), (vectors / spread).T.float(), (vectors * spread).float()


def k_means(points: Tensor, count: int, seed: int = 0, rounds: int = 25) -> Tensor:
    """Centres (count, D) of points (N, D); an empty cluster is reset to a random point."""
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
    square = torch.randn(columns, columns, generator=seeded(1))
    rotation: Tensor = torch.linalg.qr(square)[0][:rows].contiguous()
    return rotation

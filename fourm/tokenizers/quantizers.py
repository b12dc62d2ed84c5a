"""The two quantizers: one codebook for a grid, a product code for a vector."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourm.errors import BadInput
from fourm.transformer.initialization import normal


def check_tokens(tokens: Tensor, codebook_size: int) -> None:
    """Check that tokens are integers in `0 .. codebook_size - 1`.

    Raises:
        BadInput: they are not.
    """
    if tokens.is_floating_point() or tokens.is_complex() or tokens.dtype == torch.bool:
        raise BadInput(f"tokens must be integers, got {tokens.dtype}")
    if tokens.numel() == 0:
        return
    low, high = int(tokens.min()), int(tokens.max())
    if low < 0 or high >= codebook_size:
        raise BadInput(
            f"tokens must be between 0 and {codebook_size - 1}, got {low if low < 0 else high}"
        )


class _Codebook(nn.Module):
    initted: Tensor
    cluster_size: Tensor
    embed: Tensor

    def __init__(self, codebook_size: int, dim: int, norm_codes: bool) -> None:
        super().__init__()
        self.register_buffer("initted", torch.ones(1))
        self.register_buffer("cluster_size", torch.zeros(codebook_size))
        self.register_buffer("embed", normal(torch.empty(codebook_size, dim), dim**-0.5))
        if not norm_codes:
            self.register_buffer("embed_avg", self.embed.clone())


class LucidQuantizer(nn.Module):
    """Quantise to the nearest entry of one codebook (4M-21 reference, sec. 3.3).

    Distances are computed in float32. The quantised value is the entry as stored, not normalised.

    Args:
        codebook_size: K, the number of entries.
        dim: length of an entry.
        norm_codes: nearest by cosine similarity instead of Euclidean distance.
        norm_latents: normalise latents before distances are computed.
    """

    def __init__(
        self, codebook_size: int, dim: int, norm_codes: bool = True, norm_latents: bool = False
    ) -> None:
        super().__init__()
        self.codebook_size = codebook_size
        self.dim = dim
        self.norm_codes = norm_codes
        self.norm_latents = norm_latents
        self._codebook = _Codebook(codebook_size, dim, norm_codes)

    @property
    def codes(self) -> Tensor:
        """The entries, (K, dim)."""
        return self._codebook.embed

    def encode(self, latents: Tensor) -> Tensor:
        """(B, dim, h, w) -> tokens (B, h, w), int64."""
        rows = latents.permute(0, 2, 3, 1).float()
        codes = self.codes.float()
        if self.norm_codes or self.norm_latents:
            rows = F.normalize(rows, dim=-1)
        if self.norm_codes:
            return (rows @ F.normalize(codes, dim=-1).T).argmax(-1)
        # |h - c|^2 without |h|^2, which is the same for every c.
        return (codes.square().sum(-1) - 2 * rows @ codes.T).argmin(-1)

    def decode(self, tokens: Tensor) -> Tensor:
        """Tokens (B, h, w) -> values (B, dim, h, w).

        Raises:
            BadInput: a token outside the codebook, or another shape or dtype.
        """
        if tokens.ndim != 3:
            raise BadInput(f"tokens must have shape (B, h, w), got {tuple(tokens.shape)}")
        check_tokens(tokens, self.codebook_size)
        return self.codes[tokens.long()].permute(0, 3, 1, 2)

    def decode_soft(self, probabilities: Tensor) -> Tensor:
        """Expected value under probabilities (B, h, w, K) -> (B, dim, h, w).

        Raises:
            BadInput: `probabilities` has another shape.
        """
        if probabilities.ndim != 4 or probabilities.shape[-1] != self.codebook_size:
            raise BadInput(
                f"probabilities must have shape (B, h, w, {self.codebook_size}), "
                f"got {tuple(probabilities.shape)}"
            )
        return (probabilities.to(self.codes.dtype) @ self.codes).permute(0, 3, 1, 2)


class _HeadwiseLinear(nn.Module):
    """A (d, d) matrix for each head, without bias: `y = x @ weight` (not its transpose)."""

    def __init__(self, heads: int, dim: int) -> None:
        super().__init__()
        self.weight = normal(nn.Parameter(torch.empty(heads, dim, dim)), dim**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, d) -> (B, H, d)."""
        return torch.einsum("bhd,hde->bhe", x, self.weight)


class MemcodesQuantizer(nn.Module):
    """Quantise a vector to one entry from each of several codebooks (4M-21 reference, sec. 3.4).

    Chunk i of the latent is an entry of codebook i. An entry has a key, which chunks are compared
    with by inner product, and a value, which a token is decoded to. Both are linear in the entry,
    so that the expected value is that of the expected entry.

    Args:
        codebook_size: K, the number of entries of each codebook.
        dim: length of the vector.
        num_codebooks: H; each entry has length dim / H.
    """

    def __init__(self, codebook_size: int, dim: int, num_codebooks: int) -> None:
        super().__init__()
        self.codebook_size = codebook_size
        self.num_codebooks = num_codebooks
        self.dim = dim
        self.head_dim = dim // num_codebooks
        codes = torch.empty(num_codebooks, codebook_size, self.head_dim)
        self.codes = normal(nn.Parameter(codes), 1.0)
        self.to_k = _HeadwiseLinear(num_codebooks, self.head_dim)
        self.to_v = _HeadwiseLinear(num_codebooks, self.head_dim)

    def encode(self, latents: Tensor) -> Tensor:
        """(B, dim) -> tokens (B, H), int64; computed in float32."""
        chunks = latents.float().reshape(-1, self.num_codebooks, self.head_dim)
        keys = self.codes.float() @ self.to_k.weight.float()
        return torch.einsum("bhd,hkd->bhk", chunks, keys).argmax(-1)

    def decode(self, tokens: Tensor) -> Tensor:
        """Tokens (B, H) -> values (B, dim).

        Raises:
            BadInput: a token outside its codebook, or another shape or dtype.
        """
        if tokens.ndim != 2 or tokens.shape[1] != self.num_codebooks:
            raise BadInput(
                f"tokens must have shape (B, {self.num_codebooks}), got {tuple(tokens.shape)}"
            )
        check_tokens(tokens, self.codebook_size)
        heads = torch.arange(self.num_codebooks, device=tokens.device)
        values: Tensor = self.to_v(self.codes[heads, tokens.long()])
        return values.flatten(1)

    def decode_soft(self, probabilities: Tensor) -> Tensor:
        """Expected value under probabilities (B, H, K), rows summing to 1 -> (B, dim).

        The codes of a vector are predicted independently, so that its expectation is that of its
        chunks.

        Raises:
            BadInput: `probabilities` has another shape.
        """
        wanted = (self.num_codebooks, self.codebook_size)
        if probabilities.ndim != 3 or tuple(probabilities.shape[1:]) != wanted:
            raise BadInput(
                f"probabilities must have shape (B, {wanted[0]}, {wanted[1]}), "
                f"got {tuple(probabilities.shape)}"
            )
        entries = torch.einsum("bhk,hkd->bhd", probabilities.to(self.codes.dtype), self.codes)
        values: Tensor = self.to_v(entries)
        return values.flatten(1)

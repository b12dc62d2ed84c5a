"""The 'memcodes' quantizer: a vector as one code from each of several codebooks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fourm.errors import BadInput
from fourm.tokenizers.lucid import check_tokens
from fourm.transformer.initialization import normal


class _HeadwiseLinear(nn.Module):
    """One (d, d) matrix a head, no bias; `y = x @ weight` (not its transpose)."""

    def __init__(self, heads: int, dim: int) -> None:
        super().__init__()
        self.weight = normal(nn.Parameter(torch.empty(heads, dim, dim)), dim**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, d) -> (B, H, d)."""
        return torch.einsum("bhd,hde->bhe", x, self.weight)


class MemcodesQuantizer(nn.Module):
    """Product code (4M-21 reference: 'memcodes' quantizer): chunk i of the latent is an entry of
    codebook i, so the i-th token has its own vocabulary and there is no spatial grid.

    Entries have a key (what a chunk is compared with, by inner product) and a value (what a token
    decodes to), both linear in the entry. So values are computed of the entries that are asked
    for, and the expected value is that of the expected entry.
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
            BadInput: a token is outside its codebook, or `tokens` has another shape or type.
        """
        if tokens.ndim != 2 or tokens.shape[1] != self.num_codebooks:
            raise BadInput(
                f"tokens must have shape (B, {self.num_codebooks}), not {tuple(tokens.shape)}"
            )
        check_tokens(tokens, self.codebook_size)
        heads = torch.arange(self.num_codebooks, device=tokens.device)
        values: Tensor = self.to_v(self.codes[heads, tokens.long()])
        return values.flatten(1)

    def decode_soft(self, probabilities: Tensor) -> Tensor:
        """Expected value under probabilities (B, H, K), rows summing to 1 -> (B, dim).

        The codes of one vector are predicted independently of each other, so the expectation of
        the whole is that of its chunks.

        Raises:
            BadInput: `probabilities` has another shape.
        """
        wanted = (self.num_codebooks, self.codebook_size)
        if probabilities.ndim != 3 or tuple(probabilities.shape[1:]) != wanted:
            raise BadInput(
                f"probabilities must have shape (B, {wanted[0]}, {wanted[1]}), "
                f"not {tuple(probabilities.shape)}"
            )
        entries = torch.einsum("bhk,hkd->bhd", probabilities.to(self.codes.dtype), self.codes)
        values: Tensor = self.to_v(entries)
        return values.flatten(1)

"""The encoder's side of a modality: content vectors x, and position plus modality embeddings e."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from fourm.errors import BadInput
from fourm.tokens import TokenSpec
from fourm.transformer.initialization import token_table
from fourm.transformer.linear import Linear
from fourm.transformer.positions import ranks, register_embeddings


class ModalityInput(NamedTuple):
    """What the model is given of one modality, for a batch of B samples with n tokens each.

    Attributes:
        content: `pixels`: (B, C, H, W) float, normalised; `img` and `seq`: (B, n) int64 ids;
            `seq_emb`: (B, n, width) float.
        masked: (B, n) bool, True = ignored. None: nothing is.
    """

    content: Tensor
    masked: Tensor | None = None


class InputEmbedding(nn.Module):
    """Base of the modules below. Keys: `pos_emb`, `mod_emb`, and those of the subclass.

    `forward(content, masked)` takes the fields of a `ModalityInput` and returns x (B, n, dim) and
    e (B or 1, n, dim).
    """

    pos_emb: Tensor
    mod_emb: Tensor

    def __init__(self, spec: TokenSpec, dim: int, **content: nn.Module) -> None:
        super().__init__()
        self.spec = spec
        for name, module in content.items():
            self.add_module(name, module)
        register_embeddings(self, spec, dim)

    def _positions(self, count: int, masked: Tensor | None) -> Tensor:
        """Embeddings (B or 1, count, dim) of a sequence.

        4M-21 reference, sec. 2.1: the position of a token is the number of visible tokens before
        it in its sequence.

        Raises:
            BadInput: more visible tokens than rows of `pos_emb`.
        """
        rows = self.spec.position_rows
        longest = count if masked is None else int((~masked).sum(dim=1).max()) if count else 0
        if longest > rows:
            raise BadInput(f"{self.spec.name} takes at most {rows} tokens, got {longest}")
        if masked is None:
            return self.pos_emb[:, :count] + self.mod_emb
        return nn.functional.embedding(ranks(masked), self.pos_emb[0]) + self.mod_emb


class PixelEmbedding(InputEmbedding):
    """Patches of an image (`rgb@224`), each mapped linearly.

    Keys: `proj.weight` (dim, channels*patch*patch).
    """

    proj: Linear

    def __init__(self, spec: TokenSpec, dim: int) -> None:
        size = spec.channels * spec.patch_size**2
        super().__init__(spec, dim, proj=Linear(size, dim, bias=False))

    def forward(self, content: Tensor, masked: Tensor | None) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) float -> x (B, n, dim) and e (1, n, dim), n = (H/patch) * (W/patch).

        Raises:
            BadInput: not the number of channels, or not the number of patches, of the modality.
        """
        spec, patch = self.spec, self.spec.patch_size
        if content.dim() != 4 or content.shape[1] != spec.channels:
            raise BadInput(
                f"{spec.name} takes (B, {spec.channels}, H, W), got {list(content.shape)}"
            )
        batch, channels, height, width = content.shape
        rows, columns = height // patch, width // patch
        if (rows * patch, columns * patch) != (height, width) or rows * columns != spec.max_tokens:
            raise BadInput(
                f"{spec.name} takes images of {spec.max_tokens} patches of {patch} x {patch} "
                f"pixels, got {height} x {width} pixels"
            )
        # 4M-21 reference, sec. 2.1: a patch is (row, column, channel), the channel fastest.
        patches = content.reshape(batch, channels, rows, patch, columns, patch)
        patches = patches.permute(0, 2, 4, 3, 5, 1).reshape(batch, rows * columns, -1)
        return self.proj(patches), self.pos_emb + self.mod_emb


class TokenEmbedding(InputEmbedding):
    """Image tokens: a fixed number of ids (`tok_semseg@224`, `tok_dinov2_global`).

    Keys: `token_emb.weight` (vocabulary, dim).
    """

    token_emb: nn.Embedding

    def __init__(self, spec: TokenSpec, dim: int) -> None:
        super().__init__(spec, dim, token_emb=token_table(spec.vocabulary, dim))

    def forward(self, content: Tensor, masked: Tensor | None) -> tuple[Tensor, Tensor]:
        """(B, n) integer ids -> x (B, n, dim) and e (1, n, dim); n is the modality's.

        Raises:
            BadInput: another number of tokens, or an id outside the vocabulary.
        """
        check_ids(content, self.spec)
        if content.shape[1] != self.spec.max_tokens:
            raise BadInput(
                f"{self.spec.name} has {self.spec.max_tokens} tokens, got {content.shape[1]}"
            )
        return self.token_emb(content), self.pos_emb + self.mod_emb


class SequenceEmbedding(InputEmbedding):
    """Word pieces (`caption`, `det`, `metadata`).

    Keys: `token_emb.weight` (vocabulary, dim).
    """

    token_emb: nn.Embedding

    def __init__(self, spec: TokenSpec, dim: int) -> None:
        super().__init__(spec, dim, token_emb=token_table(spec.vocabulary, dim))

    def forward(self, content: Tensor, masked: Tensor | None) -> tuple[Tensor, Tensor]:
        """(B, n) integer ids -> x (B, n, dim) and e (B or 1, n, dim).

        Raises:
            BadInput: an id outside the vocabulary, or more visible tokens than positions.
        """
        check_ids(content, self.spec)
        return self.token_emb(content), self._positions(content.shape[1], masked)


class FeatureEmbedding(InputEmbedding):
    """Outputs of a language model (`t5_caption`), mapped linearly.

    Keys: `emb_proj.weight` (dim, width), `emb_proj.bias`.
    """

    emb_proj: Linear

    def __init__(self, spec: TokenSpec, dim: int) -> None:
        super().__init__(spec, dim, emb_proj=Linear(spec.width, dim))

    def forward(self, content: Tensor, masked: Tensor | None) -> tuple[Tensor, Tensor]:
        """(B, n, width) float -> x (B, n, dim) and e (B or 1, n, dim).

        Raises:
            BadInput: another width, or more visible tokens than positions.
        """
        if content.dim() != 3 or content.shape[2] != self.spec.width:
            raise BadInput(
                f"{self.spec.name} takes (B, n, {self.spec.width}), got {list(content.shape)}"
            )
        return self.emb_proj(content), self._positions(content.shape[1], masked)


_EMBEDDINGS: dict[str, type[InputEmbedding]] = {
    "pixels": PixelEmbedding,
    "img": TokenEmbedding,
    "seq": SequenceEmbedding,
    "seq_emb": FeatureEmbedding,
}


def input_embedding(spec: TokenSpec, dim: int) -> InputEmbedding:
    """Build the encoder module of a modality."""
    return _EMBEDDINGS[spec.kind](spec, dim)


def check_ids(ids: Tensor, spec: TokenSpec) -> None:
    """Refuse ids that are not (B, n) integers of the modality's vocabulary.

    Raises:
        BadInput: they are not.
    """
    if ids.dim() != 2 or ids.dtype not in (torch.int64, torch.int32):
        raise BadInput(
            f"{spec.name} takes int64 or int32 ids (B, n), got {ids.dtype} {list(ids.shape)}"
        )
    if ids.numel():
        low, high = (int(value) for value in ids.aminmax())
        if low < 0 or high >= spec.vocabulary:
            raise BadInput(f"ids of {spec.name} are 0..{spec.vocabulary - 1}, got {low}..{high}")

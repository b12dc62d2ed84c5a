"""What is known, and what is to be predicted, of each modality of a batch.

4M-21 reference, sec. 4.1. Nothing is changed in place, so that a sample can be used again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fourm.errors import BadInput
from fourm.tokenizers.wordpiece import OFFICIAL_IDS, SpecialIds
from fourm.tokens import TokenSpec
from fourm.transformer.embeddings import ModalityInput

InpaintBox = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax as fractions of the square that the model sees."""


class ModalityState(NamedTuple):
    """One modality of a batch of B samples with n tokens each.

    Attributes:
        content: as in `ModalityInput`.
        input_mask: (B, n) bool, True = not an input.
        target_mask: (B, n) bool, True = not to be predicted.
    """

    content: Tensor
    input_mask: Tensor
    target_mask: Tensor

    def as_input(self) -> ModalityInput:
        """What the encoder is given."""
        return ModalityInput(self.content, self.input_mask)

    @property
    def remaining(self) -> Tensor:
        """(B,) int64: number of tokens still to be predicted."""
        return (~self.target_mask).sum(dim=1)


Sample = Mapping[str, ModalityState]
"""The modalities of a batch, by their names in the transformer's config."""


def given(content: Tensor, spec: TokenSpec, masked: Tensor | None = None) -> ModalityState:
    """A modality that is a condition: an input of which nothing is predicted.

    Args:
        content: as in `ModalityInput`.
        spec: of the modality.
        masked: (B, n) bool, True = ignored (patches of an image, padding of a text); default:
            nothing is.

    Raises:
        BadInput: the mask is not bool (B, n).
    """
    count = spec.max_tokens if spec.kind == "pixels" else content.shape[1]
    shape = (len(content), count)
    if masked is None:
        masked = torch.zeros(shape, dtype=torch.bool, device=content.device)
    _check_mask(masked, shape, spec)
    return ModalityState(content, masked, torch.ones_like(masked))


def empty(
    spec: TokenSpec,
    batch: int,
    length: int | None = None,
    *,
    ids: SpecialIds = OFFICIAL_IDS,
    device: torch.device | str = "cpu",
) -> ModalityState:
    """A modality that is to be predicted completely.

    Image tokens are fully masked. A text is one masked span: its sentinel `[S_1]` is an input, so
    that an empty text is a token for the encoder as long as it is part of a sample.

    Args:
        spec: of a modality of kind `img` or `seq`.
        batch: B.
        length: number of tokens of a text, 2 or more, of which one less is predicted; default: the
            longest of training. Image tokens have a fixed number.
        ids: special tokens of the text tokenizer.
        device: of the result.

    Raises:
        BadInput: a modality that cannot be predicted, or a length below 2.
    """
    if spec.kind == "img":
        content = torch.zeros(batch, spec.max_tokens, dtype=torch.int64, device=device)
        masked = torch.ones_like(content, dtype=torch.bool)
        return ModalityState(content, masked, ~masked)
    if spec.kind != "seq":
        raise BadInput(f"{spec.name} ({spec.kind}) can be an input, but not an output")
    length = spec.max_tokens if length is None else length
    if length < 2:
        raise BadInput(f"length of {spec.name} must be >= 2, got {length}")
    content = torch.full((batch, length), ids.pad, dtype=torch.int64, device=device)
    # The first token is the input, the second (or the first) starts the target.
    content[:, :2] = ids.sentinel(1)
    content[:, -1] = ids.sentinel(2)
    masked = torch.ones_like(content, dtype=torch.bool)
    masked[:, 0] = False
    return ModalityState(content, masked, ~masked)


def partly_masked(content: Tensor, spec: TokenSpec, mask: Tensor) -> ModalityState:
    """Image tokens of which some are given and the others are to be predicted (inpainting).

    Args:
        content: (B, n) integer ids; those at masked positions are ignored.
        spec: of a modality of kind `img`.
        mask: (B, n) bool, True = to be predicted. Samples may have different numbers.

    Raises:
        BadInput: another kind of modality, ids that are not integers (B, n), or a mask that is not
            bool (B, n).
    """
    if spec.kind != "img":
        raise BadInput(f"{spec.name} ({spec.kind}) is not made of image tokens")
    if content.shape[1:] != (spec.max_tokens,) or content.dtype not in (torch.int64, torch.int32):
        raise BadInput(
            f"{spec.name} takes int64 or int32 ids (B, {spec.max_tokens}), "
            f"got {content.dtype} {list(content.shape)}"
        )
    _check_mask(mask, (len(content), spec.max_tokens), spec)
    return ModalityState(content.long().masked_fill(mask, 0), mask, ~mask)


def inpainting_mask(boxes: Sequence[InpaintBox], grid: int, device: torch.device) -> Tensor:
    """(1, grid * grid) bool, True = the token's cell overlaps one of the boxes.

    Args:
        boxes: at least one.
        grid: number of tokens on each side.
        device: of the result.

    Raises:
        BadInput: no box, or one that is empty or not within 0 and 1.
    """
    mask = torch.zeros(grid, grid, dtype=torch.bool)
    if not boxes:
        raise BadInput("at least one box is needed", where="inpaint")
    for xmin, ymin, xmax, ymax in boxes:
        if not (0 <= xmin < xmax <= 1 and 0 <= ymin < ymax <= 1):
            raise BadInput(
                "a box must be xmin,ymin,xmax,ymax within 0 and 1, with xmin < xmax and "
                f"ymin < ymax, got {xmin:g},{ymin:g},{xmax:g},{ymax:g}",
                where="inpaint",
            )
        rows = slice(math.floor(ymin * grid), math.ceil(ymax * grid))
        columns = slice(math.floor(xmin * grid), math.ceil(xmax * grid))
        mask[rows, columns] = True
    return mask.reshape(1, -1).to(device)


def _check_mask(mask: Tensor, shape: tuple[int, int], spec: TokenSpec) -> None:
    if mask.shape != shape or mask.dtype != torch.bool:
        raise BadInput(
            f"the mask of {spec.name} must be torch.bool {list(shape)}, "
            f"got {mask.dtype} {list(mask.shape)}"
        )

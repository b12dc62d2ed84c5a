"""What is known, given and wanted of each modality while a batch is generated.

4M-21 reference, sec. 4.1. A sample is a mapping of modality -> `Part`; nothing is ever changed in
place, so that a sample may be generated from again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from fourm.errors import BadInput
from fourm.generation.text_ids import OFFICIAL_IDS, TextIds
from fourm.tokens import TokenSpec
from fourm.transformer.embeddings import ModalityInput


class Part(NamedTuple):
    """One modality of a batch of B samples with n token places each.

    Masks are True where a place is ignored.

    Attributes:
        content: as in `ModalityInput`.
        input_mask: (B, n) bool, True = the model is not shown this place.
        target_mask: (B, n) bool, True = this place is not to be predicted.
    """

    content: Tensor
    input_mask: Tensor
    target_mask: Tensor

    def as_input(self) -> ModalityInput:
        """What the encoder is given."""
        return ModalityInput(self.content, self.input_mask)

    @property
    def remaining(self) -> Tensor:
        """(B,) int64: how many places are still to be predicted."""
        return (~self.target_mask).sum(dim=1)


Sample = Mapping[str, Part]


def given(content: Tensor, modality: TokenSpec, masked: Tensor | None = None) -> Part:
    """A modality that is a condition: shown to the model, nothing of it predicted.

    Args:
        content: as in `ModalityInput`.
        modality: of the model.
        masked: (B, n) bool, True = not shown (patches of a picture, the right end of a shorter
            text); default: everything is shown.

    Raises:
        BadInput: the mask is not (B, n).
    """
    places = modality.max_tokens if modality.kind == "pixels" else content.shape[1]
    shape = (len(content), places)
    if masked is None:
        masked = torch.zeros(shape, dtype=torch.bool, device=content.device)
    _check_mask(masked, shape, modality)
    return Part(content, masked, torch.ones_like(masked))


def empty(
    modality: TokenSpec,
    batch: int,
    places: int | None = None,
    *,
    ids: TextIds = OFFICIAL_IDS,
    device: torch.device | str = "cpu",
) -> Part:
    """A modality of which nothing is known and everything is to be predicted.

    Image tokens are all hidden. A text is one hidden span: its sentinel `[S_1]` is shown, so an
    empty text is a token for the encoder as long as it is part of a sample.

    Args:
        modality: of kind `img` or `seq`.
        batch: B.
        places: length of the text's part, 2 or more; the text gets one token less. Default: the
            longest of training. Image tokens have as many as the modality.
        ids: special tokens of the text tokenizer.
        device: where.

    Raises:
        BadInput: a kind that cannot be predicted, or fewer than 2 places.
    """
    if modality.kind == "img":
        content = torch.zeros(batch, modality.max_tokens, dtype=torch.int64, device=device)
        hidden = torch.ones_like(content, dtype=torch.bool)
        return Part(content, hidden, ~hidden)
    if modality.kind != "seq":
        raise BadInput(f"{modality.name} ({modality.kind}) can be an input, never an output")
    places = modality.max_tokens if places is None else places
    if places < 2:
        raise BadInput(f"{modality.name} needs at least 2 places to be predicted, not {places}")
    content = torch.full((batch, places), ids.pad, dtype=torch.int64, device=device)
    # The first is what is shown of the text, the second (or the first) starts what is predicted.
    content[:, :2] = ids.sentinel(1)
    content[:, -1] = ids.sentinel(2)
    hidden = torch.ones_like(content, dtype=torch.bool)
    hidden[:, 0] = False
    return Part(content, hidden, ~hidden)


def partly_hidden(content: Tensor, modality: TokenSpec, hidden: Tensor) -> Part:
    """Image tokens of which some are given and the rest is to be predicted (inpainting).

    Args:
        content: (B, n) int64; what the hidden places hold does not matter.
        modality: of kind `img`.
        hidden: (B, n) bool, True = to be predicted. Samples may hide different numbers.

    Raises:
        BadInput: another kind, or a mask that is not (B, n).
    """
    if modality.kind != "img":
        raise BadInput(f"{modality.name} has no image tokens: only those can be partly hidden")
    _check_mask(hidden, (len(content), modality.max_tokens), modality)
    return Part(content.masked_fill(hidden, 0), hidden, ~hidden)


def _check_mask(masked: Tensor, shape: tuple[int, int], modality: TokenSpec) -> None:
    if masked.shape != shape or masked.dtype != torch.bool:
        raise BadInput(
            f"{modality.name}: the mask should be bool {list(shape)}, "
            f"not {masked.dtype} {list(masked.shape)}"
        )

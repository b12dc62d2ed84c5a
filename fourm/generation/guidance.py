"""Classifier-free guidance (4M-21 reference, sec. 4.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from fourm.tokens import TokenSpec
from fourm.transformer.embeddings import ModalityInput

FIRST_SENTINEL = 5  # [S_1]: numbering starts at [S_0], which no text uses


def guide(conditional: Tensor, empty: Tensor, scale: float) -> Tensor:
    """Logits pushed away from those without the condition: u + scale * (c - u)."""
    return empty + scale * (conditional - empty)


def guide_by_weights(
    conditional: Sequence[Tensor], weights: Sequence[float], empty: Tensor
) -> Tensor:
    """Logits by several conditions, each with a weight: u + sum of w_i * (c_i - u), in float32.

    A negative weight leads away from its condition; all weights 0 give u. `empty` may have a batch
    of 1 for all samples.
    """
    empty = empty.float()
    result = empty
    for weight, one in zip(weights, conditional, strict=True):
        result = result + weight * (one.float() - empty)
    return result


def unconditional(
    inputs: Mapping[str, ModalityInput],
    conditions: Iterable[str],
    modalities: Mapping[str, TokenSpec],
) -> dict[str, ModalityInput]:
    """The same batch with some modalities emptied, as training saw them empty.

    Pictures and image tokens vanish; a text keeps its first sentinel; a sequence of embeddings
    keeps one vector of zeros.

    Args:
        inputs: as `FM.encode`.
        conditions: names of the modalities to empty.
        modalities: of the model (`model.config.modalities`).
    """
    emptied = dict(inputs)
    for name in conditions:
        content = inputs[name].content
        modality = modalities[name]
        places = modality.max_tokens if modality.kind == "pixels" else content.shape[1]
        masked = torch.ones(len(content), places, dtype=torch.bool, device=content.device)
        if modality.is_sequence:
            content = torch.zeros_like(content)
            if modality.kind == "seq":
                content[:, 0] = FIRST_SENTINEL
            masked[:, 0] = False
        emptied[name] = ModalityInput(content, masked)
    return emptied

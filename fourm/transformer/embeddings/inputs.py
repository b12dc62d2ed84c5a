"""What the model is given of one modality for a whole batch."""

from __future__ import annotations

from typing import NamedTuple

import torch


class ModalityInput(NamedTuple):
    """One modality of a batch of B samples with n token places each.

    Attributes:
        content: `pixels`: (B, C, H, W) float, normalised; `img` and `seq`: (B, n) int64 ids;
            `seq_emb`: (B, n, width) float.
        masked: (B, n) bool, True = not given to the model. None: everything is given.
    """

    content: torch.Tensor
    masked: torch.Tensor | None = None

"""What is computed in a lower precision than float32, and what never is.

Matrix products are: their weights, and the tables of tokens, are stored in the lower precision, and
their inputs are rounded to it. The residual stream, norms, positions and logits stay in float32:
rounding the sum of 24 layers after each of them, or logits of which the largest is chosen, changes
many times as many tokens.
"""

from __future__ import annotations

import torch
from torch import nn

from fourm.transformer.targets import TargetEmbedding


def product_dtypes(module: nn.Module, dtype: torch.dtype) -> dict[str, torch.dtype]:
    """Name -> dtype of the tensors of a module whose products are made in `dtype`.

    Tensors that are not named stay in float32.
    """
    logits = {id(one.to_logits) for one in module.modules() if isinstance(one, TargetEmbedding)}
    return {
        f"{path}.{name}": dtype
        for path, part in module.named_modules()
        if isinstance(part, (nn.Linear, nn.Embedding)) and id(part) not in logits
        for name, _ in part.named_parameters()
    }

"""Training the decoder of a VQ-VAE whose encoder and codebook are fixed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from tqdm import trange

from fourm.tokenizers.vqvae import VQVAE
from fourm.training.run import seeded


def train_decoder(
    model: VQVAE,
    stored: Tensor,
    expand: Callable[[Tensor], Tensor],
    loss: Callable[[Tensor, Tensor], Tensor],
    steps: int,
    batch: int = 32,
) -> None:
    """Train `post_quant_proj` and `decoder` to reconstruct values from their tokens.

    Args:
        model: the tokenizer.
        stored: (N, ...) uint8, what it learns to reconstruct, in compact form.
        expand: some rows of it -> what the tokenizer encodes.
        loss: of what is decoded and what was encoded.
        steps: optimiser steps.
        batch: rows in a step.
    """
    for name, parameter in model.named_parameters():
        trained = name.startswith(("decoder.", "post_quant_proj."))
        parameter.requires_grad_(trained and not name.endswith("pos_emb"))
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=max(steps, 2))
    generator = seeded(6)
    bar = trange(steps, desc="decoder", unit="step")
    for _ in bar:
        values = expand(stored[torch.randint(len(stored), (batch,), generator=generator)])
        with torch.no_grad():
            tokens = model.encode(values)
        error = loss(model.decode_tokens(tokens), values)
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        schedule.step()
        bar.set_postfix(loss=f"{error.item():.3f}")

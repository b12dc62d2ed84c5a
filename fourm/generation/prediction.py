"""Predict all tokens of a target in a single pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, get_args

import torch
from torch import Tensor

from fourm.errors import BadInput
from fourm.generation.sampling import TokenSampler, probabilities
from fourm.tokens import Decode
from fourm.transformer.embeddings import ModalityInput
from fourm.transformer.model import FM
from fourm.transformer.selection import take


class Prediction(NamedTuple):
    """The prediction of a target of n tokens for a batch of B samples.

    Attributes:
        logits: (B, n, V).
        tokens: (B, n) int64; None with `soft`.
        probabilities: (B, n, V) float32, rows sum to 1; only with `soft`.
    """

    logits: Tensor
    tokens: Tensor | None
    probabilities: Tensor | None


def predict(
    model: FM,
    inputs: Mapping[str, ModalityInput],
    target: str,
    decode: Decode = "argmax",
    *,
    temperature: float = 1.0,
    top_k: int | float = 0,
    top_p: float = 0.0,
    seed: int = 0,
) -> Prediction:
    """Encode a batch and predict all image tokens of a target in one decoder pass.

    Args:
        model: the transformer, built with these inputs and this output.
        inputs: as `FM.encode`; samples may have different modalities and lengths.
        target: e.g. `tok_dinov2_global`.
        decode, temperature, top_k, top_p, seed: as `choose`.

    Raises:
        UnknownModality, BadInput: as `FM.encode`, `FM.decode_logits` and `choose`.
    """
    logits = model.decode_logits(model.encode(inputs), target)
    return choose(logits, decode, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)


def choose(
    logits: Tensor,
    decode: Decode = "argmax",
    *,
    temperature: float = 1.0,
    top_k: int | float = 0,
    top_p: float = 0.0,
    seed: int = 0,
) -> Prediction:
    """Tokens, or probabilities, of logits (B, n, V).

    Args:
        logits: of one target.
        decode: `argmax` takes the most likely token of each position; `soft` returns the
            probabilities, for a tokenizer that decodes the expectation of its codes; `sample` draws
            tokens. For one sample on the CPU the draws are those of the reference's one-step ROAR
            with the same seed.
        temperature: the logits are divided by it in `soft` (above 0) and `sample` (0: argmax).
        top_k, top_p: of `sample`, see `keep_likely`.
        seed: random seed of `sample`, the same for every sample.

    Raises:
        BadInput: another value of `decode`, or numbers out of range.
    """
    if decode == "argmax":
        return Prediction(logits, logits.argmax(dim=-1), None)
    if decode == "soft":
        return Prediction(logits, None, probabilities(logits.float(), temperature))
    if decode == "sample":
        sampler = TokenSampler(seed, top_k, top_p)
        sampler.begin(0, len(logits), logits.device)
        order = sampler.order(logits.shape[1]).argsort(dim=1)
        drawn = sampler.draw(take(logits, order), temperature).tokens
        return Prediction(logits, torch.empty_like(drawn).scatter_(1, order, drawn), None)
    raise BadInput(f"decode must be one of {', '.join(get_args(Decode))}, got {decode!r}")

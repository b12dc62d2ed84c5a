"""From a batch of inputs to the tokens of one target, all in a single pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from torch import Tensor

from fourm.errors import BadInput
from fourm.generation.sampling import draw
from fourm.transformer.embeddings import ModalityInput
from fourm.transformer.model import FM

Decode = Literal["argmax", "soft", "sample"]


class Prediction(NamedTuple):
    """What was predicted for a batch of B samples and a target of n tokens.

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
    """Encode a batch and predict all tokens of an image-kind target in one decoder pass.

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
    """Turn logits (B, n, V) into tokens, or into probabilities.

    Args:
        logits: of one target.
        decode: `argmax` the likeliest token of each place; `soft` the probabilities themselves,
            for a tokenizer that decodes the expectation of its codes; `sample` a seeded draw.
        temperature: divides the logits in `soft` (above 0) and `sample` (0: argmax).
        top_k, top_p, seed: for `sample`, see `draw`.

    Raises:
        BadInput: another word for `decode`, or values out of range.
    """
    if decode == "argmax":
        return Prediction(logits, logits.argmax(dim=-1), None)
    if decode == "soft":
        if temperature <= 0:
            raise BadInput(f"soft decoding needs a temperature above 0, not {temperature}")
        return Prediction(logits, None, (logits.float() / temperature).softmax(dim=-1))
    if decode == "sample":
        return Prediction(logits, draw(logits, temperature, top_k, top_p, seed), None)
    raise BadInput(f"decode is one of {', '.join(get_args(Decode))}, not {decode!r}")

"""Classifier-free guidance: the passes of a step, and how they are combined.

4M-21 reference, sec. 4.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fourm.errors import BadInput
from fourm.generation.schedule import Step
from fourm.generation.states import ModalityState, Sample
from fourm.tokenizers.wordpiece import OFFICIAL_IDS, SpecialIds
from fourm.tokens import TokenSpec
from fourm.transformer import FM, EncoderOutput
from fourm.transformer.embeddings import ModalityInput


def guide(conditional: Sequence[Tensor], weights: Sequence[float], unconditional: Tensor) -> Tensor:
    """Guided logits in float32: u + sum of w_i * (c_i - u).

    Args:
        conditional: logits c_i (B, ..., V), one for each condition.
        weights: w_i. A negative weight guides away from its condition.
        unconditional: logits u, of the same shape or with a batch of 1.
    """
    unconditional = unconditional.float()
    result = unconditional
    for weight, logits in zip(weights, conditional, strict=True):
        result = result + weight * (logits.float() - unconditional)
    return result


class Branches(NamedTuple):
    """The passes of a step, which predict the same tokens under different conditions.

    Attributes:
        conditions: what each pass is given besides the target.
        weights: of all passes but the last, which is the unconditional one. Empty: there is one
            pass, and no guidance.
    """

    conditions: tuple[Sample, ...]
    weights: tuple[float, ...] = ()

    def encode(self, model: FM, name: str, target: ModalityState) -> list[EncoderOutput]:
        """The encoder's output of each pass; `target` is what is known of the modality `name`."""
        branches = [_inputs(model, {**condition, name: target}) for condition in self.conditions]
        # A pass without visible tokens is told its batch size by a fully masked modality.
        nothing = {
            name: ModalityInput(content, torch.ones_like(masked))
            for branch in branches
            for name, (content, masked) in list(branch.items())[:1]
            if masked is not None
        }
        return [model.encode(_visible(branch) or nothing) for branch in branches]

    def combine(self, logits: Sequence[Tensor]) -> Tensor:
        """Logits of all passes, guided; float32."""
        if not self.weights:
            return logits[0].float()
        *conditional, unconditional = logits
        return guide(conditional, self.weights, unconditional)


def guided(model: FM, sample: Sample, step: Step, ids: SpecialIds = OFFICIAL_IDS) -> Branches:
    """The passes of a step with one guidance scale: the sample, and that without its conditions.

    Raises:
        BadInput: several weights, or a condition that the sample does not have.
    """
    if isinstance(step.guidance, tuple):
        raise BadInput(f"{step.target}: several guidance weights need generate_weighted")
    others = {name: state for name, state in sample.items() if name != step.target}
    dropped = [name for name in step.conditions if name != step.target]
    if step.guidance == 1.0 or not dropped:
        return Branches((others,))
    if absent := [name for name in dropped if name not in others]:
        raise BadInput(f"the sample has no {', '.join(absent)} to guide by")
    inputs = {name: others[name].as_input() for name in dropped}
    without = dict(others)
    for name, (content, masked) in unconditional(
        inputs, dropped, model.config.modalities, ids
    ).items():
        assert masked is not None
        without[name] = ModalityState(content, masked, others[name].target_mask)
    return Branches((others, without), (step.guidance,))


def weighted(conditions: Sequence[Sample], empty: Sample, step: Step) -> Branches:
    """The passes of a step with one weight for each condition; `empty` is unconditional.

    Raises:
        BadInput: another number of weights than conditions.
    """
    scale = step.guidance
    weights = scale if isinstance(scale, tuple) else (scale,) * len(conditions)
    if len(weights) != len(conditions):
        raise BadInput(
            f"{step.target}: expected one weight for each of {len(conditions)} conditions, "
            f"got {len(weights)}"
        )
    return Branches((*conditions, empty), weights)


def unconditional(
    inputs: Mapping[str, ModalityInput],
    conditions: Iterable[str],
    modalities: Mapping[str, TokenSpec],
    ids: SpecialIds = OFFICIAL_IDS,
) -> dict[str, ModalityInput]:
    """The same batch with some modalities dropped, as in training.

    Pixels and image tokens are fully masked; of a text, its first sentinel is visible; of a
    sequence of embeddings, one vector of zeros.

    Args:
        inputs: as `FM.encode`.
        conditions: modalities to drop.
        modalities: of the model (`model.config.modalities`).
        ids: special tokens of the text tokenizer.
    """
    dropped = dict(inputs)
    for name in conditions:
        content = inputs[name].content
        spec = modalities[name]
        count = spec.max_tokens if spec.kind == "pixels" else content.shape[1]
        masked = torch.ones(len(content), count, dtype=torch.bool, device=content.device)
        if spec.is_sequence:
            content = torch.zeros_like(content)
            if spec.kind == "seq":
                content[:, 0] = ids.sentinel(1)
            masked[:, 0] = False
        dropped[name] = ModalityInput(content, masked)
    return dropped


def _inputs(model: FM, sample: Sample) -> dict[str, ModalityInput]:
    """The sample without predicted modalities that are not inputs of this model."""
    outputs_only = set(model.outputs) - set(model.inputs)
    return {name: state.as_input() for name, state in sample.items() if name not in outputs_only}


def _visible(inputs: Mapping[str, ModalityInput]) -> dict[str, ModalityInput]:
    """The modalities that are not fully masked."""
    return {
        name: value
        for name, value in inputs.items()
        if value.masked is None or not bool(value.masked.all())
    }

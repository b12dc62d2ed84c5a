"""What a step is conditioned on, and how its passes are combined (4M-21 reference, sec. 4.4).

A branch is one set of conditions. All branches share the part of the target, its places and its
random choices, so that their logits are always those of the same places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fourm.errors import BadInput
from fourm.generation.guidance import guide_by_weights, unconditional
from fourm.generation.parts import Part, Sample
from fourm.generation.schedule import Step
from fourm.transformer import FM, EncoderOutput
from fourm.transformer.embeddings import ModalityInput


class Branches(NamedTuple):
    """Conditions of a step.

    Attributes:
        conditions: what each pass is given besides the target.
        weights: of each but the last, which is the pass that guidance leads away from. Empty:
            there is one pass and no guidance.
    """

    conditions: tuple[Sample, ...]
    weights: tuple[float, ...] = ()

    def encode(self, model: FM, name: str, target: Part) -> list[EncoderOutput]:
        """The encoder's output of each branch, for a target as it stands."""
        branches = [_inputs(model, {**condition, name: target}) for condition in self.conditions]
        # A branch without anything is told its batch size by a modality that is wholly hidden.
        nothing = {
            name: ModalityInput(content, torch.ones_like(masked))
            for branch in branches
            for name, (content, masked) in list(branch.items())[:1]
            if masked is not None
        }
        return [model.encode(_shown(branch) or nothing) for branch in branches]

    def combine(self, logits: Sequence[Tensor]) -> Tensor:
        """Logits of all branches as one, in float32: u + sum of w * (c - u), u the last."""
        if not self.weights:
            return logits[0].float()
        *conditional, empty = logits
        return guide_by_weights(conditional, self.weights, empty)


def guided(model: FM, sample: Sample, step: Step) -> Branches:
    """The branches of a step with one scale: the sample, and that without its conditions.

    Raises:
        BadInput: several weights, or a condition to empty that the sample does not have.
    """
    if isinstance(step.guidance, tuple):
        raise BadInput(
            f"{step.target}: several weights need several conditions, see generate_weighted"
        )
    others = {name: part for name, part in sample.items() if name != step.target}
    emptied = [name for name in step.conditions if name != step.target]
    if step.guidance == 1.0 or not emptied:
        return Branches((others,))
    if absent := [name for name in emptied if name not in others]:
        raise BadInput(f"guidance by what the sample does not have: {', '.join(absent)}")
    return Branches((others, without(model, others, emptied)), (step.guidance,))


def weighted(conditions: Sequence[Sample], empty: Sample, step: Step) -> Branches:
    """The branches of a step with one weight for each condition.

    Raises:
        BadInput: another number of weights than conditions.
    """
    scale = step.guidance
    weights = scale if isinstance(scale, tuple) else (scale,) * len(conditions)
    if len(weights) != len(conditions):
        raise BadInput(
            f"{step.target}: {len(weights)} weights were given for {len(conditions)} conditions"
        )
    return Branches((*conditions, empty), weights)


def without(model: FM, sample: Sample, names: Sequence[str]) -> dict[str, Part]:
    """The sample with some modalities emptied, as training saw them empty."""
    inputs = {name: sample[name].as_input() for name in names}
    emptied = unconditional(inputs, names, model.config.modalities)
    parts = dict(sample)
    for name, (content, masked) in emptied.items():
        assert masked is not None
        parts[name] = Part(content, masked, sample[name].target_mask)
    return parts


def _inputs(model: FM, sample: Sample) -> dict[str, ModalityInput]:
    """The sample without what was predicted and cannot be an input of this model."""
    outputs_only = set(model.outputs) - set(model.inputs)
    return {name: part.as_input() for name, part in sample.items() if name not in outputs_only}


def _shown(inputs: Mapping[str, ModalityInput]) -> dict[str, ModalityInput]:
    """The modalities that show the encoder anything."""
    return {
        name: value
        for name, value in inputs.items()
        if value.masked is None or not bool(value.masked.all())
    }

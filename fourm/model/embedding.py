"""Vectors of samples in several spaces, from as few passes of the network as there can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fourm.errors import BadInput
from fourm.model.network import Network, signature
from fourm.model.plans import Guided, Plan, leaves, plan
from fourm.model.samples import Prepared, WeightedFusion
from fourm.model.space_decoder import SpaceDecoder

if TYPE_CHECKING:
    import torch

Vector = NDArray[np.float32]
Key = tuple[tuple[str, int], ...]

CANCELLED = "the inputs cancel each other out; change a weight or leave one out"
SMALLEST = 1e-3
"""A fusion shorter than this share of its parts is rounding: they cancel each other out."""


@dataclass
class _Wanted:
    """A sample, and the spaces in which its own vector, or its logits, are needed."""

    sample: Prepared
    units: set[str] = field(default_factory=set)
    logits: set[str] = field(default_factory=set)


class Embedding:
    """Embeds one batch.

    Every sample is encoded once, whatever the number of spaces; samples of the same modalities go
    together, and all spaces of a group are decoded in one block-masked pass.

    Args:
        network: the transformer.
        decoders: the spaces.
        seeds: as `SpaceDecoder.units_of_logits`.
    """

    def __init__(
        self, network: Network, decoders: Mapping[str, SpaceDecoder], seeds: int = 1
    ) -> None:
        self._network, self._decoders, self._seeds = network, decoders, seeds
        self._units: dict[tuple[str, Key], Vector] = {}
        self._logits: dict[tuple[str, Key], torch.Tensor] = {}
        self._empty: dict[str, torch.Tensor] = {}

    def vectors(self, samples: Sequence[Prepared | WeightedFusion]) -> dict[str, Vector]:
        """Space -> float32 (B, dim), rows of length 1.

        Raises:
            BadInput: the parts of a fusion cancel each other out.
        """
        plans = {
            name: [plan(sample, decoder.entry) for sample in samples]
            for name, decoder in self._decoders.items()
        }
        groups: defaultdict[object, list[_Wanted]] = defaultdict(list)
        for wanted in _wanted(plans).values():
            groups[signature(wanted.sample)].append(wanted)
        for group in groups.values():
            for alike in self._passes(group):
                self._run(alike)
        return {
            name: np.stack([self._follow(name, one) for one in plans[name]])
            if samples
            else np.zeros((0, decoder.space.dim), np.float32)
            for name, decoder in self._decoders.items()
        }

    def _passes(self, group: Sequence[_Wanted]) -> list[Sequence[_Wanted]]:
        """What goes through the network together: where rounding would pick other tokens in a
        batch, each sample alone."""
        if self._network.rounds and any(one.entry.picks_tokens for one in self._decoders.values()):
            return [[wanted] for wanted in group]
        return [group]

    def _run(self, group: Sequence[_Wanted]) -> None:
        """One pass over samples of the same modalities; fills `_units` and `_logits`."""
        encoded = self._network.encode([wanted.sample for wanted in group])
        (modality, is_tokens), *others = signature(group[0].sample)
        only = None if is_tokens or others else modality
        predicted = []
        for name, decoder in self._decoders.items():
            rows = [row for row, wanted in enumerate(group) if name in wanted.units]
            if only is not None and decoder.reads_register(only):
                units = decoder.units_of_registers(encoded.tokens[rows], only)
                self._keep(name, group, rows, units)
            elif any(name in wanted.units | wanted.logits for wanted in group):
                predicted.append(name)
        targets = list(dict.fromkeys(self._decoders[name].entry.modality for name in predicted))
        logits = self._network.logits(encoded, targets) if targets else {}
        for name in predicted:
            decoder = self._decoders[name]
            all_logits = logits[decoder.entry.modality]
            rows = [row for row, wanted in enumerate(group) if name in wanted.units]
            if rows:
                chosen = all_logits if len(rows) == len(group) else all_logits[rows]
                self._keep(name, group, rows, decoder.units_of_logits(chosen, self._seeds))
            for row, wanted in enumerate(group):
                if name in wanted.logits:
                    self._logits[name, _key(wanted.sample)] = all_logits[row].float()

    def _keep(
        self, name: str, group: Sequence[_Wanted], rows: Sequence[int], units: Vector
    ) -> None:
        for row, unit in zip(rows, units, strict=True):
            self._units[name, _key(group[row].sample)] = unit

    def _follow(self, name: str, plan: Plan) -> Vector:
        if isinstance(plan, Guided):
            alone = plan.alone
            return self._guided(name, plan) if alone is None else self._units[name, _key(alone)]
        total = np.zeros(self._decoders[name].space.dim, np.float64)
        for part, weight in plan.parts:
            total += weight * self._follow(name, part)
        length = float(np.linalg.norm(total))
        if not length > SMALLEST * sum(abs(weight) for _, weight in plan.parts):
            raise BadInput(CANCELLED)
        return (total / length).astype(np.float32)

    def _guided(self, name: str, plan: Guided) -> Vector:
        from fourm.generation import guide

        empty = self._logits_of_nothing(name)
        conditional = [self._logits[name, _key(sample)] for sample, _ in plan.parts]
        weights = [weight for _, weight in plan.parts]
        logits = guide(conditional, weights, empty)
        pushes = sum(
            abs(weight) * float((one - empty).abs().max())
            for weight, one in zip(weights, conditional, strict=True)
        )
        if float((logits - empty).abs().max()) < SMALLEST * pushes:
            raise BadInput(CANCELLED)
        unit: Vector = self._decoders[name].units_of_logits(logits[None], self._seeds)[0]
        return unit

    def _logits_of_nothing(self, name: str) -> torch.Tensor:
        """(n, vocabulary) float32: what is predicted without any input."""
        if name not in self._empty:
            target = self._decoders[name].entry.modality
            encoded = self._network.encode_nothing()
            self._empty[name] = self._network.logits(encoded, [target])[target][0].float()
        return self._empty[name]


def _wanted(plans: Mapping[str, Sequence[Plan]]) -> dict[Key, _Wanted]:
    wanted: dict[Key, _Wanted] = {}
    for name, of_samples in plans.items():
        for leaf in (leaf for one in of_samples for leaf in leaves(one)):
            for sample, _ in leaf.parts:
                entry = wanted.setdefault(_key(sample), _Wanted(sample))
                (entry.logits if leaf.alone is None else entry.units).add(name)
    return wanted


def _key(sample: Prepared) -> Key:
    """The same for the same contents; they live as long as the batch."""
    return tuple((name, id(content)) for name, content in sample.contents.items())

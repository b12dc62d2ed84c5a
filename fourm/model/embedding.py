"""Vectors of samples in several spaces, from as few passes of the network as there can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fourm.errors import BadInput
from fourm.model.model_space import ModelSpace
from fourm.model.network import Network, signature
from fourm.model.plans import Guided, Plan, Read, leaves, plan
from fourm.model.readouts import FeatureSource
from fourm.model.samples import Prepared, WeightedFusion

if TYPE_CHECKING:
    import torch

    from fourm.transformer import EncoderOutput
    from fourm.transformer.embeddings import ModalityInput

Vector = NDArray[np.float32]
Key = tuple[tuple[str, int], ...]

CANCELLED = "the inputs cancel each other out; change a weight or leave one out"
SMALLEST = 1e-3
"""A fusion shorter than this share of its parts is rounding: they cancel each other out."""


@dataclass
class _Wanted:
    """A sample, and the spaces in which it is read, or its prediction or logits are needed."""

    sample: Prepared
    reads: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    logits: set[str] = field(default_factory=set)


class Embedding:
    """Embeds one batch.

    Every sample is encoded once, whatever the number of spaces; samples of the same modalities go
    together, and all predictions of a group come from one block-masked pass of the decoder.

    Args:
        network: the transformer.
        spaces: name -> space.
        seeds: as `SpaceDecoder.units_of_logits`.
    """

    def __init__(self, network: Network, spaces: Mapping[str, ModelSpace], seeds: int = 1) -> None:
        self._network, self._spaces, self._seeds = network, spaces, seeds
        self._units: dict[tuple[str, Key], Vector] = {}
        self._logits: dict[tuple[str, Key], torch.Tensor] = {}
        self._empty: dict[str, torch.Tensor] = {}

    def vectors(self, samples: Sequence[Prepared | WeightedFusion]) -> dict[str, Vector]:
        """Space -> float32 (B, dim), rows of length 1.

        Raises:
            BadInput: the parts of a fusion cancel each other out.
        """
        plans = {
            name: [plan(sample, space.entry) for sample in samples]
            for name, space in self._spaces.items()
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
            else np.zeros((0, space.space.dim), np.float32)
            for name, space in self._spaces.items()
        }

    def _passes(self, group: Sequence[_Wanted]) -> list[Sequence[_Wanted]]:
        """What goes through the network together: where rounding would pick other tokens in a
        batch, each sample alone."""
        if self._network.rounds and any(one.entry.picks_tokens for one in self._spaces.values()):
            return [[wanted] for wanted in group]
        return [group]

    def _run(self, group: Sequence[_Wanted]) -> None:
        """One pass over samples of the same modalities; fills `_units` and `_logits`."""
        given = self._network.inputs([wanted.sample for wanted in group])
        reading = [name for name in self._spaces if any(name in one.reads for one in group)]
        predicting = [
            name for name in self._spaces if any(name in one.units | one.logits for one in group)
        ]
        modality = next(iter(group[0].sample.contents))
        readouts = [self._spaces[name].readouts[modality] for name in reading]
        layers = sorted({layer for readout in readouts for layer in readout.layers})
        encoded = self._network.encode(given, layers) if layers or predicting else None
        if reading:
            spoken = any(readout.entry.features == "language" for readout in readouts)
            texts = given if spoken else {}
            self._read(group, reading, _source(group, texts, encoded, layers))
        if predicting:
            assert encoded is not None
            self._predict(group, predicting, encoded)

    def _read(self, group: Sequence[_Wanted], names: Sequence[str], source: FeatureSource) -> None:
        modality = next(iter(group[0].sample.contents))
        for name in names:
            units = self._spaces[name].units_read(modality, source)
            rows = [row for row, wanted in enumerate(group) if name in wanted.reads]
            self._keep(name, group, rows, units[rows])

    def _predict(
        self, group: Sequence[_Wanted], names: Sequence[str], encoded: EncoderOutput
    ) -> None:
        targets = list(dict.fromkeys(self._target(name) for name in names))
        logits = self._network.logits(encoded, targets)
        for name in names:
            all_logits = logits[self._target(name)]
            rows = [row for row, wanted in enumerate(group) if name in wanted.units]
            if rows:
                chosen = all_logits if len(rows) == len(group) else all_logits[rows]
                units = self._spaces[name].units_of_logits(chosen, self._seeds)
                self._keep(name, group, rows, units)
            for row, wanted in enumerate(group):
                if name in wanted.logits:
                    self._logits[name, _key(wanted.sample)] = all_logits[row].float()

    def _keep(
        self, name: str, group: Sequence[_Wanted], rows: Sequence[int], units: Vector
    ) -> None:
        for row, unit in zip(rows, units, strict=True):
            self._units[name, _key(group[row].sample)] = unit

    def _target(self, name: str) -> str:
        return self._spaces[name].entry.modality

    def _follow(self, name: str, plan: Plan) -> Vector:
        if isinstance(plan, Read):
            return self._units[name, _key(plan.sample)]
        if isinstance(plan, Guided):
            alone = plan.alone
            return self._guided(name, plan) if alone is None else self._units[name, _key(alone)]
        total = np.zeros(self._spaces[name].space.dim, np.float64)
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
        unit: Vector = self._spaces[name].units_of_logits(logits[None], self._seeds)[0]
        return unit

    def _logits_of_nothing(self, name: str) -> torch.Tensor:
        """(n, vocabulary) float32: what is predicted without any input."""
        if name not in self._empty:
            target = self._target(name)
            encoded = self._network.encode_nothing()
            self._empty[name] = self._network.logits(encoded, [target])[target][0].float()
        return self._empty[name]


def _wanted(plans: Mapping[str, Sequence[Plan]]) -> dict[Key, _Wanted]:
    wanted: dict[Key, _Wanted] = {}
    for name, of_samples in plans.items():
        for leaf in (leaf for one in of_samples for leaf in leaves(one)):
            if isinstance(leaf, Read):
                wanted.setdefault(_key(leaf.sample), _Wanted(leaf.sample)).reads.add(name)
                continue
            for sample, _ in leaf.parts:
                entry = wanted.setdefault(_key(sample), _Wanted(sample))
                (entry.logits if leaf.alone is None else entry.units).add(name)
    return wanted


def _source(
    group: Sequence[_Wanted],
    texts: Mapping[str, ModalityInput],
    encoded: EncoderOutput | None,
    layers: Sequence[int],
) -> FeatureSource:
    """The features of samples of one modality; `texts`: outputs of its language model, if any."""
    import torch

    summaries = None if encoded is None else encoded.summaries
    found = {} if summaries is None else dict(zip(layers, summaries.unbind(dim=1), strict=True))
    if not texts:
        return FeatureSource(found)
    ((content, masked),) = texts.values()
    shown = torch.ones_like(content[..., :1]) if masked is None else (~masked[..., None]).float()
    mean = (content.float() * shown).sum(dim=1) / shown.sum(dim=1)
    (name,) = group[0].sample.contents
    return FeatureSource(found, mean, [wanted.sample.contents[name] for wanted in group])


def _key(sample: Prepared) -> Key:
    """The same for the same contents; they live as long as the batch."""
    return tuple((name, id(content)) for name, content in sample.contents.items())

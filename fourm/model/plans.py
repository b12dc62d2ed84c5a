"""How a space embeds a sample: what is read, what is predicted together, what is summed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fourm.hub.spaces import SpaceEntry
from fourm.model.samples import Prepared, WeightedFusion

Weighed = Sequence[tuple[Prepared, float]]


@dataclass(frozen=True, eq=False)
class Read:
    """The readout of a sample of one modality."""

    sample: Prepared

    @property
    def modality(self) -> str:
        """Of the sample."""
        return next(iter(self.sample.contents))


@dataclass(frozen=True, eq=False)
class Guided:
    """One prediction, from the logits given each sample (4M-21 reference, sec. 4.4)."""

    parts: tuple[tuple[Prepared, float], ...]

    @property
    def alone(self) -> Prepared | None:
        """The one sample that this is the plain prediction of; None: logits are combined."""
        (sample, weight), *others = self.parts
        return sample if weight == 1 and not others else None


@dataclass(frozen=True, eq=False)
class Joined:
    """Unit vectors, summed with weights and brought to unit length again."""

    parts: tuple[tuple[Plan, float], ...]


Plan = Read | Guided | Joined


def plan(sample: Prepared | WeightedFusion, entry: SpaceEntry) -> Plan:
    """How the vector of a sample is made in a space.

    Parts of a fusion that a space reads are added to the prediction that the other parts guide. The
    weight of that is the sum of the positive weights of its parts, or of the negative ones if that
    is larger. A space that predicts nothing has only parts that are read: `guided` multiplies the
    weight of each with that of its modality.
    """
    if isinstance(sample, Prepared):
        return _plain(sample, entry)
    parts = [(part, float(weight)) for part, weight in sample.parts if weight]
    if sample.method == "late":
        return _joined([(_plain(part, entry), weight) for part, weight in parts])
    guided = [(part, weight) for part, weight in parts if not _is_read(part, entry)]
    joined: list[tuple[Plan, float]] = [
        (_plain(part, entry), weight * _own_weight(part, entry))
        for part, weight in parts
        if _is_read(part, entry)
    ]
    if guided:
        joined.append((Guided(tuple(guided)), _strength(guided)))
    return _joined(joined)


def leaves(plan: Plan) -> Iterator[Read | Guided]:
    """The readouts and predictions that a plan needs."""
    if isinstance(plan, Joined):
        for part, _ in plan.parts:
            yield from leaves(part)
    else:
        yield plan


def _plain(sample: Prepared, entry: SpaceEntry) -> Plan:
    """One sample: what has a readout is read, the rest is predicted from together."""
    names, readouts = list(sample.contents), entry.readouts
    if len(names) == 1 and names[0] in readouts:
        return Read(sample)
    weights = {
        name: weight
        for name in names
        if name in readouts and (weight := readouts[name].weight) is not None
    }
    if len(names) == 1 or not weights:
        return Guided(((sample, 1.0),))
    for name, weight in weights.items():
        if weight == math.inf:
            return Read(_kept(sample, [name]))
    parts: list[tuple[Plan, float]] = [
        (Read(_kept(sample, [name])), weight) for name, weight in weights.items()
    ]
    if others := [name for name in names if name not in weights]:
        parts.append((_plain(_kept(sample, others), entry), 1.0))
    return Joined(tuple(parts))


def _kept(sample: Prepared, names: Sequence[str]) -> Prepared:
    return Prepared({name: sample.contents[name] for name in names})


def _is_read(sample: Prepared, entry: SpaceEntry) -> bool:
    """Whether something of the sample is read instead of predicted from."""
    names, readouts = list(sample.contents), entry.readouts
    if len(names) == 1:
        return names[0] in readouts
    return any(name in readouts and readouts[name].weight is not None for name in names)


def _own_weight(sample: Prepared, entry: SpaceEntry) -> float:
    if entry.modality or len(sample.contents) > 1:
        return 1.0
    (name,) = sample.contents
    return entry.readouts[name].weight or 1.0


def _strength(parts: Weighed) -> float:
    towards = sum(weight for _, weight in parts if weight > 0)
    away = -sum(weight for _, weight in parts if weight < 0)
    return max(towards, away)


def _joined(parts: Sequence[tuple[Plan, float]]) -> Plan:
    first, weight = parts[0]
    return first if len(parts) == 1 and weight > 0 else Joined(tuple(parts))

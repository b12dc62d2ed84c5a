"""How a space embeds a sample: what is predicted together, and what is averaged afterwards."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fourm.hub.manifest import SpaceEntry
from fourm.modalities import IMAGE
from fourm.model.samples import Prepared, WeightedFusion

Weighed = Sequence[tuple[Prepared, float]]


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


Plan = Guided | Joined


def plan(sample: Prepared | WeightedFusion, entry: SpaceEntry) -> Plan:
    """How the vector of a sample is made in a space.

    Modalities that a space reads in a pass of their own are read so in a fusion, too: parts with
    one are embedded alone and added to the prediction that the other parts guide. The weight of
    that is the sum of the positive weights of its parts, or of the negative ones if that is larger.
    """
    if isinstance(sample, Prepared):
        return _plain(sample, entry)
    parts = [(part, float(weight)) for part, weight in sample.parts if weight]
    if sample.method == "late":
        return _joined([(_plain(part, entry), weight) for part, weight in parts])
    guided = [(part, weight) for part, weight in parts if not _read_alone(part, entry)]
    joined: list[tuple[Plan, float]] = [
        (_plain(part, entry), weight) for part, weight in parts if _read_alone(part, entry)
    ]
    if guided:
        joined.append((Guided(tuple(guided)), _strength(guided)))
    return _joined(joined)


def leaves(plan: Plan) -> Iterator[Guided]:
    """The predictions that a plan needs."""
    if isinstance(plan, Guided):
        yield plan
    else:
        for part, _ in plan.parts:
            yield from leaves(part)


def _plain(sample: Prepared, entry: SpaceEntry) -> Plan:
    """One sample in one pass, or with modalities that are read alone; see `SpaceEntry`."""
    weights = entry.read_alone()
    alone = [name for name in sample.contents if name in weights]
    if not alone or len(sample.contents) == 1:
        return Guided(((sample, 1.0),))
    if endless := [name for name in alone if weights[name] == math.inf]:
        return _kept(sample, endless)
    parts: list[tuple[Plan, float]] = [(_kept(sample, [name]), weights[name]) for name in alone]
    if others := [name for name in sample.contents if name not in weights]:
        parts.append((_kept(sample, others), 1.0))
    return Joined(tuple(parts))


def _kept(sample: Prepared, names: Sequence[str]) -> Guided:
    return Guided(((Prepared({name: sample.contents[name] for name in names}), 1.0),))


def _read_alone(sample: Prepared, entry: SpaceEntry) -> bool:
    """Whether something of the sample is read otherwise than by predicting tokens."""
    if any(name in entry.read_alone() for name in sample.contents):
        return True
    return entry.image_readout == "register" and tuple(sample.contents) == (IMAGE.name,)


def _strength(parts: Weighed) -> float:
    towards = sum(weight for _, weight in parts if weight > 0)
    away = -sum(weight for _, weight in parts if weight < 0)
    return max(towards, away)


def _joined(parts: Sequence[tuple[Plan, float]]) -> Plan:
    first, weight = parts[0]
    return first if len(parts) == 1 and weight > 0 else Joined(tuple(parts))

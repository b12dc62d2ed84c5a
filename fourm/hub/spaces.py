"""The spaces of a manifest: how each embeds its inputs, and which one a query is for."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from fourm.checkpoints.config import Fields
from fourm.embedder import Route, SpaceFusion
from fourm.modalities import IMAGE, MODALITIES
from fourm.tokens import Decode

Features = Literal["register", "encoder", "language"]

FORMER_IMAGES: Mapping[str, Any] = {"image_readout": None, "image_share": 0.0}
"""Fields of format 1 that say how images are read, as fingerprints count them; the defaults."""


@dataclass(frozen=True)
class ReadoutEntry:
    """How the vector of one modality alone is read in a space, without the decoder.

    Attributes:
        features: `register`: the encoder's first register token; `encoder`: of each of `layers`
            the first register token and the mean of the other tokens; `language`: the mean of the
            language model's outputs, and the encoder does not run.
        head: file of the map from features to the space (`fourm.model.heads`); None: they are the
            vector.
        weight: of the modality in a sample with others. Infinite: the others are ignored. None: it
            is predicted from together with them (format 1).
        layers: of `encoder`, from 0, ascending; -1 is its input.
        blocks: lengths of consecutive parts of the vector, each of which is brought to unit length
            before the whole is; none: the whole alone.
    """

    features: Features
    head: str | None
    weight: float | None = 1.0
    layers: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()

    def about_vectors(self) -> dict[str, Any]:
        """The fields that the vector of the modality alone depends on, but for its head."""
        return {"features": self.features, "layers": list(self.layers), "blocks": list(self.blocks)}


@dataclass(frozen=True)
class SpaceEntry:
    """How a manifest describes one embedding space.

    Attributes:
        modality: the output whose tokens are predicted, by its name in the config, from inputs
            without a readout; empty: every input has one.
        decode: how tokens or probabilities are taken from the logits.
        temperature: divides the logits, in `soft` and `sample`.
        top_p, seed: of `sample`.
        transform: head that predictions end with, or None.
        title: one-line description.
        pool: how a grid of decoded vectors becomes one vector; None: there is no grid.
        teacher: name of the network whose vectors are predicted, if the vectors can be compared
            with that network's own (`fourm.teachers`), or None.
        readouts: modality -> how it is read alone. A sample with several modalities is the sum of
            what is read and predicted, weighted; a prediction has weight 1.
        former_name: the name under which the space counts for fingerprints, if it was renamed.
        former: in format 1, and official models: what fingerprints count in place of `readouts`.
        succeeds: fingerprints of former models whose vectors of images are the same.
    """

    modality: str
    decode: Decode = "argmax"
    temperature: float = 1.0
    top_p: float = 0.0
    seed: int = 0
    transform: str | None = None
    title: str = ""
    pool: Literal["mean"] | None = None
    teacher: str | None = None
    readouts: Mapping[str, ReadoutEntry] = field(default_factory=dict)
    former_name: str | None = None
    former: Mapping[str, Any] | None = field(default_factory=lambda: FORMER_IMAGES)
    succeeds: tuple[str, ...] = ()

    @property
    def picks_tokens(self) -> bool:
        """Whether vectors are decoded from single tokens, which rounding may change."""
        return bool(self.modality) and self.decode != "soft"

    @property
    def heads(self) -> tuple[str, ...]:
        """The files of heads, each once."""
        named = [self.transform, *(one.head for one in self.readouts.values())]
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def about_vectors(self) -> dict[str, Any]:
        """The fields that vectors depend on, as fingerprints count them."""
        names = ["decode", "temperature", "top_p", "seed", "transform", "title"]
        # Fields that came later count where they are used: other spaces keep their fingerprint.
        names += ["pool"] if self.pool else []
        about = {name: getattr(self, name) for name in ("modality", *names)}
        if self.former is None:
            about = about if self.modality else {}
            return {**about, "readouts": {name: vars(one) for name, one in self.readouts.items()}}
        probes = {
            name: {"transform": one.head, "weight": one.weight}
            for name, one in self.readouts.items()
            if name != IMAGE.name
        }
        return {**about, **self.former, **({"readouts": probes} if probes else {})}


def read_space(fields: Fields, version: int) -> SpaceEntry:
    """An entry of `spaces`, of format 1 or 2.

    Raises:
        ConfigError: a field is missing or wrong.
    """
    decode = fields.text("decode", "argmax")
    if decode not in get_args(Decode):
        raise fields.error("decode", f"one of {', '.join(get_args(Decode))}", decode)
    pool = fields.values.get("pool")
    if pool not in (None, "mean"):
        raise fields.error("pool", '"mean" or null', pool)
    temperature = fields.number("temperature", 1.0)
    top_p = fields.number("top_p", 0.0)
    if temperature <= 0:
        raise fields.error("temperature", "> 0", temperature)
    if not 0 <= top_p <= 1:
        raise fields.error("top_p", "between 0 and 1", top_p)
    if fields.values.get("teacher") and fields.values.get("transform"):
        raise fields.error("teacher", "absent: with a transform, vectors are not its own", "both")
    former = _former(fields) if version == 1 else None
    predicts = version == 1 or fields.values.get("modality") is not None
    transform = _optional(fields, "transform")
    if former is not None:
        readouts = _former_readouts(fields, transform, former)
    else:
        readouts = {
            name: _readout(entry) for name, entry in _entries(fields, "readouts", MODALITIES)
        }
    if not predicts and IMAGE.name not in readouts:
        raise fields.error("readouts", "at least that of image", sorted(readouts))
    return SpaceEntry(
        modality=fields.text("modality") if predicts else "",
        decode=decode,  # type: ignore[arg-type]
        temperature=temperature,
        top_p=top_p,
        seed=fields.integer("seed", 0),
        transform=transform,
        title=fields.text("title", ""),
        pool=pool,
        teacher=_optional(fields, "teacher"),
        readouts=readouts,
        former_name=_optional(fields, "former_name"),
        former=former,
    )


def read_routes(fields: Fields, spaces: Collection[str]) -> tuple[Route, ...]:
    """The list `space_for` of a manifest; absent: no routes.

    Raises:
        ConfigError: an entry that names an unknown modality or space, or has a wrong weight.
    """
    entries = fields.values.get("space_for")
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise fields.error("space_for", "a list of objects", entries)
    return tuple(_route(Fields(entry, f"{fields.where}: space_for"), spaces) for entry in entries)


def read_succeeds(fields: Fields, spaces: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The object `succeeds` of a manifest: space -> fingerprints.

    Raises:
        ConfigError: an unknown space, or no list of names.
    """
    values = fields.mapping("succeeds")
    if not set(values) <= set(spaces):
        raise fields.error("succeeds", f"of some of {', '.join(spaces)}", sorted(values))
    return {name: Fields(values, f"{fields.where}: succeeds").names(name) for name in values}


def _route(fields: Fields, spaces: Collection[str]) -> Route:
    wanted = fields.values.get("inputs")
    if wanted == "*":
        names, more = [], True
    else:
        names = list(fields.names("inputs"))
        more = names[-1:] == ["+"]
        names = names[:-1] if more else names
    if unknown := sorted(set(names) - set(MODALITIES)):
        raise fields.error("inputs", 'modalities, "+" at the end, or "*"', unknown[0])
    weights = fields.mapping("spaces")
    values = Fields(weights, f"{fields.where}: spaces")
    numbers = {name: values.number(name) for name in weights}
    if not numbers or not set(numbers) <= set(spaces) or min(numbers.values()) <= 0:
        raise fields.error("spaces", f"weights > 0 of some of {', '.join(spaces)}", weights)
    fusion = fields.text("fusion", "rrf")
    if fusion not in get_args(SpaceFusion):
        raise fields.error("fusion", f"one of {', '.join(get_args(SpaceFusion))}", fusion)
    return Route(frozenset(names), more, numbers, fusion)  # type: ignore[arg-type]


def _readout(fields: Fields) -> ReadoutEntry:
    features = fields.text("features")
    if features not in get_args(Features):
        raise fields.error("features", f"one of {', '.join(get_args(Features))}", features)
    layers = fields.values.get("layers") if features == "encoder" else []
    numbers = layers if isinstance(layers, list) else [None]
    if features == "encoder" and not (
        numbers
        and all(isinstance(one, int) and one >= -1 for one in numbers)
        and numbers == sorted(set(numbers))
    ):
        raise fields.error("layers", "ascending numbers of layers, from 0 (-1: the input)", layers)
    weight = fields.number("weight", 1.0)
    if weight <= 0:
        raise fields.error("weight", "> 0", weight)
    blocks = fields.values.get("blocks") or []
    if not isinstance(blocks, list) or not all(
        isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in blocks
    ):
        raise fields.error("blocks", "lengths > 0", blocks)
    head = fields.text("head")
    return ReadoutEntry(features, head, weight, tuple(numbers), tuple(blocks))  # type: ignore[arg-type]


def _former(fields: Fields) -> dict[str, Any]:
    readout = fields.values.get("image_readout")
    if readout not in (None, "register"):
        raise fields.error("image_readout", '"register" or null', readout)
    share = fields.number("image_share", 0.0)
    if not 0 <= share <= 1 or (share and readout is None):
        raise fields.error("image_share", "0 to 1, with an image_readout", share)
    return {"image_readout": readout, "image_share": share}


def _former_readouts(
    fields: Fields, transform: str | None, former: Mapping[str, Any]
) -> dict[str, ReadoutEntry]:
    """Readouts of format 1: of images, and linear probes at the register token."""
    readouts = {}
    if former["image_readout"] is not None:
        share = former["image_share"]
        weight = (share / (1 - share) if share < 1 else math.inf) if share else None
        readouts[IMAGE.name] = ReadoutEntry("register", transform, weight)
    for name, entry in _entries(fields, "readouts", MODALITIES):
        weight = entry.number("weight", 1.0)
        if weight <= 0:
            raise entry.error("weight", "> 0", weight)
        readouts[name] = ReadoutEntry("register", entry.text("transform"), weight)
    return readouts


def _entries(fields: Fields, name: str, known: Collection[str]) -> list[tuple[str, Fields]]:
    values = fields.mapping(name)
    if unknown := sorted(set(values) - set(known)):
        raise fields.error(name, f"an object of {', '.join(known)}", unknown[0])
    return [
        (key, Fields(value if isinstance(value, dict) else {}, f"{fields.where}: {name}: {key}"))
        for key, value in values.items()
    ]


def _optional(fields: Fields, name: str) -> str | None:
    return fields.text(name) if fields.values.get(name) else None

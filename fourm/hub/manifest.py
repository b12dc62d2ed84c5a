"""What a model is made of: `bundle.json`, or the parts of an official model."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from fourm.checkpoints.config import Fields
from fourm.checkpoints.files import CONFIG, TENSORS, read_json_object
from fourm.errors import ConfigError
from fourm.hub.cache import digest_of
from fourm.modalities import MODALITIES
from fourm.tokens import Decode

if TYPE_CHECKING:
    from fourm.hub.availability import MissingTokenizer

MANIFEST_FILE = "bundle.json"
FORMAT = 1
PART_FILES = (CONFIG, TENSORS, "tokenizer.json")


@dataclass(frozen=True)
class ProbeEntry:
    """A linear map from the encoder's first register token to a space, for one modality.

    Attributes:
        transform: file with `mean` (width,) and `matrix` (dim, width).
        weight: of the modality in a sample with other inputs; what is predicted from these has
            weight 1.
    """

    transform: str
    weight: float = 1.0


@dataclass(frozen=True)
class SpaceEntry:
    """How a manifest describes one embedding space.

    Attributes:
        modality: the output whose tokens are predicted, by its name in the config.
        decode: how tokens or probabilities are taken from the logits.
        temperature: divides the logits, in `soft` and `sample`.
        top_p, seed: of `sample`.
        image_readout: with "register", the vector of an image alone is the encoder's first register
            token, and nothing is decoded.
        image_share: with `image_readout`, the weight of an image that comes with other inputs,
            0 to 1: it is read alone, the others are predicted without it, and the vector is the
            weighted mean of the two. 0: all inputs go into one forward pass.
        transform: file with `mean` (dim,) and `matrix` (dim_out, dim), or None.
        title: one-line description.
        pool: how a grid of decoded vectors becomes one vector; None: there is no grid.
        teacher: name of the network whose vectors are predicted, if the vectors can be compared
            with that network's own (`fourm.teachers`), or None.
        linear_probes: further modalities that are read alone at the register token, each with a
            linear probe, and averaged with the rest.
        former_name: the name under which the space counts for fingerprints, if it was renamed.
    """

    modality: str
    decode: Decode = "argmax"
    temperature: float = 1.0
    top_p: float = 0.0
    seed: int = 0
    image_readout: Literal["register"] | None = None
    image_share: float = 0.0
    transform: str | None = None
    title: str = ""
    pool: Literal["mean"] | None = None
    teacher: str | None = None
    linear_probes: Mapping[str, ProbeEntry] = field(default_factory=dict)
    former_name: str | None = None

    @property
    def picks_tokens(self) -> bool:
        """Whether vectors are decoded from single tokens, which rounding may change."""
        return self.decode != "soft"

    def about_vectors(self) -> dict[str, Any]:
        """The fields that vectors depend on, as fingerprints count them."""
        # Fields that came later count where they are used: other spaces keep their fingerprint.
        unused = {"teacher", "former_name", "linear_probes"}
        unused |= set() if self.pool else {"pool"}
        about = {name: value for name, value in vars(self).items() if name not in unused}
        if self.linear_probes:
            about["readouts"] = {name: vars(probe) for name, probe in self.linear_probes.items()}
        return about

    def read_alone(self) -> dict[str, float]:
        """Modalities that are read in a pass of their own -> their weights; the rest has weight 1.

        Infinite where the rest is ignored.
        """
        weights = {name: probe.weight for name, probe in self.linear_probes.items()}
        if self.image_share:
            share = self.image_share
            weights["image"] = share / (1 - share) if share < 1 else math.inf
        return weights


def counted_modalities() -> tuple[str, ...]:
    """The modalities whose readers count for the fingerprint of a model folder."""
    return tuple(name for name, one in MODALITIES.items() if one.in_fingerprint)


@dataclass(frozen=True)
class Manifest:
    """The parts of a model and how they go together.

    Attributes:
        name, title: of the model.
        model: the part that is the transformer.
        inputs: modality that is read -> its name in the config.
        tokenizers: name in the config -> part that makes or decodes its tokens.
        language_models: name in the config -> part that makes its embeddings.
        text_tokenizers: name in the config -> part or file of its word-piece tokenizer.
        spaces: name -> entry; the first is the default.
        locate: part -> where it lies on this disk: a folder, or one file.
        counted: modalities whose readers count for the fingerprint.
        missing: further modalities and spaces of the transformer -> the tokenizers that they need
            and that are not on this disk.
    """

    name: str
    title: str
    model: str
    inputs: Mapping[str, str]
    tokenizers: Mapping[str, str]
    language_models: Mapping[str, str]
    text_tokenizers: Mapping[str, str]
    spaces: Mapping[str, SpaceEntry]
    locate: Callable[[str], Path] = field(repr=False, compare=False)
    counted: tuple[str, ...] = field(default_factory=counted_modalities)
    missing: Mapping[str, MissingTokenizer] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read `bundle.json` of a folder.

        Raises:
            ConfigError: it cannot be read, is of a newer format, or a field is missing or wrong.
        """
        path = folder / MANIFEST_FILE
        fields = Fields(read_json_object(path), path)
        version = fields.integer("format", low=1)
        if version != FORMAT:
            raise ConfigError(
                f"format {version} is newer than this program, which reads {FORMAT}", where=path
            )
        inputs = _names(fields, "kinds")
        if not inputs or not set(inputs) <= set(MODALITIES):
            raise fields.error("kinds", f"some of {', '.join(MODALITIES)}", sorted(inputs))
        spaces = {
            name: _space(Fields(_object(entry), f"{path}: space {name}"))
            for name, entry in fields.mapping("spaces").items()
        }
        if not spaces:
            raise ConfigError("expected at least one space", where=path)
        manifest = cls(
            name=fields.text("name"),
            title=fields.text("title", ""),
            model=fields.text("model"),
            inputs=inputs,
            tokenizers=_names(fields, "tokenizers"),
            language_models=_names(fields, "language_models"),
            text_tokenizers=_names(fields, "words"),
            spaces=spaces,
            locate=lambda part: folder / part,
        )
        for part in manifest.parts():
            inner = PurePosixPath(part)
            if inner.is_absolute() or ".." in inner.parts or "\\" in part or not part:
                raise ConfigError(f"the part {part!r} must lie in the folder", where=path)
        return manifest

    def parts(self) -> tuple[str, ...]:
        """Names of all parts, each once, sorted."""
        transforms = [space.transform for space in self.spaces.values() if space.transform]
        transforms += [
            one.transform for s in self.spaces.values() for one in s.linear_probes.values()
        ]
        named = (self.tokenizers, self.language_models, self.text_tokenizers)
        inner = [part for mapping in named for part in mapping.values()]
        return tuple(sorted({self.model, *inner, *transforms}))

    def counted_only(self) -> Manifest:
        """The same without the modalities that do not count, and without what only they need."""
        inputs = {name: domain for name, domain in self.inputs.items() if name in self.counted}
        used = {*inputs.values(), *(space.modality for space in self.spaces.values())}

        def kept(parts: Mapping[str, str]) -> dict[str, str]:
            return {name: part for name, part in parts.items() if name in used}

        spaces = {
            name: replace(
                space,
                linear_probes={
                    one: probe for one, probe in space.linear_probes.items() if one in self.counted
                },
            )
            for name, space in self.spaces.items()
        }
        return replace(
            self,
            inputs=inputs,
            spaces=spaces,
            tokenizers=kept(self.tokenizers),
            language_models=kept(self.language_models),
            text_tokenizers=kept(self.text_tokenizers),
        )

    def only(self, space: str) -> Manifest:
        """The same with one space, and without what only the others need."""
        if tuple(self.spaces) == (space,):
            return self
        return replace(self, spaces={space: self.spaces[space]}).counted_only()

    def reader_fingerprint(self, modality: str) -> str:
        """SHA-256 (hex) of what a modality is read with besides the transformer.

        Empty for modalities whose parts count for `fingerprint`.
        """
        if modality in self.counted:
            return ""
        name = self.inputs[modality]
        total = hashlib.sha256(name.encode())
        for kept in (self.tokenizers, self.language_models, self.text_tokenizers):
            for file, path in _files(kept[name], self.locate(kept[name])) if name in kept else ():
                total.update(f"\n{file} {digest_of(path)}".encode())
        return total.hexdigest()

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the manifest and the content of every file of every part.

        Modalities that do not count may be added to a model later: its vectors in an index can
        still be compared.
        """
        if (counted := self.counted_only()) != self:
            return counted.fingerprint()
        about = {
            "kinds": dict(self.inputs),
            "tokenizers": dict(self.tokenizers),
            "language_models": dict(self.language_models),
            "words": dict(self.text_tokenizers),
            "spaces": {
                space.former_name or name: space.about_vectors()
                for name, space in self.spaces.items()
            },
        }
        total = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        for part in self.parts():
            for name, path in _files(part, self.locate(part)):
                total.update(f"\n{name} {digest_of(path)}".encode())
        return total.hexdigest()


def _files(part: str, path: Path) -> Iterable[tuple[str, Path]]:
    """The files of a part that its vectors depend on, with names that do not depend on the disk."""
    if path.is_file():
        return [(part, path)]
    return [(f"{part}/{name}", path / name) for name in PART_FILES if (path / name).is_file()]


def _space(fields: Fields) -> SpaceEntry:
    decode = fields.text("decode", "argmax")
    if decode not in get_args(Decode):
        raise fields.error("decode", f"one of {', '.join(get_args(Decode))}", decode)
    readout = fields.values.get("image_readout")
    if readout not in (None, "register"):
        raise fields.error("image_readout", '"register" or null', readout)
    pool = fields.values.get("pool")
    if pool not in (None, "mean"):
        raise fields.error("pool", '"mean" or null', pool)
    temperature = fields.number("temperature", 1.0)
    top_p = fields.number("top_p", 0.0)
    if temperature <= 0 or not 0 <= top_p <= 1:
        raise ConfigError(
            "temperature must be > 0, and top_p must lie between 0 and 1", where=fields.where
        )
    share = fields.number("image_share", 0.0)
    if not 0 <= share <= 1 or (share and readout is None):
        raise ConfigError(
            "image_share must lie between 0 and 1 and needs an image_readout", where=fields.where
        )
    if fields.values.get("teacher") and fields.values.get("transform"):
        raise ConfigError(
            "a space with a transform has no teacher: its vectors are not the teacher's",
            where=fields.where,
        )
    return SpaceEntry(
        modality=fields.text("modality"),
        decode=decode,  # type: ignore[arg-type]
        temperature=temperature,
        top_p=top_p,
        seed=fields.integer("seed", 0),
        image_readout=readout,
        image_share=share,
        transform=fields.text("transform") if fields.values.get("transform") else None,
        title=fields.text("title", ""),
        pool=pool,
        teacher=fields.text("teacher") if fields.values.get("teacher") else None,
        linear_probes=_linear_probes(fields),
        former_name=fields.text("former_name") if fields.values.get("former_name") else None,
    )


def _linear_probes(fields: Fields) -> dict[str, ProbeEntry]:
    found = {}
    for name, value in fields.mapping("readouts").items():
        entry = Fields(_object(value), f"{fields.where}: readouts: {name}")
        weight = entry.number("weight", 1.0)
        if name not in MODALITIES or not 0 < weight < math.inf:
            raise ConfigError("expected a known modality with a weight > 0", where=entry.where)
        found[name] = ProbeEntry(entry.text("transform"), weight)
    return found


def _names(fields: Fields, name: str) -> dict[str, str]:
    values = fields.mapping(name)
    if not all(isinstance(value, str) for value in values.values()):
        raise fields.error(name, "an object of names", values)
    return values


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

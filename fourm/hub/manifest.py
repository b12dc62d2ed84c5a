"""What a bundle is made of."""

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
from fourm.hub.digests import digest_of
from fourm.modalities import MODALITIES

if TYPE_CHECKING:
    from fourm.hub.availability import MissingTokenizer

BUNDLE = "bundle.json"
FORMAT = 1
PART_FILES = (CONFIG, TENSORS, "tokenizer.json")

Decode = Literal["argmax", "soft", "sample"]


@dataclass(frozen=True)
class ReadoutEntry:
    """How a kind of input is read at the encoder's first register token.

    Attributes:
        transform: file with `mean` (width,) and `matrix` (dim, width): register token to space.
        weight: how the kind counts beside what is predicted from other inputs, which counts 1.
    """

    transform: str
    weight: float = 1.0


@dataclass(frozen=True)
class SpaceEntry:
    """How a manifest describes one embedding space.

    Attributes:
        modality: the output whose tokens are predicted.
        decode: how tokens or probabilities are taken from the logits.
        temperature: divides the logits, in `soft` and `sample`.
        top_p, seed: of `sample`.
        image_readout: with "register", a sample that is only a picture is read at the encoder's
            first register token, and nothing is decoded.
        image_share: with a readout, how a picture beside other inputs counts: it is read alone,
            the others are predicted without it, and the vector is the mean of the two, the
            picture's weighted by this. 0: everything goes into one forward pass.
        transform: file with `mean` (dim,) and `matrix` (dim_out, dim), or None.
        title: a line for people.
        pool: how a grid of decoded vectors becomes one vector; None: there is no grid.
        teacher: name of the network whose vectors are predicted, where the vectors can be compared
            with that network's own (`fourm.teachers`), or None.
        readouts: other modalities that are read alone at the register token, and joined afterwards.
        former_name: the space's name when its fingerprint was first taken; None: the same.
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
    readouts: Mapping[str, ReadoutEntry] = field(default_factory=dict)
    former_name: str | None = None

    def about_vectors(self) -> dict[str, Any]:
        """The fields that vectors depend on, as fingerprints count them."""
        # Fields that came later count where they are used: other spaces keep their fingerprint.
        unused = {"teacher", "former_name"}
        unused |= {name for name in ("pool", "readouts") if not getattr(self, name)}
        about = {name: value for name, value in vars(self).items() if name not in unused}
        if self.readouts:
            about["readouts"] = {kind: vars(entry) for kind, entry in self.readouts.items()}
        return about

    def apart(self) -> dict[str, float]:
        """Kinds that are read in a pass of their own, with their weights; others together have 1.

        Infinite where nothing else counts beside the kind.
        """
        weights = {kind: entry.weight for kind, entry in self.readouts.items()}
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
        kinds: input kind (`image`, `text`, `seg`, `depth` ...) -> modality.
        tokenizers: modality -> part that makes or decodes its tokens.
        language_models: modality -> part that makes its embeddings.
        words: modality -> part or file of its word-piece tokenizer.
        spaces: name -> entry; the first is the default.
        locate: where a part lies on this disk (a folder, or one file).
        counted: kinds whose readers count for the fingerprint.
        missing: further modalities and spaces of the transformer -> the tokenizers that they need
            and that are not on this disk.
    """

    name: str
    title: str
    model: str
    kinds: Mapping[str, str]
    tokenizers: Mapping[str, str]
    language_models: Mapping[str, str]
    words: Mapping[str, str]
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
        path = folder / BUNDLE
        fields = Fields(read_json_object(path), path)
        version = fields.integer("format", low=1)
        if version != FORMAT:
            raise ConfigError(
                f"{path} has format {version}, this program reads format {FORMAT}: update it"
            )
        kinds = _names(fields, "kinds")
        if not kinds or not set(kinds) <= set(MODALITIES):
            raise fields.error("kinds", f"some of {', '.join(MODALITIES)}", sorted(kinds))
        spaces = {
            name: _space(Fields(_object(entry), f"{path}: space {name}"))
            for name, entry in fields.mapping("spaces").items()
        }
        if not spaces:
            raise ConfigError("a bundle has at least one space", where=path)
        manifest = cls(
            name=fields.text("name"),
            title=fields.text("title", ""),
            model=fields.text("model"),
            kinds=kinds,
            tokenizers=_names(fields, "tokenizers"),
            language_models=_names(fields, "language_models"),
            words=_names(fields, "words"),
            spaces=spaces,
            locate=lambda part: folder / part,
        )
        for part in manifest.parts():
            inner = PurePosixPath(part)
            if inner.is_absolute() or ".." in inner.parts or "\\" in part or not part:
                raise ConfigError(f"{part!r} does not lie in the bundle's folder", where=path)
        return manifest

    def parts(self) -> tuple[str, ...]:
        """Names of all parts, each once, sorted."""
        transforms = [space.transform for space in self.spaces.values() if space.transform]
        transforms += [one.transform for s in self.spaces.values() for one in s.readouts.values()]
        named = (self.tokenizers, self.language_models, self.words)
        inner = [part for mapping in named for part in mapping.values()]
        return tuple(sorted({self.model, *inner, *transforms}))

    def first(self) -> Manifest:
        """The same without the further kinds of input, and without what only they need."""
        kinds = {kind: name for kind, name in self.kinds.items() if kind in self.counted}
        used = {*kinds.values(), *(space.modality for space in self.spaces.values())}

        def kept(parts: Mapping[str, str]) -> dict[str, str]:
            return {name: part for name, part in parts.items() if name in used}

        spaces = {
            name: replace(
                space,
                readouts={
                    kind: one for kind, one in space.readouts.items() if kind in self.counted
                },
            )
            for name, space in self.spaces.items()
        }
        return replace(
            self,
            kinds=kinds,
            spaces=spaces,
            tokenizers=kept(self.tokenizers),
            language_models=kept(self.language_models),
            words=kept(self.words),
        )

    def only(self, space: str) -> Manifest:
        """The same with one space, and without what only the others need."""
        if tuple(self.spaces) == (space,):
            return self
        return replace(self, spaces={space: self.spaces[space]}).first()

    def reader_fingerprint(self, kind: str) -> str:
        """SHA-256 (hex) of what a further kind of input is read with, beside the transformer.

        Empty for the kinds whose parts count for `fingerprint`.
        """
        if kind in self.counted:
            return ""
        name = self.kinds[kind]
        total = hashlib.sha256(name.encode())
        for kept in (self.tokenizers, self.language_models, self.words):
            for file, path in _files(kept[name], self.locate(kept[name])) if name in kept else ():
                total.update(f"\n{file} {digest_of(path)}".encode())
        return total.hexdigest()

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the manifest and the content of every file of every part.

        Further kinds of queries do not count: what is in an index stays comparable with them.
        """
        if (first := self.first()) != self:
            return first.fingerprint()
        about = {
            "kinds": dict(self.kinds),
            "tokenizers": dict(self.tokenizers),
            "language_models": dict(self.language_models),
            "words": dict(self.words),
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
        raise ConfigError("temperature is above 0 and top_p lies in 0..1", where=fields.where)
    share = fields.number("image_share", 0.0)
    if not 0 <= share <= 1 or (share and readout is None):
        raise ConfigError("image_share lies in 0..1 and needs an image_readout", where=fields.where)
    if fields.values.get("teacher") and fields.values.get("transform"):
        raise ConfigError(
            "with a transform its vectors are no longer those of a teacher", where=fields.where
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
        readouts=_readouts(fields),
        former_name=fields.text("former_name") if fields.values.get("former_name") else None,
    )


def _readouts(fields: Fields) -> dict[str, ReadoutEntry]:
    found = {}
    for kind, value in fields.mapping("readouts").items():
        entry = Fields(_object(value), f"{fields.where}: readout of {kind}")
        weight = entry.number("weight", 1.0)
        if kind not in MODALITIES or not 0 < weight < math.inf:
            raise ConfigError("a known kind, with a weight above 0", where=entry.where)
        found[kind] = ReadoutEntry(entry.text("transform"), weight)
    return found


def _names(fields: Fields, name: str) -> dict[str, str]:
    values = fields.mapping(name)
    if not all(isinstance(value, str) for value in values.values()):
        raise fields.error(name, "an object of names", values)
    return values


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

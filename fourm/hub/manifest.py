"""What a model is made of: `bundle.json`, or the parts of an official model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from fourm.checkpoints.config import Fields
from fourm.checkpoints.files import CONFIG, TENSORS, read_json_object
from fourm.embedder import Route
from fourm.errors import ConfigError
from fourm.hub.cache import digest_of
from fourm.hub.spaces import SpaceEntry, read_routes, read_space, read_succeeds
from fourm.modalities import IMAGE, MODALITIES, GenerationDefaults

if TYPE_CHECKING:
    from fourm.hub.availability import MissingTokenizer

MANIFEST_FILE = "bundle.json"
FORMATS = (1, 2)
PART_FILES = (CONFIG, TENSORS, "tokenizer.json")


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
        routes: which spaces find most for which inputs; empty: the default, for all of them.
        locate: part -> where it lies on this disk: a folder, or one file.
        counted: modalities whose readers count for the fingerprint.
        missing: further modalities and spaces of the transformer -> the tokenizers that they need
            and that are not on this disk.
        outputs: modality that is predicted as other tokens than it is read as -> their name in the
            config. No vector depends on it, nor on `generation`.
        generation: modality -> how it is generated, where that differs from its own defaults.
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
    routes: tuple[Route, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    generation: Mapping[str, GenerationDefaults] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read `bundle.json` of a folder.

        Raises:
            ConfigError: it cannot be read, is of a newer format, or a field is missing or wrong.
        """
        path = folder / MANIFEST_FILE
        fields = Fields(read_json_object(path), path)
        version = fields.integer("format", low=1)
        if version not in FORMATS:
            raise ConfigError(
                f"format {version} is newer than this program, which reads {FORMATS[-1]}",
                where=path,
            )
        inputs = _names(fields, "kinds")
        if not inputs or not set(inputs) <= set(MODALITIES):
            raise fields.error("kinds", f"some of {', '.join(MODALITIES)}", sorted(inputs))
        entries = fields.mapping("spaces")
        if not entries:
            raise ConfigError("expected at least one space", where=path)
        succeeds = read_succeeds(fields, entries)
        spaces = {
            name: replace(read_space(_fields(entry, path, name), version), succeeds=former)
            for name, entry in entries.items()
            for former in (succeeds.get(name, ()),)
        }
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
            routes=read_routes(fields, spaces),
            outputs=_names(fields, "outputs"),
            generation=_generation(fields),
        )
        for part in manifest.parts():
            inner = PurePosixPath(part)
            if inner.is_absolute() or ".." in inner.parts or "\\" in part or not part:
                raise ConfigError(f"the part {part!r} must lie in the folder", where=path)
        return manifest

    def parts(self) -> tuple[str, ...]:
        """Names of all parts, each once, sorted."""
        heads = [head for space in self.spaces.values() for head in space.heads]
        named = (self.tokenizers, self.language_models, self.text_tokenizers)
        inner = [part for mapping in named for part in mapping.values()]
        return tuple(sorted({self.model, *inner, *heads}))

    def predicted_as(self, modality: str) -> str:
        """Name in the config of the tokens as which a modality is predicted."""
        read_as = self.inputs.get(modality, MODALITIES[modality].tokens.name)
        return self.outputs.get(modality, read_as)

    def counted_only(self) -> Manifest:
        """The same without the modalities that do not count, and without what only they need."""
        inputs = {name: domain for name, domain in self.inputs.items() if name in self.counted}
        used = {*inputs.values(), *(space.modality for space in self.spaces.values())}

        def kept(parts: Mapping[str, str]) -> dict[str, str]:
            return {name: part for name, part in parts.items() if name in used}

        spaces = {
            name: replace(
                space,
                readouts={k: one for k, one in space.readouts.items() if k in self.counted},
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

    def space_fingerprint(self, space: str) -> str:
        """SHA-256 (hex) of what an image's vector in a space depends on.

        In a space without predictions that is the transformer and the readout of images. In others
        it is all that `fingerprint` counts for a model with this space alone.
        """
        entry = self.spaces[space]
        if entry.modality:
            return self.only(space).fingerprint()
        image = entry.readouts[IMAGE.name]
        about = {"input": self.inputs.get(IMAGE.name), **image.about_vectors()}
        heads = {"head": image.head} if image.head else {}
        return _digest(about, {self.model: self.model, **heads}, self.locate)

    def reader_fingerprint(self, modality: str) -> str:
        """SHA-256 (hex) of what the vectors of a modality depend on beyond `space_fingerprint`.

        Empty where that is nothing: for images, and for modalities whose parts count for
        `fingerprint` if all spaces predict.
        """
        read = {k: one.readouts[modality] for k, one in self.spaces.items() if not one.modality}
        if modality == IMAGE.name or (modality in self.counted and not read):
            return ""
        name = self.inputs[modality]
        total = hashlib.sha256(name.encode())
        for kept in (self.tokenizers, self.language_models, self.text_tokenizers):
            for file, path in _files(kept[name], self.locate(kept[name])) if name in kept else ():
                total.update(f"\n{file} {digest_of(path)}".encode())
        for space, entry in read.items():
            heads = {"head": entry.head} if entry.head else {}
            digest = _digest(entry.about_vectors(), heads, self.locate)
            total.update(f"\n{self.spaces[space].former_name or space} {digest}".encode())
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
        return _digest(about, {part: part for part in self.parts()}, self.locate)


def _digest(
    about: Mapping[str, Any], parts: Mapping[str, str], locate: Callable[[str], Path]
) -> str:
    """SHA-256 (hex) of a description and of the files of parts; label -> part."""
    total = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for label, part in parts.items():
        for name, path in _files(label, locate(part)):
            total.update(f"\n{name} {digest_of(path)}".encode())
    return total.hexdigest()


def _fields(entry: Any, path: Path, space: str) -> Fields:
    return Fields(entry if isinstance(entry, dict) else {}, f"{path}: space {space}")


def _files(part: str, path: Path) -> Iterable[tuple[str, Path]]:
    """The files of a part that its vectors depend on, with names that do not depend on the disk."""
    if path.is_file():
        return [(part, path)]
    return [(f"{part}/{name}", path / name) for name in PART_FILES if (path / name).is_file()]


def _generation(fields: Fields) -> dict[str, GenerationDefaults]:
    found = {}
    for name, value in fields.mapping("generation").items():
        known = MODALITIES[name].generation if name in MODALITIES else None
        where = f"{fields.where}: generation: {name}"
        if known is None or not isinstance(value, dict) or not set(value) <= set(vars(known)):
            raise ConfigError("expected a modality and fields of its defaults", where=where)
        found[name] = replace(known, **value)
        found[name].check(where)
    return found


def _names(fields: Fields, name: str) -> dict[str, str]:
    values = fields.mapping(name)
    if not all(isinstance(value, str) for value in values.values()):
        raise fields.error(name, "an object of names", values)
    return values

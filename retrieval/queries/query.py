"""A query: one or several inputs, and how they are combined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.errors import UsageError
from retrieval.inputs import Input
from retrieval.modalities import modifiers, sources
from retrieval.queries.combining import Combination, combined, read_negative_text, read_weights
from retrieval.queries.options import COMBINING
from retrieval.queries.use_only import parts_of, read_use_only

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from retrieval.query_inputs import QueryInputs


@dataclass(frozen=True, eq=False)
class Query:
    """Inputs, read and checked. Made by `Query.read`.

    Attributes:
        inputs: of different modalities; only negative prompts may come several times.
        combine: `together`, `guided` or `late`: see `retrieval.queries.combining`.
        use_only: names of the parts that stand for a photo, if not all of it is used.
        files: that the inputs were read from.
    """

    inputs: tuple[Input, ...]
    combine: Combination = "together"
    use_only: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def weighted(self) -> frozenset[str]:
        """Modalities of the inputs whose weight is not 0."""
        return frozenset(entry.modality for entry in self.inputs if entry.weight)

    @classmethod
    def read(cls, **inputs: Unpack[QueryInputs]) -> Query:
        """Read inputs; None counts as not given.

            Query.read(image="beach.jpg", text="at night", weights={"text": 2})

        Args:
            inputs: see `QueryInputs`. An input is the path of a file, or what such a file holds;
                text, boxes, colours and metadata can be strings.

        Raises:
            UsageError: nothing was given, an unknown keyword, or one modality twice; weights for
                what goes into one pass.
            QueryError: an input, a weight or a part cannot be read.
        """
        given = {name: value for name, value in inputs.items() if value is not None}
        known, combining = sources(), {option.name for option in COMBINING}
        for name in given:
            if name not in known and name not in modifiers() and name not in combining:
                raise UsageError(f"unknown input {name!r}; known: {', '.join(known)}")
        reading = _modifiers(given)
        use_only = read_use_only(given["use_only"]) if "use_only" in given else ()
        if use_only and "image" not in given:
            raise UsageError("applies to parts of an image; give one (image)", where="use only")
        # Cheap checks first: a typing error should not wait for photos.
        weights = read_weights(given["weights"]) if "weights" in given else None
        negative = read_negative_text(given["negative_text"]) if "negative_text" in given else []
        read = list(_read(given, reading, use_only))
        if not read and not negative:
            raise UsageError("nothing to search for; give text, an image or another input")
        names = [entry.modality for entry in read]
        if doubled := [name for name in names if names.count(name) > 1]:
            raise UsageError("given twice, directly and as a part of a photo", where=doubled[0])
        return cls(
            *combined([*read, *negative], weights, given.get("combine")),
            use_only,
            input_files(given),
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities of the inputs."""
        return tuple(entry.modality for entry in self.inputs)

    @property
    def notes(self) -> tuple[str, ...]:
        """How inputs were read, where that is not plain: `map.png: read as: sky 40 % ...`."""
        return tuple(
            f"{entry.name or entry.modality}: {said}"
            for entry in self.inputs
            for said in entry.notes
        )

    @property
    def values(self) -> dict[str, Any]:
        """Modality -> value, as the model takes them, without parts that are still to be predicted
        and without negative prompts."""
        return {
            entry.modality: entry.value
            for entry in self.inputs
            if entry.origin != "predicted" and entry.weight >= 0
        }


def _modifiers(given: Mapping[str, Any]) -> dict[str, object]:
    """The modifiers that were given, checked."""
    reading = {}
    for name, modifier in modifiers().items():
        if name in given:
            users = [source.name for source in sources().values() if modifier in source.modifiers]
            if not given.keys() & set(users):
                raise UsageError(f"applies to {', '.join(users)}; give one of them", where=name)
            reading[name] = modifier.checked(given[name])
    return reading


def _read(
    given: Mapping[str, Any], reading: Mapping[str, object], use_only: tuple[str, ...]
) -> Iterator[Input]:
    for name, source in sources().items():
        if name not in given:
            continue
        own = {
            entry.name: reading[entry.name] for entry in source.modifiers if entry.name in reading
        }
        if name == "image" and use_only:
            yield from parts_of(given[name], use_only, bgr=bool(own.get("bgr")))
        else:
            yield source.read(given[name], **own)


def input_files(given: Mapping[str, Any]) -> tuple[Path, ...]:
    """The paths of files among what was given for a query."""
    files = []
    for name, source in sources().items():
        value = given.get(name)
        if isinstance(value, Mapping):
            value = list(value.values())
        entries: Sequence[Any] = value if isinstance(value, (list, tuple)) else [value]
        files += [source.file_of(entry) for entry in entries if source.names_file(entry)]
    return tuple(files)

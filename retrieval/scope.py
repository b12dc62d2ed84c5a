"""Where a query is searched: in which spaces, how they are fused, and in which galleries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fourm.embedder import Embedder, Route, Vectors
from fourm.messages import shown
from indexes import FUSIONS, Condition, Index, SearchResult
from retrieval.assignments import read_numbers
from retrieval.errors import UsageError
from retrieval.filters import read_filter
from retrieval.model import space_of

Spaces = str | Sequence[str] | Mapping[str, float]
"""One space or several: `"clip"`, `["clip", "dinov2=0.5"]`, `{"clip": 1, "dinov2": 0.5}`."""

ALL = "all"
"""Every space."""

AUTO = "auto"
"""The spaces in which the model finds most for the inputs of a query."""

MAX_SPACE_WEIGHT = 1e6
"""Of a space; the sum of larger ones may overflow, and then all scores are 0."""


@dataclass(frozen=True)
class Scope:
    """The spaces and galleries of a search, checked against an index.

    Several spaces are fused from the exact and full ranking in each of them.

    Attributes:
        weights: space -> weight; at least one.
        fusion: "rrf": the score is the sum over the spaces of weight / (60 + rank); "scores": it
            is the weighted mean of the cosines; None: "rrf", or as `for_inputs` says. In one space
            it is the cosine.
        modalities: of the galleries; None: all.
        auto: whether the spaces are to be chosen for each query (`for_inputs`).
        where: condition on their items; None: all.
    """

    weights: Mapping[str, float]
    fusion: str | None = None
    modalities: tuple[str, ...] | None = None
    auto: bool = False
    where: Condition | None = None

    @classmethod
    def of(
        cls,
        index: Index,
        spaces: Spaces | None = None,
        fusion: str | None = None,
        modalities: str | Collection[str] | None = None,
        held: Callable[[str], str | None] | None = None,
        where: str | None = None,
    ) -> Scope:
        """Check what is asked for against what an index holds.

        Args:
            index: the index.
            spaces: "all": all of them; "auto" or None: chosen for each query.
            fusion: "rrf" or "scores"; None: as suits the spaces.
            modalities: None: all.
            held: from another name of a space to the index's name for it, or None.
            where: filter; None: all items.

        Raises:
            FilterError: the filter cannot be read.
            UsageError: a space or modality that the index does not hold, a space given twice, a
                weight <= 0 or > 1e6, an unknown fusion.
        """
        if fusion is not None and fusion not in FUSIONS:
            raise UsageError(f"fusion must be one of {', '.join(FUSIONS)}, got {fusion!r}")
        weights = _weights(spaces, list(index.recipes))
        if held is not None and not weights.keys() <= index.recipes.keys():
            weights = {held(name) or name: weight for name, weight in weights.items()}
        for name, weight in weights.items():
            if name not in index.recipes:
                raise UsageError(
                    f"has no space {name!r}; it has {', '.join(index.recipes)} "
                    "(`fourm index --space` adds one)",
                    where=index.folder,
                )
            if not 0 < weight < float("inf"):
                raise UsageError(f"weight must be > 0, got {weight:g}", where=f"space {name}")
            if weight > MAX_SPACE_WEIGHT:
                raise UsageError(
                    f"weight must be <= {MAX_SPACE_WEIGHT:g}, got {weight:g}", where=f"space {name}"
                )
        condition = None if where is None else read_filter(where)
        return cls(weights, fusion, _modalities(modalities, index), _is_auto(spaces), condition)

    def for_inputs(self, index: Index, model: Embedder, inputs: Collection[str]) -> Scope:
        """Where a query of these modalities is searched.

        With `auto`: in the spaces in which the model finds most for them, as far as the index has
        vectors of all items in them; else in the index's first.
        """
        route = self._route(model, inputs)
        if route is None:
            return self
        usable = self._usable(index, model)
        weights = {usable[name]: w for name, w in route.spaces.items() if name in usable}
        return (
            replace(self, weights=weights, fusion=self.fusion or route.fusion) if weights else self
        )

    def lacking(self, index: Index, model: Embedder, inputs: Collection[str]) -> list[str]:
        """The spaces that `for_inputs` would choose if the index had all vectors in them."""
        route = self._route(model, inputs)
        usable = {} if route is None else self._usable(index, model)
        return [] if route is None else [name for name in route.spaces if name not in usable]

    def _route(self, model: Embedder, inputs: Collection[str]) -> Route | None:
        routes = model.routes if self.auto else ()
        return next((route for route in routes if route.takes(inputs)), None)

    def _usable(self, index: Index, model: Embedder) -> dict[str, str]:
        """The model's name of a space -> the index's, of those that can be searched."""
        incomplete, held = index.incomplete(), index.recipes
        searched = set(self.modalities or index.readings)
        return {
            now: name
            for name in held
            if (now := space_of(model, name)) and not searched & set(incomplete.get(name, ()))
        }

    @property
    def spaces(self) -> tuple[str, ...]:
        """The spaces, in the order in which they were asked for."""
        return tuple(self.weights)

    @property
    def name(self) -> str:
        """The spaces as hits name them: `dinov2+clip`."""
        return "+".join(self.weights)

    def search(
        self, index: Index, vectors: Mapping[str, Vectors], k: int, *, items: bool = True
    ) -> SearchResult:
        """The k best items for each query.

        Args:
            index: the one of `of`.
            vectors: space -> float32 (Q, dim), unit rows.
            k: at least 1.
            items: whether to look up the modality and path of what is found.

        Raises:
            indexes.IndexesError: see `Index.search`.
        """
        if len(self.weights) == 1:
            (space,) = self.weights
            return index.search(
                vectors[space],
                k,
                space=space,
                modalities=self.modalities,
                where=self.where,
                items=items,
            )
        asked = {space: vectors[space] for space in self.weights}
        return index.search_fused(
            asked,
            k,
            weights=self.weights,
            fusion=self.fusion or FUSIONS[0],
            modalities=self.modalities,
            where=self.where,
            items=items,
        )

    def count(self, index: Index) -> int:
        """Number of items to search."""
        if self.where is not None:
            return len(index.select(self.where, modalities=self.modalities))
        return sum(
            index.counts(modality=name).indexed for name in self.modalities or index.readings
        )


def by_scope(scopes: Sequence[Scope]) -> list[tuple[Scope, list[int]]]:
    """Scopes that differ, each with the numbers of the queries that have it."""
    groups: dict[tuple[Any, ...], tuple[Scope, list[int]]] = {}
    for number, scope in enumerate(scopes):
        key = (tuple(scope.weights.items()), scope.fusion)
        groups.setdefault(key, (scope, []))[1].append(number)
    return list(groups.values())


def _is_auto(spaces: Spaces | None) -> bool:
    return spaces is None or spaces == AUTO or (isinstance(spaces, list) and spaces == [AUTO])


def _weights(spaces: Spaces | None, known: list[str]) -> dict[str, float]:
    if _is_auto(spaces) or spaces is None:
        return {known[0]: 1.0}
    if isinstance(spaces, Mapping):
        if not all(_is_number(weight) for weight in spaces.values()):
            raise UsageError("weights must be numbers", where="spaces")
        weights = {name: float(weight) for name, weight in spaces.items()}
    else:
        weights = read_numbers(names_of(spaces, "spaces"), "space", "clip=0.5", default="1")
    if weights.keys() == {ALL} and ALL not in known:
        return dict.fromkeys(known, weights[ALL])
    for word in {ALL, AUTO} - set(known):
        if word in weights:
            raise UsageError("cannot be combined with other spaces", where=f"space {word}")
    if not weights:
        raise UsageError("expected at least one", where="spaces")
    return weights


def names_of(asked: object, what: str) -> list[str]:
    """A name or a collection of names, as a list; messages call them `what`.

    Raises:
        UsageError: anything else.
    """
    names = [asked] if isinstance(asked, str) else asked
    if not isinstance(names, Collection) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"expected a name or a list of names, got {shown(asked)}", where=what)
    return list(names)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _modalities(asked: str | Collection[str] | None, index: Index) -> tuple[str, ...] | None:
    if asked is None:
        return None
    names = tuple(dict.fromkeys(name.replace("-", "_") for name in names_of(asked, "modalities")))
    for name in names:
        if name not in index.readings:
            raise UsageError(
                f"has no gallery of the modality {name!r}; it has "
                f"{', '.join(index.readings)} (`fourm index --as` adds one)",
                where=index.folder,
            )
    if not names:
        raise UsageError("expected at least one", where="modalities")
    return names

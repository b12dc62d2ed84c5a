"""Evaluation of a gallery on judged queries: recall, precision, median rank, MAP.

Judged queries are JSON lines:

    {"text": "a dog in snow", "image": "a.jpg", "seg": "a.png", "relevant": ["dogs/7.jpg"]}

with the keys of query files; paths of inputs are relative to the file, those of relevant items to
the root of the gallery.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import numpy as np

from fourm import FourmError
from fourm.messages import shown
from retrieval.errors import QueryError, UsageError
from retrieval.gallery import Gallery
from retrieval.inputs import bounded_text
from retrieval.model import embed_spaces
from retrieval.paths import read_file_path
from retrieval.pipeline import default_workers, prefetch
from retrieval.progress import Progress
from retrieval.queries import Query, prepare
from retrieval.queries.coverage import text_coverage, warnings_of_texts
from retrieval.queries.query_files import query_of_line
from retrieval.scope import Scope, Spaces, by_scope

if TYPE_CHECKING:
    from fourm.modalities.coverage import TextCoverage

    _Texts = dict[int, tuple[str, TextCoverage]]

RECALL_AT = (1, 5, 10)
PRECISION_AT = 10


@dataclass(frozen=True)
class JudgedQuery:
    """A query and the items that it should find.

    Attributes:
        inputs: keyword arguments of `Query.read`.
        relevant: paths relative to the root of the gallery.
        where: names the query in error messages, e.g. file and line; None: its number.
    """

    inputs: Mapping[str, Any]
    relevant: Sequence[str]
    where: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """Metrics of a gallery.

    Attributes:
        queries: number of queries.
        items: number of items that they ranked.
        recall: k -> share of the queries with a relevant item among the first k, in [0, 1].
        precision: share of relevant items among the first 10, in [0, 1]; low for queries with few
            relevant items.
        median_rank: median over the queries of the rank of the first relevant item; `items` + 1
            if none is in the gallery.
        mean_average_precision: in [0, 1]; a relevant item that is not in the gallery counts as
            never found.
        missing: relevant paths of no item that is searched, sorted.
        warnings: about texts that the model does not know, or of which it reads only the beginning.
    """

    queries: int
    items: int
    recall: Mapping[int, float]
    precision: float
    median_rank: float
    mean_average_precision: float
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The keys of `fourm eval --json`."""
        rank = self.median_rank
        return {
            "queries": self.queries,
            **{f"recall@{k}": share for k, share in self.recall.items()},
            f"precision@{PRECISION_AT}": self.precision,
            "median_rank": int(rank) if rank == int(rank) else rank,
            "map": self.mean_average_precision,
            "items": self.items,
            "missing": len(self.missing),
        }


def read_queries(file: str | os.PathLike[str]) -> list[JudgedQuery]:
    """Read a file of judged queries.

    Raises:
        UsageError: no such file, no queries in it, or an invalid line; names file and line.
    """
    path = read_file_path(file, "queries")
    try:
        lines = bounded_text(path).split("\n")
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror})", where=path) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 text ({error.reason})", where=path) from None
    queries = [
        _query(line, f"{path}:{number}", path.parent)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not queries:
        raise UsageError("no queries in it; expected one JSON object per line", where=path)
    return queries


def evaluate(
    gallery: Gallery,
    queries: str | os.PathLike[str] | Sequence[JudgedQuery],
    *,
    batch_size: int = 32,
    progress: bool = False,
    spaces: Spaces | None = None,
    fusion: str | None = None,
    modalities: str | Collection[str] | None = None,
    where: str | None = None,
) -> Evaluation:
    """Evaluate a gallery on judged queries, each of which ranks all items.

        evaluate(gallery, "queries.jsonl").recall[10]
        evaluate(gallery, [JudgedQuery({"text": "a dog"}, ["dogs/7.jpg"])])

    Args:
        gallery: the gallery.
        queries: judged queries, or a file of them.
        batch_size: queries per forward pass, >= 1.
        progress: show a progress bar on stderr if it is a terminal.
        spaces, fusion, modalities, where: as `Gallery.search`. Relevant items that the filter
            leaves out count as never found. If a relevant path is in several of the galleries that
            are searched, each of its items counts as relevant.

    Raises:
        QueryError: an input that cannot be read, or that the model refuses; names file and line.
        UsageError: no queries, an empty gallery, or a batch size below 1.
        fourm.FourmError, indexes.IndexesError: as `Gallery.search`.
    """
    if not isinstance(batch_size, int) or batch_size < 1:
        raise UsageError(f"batch size must be >= 1, got {batch_size!r}")
    if isinstance(queries, (str, os.PathLike)):
        queries = read_queries(queries)
    _check_queries(queries)
    if not queries:
        raise UsageError("no queries; give at least one")
    index = gallery.index
    scope = Scope.of(index, spaces, fusion, modalities, gallery.held_space, where)
    allowed = None if scope.where is None else set(index.select(scope.where).tolist())
    ids: dict[str, list[int]] = {}
    for modality in scope.modalities or index.readings:
        for path, entry in index.snapshot(modality=modality).items():
            searched = entry.state == "indexed" and entry.missing_since is None
            if searched and (allowed is None or entry.id in allowed):
                ids.setdefault(path, []).append(entry.id)
    items = sum(map(len, ids.values()))
    if not ids:
        raise UsageError("no items to search", where=index.folder)
    found = _Names(ids)
    wanted = [[id_ for path in query.relevant for id_ in found.ids(path)] for query in queries]
    total = [sum(len(found.ids(path)) or 1 for path in query.relevant) for query in queries]
    ranks: list[np.ndarray] = []
    texts: _Texts = {}
    with Progress(len(queries), "evaluating", "queries", shown=progress) as bar:
        for batch in _prepared(gallery, queries, batch_size, texts):
            for row in _ranked(gallery, scope, batch, items):
                ranks.append(np.flatnonzero(np.isin(row, wanted[len(ranks)])) + 1)
            bar.update(len(batch))
    missing = {path for query in queries for path in query.relevant if not found.ids(path)}
    warnings = warnings_of_texts([texts[number] for number in sorted(texts)], gallery.model)
    return _measured(total, ranks, items, tuple(sorted(missing)), tuple(warnings))


class _Names:
    """Ids of items by path. A path that is in no gallery stands for those that look like it, since
    systems encode accents in different ways (NFC and NFD)."""

    def __init__(self, ids: Mapping[str, list[int]]) -> None:
        self._exact = ids
        self._alike: dict[str, list[int]] = {}
        for path, entries in ids.items():
            self._alike.setdefault(normalize("NFC", path), []).extend(entries)

    def ids(self, path: str) -> Sequence[int]:
        """Ids of the items with that path, none if there is no such item."""
        if path in self._exact:
            return self._exact[path]
        return self._alike.get(normalize("NFC", path), [])


def _check_queries(queries: object) -> None:
    if not isinstance(queries, Sequence) or not all(isinstance(q, JudgedQuery) for q in queries):
        raise UsageError(
            f"expected a file or a list of JudgedQuery objects, got {shown(queries)}",
            where="queries",
        )


def _prepared(
    gallery: Gallery, queries: Sequence[JudgedQuery], batch_size: int, texts: _Texts
) -> Iterator[list[tuple[Any, frozenset[str]]]]:
    """Batches of queries: what the model embeds of each, and its modalities.

    `texts` gets what the model reads of their texts.
    """
    work = partial(_prepare, gallery, texts)
    prepared = prefetch(
        work, enumerate(queries, start=1), workers=default_workers(), limit=2 * batch_size
    )
    with closing(prepared):
        while batch := list(islice(prepared, batch_size)):
            yield batch


def _prepare(
    gallery: Gallery, texts: _Texts, numbered: tuple[int, JudgedQuery]
) -> tuple[Any, frozenset[str]]:
    number, query = numbered
    where = query.where or f"query {number}"
    try:
        read = Query.read(**query.inputs)
        if (coverage := text_coverage(read, gallery.model)) is not None:
            texts[number] = (where, coverage)
        return prepare(read, gallery.model), read.weighted
    except (UsageError, FourmError) as error:
        raise QueryError(error, where=where) from None


def _ranked(
    gallery: Gallery, scope: Scope, batch: Sequence[tuple[Any, frozenset[str]]], items: int
) -> list[np.ndarray]:
    """Ids of all items for each query, best first."""
    index, model = gallery.index, gallery.model_for(scope)
    scopes = [scope.for_inputs(index, model, modalities) for _, modalities in batch]
    spaces = list(dict.fromkeys(name for one in scopes for name in one.spaces))
    vectors = embed_spaces(model, [prepared for prepared, _ in batch], spaces)
    found: dict[int, np.ndarray] = {}
    for one, rows in by_scope(scopes):
        chosen = {space: vectors[space][rows] for space in one.spaces}
        found |= zip(rows, one.search(index, chosen, items, items=False).ids, strict=True)
    return [found[number] for number in range(len(batch))]


def _measured(
    relevant: Sequence[int],
    ranks: Sequence[np.ndarray],
    items: int,
    missing: tuple[str, ...],
    warnings: tuple[str, ...],
) -> Evaluation:
    first = np.array([row[0] if len(row) else items + 1 for row in ranks])
    average_precision = [
        float(np.sum(np.arange(1, len(row) + 1) / row)) / count
        for count, row in zip(relevant, ranks, strict=True)
    ]
    return Evaluation(
        queries=len(relevant),
        items=items,
        recall={k: float(np.mean((first <= k) & (first <= items))) for k in RECALL_AT},
        precision=float(np.mean([np.sum(row <= PRECISION_AT) / PRECISION_AT for row in ranks])),
        median_rank=float(np.median(first)),
        mean_average_precision=float(np.mean(average_precision)),
        missing=missing,
        warnings=warnings,
    )


def _query(line: str, place: str, folder: Path) -> JudgedQuery:
    inputs, relevant = query_of_line(line, place, folder)
    return JudgedQuery(inputs, _relevant(relevant, place), place)


def _relevant(value: object, place: str) -> tuple[str, ...]:
    paths = value if isinstance(value, list) else []
    if not paths or not all(isinstance(path, str) and path for path in paths):
        raise UsageError("relevant: expected a list of at least one path", where=place)
    return tuple(dict.fromkeys(str(PurePosixPath(path)) for path in paths))

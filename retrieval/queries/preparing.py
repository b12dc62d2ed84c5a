"""From a query to what the model embeds: one pass over all inputs, or several passes fused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fourm import BadInput
from fourm.embedder import Embedder
from retrieval.errors import QueryError
from retrieval.inputs import Input
from retrieval.modalities import MODALITIES, parts_of_photos
from retrieval.queries.query import Query


def prepare(query: Query, model: Embedder) -> Any:
    """What `model.embed` takes for a query. May be called from several threads at once.

    Raises:
        QueryError: a part of a photo that this model can neither predict nor read; an input that
            it cannot read, of another shape for example.
        fourm.FourmError: the model does not read such an input.
    """
    if query.use_only:
        _check_parts(query, model)
    query = as_read(query, model)
    if query.combine == "together":
        return _one_pass(query.inputs, model)
    parts = [(_one_pass([entry], model), entry.weight) for entry in query.inputs if entry.weight]
    return model.fuse(parts, query.combine)


def as_read(query: Query, model: Embedder) -> Query:
    """A query with only what this model reads of it: of metadata that was computed from a photo,
    which nobody asked for key by key, the keys that it knows."""
    inputs = tuple(
        replace(entry, value={k: v for k, v in entry.value.items() if k in model.metadata_keys})
        if entry.modality == "metadata" and entry.origin == "computed"
        else entry
        for entry in query.inputs
    )
    return replace(query, inputs=inputs)


def _one_pass(inputs: tuple[Input, ...] | list[Input], model: Embedder) -> Any:
    values = {entry.modality: entry.value for entry in inputs if entry.origin != "predicted"}
    predicted = [entry for entry in inputs if entry.origin == "predicted"]
    try:
        if not predicted:
            return model.prepare(values)
        # All of them come from one photo, which is only their source.
        values["image"] = predicted[0].value
        return model.prepare(values, predict=tuple(entry.modality for entry in predicted))
    except BadInput:
        for entry in inputs:
            if entry.origin != "predicted":
                _refused_alone(entry, model)
        raise


def _refused_alone(entry: Input, model: Embedder) -> None:
    """Raise what the model says of this input, with the name of its file or option."""
    try:
        model.prepare({entry.modality: entry.value})
    except BadInput as error:
        where = entry.name or entry.modality
        reason = error.reason if error.where == where else error
        raise QueryError(reason, where=where) from None


def _check_parts(query: Query, model: Embedder) -> None:
    possible = [
        name
        for name in parts_of_photos()
        if name in (model.predictable if MODALITIES[name].compute is None else model.inputs)
    ]
    for name in query.use_only:
        if name not in possible:
            able = f"it can use {', '.join(possible)}" if possible else "it can use no part of one"
            raise QueryError(
                f"{model.name} cannot use {name} of an image; {able}", where="use only"
            )

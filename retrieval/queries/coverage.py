"""How much of a query's text the model knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fourm.embedder import Embedder
from retrieval.queries.query import Query

if TYPE_CHECKING:
    from fourm.modalities import Reader
    from fourm.modalities.coverage import TextCoverage

_SHOWN = 3


def text_coverage(query: Query, model: Embedder) -> TextCoverage | None:
    """What the model reads of the text of a query; None: no text, or no model that has readers."""
    readers: Mapping[str, Reader] = getattr(model, "readers", {})
    text = query.values.get("text")
    return readers["text"].coverage(text) if text is not None and "text" in readers else None


def unknown_share(query: Query, model: Embedder) -> float | None:
    """Share of the words of the text that the model does not know."""
    coverage = text_coverage(query, model)
    return None if coverage is None else coverage.unknown_share


def text_warnings(query: Query, model: Embedder, made: str = "these hits") -> list[str]:
    """What is wrong with the text, one line each; `made` is what comes of it."""
    coverage = text_coverage(query, model)
    if coverage is None:
        return []
    warnings = []
    if coverage.is_unknown:
        warnings.append(
            f"{model.name} knows no word of the text, so {made} say little; it reads English"
        )
    if coverage.truncated:
        warnings.append(
            f"the text has {coverage.tokens} tokens; {model.name} reads the first "
            f"{coverage.longest}"
        )
    return warnings


def warnings_of_texts(found: Sequence[tuple[str, TextCoverage]], model: Embedder) -> list[str]:
    """What is wrong with the texts of several queries, one line for each kind.

    Args:
        found: which query, and what the model reads of its text.
        model: the model.
    """
    unknown = [where for where, coverage in found if coverage.is_unknown]
    truncated = [where for where, coverage in found if coverage.truncated]
    warnings = []
    if unknown:
        warnings.append(
            f"{model.name} knows no word of {_texts(unknown)}, so the hits say little; it reads "
            f"English: {_first(unknown)}"
        )
    if truncated:
        warnings.append(
            f"{model.name} reads only the beginning of {_texts(truncated)}: {_first(truncated)}"
        )
    return warnings


def _texts(places: Sequence[str]) -> str:
    return "1 text" if len(places) == 1 else f"{len(places)} texts"


def _first(places: Sequence[str]) -> str:
    rest = len(places) - _SHOWN
    return ", ".join(places[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")

"""How much of a query's text the model knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fourm.embedder import Embedder
from retrieval.queries.query import Query

if TYPE_CHECKING:
    from fourm.modalities import Reader
    from fourm.modalities.coverage import TextCoverage


def text_coverage(query: Query, model: Embedder) -> TextCoverage | None:
    """What the model reads of the text of a query; None: no text, or no model that has readers."""
    readers: Mapping[str, Reader] = getattr(model, "readers", {})
    text = query.values.get("text")
    return readers["text"].coverage(text) if text is not None and "text" in readers else None


def unknown_share(query: Query, model: Embedder) -> float | None:
    """Share of the words of the text that the model does not know."""
    coverage = text_coverage(query, model)
    return None if coverage is None else coverage.unknown_share


def text_warnings(query: Query, model: Embedder) -> list[str]:
    """What is wrong with the text, one line each."""
    coverage = text_coverage(query, model)
    if coverage is None:
        return []
    warnings = []
    if coverage.unknown == coverage.words:
        warnings.append(
            f"{model.name} knows no word of the text, so these hits say little; it reads English"
        )
    if coverage.truncated:
        warnings.append(
            f"the text has {coverage.tokens} tokens; {model.name} reads the first "
            f"{coverage.longest}"
        )
    return warnings

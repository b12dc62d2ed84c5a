"""Any inputs to any modalities that a model predicts, as files.

=========  =====================================================================================
options    what to generate and how, as it is typed
results    what was generated: its files, its record, its contact sheet
run        from a model and inputs to results: `generate`
showing    what a model understood of a query
=========  =====================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval.exports import lazy_exports

if TYPE_CHECKING:
    from retrieval.generation.results import Generation
    from retrieval.generation.run import generate
    from retrieval.generation.showing import show_query

_LAZY = {
    "Generation": "retrieval.generation.results",
    "generate": "retrieval.generation.run",
    "show_query": "retrieval.generation.showing",
}

__all__ = ["Generation", "generate", "show_query"]

__getattr__ = lazy_exports(__name__, _LAZY)

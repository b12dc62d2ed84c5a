"""Any kinds of input to any kinds that a model predicts, as files that can be looked at.

==========  =================================================================================
names       what users call the kinds
options     typed boxes and weights
views       arrays as pictures: depth in colours, features by their main components
drawing     one panel for the contact sheet of each thing that was decoded
files       which files each kind is written to, in forms that queries read again
results     what was generated, and its record
run         from a model and sources to results: `generate`
showing     what a model understood of a query
==========  =================================================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'retrieval.generation' has no attribute {name!r}")

"""All options of a query: those of the modalities, and how inputs are combined.

Light to import: `fourm --help` reads them.
"""

from __future__ import annotations

from retrieval.modalities import modifiers, sources
from retrieval.modalities.modality import Option

COMBINING = (
    Option(
        "use_only",
        "PARTS",
        "Use only these parts of --image, e.g. depth,edges,palette: computed from it, or predicted "
        "by the model.",
        typed=True,
        forms=("string", "list"),
        panel="Combine",
    ),
    Option(
        "negative_text",
        "TEXT",
        "Negative prompt: text to search away from. May be repeated.",
        typed=True,
        repeated=True,
        forms=("string", "list"),
        option="not",
        file_key="not",
        panel="Combine",
    ),
    Option(
        "weights",
        "INPUT=NUMBER",
        "Weight of an input, e.g. text=2; default 1, negative to search away from it. not=0.25 is "
        "the weight of --not; default 0.5. May be repeated.",
        typed=True,
        repeated=True,
        forms=("object",),
        option="weight",
        panel="Combine",
    ),
    Option(
        "combine",
        "WAY",
        "together: one pass over all inputs (the default); guided: each input guides by its weight "
        "(the default with --weight or --not); late: weighted mean of separate predictions.",
        typed=True,
        panel="Combine",
    ),
)
"""Options that say how inputs are combined."""


def query_options() -> tuple[Option, ...]:
    """All of them, in the order in which help and docs list them."""
    return (*sources().values(), *modifiers().values(), *COMBINING)

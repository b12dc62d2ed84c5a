"""How each kind is generated unless the user says otherwise.

The numbers are those of the demonstration that the authors of 4M published with their code; for the
global embeddings, of their retrieval notebook. What is predicted from a photo is nearly
determined: one step, little randomness. What is made up without one takes many steps that begin
warm and cool down.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fourm.generation.schedule import Scheme

PHOTOS = ("image", "image_tokens")
"""Kinds that show the model the whole picture."""

TOP_P = 0.8


@dataclass(frozen=True)
class Recipe:
    """Defaults of one kind; see `fourm.generation.Target`."""

    scheme: Scheme = "roar"
    steps: int = 1
    temperature: float = 0.01
    cooling: str = "constant"
    guidance: float = 1.0


def _words(temperature: float) -> Recipe:
    return Recipe("autoregressive", temperature=temperature)


_COOLING = "onex:0.5:0.5"
_SEEN = Recipe(guidance=2.0)
_IMAGINED = Recipe(steps=8, temperature=3.0, cooling=_COOLING, guidance=2.0)
_GLOBAL = Recipe(temperature=0.1)

_ALWAYS: Mapping[str, Recipe] = {
    "text": _words(0.3),
    "boxes": _words(0.3),
    "poses": _words(0.1),
    "sam": _words(0.01),
    "palette": _words(0.1),
    "metadata": _words(0.1),
    "dinov2_embedding": _GLOBAL,
    "imagebind_embedding": _GLOBAL,
}
_OF_A_PHOTO: Mapping[str, Recipe] = {
    "clip_features": _SEEN,
    "dinov2_features": _SEEN,
    "imagebind_features": _SEEN,
    "depth": _SEEN,
    "normals": _SEEN,
    "seg": _SEEN,
    "edges": _SEEN,
    "sam_edges": _SEEN,
    "image_tokens": _SEEN,
}
_MADE_UP: Mapping[str, Recipe] = {
    "clip_features": Recipe(steps=50, temperature=5.0, cooling=_COOLING, guidance=3.0),
    "dinov2_features": Recipe(steps=8, guidance=2.0),
    "imagebind_features": Recipe(steps=8, guidance=2.0),
    "depth": _IMAGINED,
    "normals": _IMAGINED,
    "seg": _IMAGINED,
    "edges": _IMAGINED,
    "sam_edges": _IMAGINED,
    "image_tokens": Recipe(steps=25, temperature=3.0, cooling=_COOLING, guidance=2.0),
}

ORDER = (
    "clip_features",
    "dinov2_features",
    "imagebind_features",
    "depth",
    "normals",
    "seg",
    "edges",
    "sam_edges",
    "image_tokens",
    "text",
    "boxes",
    "poses",
    "sam",
    "palette",
    "metadata",
    "dinov2_embedding",
    "imagebind_embedding",
)
"""In which order everything is generated: each sees those before it."""


def recipe_of(kind: str, given: Collection[str]) -> Recipe:
    """The recipe of a kind beside what is given in full.

    A picture of which a part is hidden is not given in full: the rest is made up.
    """
    if kind in _ALWAYS:
        return _ALWAYS[kind]
    return (_OF_A_PHOTO if any(photo in given for photo in PHOTOS) else _MADE_UP)[kind]

"""Parts of a photo as queries: its edges, its colours ..., and nothing else of it.

Some are computed here; the others the model predicts, if it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PIL import Image

from fourm.messages import shown
from fourm.modalities.edges import canny_edges
from fourm.modalities.metadata import computable_metadata
from fourm.modalities.palette import palette_of
from retrieval.errors import QueryError
from retrieval.modalities import MODALITIES, sources
from retrieval.queries.inputs import Input
from retrieval.queries.named import named
from retrieval.queries.photo import Photo, open_photo


def edges_of(photo: Photo) -> Input:
    """Canny edges, as an edge picture of 224 x 224."""
    edges = Image.fromarray(canny_edges(photo.image)[0])
    return Input("edges", edges, photo.name, "computed")


def colours_of(photo: Photo) -> Input:
    """The five main colours."""
    return Input("palette", palette_of(photo.image), photo.name, "computed")


def facts_of(photo: Photo) -> Input:
    """The metadata that can be computed; the size is that of the photo before it was shrunk."""
    facts = computable_metadata(photo.image)
    facts["original_width"], facts["original_height"] = map(float, photo.size)
    return Input("metadata", facts, photo.name, "computed")


def tokens_of(photo: Photo) -> Input:
    """The photo itself, for models that can read one as tokens."""
    return Input("image_tokens", photo.image, photo.name, "computed")


COMPUTED: Mapping[str, Callable[[Photo], Input]] = {
    "edges": edges_of,
    "palette": colours_of,
    "metadata": facts_of,
    "image_tokens": tokens_of,
}
"""Parts that need no model: kind -> how it is computed."""

PARTS = tuple(kind for kind in MODALITIES if kind not in ("image", "t5"))
"""What could be taken from a photo, by a model that predicts everything."""


def read_part(source: object, kind: str) -> Input:
    """A computed part of a photo that was given for it alone.

    Raises:
        QueryError: as `open_photo`.
    """
    photo = open_photo(source)
    with named(photo.name or kind):
        return COMPUTED[kind](photo)


def read_use_only(source: object) -> tuple[str, ...]:
    """Which parts are to be taken: `depth,edges`, or a list of such.

    Raises:
        QueryError: another form, none, one twice, or something that is no part of a photo.
    """
    entries = [source] if isinstance(source, str) else source
    if not isinstance(entries, (list, tuple)) or not all(isinstance(e, str) for e in entries):
        raise QueryError(f"expected parts like depth,edges, got {shown(source)}", where="use only")
    words = [word for entry in entries for word in entry.replace(",", " ").split()]
    known = sources()
    kinds = [
        known[name].modality if name in known else name
        for name in (word.replace("-", "_") for word in words)
    ]
    if not kinds:
        raise QueryError(f"names no part; there are {', '.join(PARTS)}", where="use only")
    for word, kind in zip(words, kinds, strict=True):
        if kind not in PARTS:
            hint = " (for the image itself, leave it out)" if kind == "image" else ""
            raise QueryError(
                f"{shown(word)} is no part of an image{hint}; there are {', '.join(PARTS)}",
                where="use only",
            )
        if kinds.count(kind) > 1:
            raise QueryError(f"{kind} is named twice", where="use only")
    return tuple(kinds)


def take_parts(source: object, kinds: tuple[str, ...]) -> list[Input]:
    """These parts of a photo: computed, or left to the model with the photo as their value.

    Raises:
        QueryError: as `open_photo`.
    """
    photo = open_photo(source)
    with named(photo.name or "image"):
        return [
            COMPUTED[kind](photo)
            if kind in COMPUTED
            else Input(kind, photo.image, photo.name, "predicted")
            for kind in kinds
        ]

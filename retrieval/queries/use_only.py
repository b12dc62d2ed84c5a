"""Parts of a photo as inputs: its edges, its colours ..., and nothing else of it.

Some are computed here; the others the model predicts, if it can.
"""

from __future__ import annotations

from fourm.messages import shown
from retrieval.errors import QueryError
from retrieval.inputs import Input, errors_of
from retrieval.inputs.images import open_image
from retrieval.modalities import MODALITIES, find, parts_of_photos


def read_use_only(source: object) -> tuple[str, ...]:
    """Names of the parts to use: `depth,edges`, or a list of such.

    Raises:
        QueryError: another form, none, one twice, or something that is not a part of a photo.
    """
    entries = [source] if isinstance(source, str) else source
    if not isinstance(entries, (list, tuple)) or not all(isinstance(e, str) for e in entries):
        raise QueryError(f"expected parts like depth,edges, got {shown(source)}", where="use only")
    known = parts_of_photos()
    parts: list[str] = []
    for word in " ".join(entries).replace(",", " ").split():
        modality = find(word)
        if modality is None or modality.name not in known:
            hint = " (for the image itself, leave it out)" if word == "image" else ""
            raise QueryError(
                f"{shown(word)} is not a part of an image{hint}; known: {', '.join(known)}",
                where="use only",
            )
        if modality.name in parts:
            raise QueryError(f"{modality.name} is given twice", where="use only")
        parts.append(modality.name)
    if not parts:
        raise QueryError(f"expected at least one part; known: {', '.join(known)}", where="use only")
    return tuple(parts)


def parts_of(source: object, parts: tuple[str, ...], *, bgr: bool = False) -> list[Input]:
    """These parts of a photo: computed, or left to the model with the photo as their value.

    Raises:
        QueryError: as `open_image`.
    """
    photo = open_image(source, bgr=bgr)
    inputs = []
    with errors_of(photo.name or "image"):
        for name in parts:
            compute = MODALITIES[name].compute
            predicted = Input(name, photo.image, photo.name, "predicted")
            inputs.append(predicted if compute is None else compute(photo))
    return inputs

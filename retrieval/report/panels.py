"""The panels of a query, of an item and of what a model generated."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from fourm.modalities import Decoded
from retrieval.drawing.panel import Panel
from retrieval.inputs import Input
from retrieval.modalities import MODALITIES
from retrieval.modalities.drawings import draw_image
from retrieval.queries import Query


def panels(query: Query) -> tuple[Panel, ...]:
    """One panel per input, in the order of the query."""
    weighted = query.combine != "together"
    return tuple(panel_of(entry, weighted) for entry in query.inputs)


def panel_of(entry: Input, weighted: bool = False) -> Panel:
    """The panel of an input or item; `weighted` adds a note with its weight."""
    modality = MODALITIES[entry.modality]
    title = modality.title
    notes = []
    if entry.origin == "predicted":  # the photo is all that is known before the model has run
        panel = replace(draw_image(entry, f"{title} of an image"), title=title)
        notes.append(f"only its {title.lower()}, predicted by the model")
    else:
        panel = modality.draw(entry, title)
    if entry.origin == "computed":
        notes.append("computed from the image")
    if weighted:
        notes.append(f"weight {entry.weight:g}")
    if entry.weight < 0:
        notes.append("negative prompt")
        panel = replace(panel, title=f"Not: {title.lower()}", summary=f"not {panel.summary}")
    return replace(panel, note=", ".join(notes))


def generated_panel(decoded: Decoded, ground: Image.Image | None = None) -> Panel:
    """The panel of a generated value; `ground` is the photo that boxes and masks belong to."""
    modality = MODALITIES[decoded.modality]
    output = modality.output
    title = modality.title if output is None or output.title is None else output.title
    if output is None or output.draw is None:
        return modality.draw(Input(modality.name, decoded.value), title)
    return output.draw(decoded, title, ground)

"""What a model understood of a query, before it searches."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

import fourm
from fourm import DiffusionConfig
from fourm.embedder import Embedder
from fourm.generation import GenerationConfig, Generator
from fourm.modalities import Decoded
from fourm.model import Prepared
from fourm.teachers import ModelWithTeachers
from retrieval.errors import UsageError
from retrieval.escaping import printable
from retrieval.generation.drawing import panel_of
from retrieval.generation.files import write_file, write_files
from retrieval.queries import Query, as_read
from retrieval.report.panels import Panel, panels
from retrieval.report.sheet import draw_panels

READ, IMAGINED = "read", "imagined"
_IMAGINED = ("image_tokens", "seg", "text", "palette")
_UNKNOWN = "[UNK]"
_SEED = 0
_DIFFUSION = DiffusionConfig(steps=25)


def show_query(
    model: Embedder, query: Query, folder: str | os.PathLike[str], *, progress: bool = False
) -> list[str]:
    """Write what the model reads of a query, and what it imagines by it.

    `read/` has every input that the model reads as tokens, decoded from these tokens. `imagined/`
    has, for models that predict them, a picture, a segmentation map, words and colours, as far as
    their tokenizers are on this disk. `words.json` has the word pieces of texts, `[UNK]` for words
    that the model does not know; `sheet.png` all of it. Seeds are fixed.

    Args:
        model: a `fourm.Model`, with or without teachers.
        query: what was asked.
        folder: made if it does not exist.
        progress: show the steps on stderr.

    Returns:
        The files, relative to the folder.

    Raises:
        UsageError: another model, a query that a teacher reads, or a folder that cannot be written
            to.
        fourm.FourmError: an input that the model does not read.
    """
    query = as_read(query, model)
    if isinstance(model, ModelWithTeachers):
        if query.values and model.prepare(query.values).prepared is None:
            raise UsageError("a teacher reads this query, not the model", where="show query")
        model = model.model
    if not isinstance(model, fourm.Model):
        raise UsageError("this model cannot show what it reads", where="show query")
    target = Path(folder)
    generator = Generator(model)
    # Words to push away from, and parts that are still to be predicted, are shown as given alone.
    prepared = model.prepare(query.values) if query.values else Prepared({})
    _make(target)  # before what takes long
    read = []
    if query.values:
        read = generator.decode_inputs(query.values, _DIFFUSION, progress=progress)
    kinds = [kind for kind in _IMAGINED if kind in generator.outputs and kind not in query.kinds]
    if "image" in query.kinds and "image_tokens" in kinds:
        kinds.remove("image_tokens")
    config = GenerationConfig(seed=_SEED, diffusion=_DIFFUSION)
    made = []
    if kinds and query.values:
        made = generator.generate(query.values, kinds, config, progress=progress)
    pieces = _pieces(model, prepared)
    _make(*([target / READ] if read else []), *([target / IMAGINED] if made else []))
    written = [f"{READ}/{name}" for one in read for name in write_files(one, target / READ, None)]
    written += [
        f"{IMAGINED}/{name}" for one in made for name in write_files(one, target / IMAGINED, None)
    ]
    if pieces:
        write_file(target / "words.json", json.dumps(pieces, indent=2) + "\n")
        written.append("words.json")
    seen = [
        *_photo(prepared),
        *_words(pieces),
        *(panel_of(one) for one in read if one.text is None),
    ]
    sections = [
        ("given", panels(query)),
        ("as the model reads it", seen),
        ("what it imagines", [panel_of(one) for one in made]),
    ]
    write_file(target / "sheet.png", draw_panels(sections))
    return [*written, "sheet.png"]


def _make(*folders: Path) -> None:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot be made ({error.strerror})", where=folder) from None


def _pieces(model: fourm.Model, prepared: Prepared) -> dict[str, list[str]]:
    found = {}
    for kind, content in prepared.contents.items():
        pieces = model.readers[kind].pieces(content)
        if pieces is not None:
            found[kind] = pieces
    return found


def _photo(prepared: Prepared) -> list[Panel]:
    """The picture as it is cut and shrunk for the model."""
    pixels = prepared.contents.get("image")
    if pixels is None:
        return []
    decoded = Decoded("image_tokens", np.moveaxis(pixels, 0, -1), np.zeros(0, np.int64))
    return [panel_of(decoded, Image.fromarray(decoded.value))]


def _words(pieces: Mapping[str, list[str]]) -> list[Panel]:
    shown: list[Panel] = []
    for kind, listed in pieces.items():
        text = printable(" ".join(listed))
        unknown = listed.count(_UNKNOWN)
        title = f"{kind}: {len(listed)} word pieces"
        title += f", {unknown} unknown" if unknown else ""
        shown.append(Panel(title, text, words=text))
    return shown

"""What a model understands of a query, before it searches."""

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
from fourm.model import Prepared
from fourm.teachers import ModelWithTeachers
from retrieval.drawing.blocks import draw_panels
from retrieval.drawing.panel import Panel
from retrieval.errors import UsageError
from retrieval.escaping import printable
from retrieval.generation.results import SHEET, file_names, write_file, write_files
from retrieval.memory import memory_errors
from retrieval.modalities import MODALITIES
from retrieval.modalities.drawings import image_panel
from retrieval.paths import read_folder
from retrieval.queries import Query, as_read
from retrieval.report.panels import generated_panel, panels
from retrieval.written import WrittenFiles

READ, PREDICTED, PIECES = "read", "predicted", "word_pieces.json"
_UNKNOWN = "[UNK]"
_SEED = 0
_DIFFUSION = DiffusionConfig(steps=25)


@memory_errors("show the query with a smaller model")
def show_query(
    model: Embedder, query: Query, folder: str | os.PathLike[str], *, progress: bool = False
) -> list[str]:
    """Write what the model reads of a query, and what it predicts from it.

    `read/` has every input that the model reads as tokens, decoded from these tokens. `predicted/`
    has an image, a segmentation map, text and colours, if the model predicts them and their
    tokenizers are available. `word_pieces.json` has the word pieces of texts, `[UNK]` for words
    that the model does not know; `sheet.png` has all of it. Seeds are fixed.

    Args:
        model: a `fourm.Model`, with or without teachers.
        query: the query.
        folder: created if it does not exist.
        progress: show the steps on stderr.

    Returns:
        The files, relative to the folder.

    Raises:
        UsageError: another model, a query that a teacher reads, a folder that cannot be written
            to, or that has a file of such a name which this program did not write.
        fourm.FourmError: an input that the model does not read.
    """
    query = as_read(query, model)
    if isinstance(model, ModelWithTeachers):
        if query.values and model.prepare(query.values).prepared is None:
            raise UsageError("a teacher reads this query, not the model", where="show query")
        model = model.model
    if not isinstance(model, fourm.Model):
        raise UsageError("this model cannot show what it reads", where="show query")
    target = read_folder(folder, "folder")
    generator = Generator(model)
    # Negative prompts, and parts that are still to be predicted, are only shown as given.
    prepared = model.prepare(query.values) if query.values else Prepared({})
    _make(target)  # before anything slow
    folder_files = WrittenFiles(target)
    folder_files.check(files_of_query(query))
    read = []
    if query.values:
        read = generator.decode_inputs(query.values, _DIFFUSION, progress=progress)
    wanted = [name for name in _previews(query) if name in generator.outputs]
    config = GenerationConfig(seed=_SEED, diffusion=_DIFFUSION)
    made = []
    if wanted and query.values:
        made = generator.generate(query.values, wanted, config, progress=progress)
    pieces = _pieces(model, prepared)
    _make(*([target / READ] if read else []), *([target / PREDICTED] if made else []))
    written: list[str] = []
    for inner, decoded in ((READ, read), (PREDICTED, made)):
        for one in decoded:
            written += write_files(one, folder_files, None, f"{inner}/")
    if pieces:
        write_file(folder_files, PIECES, json.dumps(pieces, indent=2) + "\n")
        written.append(PIECES)
    seen = [
        *_photo(prepared),
        *_texts(pieces),
        *(generated_panel(one) for one in read if one.text is None),
    ]
    sections = [
        ("given", panels(query)),
        ("as the model reads it", seen),
        ("predicted from it", [generated_panel(one) for one in made]),
    ]
    write_file(folder_files, SHEET, draw_panels(sections))
    return [*written, SHEET]


def files_of_query(query: Query) -> list[str]:
    """The files that `show_query` may write of a query, relative to the folder."""
    inner = [(READ, name) for name in query.values] + [(PREDICTED, n) for n in _previews(query)]
    names = [
        f"{folder}/{file}"
        for folder, name in inner
        if MODALITIES[name].output is not None
        for file in file_names(name)
    ]
    return [*names, PIECES, SHEET]


def _previews(query: Query) -> list[str]:
    """The modalities that are predicted as previews, in this order."""
    has_photo = any(MODALITIES[name].is_photo for name in query.modalities)
    ranks = {
        name: modality.output.preview
        for name, modality in MODALITIES.items()
        if modality.output is not None
        and modality.output.preview is not None
        and name not in query.modalities
        and not (has_photo and modality.is_photo)
    }
    return sorted(ranks, key=lambda name: ranks[name])


def _make(*folders: Path) -> None:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot be created ({error.strerror})", where=folder) from None


def _pieces(model: fourm.Model, prepared: Prepared) -> dict[str, list[str]]:
    found = {}
    for name, content in prepared.contents.items():
        pieces = model.readers[name].pieces(content)
        if pieces is not None:
            found[name] = pieces
    return found


def _photo(prepared: Prepared) -> list[Panel]:
    """The image as it is cropped and resized for the model."""
    pixels = prepared.contents.get("image")
    if pixels is None:
        return []
    return [
        image_panel(Image.fromarray(np.moveaxis(pixels, 0, -1)), None, MODALITIES["image"].title)
    ]


def _texts(pieces: Mapping[str, list[str]]) -> list[Panel]:
    shown: list[Panel] = []
    for name, listed in pieces.items():
        text = printable(" ".join(listed))
        unknown = listed.count(_UNKNOWN)
        title = f"{name}: {len(listed)} word pieces"
        title += f", {unknown} unknown" if unknown else ""
        shown.append(Panel(title, text, text=text))
    return shown

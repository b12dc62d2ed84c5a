"""From a model and what it is given to files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import fourm
from fourm.generation import GenerationConfig, Generator
from fourm.generation.texts import SENTINEL
from retrieval.errors import UsageError
from retrieval.generation.names import asks_for_all, kinds_named
from retrieval.generation.options import HideBox
from retrieval.generation.results import RECORD, SHEET, Generation, prepared_folder
from retrieval.queries import Query
from retrieval.queries.query import input_files


def generate(
    model: str | os.PathLike[str] | fourm.Model,
    to: str | Iterable[str] = (),
    out: str | os.PathLike[str] | None = None,
    *,
    config: GenerationConfig | None = None,
    hide: Sequence[HideBox] = (),
    device: str = "auto",
    dtype: str = "auto",
    progress: bool = False,
    **sources: object,
) -> Generation:
    """Predict kinds from others, and write them as files.

        made = generate("4M-21_B", "depth,seg,text", "out", image="beach.jpg")
        made["text"].value

    Args:
        model: a name, a folder, a hub name, or a loaded model.
        to: kinds to predict, as `retrieval.generation.names` knows them, in this order; `all`. May
            be empty where something is to be completed.
        out: folder of the files, made if it does not exist; None: nothing is written.
        config: schedules, temperatures, guidance, seed; default: those of each modality.
        hide: boxes (xmin, ymin, xmax, ymax, fractions of the picture's central square) of the
            picture that are made up anew.
        device, dtype: as `fourm.load_model`.
        progress: show the steps on stderr.
        sources: as `Query.read`: `image`, `text`, `seg` ...; `[S_1]` in a text is filled in.

    Raises:
        UsageError: no source, unknown kinds, files that cannot be written.
        QueryError: a source that cannot be read.
        fourm.FourmError: a model that does not load, does not read an input or does not predict a
            kind; numbers that do not fit.
    """
    chosen = GenerationConfig() if config is None else config
    if all(value is None for value in sources.values()):
        raise UsageError("nothing to generate from: give a photo, words or another input")
    query = Query.read(**sources)
    loaded = model if isinstance(model, fourm.Model) else fourm.load_4m(model, device, dtype)
    generator = Generator(loaded)
    kinds = _wanted(to, query, generator, bool(hide))
    opened = [*(["image_tokens"] if hide else []), *(["text"] if _has_holes(query) else [])]
    generator.require([*opened, *kinds])
    folder = None
    if out is not None:
        files = input_files(_paths(sources))
        folder = prepared_folder(Path(out), [*opened, *kinds], files, (RECORD, SHEET))
    about: dict[str, Any] = {
        "model": loaded.name,
        "settings": chosen.as_dict(),
        "hidden": [list(box) for box in hide],
        "schedule": [],
    }
    generation = Generation(query, about, folder)
    if asks_for_all(to):
        generation.left_out = tuple(kind for kind in generator.missing if kind not in query.kinds)
    generator.generate(
        query.values,
        kinds,
        chosen,
        inpaint=hide,
        started=lambda steps: generation.start(asdict(step) for step in steps),
        finished=generation.add,
        progress=progress,
    )
    generation.write_sheet()
    return generation


def _wanted(to: str | Iterable[str], query: Query, generator: Generator, hides: bool) -> list[str]:
    if not to and (hides or _has_holes(query)):
        return []
    if isinstance(to, str):
        to = [to]
    possible = [kind for kind in generator.outputs if kind not in query.kinds]
    if "image" in query.kinds:  # the photo again, through its tokens: only if asked for by name
        possible = [kind for kind in possible if kind != "image_tokens"]
    return kinds_named(to, possible)


def _has_holes(query: Query) -> bool:
    text = query.values.get("text")
    return text is not None and SENTINEL.search(text) is not None


def _paths(sources: Mapping[str, object]) -> dict[str, Any]:
    """The sources that name files or could, as the command line has them."""
    kept: dict[str, Any] = {}
    for name, value in sources.items():
        listed = list(value) if isinstance(value, (list, tuple)) else [value]
        files = [entry for entry in listed if isinstance(entry, (str, os.PathLike))]
        if files:
            kept[name] = files if name == "boxes" else files[0]
    return kept

"""From a model and its inputs to files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import fourm
from fourm.generation import GenerationConfig, Generator, InpaintBox
from fourm.generation.texts import SENTINEL
from retrieval.errors import UsageError
from retrieval.generation.options import (
    asks_for_all,
    given_modalities,
    outputs_named,
    read_inpaint,
    read_weights,
)
from retrieval.generation.results import RECORD, SHEET, Generation, prepared_folder
from retrieval.memory import memory_errors
from retrieval.modalities import MODALITIES
from retrieval.paths import read_folder
from retrieval.queries import Query
from retrieval.queries.coverage import text_warnings

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from retrieval.query_inputs import QueryInputs


def generate(
    model: str | os.PathLike[str] | fourm.Model,
    to: str | Iterable[str] = (),
    out: str | os.PathLike[str] | None = None,
    *,
    config: GenerationConfig | None = None,
    inpaint: Sequence[InpaintBox | str] = (),
    device: str = "auto",
    dtype: str = "auto",
    progress: bool = False,
    **inputs: Unpack[QueryInputs],
) -> Generation:
    """Generate modalities from others, and write them to files.

        made = generate("4M-21_B", "depth,seg,text", "out", image="beach.jpg")
        made["text"].value

    Args:
        model: a name, a folder, a hub name, or a loaded model.
        to: modalities to generate, in this order, or "all". Can be empty with `inpaint` or a text
            to infill.
        out: folder of the files, created if it does not exist; None: nothing is written.
        config: sampling parameters; None: the defaults of each modality.
        inpaint: regions of the image to regenerate: (xmin, ymin, xmax, ymax) in fractions of its
            central square, or strings such as `0.25,0.25,0.75,0.75`.
        device, dtype: as `fourm.load_model`.
        progress: show the steps on stderr.
        inputs: see `QueryInputs`. `[S_1]`, `[S_2]` ... in a text are infilled. `weights` are
            guidance weights: with any, each input guides by its own, 1 by default.

    Raises:
        UsageError: no input, an unknown modality, files that cannot be written.
        RetrievalError: there is not enough memory; finished outputs are kept.
        QueryError: an input that cannot be read.
        fourm.FourmError: a model that cannot be loaded, does not read an input or does not predict
            a modality; parameters out of range.
    """
    given: dict[str, Any] = dict(inputs)
    folder = None if out is None else read_folder(out, "out")
    chosen = GenerationConfig() if config is None else config
    if (weights := given.pop("weights", None)) is not None:
        chosen = replace(chosen, weights=read_weights(weights, given_modalities(given)))
    boxes = read_inpaint(inpaint)
    if all(value is None for value in given.values()):
        raise UsageError("nothing to generate from; give an image, a text or another input")
    query = Query.read(**given)
    loaded = model if isinstance(model, fourm.Model) else fourm.load_4m(model, device, dtype)
    generator = Generator(loaded)
    outputs = _wanted(to, query, generator, bool(boxes))
    completed = [*(["image_tokens"] if boxes else []), *(["text"] if _infills(query) else [])]
    generator.require([*completed, *outputs])
    written = None
    if folder is not None:
        made = [*completed, *outputs]
        written = prepared_folder(folder, made, query.files, (RECORD, SHEET))
    about: dict[str, Any] = {
        "model": loaded.name,
        "settings": chosen.as_dict(),
        "inpaint": [list(box) for box in boxes],
        "schedule": [],
    }
    generation = Generation(query, about, written)
    generation.warnings = tuple(text_warnings(query, loaded, "the outputs"))
    if asks_for_all(to):
        generation.left_out = tuple(
            name for name in generator.missing if name not in query.modalities
        )
    with memory_errors("generate fewer modalities, or smaller images (--image-size)"):
        generator.generate(
            query.values,
            outputs,
            chosen,
            inpaint=boxes,
            started=lambda steps: generation.start(asdict(step) for step in steps),
            finished=generation.add,
            progress=progress,
        )
        generation.write_sheet()
    return generation


def _wanted(
    to: str | Iterable[str], query: Query, generator: Generator, inpaints: bool
) -> list[str]:
    if not to and (inpaints or _infills(query)):
        return []
    if isinstance(to, str):
        to = [to]
    possible = [name for name in generator.outputs if name not in query.modalities]
    if any(MODALITIES[name].is_photo for name in query.modalities):
        # The photo again, through its tokens: only if asked for by name.
        possible = [name for name in possible if not MODALITIES[name].is_photo]
    return outputs_named(to, possible)


def _infills(query: Query) -> bool:
    text = query.values.get("text")
    return text is not None and SENTINEL.search(text) is not None

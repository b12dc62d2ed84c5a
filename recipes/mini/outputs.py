"""What mini predicts: the tokens of each output, and stage `output-tokens`, which makes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from fourm.language.model import LanguageModel
from fourm.language.sentences import TOKENIZER
from fourm.modalities.boxes import Box, boxes_text, thing_names
from fourm.modalities.metadata import metadata_text
from fourm.modalities.number_words import LARGEST
from fourm.modalities.palette import palette_of, palette_text
from fourm.modalities.pixels import centred
from fourm.modalities.seg import panoptic_classes, square_labels
from fourm.tokenizers.vqvae import VQVAE
from fourm.tokenizers.wordpiece import TextTokenizer
from fourm.training.edge_tokenizer import edge_tokenizer_config, fit_edge_tokenizer
from fourm.training.edges import outlines
from fourm.training.features import shrink_labels
from fourm.training.label_tokenizer import (
    fit_label_tokenizer,
    label_tokenizer_config,
    name_vectors,
)
from fourm.training.run import Run
from fourm.training.vocabulary import write_tokenizer
from fourm.training.words import WordTokenizer, used_pieces, word_tokenizer
from recipes.mini.architecture import CLASSES
from recipes.mini.data import SIDE, TrainingData, boxes, metadata, square_crops, square_photo
from recipes.mini.pseudo_maps import drawn_maps

SEG_OUT, EDGES_OUT = "tok_semseg@112", "tok_canny_edge@112"
TEXTS = {"text": "caption", "boxes": "det", "palette": "color_palette", "metadata": "metadata"}
OUT_SIDE, OUT_GRID = 112, 16
SEG_OUT_CODES, EDGE_CODES = 512, 512
PALETTE_COLOURS = 5
EDGE_STEP = 27
"""Edges of boxes are multiples of this, of `LARGEST`. Of many fine numbers none is likely, and
the likeliest next token would be the end of the text."""

LEAST_USES = 4
"""A rarer word of the captions is spelled in pieces."""

SEG_OUT_CONFIG = label_tokenizer_config(CLASSES, SEG_OUT_CODES, side=OUT_SIDE, grid=OUT_GRID)
EDGES_CONFIG = edge_tokenizer_config(EDGE_CODES, side=OUT_SIDE, grid=OUT_GRID)

WORDS = "outputs/words/tokenizer.json"


def output_info(words: WordTokenizer) -> dict[str, dict[str, Any]]:
    """Entries of `modality_info` in the model's config."""

    def grid(vocabulary: int) -> dict[str, Any]:
        places = {"max_tokens": OUT_GRID * OUT_GRID, "positions": "learned"}
        return {"kind": "img", "vocabulary": vocabulary, **places}

    def text(vocabulary: int, most: int) -> dict[str, Any]:
        places = {"max_tokens": most, "position_rows": most, "positions": "learned"}
        return {"kind": "seq", "vocabulary": vocabulary, "decoder_rows": most, **places}

    return {
        SEG_OUT: grid(SEG_OUT_CODES),
        EDGES_OUT: grid(EDGE_CODES),
        "caption": text(words.words, 40),
        "det": text(words.up_to_axis(4), 128),
        "color_palette": text(words.up_to_axis(2), 3 * PALETTE_COLOURS + 4),
        "metadata": text(words.up_to_axis(2), 24),
    }


def make_words(data: TrainingData, language: Path) -> WordTokenizer:
    """The text tokenizer, from the words of the training captions."""
    texts = (text for photo in data.captioned if photo.split == "train" for text in photo.captions)
    pieces = used_pieces(language / TOKENIZER, texts, LEAST_USES)
    return word_tokenizer(pieces, sorted(thing_names()))


def caption(text: str) -> str:
    """A caption as mini writes it: without a full stop at its end."""
    return text.strip().rstrip(".").strip()


def coarse(box: Box) -> Box:
    """A box whose edges are multiples of `EDGE_STEP`, and which is not empty."""
    steps = LARGEST // EDGE_STEP
    low = [min(round(edge * steps), steps - 1) for edge in (box.xmin, box.ymin)]
    high = [round(edge * steps) for edge in (box.xmax, box.ymax)]
    xmax, ymax = (max(end, begin + 1) / steps for begin, end in zip(low, high, strict=True))
    return replace(box, xmin=low[0] / steps, ymin=low[1] / steps, xmax=xmax, ymax=ymax)


def fit_output_tokenizers(run: Run, data: TrainingData, language: Path, steps: int) -> None:
    """Write the tokenizers of maps, edges and texts, and `outputs/tokens` of all photos."""
    words = make_words(data, language)
    write_tokenizer(run.path(WORDS), words.json)
    if not run.has("outputs/edges"):
        _fit_edges(run, data, steps)
    if not run.has("outputs/tok_edges"):
        rows = run.load("split")["train"]
        drawings = run.load("outputs/edges")["drawings"]
        model = fit_edge_tokenizer(EDGES_CONFIG, drawings[rows], steps)
        run.save("outputs/tok_edges", model.state_dict())
        run.save("outputs/edge_tokens", {"tokens": encoded(model, drawings, centred)})
    if not run.has("outputs/tok_semseg"):
        _fit_maps(run, data, language)
    write_texts(run, data)


def _fit_edges(run: Run, data: TrainingData, steps: int) -> None:
    drawings = [
        outlines(square_photo(photo.path))
        for photo in tqdm(data.captioned, desc="edges", unit="photo")
    ]
    run.save("outputs/edges", {"drawings": torch.from_numpy(np.stack(drawings))})


def _fit_maps(run: Run, data: TrainingData, language: Path) -> None:
    split = run.load("split")
    if not run.has("outputs/maps"):
        run.save("outputs/maps", {"labels": drawn_maps(run, data, OUT_SIDE)})
    maps = {"captioned": run.load("outputs/maps")["labels"]}
    for labelled in data.labelled:
        if labelled.complete:
            crops = square_crops(labelled, seed=0)
            labels = np.stack([square_labels(crop.ids, SIDE) for crop in crops])
            maps[labelled.name] = torch.from_numpy(shrink_labels(labels, OUT_SIDE))
    names = [row.name.replace("-merged", "").replace("-", " ") for row in panoptic_classes()]
    vectors = name_vectors(LanguageModel.load(language), names)
    train = {
        name: rows[split["train" if name == "captioned" else name]] for name, rows in maps.items()
    }
    coco = train["coco_panoptic"].repeat(4, 1, 1)
    drawn = torch.cat([train["captioned"], coco])
    model, _ = fit_label_tokenizer(SEG_OUT_CONFIG, vectors, drawn, drawn, 0, pure=True)
    run.save("outputs/tok_semseg", model.state_dict())
    tokens = {name: encoded(model, rows, Tensor.long) for name, rows in maps.items()}
    run.save("outputs/seg_tokens", tokens)


@torch.no_grad()
def encoded(model: VQVAE, stored: Tensor, expand: Any) -> Tensor:
    """Tokens (N, n) int16 of stored values."""
    model.eval()
    return torch.cat([model.encode(expand(part)).flatten(1) for part in stored.split(64)]).short()


def write_texts(run: Run, data: TrainingData) -> None:
    """Write `outputs/texts.json`: for each captioned photo the ids of its texts."""
    path = run.path("outputs/texts.json")
    if path.is_file():
        return
    tokenizer = TextTokenizer(run.path(WORDS))
    rows = []
    for photo in tqdm(data.captioned, desc="texts", unit="photo"):
        found = boxes(data.objects(photo))
        colours = palette_of(square_photo(photo.path), PALETTE_COLOURS)
        rows.append(
            {
                "caption": [tokenizer.encode(caption(text)) for text in photo.captions],
                "det": tokenizer.encode(boxes_text([coarse(box) for box in found[:25]])),
                "color_palette": tokenizer.encode(palette_text(colours)),
                "metadata": tokenizer.encode(metadata_text(metadata(photo.path, found))),
            }
        )
    run.write_json("outputs/texts.json", rows)

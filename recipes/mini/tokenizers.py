"""Stages `space` and `seg-tokenizer`: the tokenizers of global embeddings and of label maps."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from fourm.language.model import LanguageModel
from fourm.modalities.seg import panoptic_classes
from fourm.training.label_tokenizer import fit_label_tokenizer, name_vectors
from fourm.training.run import Run
from fourm.training.space import WhitenedSpace
from recipes.mini.architecture import CODEBOOKS, CODES, SEG_CONFIG
from recipes.mini.data import TrainingData


def fit_space(run: Run, rounds: int = 25) -> None:
    """Write `space`, the tensors of a `WhitenedSpace`, unless it exists."""
    if not run.has("space"):
        train = run.load("features/captioned")["cls"][run.load("split")["train"]]
        space = WhitenedSpace.fit(train, codebooks=CODEBOOKS, codes=CODES, rounds=rounds)
        run.save("space", space.tensors())


def fit_seg_tokenizer(run: Run, data: TrainingData, language: Path, steps: int) -> None:
    """Write `tok_semseg`, the tokenizer's tensors, and `seg_codes`, unless they exist.

    `seg_codes` holds `cover` (codes, labels), the share of each label in the cells of a code, and
    `names` (labels, dim), vectors of the class names.
    """
    if run.has("tok_semseg"):
        return
    drawn = [run.load("pseudo_maps")["labels"]]
    others: list[Tensor] = []
    split = run.load("split")
    for labelled in data.labelled:
        if labelled.codebook_repeats:
            labels = run.load(f"features/{labelled.name}")["labels"][split[labelled.name]]
            repeated = labels.repeat(labelled.codebook_repeats, 1, 1)
            (drawn if labelled.decoder else others).append(repeated)
    names = [row.name.replace("-merged", "").replace("-", " ") for row in panoptic_classes()]
    vectors = name_vectors(LanguageModel.load(language), names)
    decoder_maps = torch.cat(drawn)
    maps = torch.cat([decoder_maps, *others])
    model, shares = fit_label_tokenizer(SEG_CONFIG, vectors, maps, decoder_maps, steps)
    run.save("tok_semseg", model.state_dict())
    run.save("seg_codes", {"cover": shares, "names": vectors})

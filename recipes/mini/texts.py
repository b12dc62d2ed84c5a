"""Stages `language` and `texts`: the pruned language model, and its outputs for all texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from fourm.checkpoints.files import CONFIG, TENSORS, read_json_object
from fourm.language.model import LanguageModel
from fourm.language.sentences import TOKENIZER
from fourm.modalities.seg import panoptic_classes
from fourm.training.export import save_tensors, write_json
from fourm.training.run import Run
from fourm.training.vocabulary import WORD_TABLE, pruned_tokenizer, write_tokenizer
from recipes.mini.architecture import MAX_WORDS
from recipes.mini.data import CaptionedPhoto, TrainingData

VOCABULARY = 16_000
"""Entries of the language model to keep, besides special tokens and single characters."""

FOLDER = "language"
BATCH = 32


def captioned_sets(data: TrainingData) -> dict[str, Sequence[CaptionedPhoto]]:
    """All photos with texts, by the name of their features."""
    return {"captioned": data.captioned, **{one.name: one.photos for one in data.described}}


def class_names() -> list[str]:
    """Names of the classes of maps, as people write them."""
    return [
        row.name.replace("-merged", "").replace("-other", "").replace("-", " ")
        for row in panoptic_classes()
    ]


def prune(
    run: Run, data: TrainingData, source: Path, former: Path, count: int = VOCABULARY
) -> None:
    """Write `language/`: the published words that are kept, and the former folder's layers.

    Words are kept by training texts alone: those of held-out photos may be spelled in pieces.

    Args:
        run: to write to.
        data: whose training texts keep their words.
        source: the published model.
        former: model folder whose language model was trained further, except for its words.
        count: entries to keep, besides special tokens and single characters.
    """
    folder = run.folder / FOLDER
    if (folder / TENSORS).is_file():
        return
    texts = [
        text
        for photos in captioned_sets(data).values()
        for photo in photos
        if photo.split == "train"
        for text in photo.captions
    ]
    tokenizer, old_ids = pruned_tokenizer(source / TOKENIZER, [*texts, *class_names()], count)
    words = LanguageModel.load(source).state_dict()[WORD_TABLE][old_ids]
    state = {**LanguageModel.load(former / "language_model").state_dict(), WORD_TABLE: words}
    positions = "embeddings.position_embeddings.weight"
    state[positions] = state[positions][:MAX_WORDS]
    config = read_json_object(source / CONFIG)
    config = {key: value for key, value in config.items() if not key.startswith("_")}
    config |= {"vocab_size": len(old_ids), "max_position_embeddings": MAX_WORDS}
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / CONFIG, config)
    write_tokenizer(folder / TOKENIZER, tokenizer)
    save_tensors(folder / TENSORS, {k: v.contiguous() for k, v in state.items()}, {})


def encode(run: Run, data: TrainingData) -> None:
    """Write `texts/<set>` for each set that is missing.

    Tensors: `mean` (T, dim) float32, the mean of the language model's outputs; `ids` (T, longest)
    int32, padded with 0; `photo` (T,), the row of `features/<set>`; `first` (T,) bool, the first
    text of its photo.
    """
    language = LanguageModel.load(run.folder / FOLDER, MAX_WORDS)
    for name, photos in captioned_sets(data).items():
        if run.has(f"texts/{name}") or not photos:
            continue
        ids = [language.tokenize(text) for photo in photos for text in photo.captions]
        counts = torch.tensor([len(photo.captions) for photo in photos])
        first = torch.zeros(len(ids), dtype=torch.bool)
        first[counts.cumsum(0) - counts] = True
        run.save(
            f"texts/{name}",
            {
                "mean": _means(language, ids, name),
                "ids": padded_ids(ids),
                "photo": torch.arange(len(photos)).repeat_interleave(counts),
                "first": first,
            },
        )


def padded_ids(ids: Sequence[Sequence[int]]) -> Tensor:
    """(N, longest) int32, padded with 0."""
    rows = torch.zeros(len(ids), max(map(len, ids)), dtype=torch.int32)
    for row, values in zip(rows, ids, strict=True):
        row[: len(values)] = torch.tensor(values, dtype=torch.int32)
    return rows


@torch.inference_mode()
def _means(language: LanguageModel, ids: Sequence[Sequence[int]], title: str) -> Tensor:
    """(N, dim): means of the outputs; texts of similar length are encoded together."""
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    means = torch.zeros(len(ids), language.config.dim)
    with tqdm(total=len(ids), desc=f"texts, {title}", unit="text") as bar:
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            given, mask = language.batch([ids[row] for row in rows])
            means[rows] = language(given, mask).sum(1) / (~mask).sum(1, keepdim=True)
            bar.update(len(rows))
    return means


def ignored_ids(run: Run) -> list[int]:
    """Ids of the special tokens, which are no words."""
    tokenizer = read_json_object(run.folder / FOLDER / TOKENIZER)
    return [int(entry["id"]) for entry in tokenizer["added_tokens"]]

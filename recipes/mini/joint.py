"""Stage `joint`: texts, maps and masked photos learn to predict the embedding of their photo.

Loss: InfoNCE between the softly decoded prediction and the transformed CLS embeddings of all
training photos. The teacher's encoder stays frozen, so that photos are embedded as by the teacher.
Trained are the language model (except its word embeddings), the input embeddings of text and maps,
the decoder and its head. The shipped weights are an exponential moving average.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import trange

from fourm.language.model import LanguageModel
from fourm.modalities.seg import panoptic_classes
from fourm.training.batches import Mixture, QueryBatch, TrainingPhotos, batches
from fourm.training.label_tokenizer import label_encoder
from fourm.training.optim import (
    flushed_denormals,
    info_nce,
    plain_attention,
    update_average,
    warm_up_cosine,
)
from fourm.training.run import Run
from fourm.training.space import WhitenedSpace
from fourm.transformer import FM
from fourm.transformer.embeddings import ModalityInput
from recipes.mini.architecture import IMAGE, MAX_WORDS, SEG, SEG_CONFIG, TARGET, TEXT, config_for
from recipes.mini.data import TrainingData, square_photo
from recipes.mini.initial import start

RATES = {"language": 1e-4, "model": 1e-3}
"""Peak learning rates."""
SHARES: Mapping[Mixture, float] = {"text": 1.0, "seg": 0.35, "text+seg": 0.2, "image+text": 0.1}
LATE_SHARES: Mapping[Mixture, float] = {**SHARES, "image+text": 0.8}
LATE = 0.73
"""Fraction of the steps after which LATE_SHARES hold: text together with a photo is learnt last."""
WARM_UP = 100
EMA = 0.998

SIMILAR = (
    # Stuff that people and networks label inconsistently.
    ("sea", "river", "water-other"),
    ("grass-merged", "playingfield", "dirt-merged"),
    ("road", "pavement-merged"),
    ("building-other-merged", "house", "wall-other-merged"),
    ("sand", "dirt-merged", "gravel"),
    ("rock-merged", "mountain-merged", "wall-stone"),
)


class Student(nn.Module):
    """The transformer and its language model, from a batch to unit vectors of the space."""

    def __init__(self, model: FM, language: LanguageModel, space: WhitenedSpace) -> None:
        super().__init__()
        self.model, self.language, self.space = model, language, space

    def forward(self, batch: QueryBatch, tokens: Callable[[Tensor], Tensor]) -> Tensor:
        """(B, D) unit vectors."""
        inputs: dict[str, ModalityInput] = {}
        if batch.image is not None:
            inputs[IMAGE] = batch.image
        if batch.text is not None:
            ids, mask = self.language.batch(batch.text)
            inputs[TEXT] = ModalityInput(self.language(ids, mask), mask)
        if batch.labels is not None:
            inputs[SEG] = ModalityInput(tokens(batch.labels))
        logits = self.model.decode_logits(self.model.encode(inputs), TARGET)
        return self.space.decode(logits.float().softmax(-1))


def train(
    run: Run, data: TrainingData, language: Path, steps: int, seed: int = 0, save_every: int = 200
) -> None:
    """Write `joint`, the moving average of the weights: `model.*` and `language.*` tensors.

    An interrupted run resumes at its last checkpoint, with batches in another order.
    """
    teacher, space = run.load("teacher"), WhitenedSpace.from_tensors(run.load("space"))
    student = Student(_start(run, teacher, space, seed), _language(language), space)
    average = copy.deepcopy(student)
    optimiser = _optimiser(student)
    first = _resume(run, student, average, optimiser)
    photos, targets, groups = _load_photos(run, data, student.language)
    tokens = label_encoder(SEG_CONFIG, run.load("tok_semseg"))
    late = int(LATE * steps)
    source = batches(photos, LATE_SHARES if first > late else SHARES, seed + first)
    losses: dict[str, float] = {}
    bar = trange(first, steps, initial=first, total=steps, desc="joint", unit="step")
    for step in bar:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * warm_up_cosine(step, steps, WARM_UP)
        if step == late:
            source = batches(photos, LATE_SHARES, seed + step)
        batch = next(source)
        with flushed_denormals():
            loss = _step(student, optimiser, batch, tokens, targets, groups)
        update_average(average, student, min(EMA, (1 + step) / (10 + step)))
        mixture = _mixture(batch)
        losses[mixture] = losses.get(mixture, loss) * 0.95 + loss * 0.05
        bar.set_postfix({name: f"{value:.2f}" for name, value in losses.items()})
        if (step + 1) % save_every == 0 or step + 1 == steps:
            _save(run, student, average, optimiser, step + 1)
    run.save("joint", _trained(average))


def _step(
    student: Student,
    optimiser: torch.optim.AdamW,
    batch: QueryBatch,
    tokens: Callable[[Tensor], Tensor],
    targets: Tensor,
    groups: Tensor,
) -> float:
    with plain_attention(), torch.autocast("cpu", torch.bfloat16):
        predicted = student(batch, tokens)
    loss = info_nce(predicted.float(), targets, batch.rows, groups)
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(student.parameters(), 1.0)
    optimiser.step()
    return loss.item()


def _start(run: Run, teacher: dict[str, Tensor], space: WhitenedSpace, seed: int) -> FM:
    model = start(config_for(teacher), teacher, space.codes, seed)
    seg = run.load("seg_codes")
    with torch.no_grad():
        weights = dict(model.named_parameters())
        names = seg["names"] @ weights[f"encoder_embeddings.{TEXT}.emb_proj.weight"].T
        weights[f"encoder_embeddings.{SEG}.token_emb.weight"].copy_(seg["cover"] @ names)
    return model


def _language(folder: Path) -> LanguageModel:
    language = LanguageModel.load(folder, max_tokens=MAX_WORDS).train()
    language.embeddings.word_embeddings.weight.requires_grad_(False)
    return language


def _optimiser(student: Student) -> torch.optim.AdamW:
    groups = []
    for name, peak in RATES.items():
        module = getattr(student, name)
        trained = [p for p in module.parameters() if p.requires_grad]
        groups.append({"params": trained, "peak": peak, "lr": peak})
    return torch.optim.AdamW(groups, weight_decay=0.05, betas=(0.9, 0.98), fused=True)


def _load_photos(
    run: Run, data: TrainingData, language: LanguageModel
) -> tuple[TrainingPhotos, Tensor, Tensor]:
    """The photos, the targets (T, dim) of all their maps, and the photo of each target (T,)."""
    split = run.load("split")
    train = [data.captioned[row] for row in split["train"].tolist()]
    captions = [[language.tokenize(text) for text in photo.captions] for photo in train]
    pixels = torch.stack(
        [torch.from_numpy(square_photo(photo.path)).permute(2, 0, 1) for photo in train]
    )
    labels = [run.load("pseudo_maps")["labels"][split["train"]]]
    cls = [run.load("features/captioned")["cls"][split["train"]]]
    weights, groups = [torch.ones(len(train))], [torch.arange(len(train))]
    for labelled in data.labelled:
        kept, rows = split[labelled.name], run.load(f"features/{labelled.name}")
        labels.append(rows["labels"][kept])
        cls.append(rows["cls"][kept])
        weights.append(torch.full((len(kept),), labelled.weight))
        groups.append(int(groups[-1][-1]) + 1 + rows["photo"][kept])
    similar = [tuple(_label(name) for name in names) for names in SIMILAR]
    targets = WhitenedSpace.from_tensors(run.load("space")).transform(torch.cat(cls))
    photos = TrainingPhotos(captions, pixels, torch.cat(labels), torch.cat(weights), similar)
    return photos, targets, torch.cat(groups)


def _label(name: str) -> int:
    return next(i for i, row in enumerate(panoptic_classes(), 1) if row.name == name)


def _mixture(batch: QueryBatch) -> str:
    parts = {"image": batch.image, "text": batch.text, "seg": batch.labels}
    return "+".join(name for name, part in parts.items() if part is not None)


def _trained(student: Student) -> dict[str, Tensor]:
    return {
        name: parameter.detach().clone()
        for name, parameter in student.named_parameters()
        if parameter.requires_grad
    }


def _save(
    run: Run, student: Student, average: Student, optimiser: torch.optim.AdamW, step: int
) -> None:
    path = run.path("joint.checkpoint.pt")
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "step": step,
            "student": _trained(student),
            "average": _trained(average),
            "optimiser": optimiser.state_dict(),
        },
        partial,
    )
    os.replace(partial, path)


def _resume(run: Run, student: Student, average: Student, optimiser: torch.optim.AdamW) -> int:
    path = run.path("joint.checkpoint.pt")
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    student.load_state_dict(state["student"], strict=False)
    average.load_state_dict(state["average"], strict=False)
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])

"""Stage `joint`: words, maps and half-hidden photos learn to name the photo they belong to.

Loss: InfoNCE between the softly decoded prediction and the transformed CLS embeddings of all
training photos at once. The teacher's encoder stays frozen, so what it makes of a picture remains
the teacher's; trained are the language model (but its word table), the input embeddings of words
and maps, the decoder and its head. The shipped weights are an exponential moving average.
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import trange

from fourm.language.model import LanguageModel
from fourm.modalities.seg import panoptic_classes
from fourm.training import batches, material
from fourm.training.architecture import IMAGE as RGB
from fourm.training.architecture import SEG, TARGET, TEXT, config_for
from fourm.training.features import MAP_SIDE
from fourm.training.initial import start
from fourm.training.run import Run
from fourm.training.seg_tokenizer import encode_all
from fourm.training.space import decoded, transformed
from fourm.transformer import FM
from fourm.transformer.embeddings import ModalityInput

TEMPERATURE = 0.05
RATES = {"language": 1e-4, "model": 1e-3}
SHARES: dict[batches.Mixture, float] = {
    "text": 1.0,
    "seg": 0.35,
    "text+seg": 0.2,
    "image+text": 0.1,
}
LATE_SHARES: dict[batches.Mixture, float] = {**SHARES, "image+text": 0.8}
LATE = 0.73
"""From this part of the steps on the late shares hold: what words mean beside a photo is learnt
last, when words alone are understood."""
HUMAN_WEIGHT = 3.0
WARM_UP = 100
EMA = 0.998
SAVE_EVERY = 200


class Student(nn.Module):
    """The transformer and its language model, from a batch to unit vectors of the space."""

    def __init__(self, model: FM, language: LanguageModel, space: dict[str, Tensor]) -> None:
        super().__init__()
        self.model, self.language, self.space = model, language, space

    def forward(self, batch: batches.Batch, tokens: Callable[[Tensor], Tensor]) -> Tensor:
        """(B, D) unit vectors."""
        inputs: dict[str, ModalityInput] = {}
        if batch.image is not None:
            inputs[RGB] = batch.image
        if batch.words is not None:
            ids, mask = self.language.batch(batch.words)
            inputs[TEXT] = ModalityInput(self.language(ids, mask), mask)
        if batch.labels is not None:
            inputs[SEG] = ModalityInput(tokens(batch.labels))
        logits = self.model.decode_logits(self.model.encode(inputs), TARGET)
        return decoded(self.space, logits.float().softmax(-1))


def train(run: Run, language: Path, steps: int, seed: int = 0) -> None:
    """Write `joint` (model.* and language.* tensors), the moving average of the weights.

    A run that was interrupted goes on at its last checkpoint, with batches of another order.
    """
    teacher, space = run.load("teacher"), run.load("space")
    student = Student(_start(run, teacher, space, seed), _language(language), space)
    average = copy.deepcopy(student)
    optimiser = _optimiser(student)
    first = _resume(run, student, average, optimiser)
    photos, targets, of = _material(run, student.language)
    tokens = encode_all(run.load("tok_semseg"))
    late = int(LATE * steps)
    source = batches.epochs(photos, LATE_SHARES if first > late else SHARES, seed + first)
    losses: dict[str, float] = {}
    bar = trange(first, steps, initial=first, total=steps, desc="joint", unit="step")
    for step in bar:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * _rate(step, steps)
        if step == late:
            source = batches.epochs(photos, LATE_SHARES, seed + step)
        batch = next(source)
        with _no_denormals():
            loss = _step(student, optimiser, batch, tokens, targets, of)
        _follow(average, student, min(EMA, (1 + step) / (10 + step)))
        kind = _kind(batch)
        losses[kind] = losses.get(kind, loss.item()) * 0.95 + loss.item() * 0.05
        bar.set_postfix({name: f"{value:.2f}" for name, value in losses.items()})
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            _save(run, student, average, optimiser, step + 1)
    run.save("joint", _trained(average))


def _step(
    student: Student,
    optimiser: torch.optim.AdamW,
    batch: batches.Batch,
    tokens: Callable[[Tensor], Tensor],
    targets: Tensor,
    of: Tensor,
) -> Tensor:
    with _plain_attention(), torch.autocast("cpu", torch.bfloat16):
        predicted = student(batch, tokens)
    logits = predicted.float() @ targets.T / TEMPERATURE
    same = batches.positives(of, batch.photos)
    loss = batches.masked_cross_entropy(logits, batch.photos, same)
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(student.parameters(), 1.0)
    optimiser.step()
    return loss.detach()


@contextmanager
def _no_denormals() -> Iterator[None]:
    """Arithmetic on denormal floats is slow; the switch is the whole process's, so it goes back."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _start(run: Run, teacher: dict[str, Tensor], space: dict[str, Tensor], seed: int) -> FM:
    model = start(config_for(teacher), teacher, space["codes"], seed)
    seg = run.load("seg_codes")
    with torch.no_grad():
        weights = dict(model.named_parameters())
        names = seg["names"] @ weights[f"encoder_embeddings.{TEXT}.emb_proj.weight"].T
        weights[f"encoder_embeddings.{SEG}.token_emb.weight"].copy_(seg["cover"] @ names)
    return model


def _language(folder: Path) -> LanguageModel:
    language = LanguageModel.load(folder, max_tokens=64).train()
    language.embeddings.word_embeddings.weight.requires_grad_(False)
    return language


def _optimiser(student: Student) -> torch.optim.AdamW:
    groups = []
    for name, peak in RATES.items():
        module = getattr(student, name)
        trained = [p for p in module.parameters() if p.requires_grad]
        groups.append({"params": trained, "peak": peak, "lr": peak})
    return torch.optim.AdamW(groups, weight_decay=0.05, betas=(0.9, 0.98), fused=True)


def _rate(step: int, steps: int) -> float:
    """Linear warm-up, then a cosine down to a fiftieth."""
    return min(1.0, (step + 1) / WARM_UP) * (0.51 + 0.49 * math.cos(math.pi * step / steps))


def _material(run: Run, language: LanguageModel) -> tuple[batches.Photos, Tensor, Tensor]:
    """Photos, the transformed embedding of each and of every labelled crop, and whose it is."""
    split = run.load("split")
    all_photos = material.captioned(run.data)
    train = [all_photos[i] for i in split["train"].tolist()]
    words = [[language.tokenize(text) for text in photo.captions] for photo in train]
    pixels = torch.stack(
        [torch.from_numpy(material.square_photo(photo.path)).permute(2, 0, 1) for photo in train]
    )
    labels = [run.load("pseudo_maps")["labels"][split["train"]]]
    cls = [run.load("features/flickr8k")["cls"][split["train"]]]
    weights, of = [torch.ones(len(train))], [torch.arange(len(train))]
    for name in ("coco_panoptic", "ccp", "camvid"):
        rows = run.load(f"features/{name}")
        kept = split["panoptic"] if name == "coco_panoptic" else torch.arange(len(rows["cls"]))
        labels.append(rows["labels"][kept])
        cls.append(rows["cls"][kept])
        weight = HUMAN_WEIGHT if name == "coco_panoptic" else 0.25
        weights.append(torch.full((len(kept),), weight))
        of.append(int(of[-1][-1]) + 1 + rows["photo"][kept])
    likes = [tuple(_label(name) for name in group) for group in batches.LABELS_OF_LIKE]
    targets = transformed(run.load("space"), torch.cat(cls))
    photos = batches.Photos(words, pixels, torch.cat(labels), torch.cat(weights), likes)
    assert photos.labels.shape[1] == MAP_SIDE
    return photos, targets, torch.cat(of)


def _label(name: str) -> int:
    return next(i for i, row in enumerate(panoptic_classes(), 1) if row.name == name)


def _plain_attention() -> AbstractContextManager[None]:
    # The fused kernel's backward pass is slow on CPUs at these short lengths.
    return sdpa_kernel(SDPBackend.MATH)


def _kind(batch: batches.Batch) -> str:
    parts = {"image": batch.image, "text": batch.words, "seg": batch.labels}
    return "+".join(name for name, part in parts.items() if part is not None)


@torch.no_grad()
def _follow(average: Student, student: Student, decay: float) -> None:
    for slow, fast in zip(average.parameters(), student.parameters(), strict=True):
        if fast.requires_grad:
            slow.lerp_(fast, 1 - decay)


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

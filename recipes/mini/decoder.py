"""Stage `decoder`: mini learns to predict what it can be given, from the frozen encoder.

Each sample is a photo with its targets: captions, boxes, a palette, metadata, some tokens of its
map and its edges. The decoder is given the encoder's outputs for the photo, for
other inputs, or for both, which are computed once (`recipes.mini.contexts`). Nothing else is
trained.
"""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from tqdm import trange

from fourm.checkpoints import Fields
from fourm.language.model import LanguageModel
from fourm.language.sentences import TOKENIZER
from fourm.tokenizers.wordpiece import TextTokenizer
from fourm.training.balance import balanced
from fourm.training.decoding import NumberBlur, Target, decoded, pack, target_losses
from fourm.training.optim import flushed_denormals, plain_attention, update_average, warm_up_cosine
from fourm.training.run import Run
from fourm.training.words import WordTokenizer
from fourm.transformer import FM, EncoderOutput, FMConfig
from fourm.transformer.targets import TargetEmbedding
from recipes.mini.architecture import IMAGE, config_for, load_teacher
from recipes.mini.contexts import Contexts
from recipes.mini.data import TrainingData
from recipes.mini.decoder_start import start_decoder
from recipes.mini.outputs import EDGE_STEP, EDGES_OUT, SEG_OUT, TEXTS, WORDS, output_info

DEPTH = 3
BATCH = 16
RATE = 1e-3
WARM_UP = 60
EMA = 0.995
CAPTIONS = 3
"""Captions of a photo that are learnt in one step."""

PATCHES = 96
"""Patches of a photo that the decoder is given, but for the last steps."""

WHOLE = 0.9
"""Share of the steps after which all patches are given."""

GRID_TARGETS = {SEG_OUT: 20, EDGES_OUT: 16}
"""Tokens of a grid that are learnt of a photo."""

WEIGHTS = {
    SEG_OUT: 1.0,
    EDGES_OUT: 0.4,
    "caption": 1.0,
    "det": 1.0,
    "color_palette": 0.3,
    "metadata": 0.3,
}

BLURS = {"det": (4, 0.7, EDGE_STEP), "color_palette": (1, 6.0, 1), "metadata": (1, 1.0, 1)}
"""Axes whose numbers are blurred, how widely, and the step between those that occur."""

MIXED = 0.6
"""Share of a batch that are photos whose other inputs are known, once these are used."""

BALANCED = 320
"""Photos by which frequent ids are balanced at the end."""

NO_LINE = 0
"""The code of a cell without a line."""

LABELLED_SHARE = 0.15
"""Share of a batch that are photos with maps by people."""


@dataclass(frozen=True)
class Sample:
    """A photo of a set."""

    source: str
    row: int
    photo: int


def decoder_config(teacher: Mapping[str, Tensor], words: WordTokenizer) -> dict[str, Any]:
    """`config.json` of the transformer with all outputs."""
    config = config_for(dict(teacher))
    info = output_info(words)
    config |= {"domains_out": list(info), "decoder_depth": DEPTH, "encoder_sep_mask": True}
    config["modality_info"] |= info
    return config


class Examples:
    """Samples with their targets.

    Args:
        run: with stages `features`, `pseudo-maps` and `output-tokens` done.
        data: the data set.
    """

    def __init__(self, run: Run, data: TrainingData) -> None:
        self._texts = json.loads(run.path("outputs/texts.json").read_text(encoding="utf-8"))
        tokenizer = TextTokenizer(run.path(WORDS))
        self._start = tokenizer.special_ids.sentinel(1)
        self.end = tokenizer.end
        self._ends = [tokenizer.end, tokenizer.special_ids.sentinel(2)]
        self._edge = tokenizer.id_of("v0=0"), tokenizer.id_of("v0=999")
        self._seg = run.load("outputs/seg_tokens")
        self._edges = run.load("outputs/edge_tokens")["tokens"]
        split = run.load("split")
        self.captioned = split["train"].tolist()
        self.labelled = [
            (one.name, row)
            for one in data.labelled
            if one.complete
            for row in split[one.name].tolist()
        ]

    def targets(
        self, source: str, row: int, given: frozenset[str], shown: Tensor, rng: random.Random
    ) -> list[Target]:
        """The targets of one sample.

        Args:
            source: its set.
            row: in the set.
            given: modalities that are inputs, which are not predicted.
            shown: patches from which tokens of grids are drawn.
            rng: source of randomness.
        """
        targets = []
        grids = {SEG_OUT: self._seg[source]}
        if source == "captioned":
            grids[EDGES_OUT] = self._edges
        names = {SEG_OUT: "seg", EDGES_OUT: "edges"}
        for name, tokens in grids.items():
            if names[name] not in given:
                count = GRID_TARGETS[name] * (1 if source == "captioned" else 3)
                order = torch.tensor(rng.sample(range(len(shown)), min(count, len(shown))))
                positions = shown[order]
                targets.append(Target(name, tokens[row][positions].long(), positions))
        if source != "captioned":
            return targets
        texts = self._texts[row]
        for query, name in TEXTS.items():
            if query in given:
                continue
            rows = texts[name]
            if name == "caption":
                targets += [self._text(name, ids[:36]) for ids in rng.sample(rows, CAPTIONS)]
            else:
                targets.append(self._text(name, rows))
        return targets

    def begins_box(self, ids: Tensor) -> Tensor:
        """Which ids are the left edge of a box, its first token: bool, as `ids`."""
        return (ids >= self._edge[0]) & (ids <= self._edge[1])

    def _text(self, name: str, ids: list[int]) -> Target:
        return Target(name, torch.tensor([self._start, *ids, *self._ends]))


def train_decoder(
    run: Run,
    examples: Examples,
    contexts: Contexts,
    model: FM,
    blurs: Mapping[str, NumberBlur],
    steps: int,
    seed: int = 0,
    save_every: int = 50,
) -> None:
    """Write `decoder`, the moving average of the weights.

    An interrupted run resumes at its last checkpoint, with batches in another order.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    average = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(
        trained, lr=RATE, weight_decay=0.02, betas=(0.9, 0.98), fused=True
    )
    first = _resume(run, model, average, optimiser)
    rng = random.Random(seed + first)
    losses: dict[str, float] = {}
    bar = trange(
        first, steps, initial=first, total=steps, desc="decoder", unit="step", mininterval=10
    )
    for step in bar:
        for group in optimiser.param_groups:
            group["lr"] = RATE * warm_up_cosine(step, steps, WARM_UP)
        kept = PATCHES if step < WHOLE * steps else None
        with flushed_denormals(), plain_attention():
            found = _losses(model, examples, contexts, blurs, kept, rng)
            loss = torch.stack([WEIGHTS[name] * value for name, value in found.items()]).sum()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
        update_average(average, model, min(EMA, (1 + step) / (10 + step)))
        for name, value in found.items():
            losses[name] = losses.get(name, value.item()) * 0.95 + value.item() * 0.05
        bar.set_postfix({name: f"{value:.2f}" for name, value in losses.items()}, refresh=False)
        if (step + 1) % save_every == 0 or step + 1 == steps:
            _save(run, model, average, optimiser, step + 1)
    balance(average, examples, contexts)
    run.save("decoder", decoder_tensors(average))


def _losses(
    model: FM,
    examples: Examples,
    contexts: Contexts,
    blurs: Mapping[str, NumberBlur],
    kept: int | None,
    rng: random.Random,
) -> dict[str, Tensor]:
    rows, parts = [], []
    for _ in range(BATCH):
        mixed = contexts.rows and rng.random() < MIXED
        source, row = "captioned", rng.choice(contexts.rows if mixed else examples.captioned)
        if examples.labelled and rng.random() < LABELLED_SHARE:
            source, row = rng.choice(examples.labelled)
        given = contexts.draw(source, row, rng)
        tokens, places, shown = contexts.read(source, row, given, kept, rng)
        rows.append(examples.targets(source, row, given, shown, rng))
        parts.append((tokens, places))
    return target_losses(model, joined(model, parts), pack(rows), blurs)


@torch.no_grad()
def balance(model: FM, examples: Examples, contexts: Contexts) -> None:
    """Lower the logits of no line, and of the end of the boxes, as far as they are too frequent."""
    hidden: dict[str, list[Tensor]] = {EDGES_OUT: [], "det": []}
    wanted: dict[str, list[Tensor]] = {EDGES_OUT: [], "det": []}
    photo, rng = frozenset({"image"}), random.Random(0)
    for start in range(0, min(BALANCED, len(examples.captioned)), BATCH):
        rows, parts = [], []
        for row in examples.captioned[start : start + BATCH]:
            tokens, places, shown = contexts.read("captioned", row, photo, None, rng)
            targets = examples.targets("captioned", row, photo, shown, rng)
            rows.append([target for target in targets if target.name in hidden])
            parts.append((tokens, places))
        packed = pack(rows)
        for name, values in decoded(model, joined(model, parts), packed).items():
            ids = packed.parts[name].wanted
            chosen = (ids == examples.end) | examples.begins_box(ids)
            kept = chosen if name == "det" else torch.ones_like(ids, dtype=torch.bool)
            hidden[name].append(values[kept])
            wanted[name].append(ids[kept])
    for name, number in ((EDGES_OUT, NO_LINE), ("det", examples.end)):
        logits = cast(TargetEmbedding, model.target(name)).to_logits
        changed = balanced(logits.weight, torch.cat(hidden[name]), torch.cat(wanted[name]), number)
        logits.weight.copy_(changed)


def joined(model: FM, parts: list[tuple[Tensor, Tensor]]) -> EncoderOutput:
    """A batch of encoder outputs (n, dim) and their positions (n, dim), padded to the longest."""
    longest = max(len(tokens) for tokens, _ in parts)
    dim = model.config.dim
    tokens, places = torch.zeros(2, len(parts), longest, dim).unbind(0)
    mask = torch.ones(len(parts), longest, dtype=torch.bool)
    for row, (content, where) in enumerate(parts):
        tokens[row, : len(content)] = content
        places[row, : len(content)] = where
        mask[row, : len(content)] = False
    return EncoderOutput(tokens, model.decoder_proj_context(tokens) + places, mask)


def build_decoder(
    run: Run, teacher: dict[str, Tensor], words: WordTokenizer, vectors: Tensor | None, seed: int
) -> FM:
    """The model before training: its decoder initialised, its encoder frozen."""
    config = decoder_config(teacher, words)
    model = FM(FMConfig.from_fields(Fields(config, "mini")), inputs=[IMAGE])
    load_teacher(model, teacher)
    start_decoder(model, vectors, seed)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(is_decoder(name))
    return model


def saved_words(run: Run) -> WordTokenizer:
    """The text tokenizer that stage `output-tokens` wrote."""
    tokenizer = json.loads(run.path(WORDS).read_text(encoding="utf-8"))
    return WordTokenizer(tokenizer, tokenizer["model"]["vocab"]["v0=0"])


def word_vectors(language: Path, words: WordTokenizer) -> Tensor:
    """(W, dim) vectors of all ids that are words: those of a language model's own pieces."""
    model = LanguageModel.load(language)
    table = model.embeddings.word_embeddings.weight.detach()
    theirs = json.loads((language / TOKENIZER).read_text(encoding="utf-8"))["model"]["vocab"]
    ours: dict[str, int] = words.json["model"]["vocab"]
    vectors = []
    for name in sorted(ours, key=lambda name: ours[name])[: words.words]:
        ids = [theirs[name]] if name in theirs else model.tokenize(name)[1:-1]
        vectors.append(table[ids].mean(0))
    stacked = torch.stack(vectors)
    return stacked - stacked.mean(0)


def blurs_of(words: WordTokenizer) -> dict[str, NumberBlur]:
    """How the numbers of each modality are blurred."""
    info = output_info(words)
    made = {}
    for name, (axes, width, step) in BLURS.items():
        first = [words.up_to_axis(axis) for axis in range(axes)]
        ranges = [(begin, begin + words.up_to_axis(1) - words.words - 1) for begin in first]
        made[name] = NumberBlur(info[name]["vocabulary"], ranges, width, step)
    return made


def is_decoder(name: str) -> bool:
    """Whether a tensor of the model belongs to the decoder."""
    return name.startswith(("decoder", "mask_token"))


def decoder_tensors(model: FM) -> dict[str, Tensor]:
    """The decoder's tensors; of tied tables the logits' only."""
    return {
        name: tensor.detach().clone()
        for name, tensor in model.state_dict().items()
        if is_decoder(name) and not name.endswith("token_emb.weight")
    }


def _save(run: Run, model: FM, average: FM, optimiser: torch.optim.AdamW, step: int) -> None:
    path = run.path("decoder.checkpoint.pt")
    partial = path.with_suffix(".partial")
    state = {
        "step": step,
        "model": decoder_tensors(model),
        "average": decoder_tensors(average),
        "optimiser": optimiser.state_dict(),
    }
    torch.save(state, partial)
    os.replace(partial, path)


def _resume(run: Run, model: FM, average: FM, optimiser: torch.optim.AdamW) -> int:
    path = run.path("decoder.checkpoint.pt")
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"], strict=False)
    average.load_state_dict(state["average"], strict=False)
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])

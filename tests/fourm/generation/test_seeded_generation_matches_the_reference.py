"""One sample on the CPU, with a seed: the reference's sampling written out step by step.

4M-21 reference, sec. 4.3 and 4.4. The model's logits are used as they are; which positions are
decoded when, and every draw, are computed here.
"""

import math
import random

import pytest
import torch

from fourm.generation import ModalityState, Sampler, TargetSchedule, build_schedule, full_text
from fourm.transformer import sequence_logits
from fourm.transformer.embeddings import ModalityInput
from tests.fourm.small_generator import (
    CAPTION,
    GLOBAL,
    IDS,
    LABELS,
    TOKENS,
    WORDS,
    random_images,
    small_generator,
)

PHOTO = "rgb@224"
START, END = IDS.sentinel(1), IDS.sentinel(2)


@pytest.fixture(scope="module")
def sampler():
    return Sampler(small_generator(), IDS)


def filtered(logits, top_k, top_p):
    """Rows of logits (n, V); unlikely tokens are -inf."""
    logits = logits.clone()
    count = logits.shape[1]
    if top_k:
        kept = top_k if isinstance(top_k, int) else int(top_k * count)
        logits[logits < logits.topk(min(kept, count)).values[:, -1:]] = -math.inf
    if top_p:
        ordered, order = logits.sort(dim=1, descending=True)
        for row, sums in enumerate(ordered.softmax(-1).cumsum(-1)):
            passed = (sums > top_p).nonzero().flatten().tolist()
            for position in passed[1:]:  # the first one past p stays
                logits[row, order[row, position]] = -math.inf
    return logits


def drawn(logits, temperature, top_k, top_p):
    chances = (filtered(logits, top_k, top_p) / temperature).softmax(-1)
    tokens = torch.multinomial(chances, 1)
    return tokens[:, 0], chances.gather(1, tokens)[:, 0]


class Reference:
    """A state of tokens and masks, changed step by step."""

    def __init__(self, model, sample, top_k, top_p):
        self.model, self.filter = model, (top_k, top_p)
        self.sample = {
            name: ModalityState(*(value.clone() for value in part)) for name, part in sample
        }

    def encoded(self, dropped=()):
        shown = {}
        for name, (content, masked, _) in self.sample.items():
            if name in dropped:
                kind = self.model.config.modalities[name].kind
                masked = torch.ones_like(masked)
                if kind == "seq":
                    content = torch.zeros_like(content)
                    content[:, 0], masked[:, 0] = START, False
            shown[name] = ModalityInput(content, masked)
        return self.model.encode(shown)

    def logits(self, step, ask):
        given = ask(self.encoded())
        if step.guidance == 1 or not step.conditions:
            return given
        empty = ask(self.encoded(step.conditions))
        return empty + (given - empty) * step.guidance

    def image_step(self, step):
        content, input_mask, target_mask = self.sample[step.target]
        positions = (~target_mask[0]).nonzero().flatten()
        if step.scheme == "roar":
            order = torch.rand(content.shape[1]).masked_fill(target_mask[0], 2).argsort()
            positions = order[: min(step.tokens, len(positions))]
        elif step.tokens == 0:
            return
        logits = self.logits(
            step, lambda encoded: self.model.decode_logits(encoded, step.target, positions[None])[0]
        )
        tokens, sure = drawn(logits, step.temperature, *self.filter)
        if step.scheme == "maskgit":
            best = sure.topk(step.tokens).indices
            positions, tokens = positions[best], tokens[best]
        content[0, positions], input_mask[0, positions], target_mask[0, positions] = (
            tokens,
            False,
            True,
        )

    def text_step(self, step):
        name = step.target
        written = [START]
        encoded = [self.encoded()]
        if step.guidance != 1 and step.conditions:
            encoded.append(self.encoded(step.conditions))
        room = int((~self.sample[name].target_mask).sum())
        for _ in range(min(room, self.model.config.modalities[name].max_tokens)):
            ids = torch.tensor([written])
            logits = [sequence_logits(self.model, one, name, ids)[0, -1:] for one in encoded]
            if len(logits) > 1:
                logits = [logits[1] + (logits[0] - logits[1]) * step.guidance]
            written.append(int(drawn(logits[0], step.temperature, *self.filter)[0]))
            if written[-1] == END:
                break
        spans, last = {}, None
        for token in written:
            if token in IDS.sentinels:
                last = token
            else:
                spans.setdefault(last, []).append(token)
        self.sample[name] = full_text([spans.get(START, [])], end=False, ids=IDS)


def cases():
    choices = random.Random(0)
    for number in range(120):
        targets = []
        for name in choices.sample([GLOBAL, LABELS, CAPTION], choices.randint(1, 3)):
            warm, scale = choices.choice([0.5, 1.0, 2.0]), choices.choice([1.0, 1.0, 2.0, 3.5])
            if name == CAPTION:
                targets.append(
                    TargetSchedule(name, scheme="autoregressive", temperature=warm, guidance=scale)
                )
                continue
            scheme, split = choices.choice(
                [("roar", "linear"), ("maskgit", "linear"), ("maskgit", "cosine")]
            )
            temperature_schedule = choices.choice(["constant", "linear", "onex:0.5:0.5"])
            count = TOKENS[name]
            steps = choices.randint(1, count)
            targets.append(
                TargetSchedule(name, count, scheme, steps, split, warm, temperature_schedule, scale)
            )
        top_k, top_p = choices.choice([0, 3, 5, 0.5]), choices.choice([0, 0.5, 0.8, 1.0])
        grow = choices.random() < 0.5
        yield pytest.param(targets, grow, top_k, top_p, choices.randrange(1000), id=str(number))


@pytest.mark.parametrize(("targets", "grow", "top_k", "top_p", "seed"), list(cases()))
@torch.no_grad()
def test_tokens(sampler, targets, grow, top_k, top_p, seed):
    sample = {PHOTO: sampler.given(PHOTO, random_images(1))}
    if CAPTION not in [target.name for target in targets]:
        sample[CAPTION] = full_text([[WORDS - 3, WORDS - 5, WORDS - 4]], ids=IDS)
    conditions = list(sample)
    # All targets wait in the sample: an empty text shows the others its first sentinel.
    for target in targets:
        sample[target.name] = sampler.empty(target.name, length=12)
    schedule = build_schedule(targets, conditions, grow)
    reference = Reference(sampler.model, sample.items(), top_k, top_p)
    for number, step in enumerate(schedule):
        torch.manual_seed(seed + number)
        if step.scheme == "autoregressive":
            reference.text_step(step)
        else:
            reference.image_step(step)
    made = sampler.generate(sample, schedule, seed=seed, top_k=top_k, top_p=top_p)
    for target in targets:
        want = reference.sample[target.name].content
        assert made[target.name].content.tolist() == want.tolist()

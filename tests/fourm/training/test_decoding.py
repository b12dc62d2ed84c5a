"""Targets that are learnt side by side are those that generation predicts one by one."""

import pytest
import torch

from fourm.training.decoding import NumberBlur, Target, pack, target_losses
from fourm.transformer import sequence_logits
from fourm.transformer.embeddings import ModalityInput
from tests.fourm.small_generator import CAPTION, GLOBAL, LABELS, random_images, small_generator


@torch.no_grad()
def test_losses_are_those_of_each_target_alone():
    model = small_generator()
    encoded = model.encode({"rgb@224": ModalityInput(random_images(2))})
    texts = [torch.tensor([5, 20, 21, 22, 3, 6]), torch.tensor([5, 30, 3, 6])]
    places = [torch.tensor([8, 0, 3]), torch.tensor([1, 2, 4])]
    tokens = [torch.tensor([7, 1, 2]), torch.tensor([0, 19, 4])]
    samples = [
        [
            Target(CAPTION, text),
            Target(LABELS, ids, where),
            Target(GLOBAL, ids[:2] % 16, where[:2] % 4),
        ]
        for text, ids, where in zip(texts, tokens, places, strict=True)
    ]
    samples[1].insert(0, Target(CAPTION, texts[0]))
    losses = target_losses(model, encoded, pack(samples), {})

    def each(row):
        return type(encoded)(encoded.tokens[row : row + 1], encoded.context[row : row + 1], None)

    wanted = []
    for row, text in ((0, texts[0]), (1, texts[0]), (1, texts[1])):
        logits = sequence_logits(model, each(row), CAPTION, text[None, :-1])[0]
        wanted.append(torch.nn.functional.cross_entropy(logits, text[1:], reduction="none"))
    torch.testing.assert_close(losses[CAPTION], torch.cat(wanted).mean())
    wanted = []
    for row in (0, 1):
        logits = model.decode_logits(each(row), LABELS, places[row][None])[0]
        wanted.append(torch.nn.functional.cross_entropy(logits, tokens[row]))
    torch.testing.assert_close(losses[LABELS], torch.stack(wanted).mean())


def test_numbers_near_the_right_one_are_nearly_right():
    blur = NumberBlur(30, [(10, 19), (20, 29)], width=0.7, step=2)

    def loss(believed, wanted):
        logits = torch.full((1, 30), -20.0)
        logits[0, believed] = 20.0
        return float(blur.loss(logits, torch.tensor([wanted])))

    assert loss(14, 14) < loss(16, 14) < loss(18, 14)
    assert loss(20, 18) == pytest.approx(loss(29, 18))  # the numbers of another axis
    assert loss(4, 5) == pytest.approx(loss(9, 5))  # words have no neighbours
    assert loss(5, 5) == pytest.approx(0, abs=1e-4)

"""`encoder_sep_mask`: each input is encoded as if it were the only one."""

import pytest
import torch

from fourm.transformer.embeddings import ModalityInput
from tests.fourm.small_generator import CAPTION, LABELS, SWITCHES, random_images, small_generator


@pytest.fixture
def model():
    return small_generator(**SWITCHES["one register token"], encoder_sep_mask=True)


def inputs():
    padding = torch.zeros(2, 5, dtype=torch.bool)
    padding[1, 3:] = True
    return {
        "rgb@224": ModalityInput(random_images(2)),
        CAPTION: ModalityInput(torch.arange(10).view(2, 5), padding),
        LABELS: ModalityInput(torch.arange(18).view(2, 9)),
    }


@torch.no_grad()
def test_outputs_of_the_inputs_lie_side_by_side(model):
    together = model.encode(inputs())
    alone = [model.encode({name: one}) for name, one in inputs().items()]
    assert torch.equal(together.tokens, torch.cat([one.tokens for one in alone], dim=1))
    assert torch.equal(together.context, torch.cat([one.context for one in alone], dim=1))
    assert together.mask.sum(dim=1).tolist() == [0, 2]


@torch.no_grad()
def test_a_sample_does_not_depend_on_its_batch(model):
    whole = model.decode_logits(model.encode(inputs()), LABELS)
    second = {
        name: ModalityInput(one.content[1:], None if one.masked is None else one.masked[1:])
        for name, one in inputs().items()
    }
    second[CAPTION] = ModalityInput(second[CAPTION].content[:, :3])
    alone = model.decode_logits(model.encode(second), LABELS)
    torch.testing.assert_close(whole[1:], alone, atol=2e-5, rtol=0)


@torch.no_grad()
def test_other_models_encode_all_inputs_together():
    model = small_generator(**SWITCHES["one register token"])
    assert model.encode(inputs()).tokens.shape[1] == 1 + 9 + 5 + 9

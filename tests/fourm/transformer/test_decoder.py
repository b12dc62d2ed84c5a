"""One pass for several targets, and cached sequences, equal separate passes."""

import pytest
import torch

from fourm.errors import BadInput, UnknownModality
from fourm.generation import Sampler, predict
from fourm.transformer import SequenceDecoder, sequence_logits
from fourm.transformer.embeddings import ModalityInput
from tests.fourm.small_generator import (
    CAPTION,
    GLOBAL,
    LABELS,
    SWITCHES,
    WORDS,
    random_images,
    small_generator,
)


@pytest.fixture(params=SWITCHES)
def model(request):
    return small_generator(**SWITCHES[request.param])


def mixed_batch():
    """An image and a text, a text alone, and a sample without input."""
    torch.manual_seed(3)
    masked = torch.zeros(3, 9, dtype=torch.bool)
    masked[1:] = True
    padding = torch.zeros(3, 6, dtype=torch.bool)
    padding[0, 4:] = padding[2] = True
    return {
        "rgb@224": ModalityInput(random_images(3), masked),
        CAPTION: ModalityInput(torch.randint(WORDS, (3, 6)), padding),
    }


@torch.no_grad()
def test_all_targets_in_one_pass(model):
    encoded = model.encode(mixed_batch())
    targets = [LABELS, GLOBAL]
    together = model.decode_all_logits(encoded, targets)
    assert list(together) == targets
    for name, logits in together.items():
        alone = model.decode_logits(encoded, name)
        torch.testing.assert_close(logits, alone, atol=2e-5, rtol=0)
    assert model.decode_all_logits(encoded, []) == {}
    only = model.decode_all_logits(encoded, [GLOBAL])[GLOBAL]
    assert torch.equal(only, model.decode_logits(encoded, GLOBAL))
    with pytest.raises(UnknownModality, match="one pass"):
        model.decode_all_logits(encoded, [GLOBAL, CAPTION])


def test_the_sampler_predicts_all_targets_at_once(model):
    sampler = Sampler(model)
    inputs = mixed_batch()
    sample = {name: sampler.given(name, *value) for name, value in inputs.items()}
    settings = {"temperature": 2.0, "top_p": 0.9, "seed": 4}
    together = sampler.predict(sample, [GLOBAL, LABELS], "sample", **settings)
    for name, predicted in together.items():
        with torch.no_grad():
            alone = predict(model, inputs, name, "sample", **settings)
        assert torch.equal(predicted.tokens, alone.tokens)


@torch.no_grad()
def test_some_positions_of_a_target(model):
    """Logits depend on the positions decoded together, and not on padding."""
    encoded = model.encode(mixed_batch())
    positions = torch.tensor([[8, 0, 3], [1, 2, 4], [5, 6, 7]])
    logits = model.decode_logits(encoded, LABELS, positions)
    longer = torch.cat([positions, torch.tensor([[1, 2], [0, 3], [0, 1]])], dim=1)
    padding = torch.tensor([[False] * 3 + [True] * 2] * 3)
    filled = model.decode_logits(encoded, LABELS, longer, padding)
    torch.testing.assert_close(filled[:, :3], logits, atol=2e-5, rtol=0)
    everything = torch.arange(9).expand(3, -1)
    whole = model.decode_logits(encoded, LABELS, everything)
    torch.testing.assert_close(whole, model.decode_logits(encoded, LABELS), atol=2e-5, rtol=0)
    assert (whole.gather(1, positions[..., None].expand_as(logits)) - logits).abs().max() > 1e-3


@torch.no_grad()
def test_cached_decoding_equals_one_causal_pass(model):
    encoded = model.encode(mixed_batch())
    ids = torch.randint(WORDS, (3, 15), generator=torch.Generator().manual_seed(1))
    whole = sequence_logits(model, encoded, CAPTION, ids)
    decoder = SequenceDecoder(model, encoded, CAPTION, ids.shape[1])
    for position in range(ids.shape[1]):  # 12 ranks, then the first row again
        logits = decoder.next_logits(ids[:, position])
        torch.testing.assert_close(logits, whole[:, position], atol=2e-5, rtol=0)
    with pytest.raises(BadInput, match="15"):
        decoder.next_logits(ids[:, 0])


@torch.no_grad()
def test_attention_is_causal(model):
    encoded = model.encode(mixed_batch())
    ids = torch.randint(WORDS, (3, 8), generator=torch.Generator().manual_seed(1))
    short = sequence_logits(model, encoded, CAPTION, ids[:, :5])
    whole = sequence_logits(model, encoded, CAPTION, ids)
    torch.testing.assert_close(whole[:, :5], short, atol=2e-5, rtol=0)
    other = ids.clone()
    other[:, 0] = (other[:, 0] + 1) % WORDS
    changed = sequence_logits(model, encoded, CAPTION, other)
    assert ((changed - whole).abs().amax(-1) > 1e-3).all()


@torch.no_grad()
def test_a_sequence_does_not_depend_on_its_batch(model):
    inputs = mixed_batch()
    ids = torch.randint(WORDS, (3, 5), generator=torch.Generator().manual_seed(2))
    together = sequence_logits(model, model.encode(inputs), CAPTION, ids)
    for row in range(3):
        alone = {
            name: ModalityInput(*(v[row, None] for v in value)) for name, value in inputs.items()
        }
        logits = sequence_logits(model, model.encode(alone), CAPTION, ids[row, None])
        torch.testing.assert_close(together[row], logits[0], atol=2e-5, rtol=1e-4)


def test_only_sequences_are_decoded_token_by_token(model):
    with torch.no_grad():
        encoded = model.encode(mixed_batch())
    with pytest.raises(UnknownModality, match="not a sequence"):
        SequenceDecoder(model, encoded, GLOBAL, 4)
    with pytest.raises(UnknownModality, match="tok_clip@224"):
        sequence_logits(model, encoded, "tok_clip@224", torch.zeros(3, 1).long())

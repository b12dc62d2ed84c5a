import pytest
import torch

from fourm.errors import BadInput, UnknownModality
from fourm.generation import predict
from fourm.transformer.embeddings import ModalityInput
from fourm.transformer.selection import take, visible_first
from tests.fourm.small_generator import SWITCHES, random_fm

TARGET = "tok_dinov2_global"
SWITCHES = {**SWITCHES, "GELU with biases": {"act_layer": "GELU", "norm_bias": True}}


def small_model(**switches):
    config = {
        "domains_in": ["rgb@224", "caption", "tok_semseg@224", "lm_caption"],
        "domains_out": [TARGET, "caption"],
        "dim": 32,
        "encoder_depth": 2,
        "decoder_depth": 2,
        "num_heads": 4,
        "modality_info": {
            "rgb@224": {"patch_size": 8, "max_tokens": 9, "positions": "learned"},
            "caption": {"vocabulary": 50},
            "tok_semseg@224": {"vocabulary": 20, "max_tokens": 9},
            "lm_caption": {"kind": "seq_emb", "width": 12, "max_tokens": 20},
            TARGET: {"vocabulary": 16, "max_tokens": 4},
        },
        **switches,
    }
    return random_fm(config)


@pytest.fixture(params=SWITCHES)
def model(request):
    return small_model(**SWITCHES[request.param])


def samples():
    """Samples of different modalities and lengths; the last has no input."""
    torch.manual_seed(1)
    text = {"caption": torch.randint(50, (7,))}
    features = {"lm_caption": torch.randn(5, 12)}
    image = {"rgb@224": torch.randn(3, 24, 24)}
    labels = {"tok_semseg@224": torch.randint(20, (9,))}
    return [text, image, labels | features, image | text | labels, features, {}]


def batch_of(samples):
    """All samples in one batch; what a sample does not have is masked and random."""
    longest = {"caption": 10, "lm_caption": 6, "rgb@224": 9, "tok_semseg@224": 9}
    shapes = {
        "caption": (10,),
        "lm_caption": (6, 12),
        "rgb@224": (3, 24, 24),
        "tok_semseg@224": (9,),
    }
    inputs = {}
    for name, positions in longest.items():
        ids = name in ("caption", "tok_semseg@224")
        shape = (len(samples), *shapes[name])
        content = torch.randint(20, shape) if ids else 9 * torch.randn(shape)
        masked = torch.ones(len(samples), positions, dtype=torch.bool)
        for row, sample in enumerate(samples):
            if name in sample:
                value = sample[name]
                if name == "rgb@224":
                    content[row], masked[row] = value, False
                else:
                    content[row, : len(value)], masked[row, : len(value)] = value, False
        inputs[name] = ModalityInput(content, masked)
    return inputs


def alone(sample):
    if not sample:
        return {"caption": ModalityInput(torch.zeros(1, 3).long(), torch.ones(1, 3).bool())}
    return {name: ModalityInput(value[None]) for name, value in sample.items()}


@torch.no_grad()
def test_mixed_modalities_and_lengths(model):
    mixed = samples()
    together = predict(model, batch_of(mixed), TARGET)
    encoded = model.encode(batch_of(mixed))
    for row, sample in enumerate(mixed):
        single = predict(model, alone(sample), TARGET)
        torch.testing.assert_close(together.logits[row], single.logits[0], atol=2e-5, rtol=1e-4)
        tokens = model.encode(alone(sample)).tokens[0]
        # Modalities come in another order in the batch, but what is there is the same set.
        kept = (
            encoded.tokens[row] if encoded.mask is None else encoded.tokens[row][~encoded.mask[row]]
        )
        assert kept.shape == tokens.shape
        torch.testing.assert_close(kept.sum(0), tokens.sum(0), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_samples_with_the_same_mask_need_no_mask(model):
    inputs = {
        "caption": ModalityInput(
            torch.randint(50, (3, 6)), torch.tensor([[False, True, False, False, True, True]] * 3)
        )
    }
    encoded = model.encode(inputs)
    assert encoded.mask is None
    assert encoded.tokens.shape[1] == 3 + model.config.num_register_tokens


@torch.no_grad()
def test_a_sample_without_input_does_not_depend_on_its_batch(model):
    nothing = predict(model, alone({}), TARGET).logits
    assert torch.isfinite(nothing).all()
    mixed = batch_of([{}, *samples()])
    torch.testing.assert_close(predict(model, mixed, TARGET).logits[:1], nothing)
    only = batch_of([{}, {}])
    torch.testing.assert_close(predict(model, only, TARGET).logits, nothing.expand(2, -1, -1))


def test_gradients_of_all_used_weights_are_finite(model):
    logits = model.decode_logits(model.encode(batch_of(samples())), TARGET)
    logits.square().mean().backward()
    unused = ("decoder_embeddings.caption", f"decoder_embeddings.{TARGET}.token_emb")
    for name, value in model.named_parameters():
        if name.startswith(unused):
            assert value.grad is None
        else:
            assert value.grad is not None, name
            assert torch.isfinite(value.grad).all(), name


@torch.no_grad()
def test_masked_content_is_ignored(model):
    mixed = samples()
    one = batch_of(mixed)
    other = batch_of(mixed)
    assert not torch.equal(one["caption"].content, other["caption"].content)
    first, second = predict(model, one, TARGET), predict(model, other, TARGET)
    torch.testing.assert_close(first.logits, second.logits)


@torch.no_grad()
def test_keeping_fewer_tokens_than_are_visible():
    model = small_model(**SWITCHES["GELU with biases"])
    ids = torch.randint(50, (2, 8))
    masked = torch.zeros(2, 8, dtype=torch.bool)
    masked[0, 1] = masked[1, :5] = True
    encoded = model.encode({"caption": ModalityInput(ids, masked)}, keep=4)
    assert encoded.tokens.shape == (2, 4, 32)
    assert encoded.mask.tolist() == [[False] * 4, [False, False, False, True]]


def test_order_of_visible_tokens():
    masked = torch.tensor([[True, False, False, True], [False, True, True, True]])
    order, kept = visible_first(masked)
    values = torch.arange(8).view(2, 4)
    assert take(values, order).masked_fill(kept, -1).tolist() == [[1, 2], [4, -1]]
    order, kept = visible_first(masked[:1])
    assert kept is None
    assert take(values[:1], order).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rgb@224", torch.zeros(1, 3, 32, 32)),
        ("rgb@224", torch.zeros(1, 3, 24, 25)),
        ("rgb@224", torch.zeros(1, 4, 24, 24)),
        ("rgb@224", torch.zeros(3, 24, 24)),
        ("caption", torch.tensor([[50]])),
        ("caption", torch.tensor([[-1]])),
        ("caption", torch.zeros(1, 3)),
        ("caption", torch.zeros(1, 513).long()),
        ("tok_semseg@224", torch.zeros(1, 8).long()),
        ("lm_caption", torch.zeros(1, 4, 13)),
    ],
)
def test_invalid_content(name, content):
    model = small_model(**SWITCHES["GELU with biases"])
    with pytest.raises(BadInput, match=name):
        model.encode({name: ModalityInput(content)})


def test_unknown_modalities():
    model = small_model(**SWITCHES["GELU with biases"])
    with pytest.raises(BadInput, match="at least one input modality"):
        model.encode({})
    with pytest.raises(UnknownModality, match="tok_rgb@224"):
        model.encode({"tok_rgb@224": ModalityInput(torch.zeros(1, 196).long())})
    encoded = model.encode({"caption": ModalityInput(torch.zeros(1, 3).long())})
    with pytest.raises(UnknownModality, match="tok_clip@224"):
        model.decode_logits(encoded, "tok_clip@224")
    with pytest.raises(UnknownModality, match="one pass"):
        model.decode_logits(encoded, "caption")
    two = ModalityInput(torch.zeros(2, 3).long())
    with pytest.raises(BadInput, match="batch"):
        model.encode({"caption": two, "rgb@224": ModalityInput(torch.zeros(1, 3, 24, 24))})


@torch.no_grad()
def test_each_sample_has_a_random_stream_of_its_own():
    model = small_model(**SWITCHES["GELU with biases"])
    mixed = samples()[:4]
    settings = {"temperature": 3.0, "top_p": 0.95, "seed": 7}
    together = predict(model, batch_of(mixed), TARGET, "sample", **settings)
    for row, sample in enumerate(mixed):
        single = predict(model, alone(sample), TARGET, "sample", **settings)
        assert torch.equal(together.tokens[row], single.tokens[0])
    seeds = [
        predict(model, alone(mixed[0]), TARGET, "sample", **{**settings, "seed": seed}).tokens
        for seed in range(8)
    ]
    assert len({tuple(tokens.flatten().tolist()) for tokens in seeds}) > 1


@torch.no_grad()
def test_soft_probabilities_and_their_temperature():
    model = small_model(**SWITCHES["GELU with biases"])
    inputs = alone(samples()[0])
    sharp = predict(model, inputs, TARGET, "soft", temperature=1e-3)
    assert sharp.tokens is None
    assert torch.equal(sharp.probabilities.argmax(-1), predict(model, inputs, TARGET).tokens)
    torch.testing.assert_close(sharp.probabilities.sum(-1), torch.ones(1, 4))
    for wrong in ({"decode": "best"}, {"decode": "soft", "temperature": 0.0}):
        with pytest.raises(BadInput):
            predict(model, inputs, TARGET, **wrong)
    for wrong in ({"top_p": 1.5}, {"top_k": -1}, {"temperature": -1.0}):
        with pytest.raises(BadInput):
            predict(model, inputs, TARGET, "sample", **wrong)

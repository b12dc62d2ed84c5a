import pytest
import torch
import torch.nn.functional as F

from fourm.tokenizers.loading import build_tokenizer

# No blocks at all: the decoder is affine, so an expectation of codes is one of embeddings.
AFFINE = {
    "n_channels": 6,
    "enc_type": "BottleneckMLP/B_0-Wi_8",
    "dec_type": "BottleneckMLP/B_0-Wi_8",
    "quant_type": "memcodes",
    "codebook_size": 5,
    "num_codebooks": 2,
    "latent_dim": 8,
}
GRID = {
    "n_channels": 1,
    "image_size": 16,
    "patch_size": 8,
    "enc_type": "vit_nano_enc",
    "dec_type": "vit_nano_dec",
    "codebook_size": 5,
    "latent_dim": 8,
}


@pytest.fixture
def tokenizer():
    torch.manual_seed(0)
    return build_tokenizer(AFFINE)


def test_the_mean_over_all_codes(tokenizer):
    probabilities = torch.rand(3, 2, 5).softmax(-1)
    mean = torch.zeros(3, 6)
    for first in range(5):
        for second in range(5):
            weight = probabilities[:, 0, first] * probabilities[:, 1, second]
            code = torch.tensor([[first, second]])
            mean += weight[:, None] * tokenizer.decode_tokens(code)
    torch.testing.assert_close(tokenizer.decode_soft(probabilities), mean)


@pytest.mark.parametrize(
    ("config", "shape"), [(AFFINE, (4, 2)), (GRID, (2, 2, 2))], ids=["vector", "grid"]
)
def test_one_hot_probabilities_decode_as_tokens(config, shape):
    torch.manual_seed(0)
    tokenizer = build_tokenizer(config)
    tokens = torch.randint(5, shape)
    certain = F.one_hot(tokens, 5).float()
    torch.testing.assert_close(tokenizer.decode_soft(certain), tokenizer.decode_tokens(tokens))


def test_gradients_of_probabilities_codes_and_decoder(tokenizer):
    logits = torch.zeros(1, 2, 5, requires_grad=True)
    tokenizer.decode_soft(logits.softmax(-1)).square().sum().backward()
    assert logits.grad.abs().sum() > 0
    assert tokenizer.quantize.codes.grad.abs().sum() > 0
    assert tokenizer.decoder.linear_out.weight.grad.abs().sum() > 0


def test_values_follow_the_weights(tokenizer):
    tokens = torch.tensor([[1, 2]])
    with torch.no_grad():
        before = tokenizer.decode_tokens(tokens)
        assert torch.equal(tokenizer.decode_tokens(tokens), before)
        tokenizer.quantize.codes.mul_(3)
        after = tokenizer.decode_tokens(tokens)
        assert not torch.allclose(before, after)
        tokenizer.quantize.to_v.weight.zero_()
        assert not torch.allclose(after, tokenizer.decode_tokens(tokens))
        # Another dtype, then back.
        assert tokenizer.double().decode_tokens(tokens).dtype == torch.float64
        assert tokenizer.float().decode_tokens(tokens).dtype == torch.float32


def test_unit_codes_are_encoded_to_themselves():
    tokenizer = build_tokenizer(AFFINE).eval()
    with torch.no_grad():
        tokenizer.quantize.to_k.weight.copy_(torch.eye(4).expand(2, 4, 4))
        tokenizer.quantize.codes.copy_(F.normalize(tokenizer.quantize.codes, dim=-1))
        found = tokenizer.quantize.encode(tokenizer.quantize.codes[:, 3].reshape(1, 8))
    assert found.tolist() == [[3, 3]]

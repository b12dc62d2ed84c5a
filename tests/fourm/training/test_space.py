"""Whitened spaces and their tokenizers."""

import pytest
import torch
import torch.nn.functional as F

from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.vqvae import VQVAE
from fourm.training.space import WhitenedSpace


@pytest.fixture(scope="module")
def fitted():
    """Embeddings of uneven spread and a space of mini's size fitted to them."""
    cls = torch.randn(600, 384, generator=torch.Generator().manual_seed(0))
    cls = cls * torch.linspace(4, 0.1, 384) + 3
    return cls, WhitenedSpace.fit(cls, codebooks=16, codes=512, rounds=3)


def test_half_whitening_leaves_the_square_root_of_each_spread(fitted):
    cls, space = fitted
    white = (cls - space.mean) @ space.matrix.T
    raw = torch.linalg.eigvalsh(torch.cov((cls - space.mean).T)).flip(0)[:383]
    assert torch.allclose(white.var(0), raw.sqrt(), rtol=1e-2)


def test_the_tokenizer_takes_the_nearest_entry_and_decodes_as_training_does(fitted):
    cls, space = fitted
    config, state = space.tokenizer()
    tokenizer = VQVAE(TokenizerConfig.from_mapping(config))
    tokenizer.load_state_dict(state)
    chunks = (cls - space.mean) @ space.matrix.T @ space.rotation / space.scale
    nearest = torch.cdist(chunks.view(-1, 16, 24), space.codes).argmin(-1)
    with torch.inference_mode():
        tokens = tokenizer.encode(cls)
        assert (tokens == nearest).float().mean() > 0.999
        decoded = space.transform(tokenizer.decode_tokens(tokens))
    fast = space.decode(F.one_hot(tokens, 512).float())
    assert torch.allclose(decoded, fast, atol=1e-4)


def test_a_space_comes_back_from_its_tensors(fitted):
    cls, space = fitted
    again = WhitenedSpace.from_tensors(space.tensors())
    assert torch.equal(again.transform(cls), space.transform(cls))

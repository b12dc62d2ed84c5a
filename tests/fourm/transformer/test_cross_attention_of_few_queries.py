"""With few queries, cross-attention projects them instead of the context: the same result."""

import pytest
import torch

from fourm.tokens import OFFICIAL
from fourm.transformer import FMConfig
from fourm.transformer.attention import CrossAttention, visible_keys

FEW, MANY, KEYS = 3, 200, 60


def attention(**switches):
    torch.manual_seed(0)
    config = FMConfig(("rgb@224",), ("caption",), OFFICIAL, 32, num_heads=4, **switches)
    module = CrossAttention(config)
    for value in module.parameters():
        torch.nn.init.normal_(value, std=0.3)
    return module.requires_grad_(False)


def both(module, x, context, masked=None):
    allowed, fully_masked = visible_keys(masked)
    through_keys = module.attend(x, module.keys_values(context), allowed, fully_masked)
    return module(x, context, allowed, fully_masked), through_keys


def given(queries=FEW, keys=KEYS):
    return torch.randn(2, queries, 32), torch.randn(2, keys, 32)


@pytest.mark.parametrize("qkv_bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_result_is_that_of_keys_and_values(qkv_bias, dtype, monkeypatch):
    module = attention(qkv_bias=qkv_bias).to(dtype)
    x, context = (value.to(dtype) for value in given())
    _, expected = both(module, x, context)
    monkeypatch.setattr(module, "keys_values", None)  # it is not even called
    torch.testing.assert_close(module(x, context, None, None), expected, atol=1e-5, rtol=0)


def test_masked_keys_are_ignored():
    module, (x, context) = attention(), given()
    masked = torch.arange(KEYS).expand(2, -1) >= torch.tensor([[20], [0]])
    few, expected = both(module, x, context, masked)
    torch.testing.assert_close(few, expected, atol=1e-5, rtol=0)
    alone, _ = both(module, x[:1], context[:1, :20])
    torch.testing.assert_close(few[:1], alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(few[1], module.proj.bias.expand(FEW, -1))  # a fully masked sample


@pytest.mark.parametrize(
    ("switches", "queries", "keys"),
    [({"qk_norm": True}, FEW, KEYS), ({}, MANY, KEYS), ({}, FEW, 0)],
    ids=["normalised keys", "many queries", "no context"],
)
def test_keys_and_values_are_computed_otherwise(switches, queries, keys, monkeypatch):
    module = attention(**switches)
    monkeypatch.setattr(module, "_attend_to_context", None)
    few, expected = both(module, *given(queries, keys))
    assert torch.equal(few, expected)

import pytest
import torch
from torch import nn

import fourm.transformer.linear as linear
from fourm.errors import BadInput
from fourm.transformer.linear import Linear, fastest_product

PUBLIC = nn.functional.linear


@pytest.fixture(autouse=True)
def _measured_anew():
    fastest_product.cache_clear()
    yield
    fastest_product.cache_clear()


@pytest.fixture(params=["onednn", "torch"])
def library(request, monkeypatch):
    """Either product, whichever is faster on this machine."""
    monkeypatch.setenv("FOURM_LINEAR", request.param)


def layer(bias=True):
    torch.manual_seed(0)
    return Linear(24, 40, bias=bias), torch.randn(2, 5, 24)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
@torch.no_grad()
def test_results(library, bias, dtype):
    module, x = layer(bias)
    module, x = module.to(dtype), x.to(dtype)
    expected = nn.functional.linear(x, module.weight, module.bias)
    torch.testing.assert_close(module(x), expected)
    torch.testing.assert_close(module(x[:, :0]), expected[:, :0])
    close = {"atol": 0.02, "rtol": 0.02} if dtype == torch.bfloat16 else {}
    torch.testing.assert_close(module(x.mT.contiguous().mT), expected, **close)
    torch.testing.assert_close(module(x[0, 0]), expected[0, 0], **close)


@torch.no_grad()
def test_weights_of_any_alignment(library):
    """Weights of a mapped file need not be aligned to 64 bytes."""
    module, x = layer()
    room = torch.zeros(module.weight.numel() + 1)
    shifted = room[1:].view_as(module.weight).copy_(module.weight)
    expected = module(x)
    module.weight = nn.Parameter(shifted)
    torch.testing.assert_close(module(x), expected)


def test_gradients(library):
    module, x = layer()
    x.requires_grad_(True)
    module(x).square().sum().backward()
    grads = [value.grad.clone() for value in (x, module.weight, module.bias)]
    for value in (x, module.weight, module.bias):
        value.grad = None
    nn.functional.linear(x, module.weight, module.bias).square().sum().backward()
    for grad, value in zip(grads, (x, module.weight, module.bias), strict=True):
        torch.testing.assert_close(grad, value.grad)


def test_keys_are_those_of_nn_linear():
    assert list(layer()[0].state_dict()) == ["weight", "bias"]


@pytest.mark.skipif(not linear._works(linear._onednn), reason="torch was built without oneDNN")
@pytest.mark.parametrize(
    ("choice", "speedup", "private"),
    [("auto", 2.0, True), ("auto", 0.5, False), ("onednn", 0.5, True), ("torch", 2.0, False)],
)
def test_the_faster_product_is_used_unless_the_environment_chooses(
    choice, speedup, private, monkeypatch
):
    monkeypatch.setenv("FOURM_LINEAR", choice)
    monkeypatch.setattr(linear, "_speedup", lambda: speedup)
    assert fastest_product() is (linear._onednn if private else PUBLIC)


def test_products_are_measured_once(monkeypatch):
    calls = []
    monkeypatch.delenv("FOURM_LINEAR", raising=False)
    monkeypatch.setattr(linear, "_works", lambda product: True)
    monkeypatch.setattr(linear, "_speedup", lambda: calls.append(1) or 2.0)
    assert fastest_product() is fastest_product()
    assert calls == [1]


def refuses(*arguments):
    raise RuntimeError("not built with oneDNN")


def is_absent(*arguments):
    return torch.ops.mkldnn.no_such_operator(*arguments)


def is_wrong(x, weight, bias):
    return PUBLIC(x, weight)


@pytest.mark.parametrize("operator", [refuses, is_absent, is_wrong])
@pytest.mark.parametrize("choice", ["auto", "onednn"])
@torch.no_grad()
def test_without_the_private_operator_the_public_one_is_used(choice, operator, monkeypatch):
    monkeypatch.setenv("FOURM_LINEAR", choice)
    monkeypatch.setattr(linear, "_onednn", operator)
    assert fastest_product() is PUBLIC
    module, x = layer()
    torch.testing.assert_close(module(x), PUBLIC(x, module.weight, module.bias))


def test_measuring_leaves_random_numbers_and_gradients_alone():
    before = torch.random.get_rng_state()
    assert linear._speedup(rounds=1) > 0
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.is_grad_enabled()


def test_other_choices_are_refused(monkeypatch):
    monkeypatch.setenv("FOURM_LINEAR", "mkl")
    with pytest.raises(BadInput, match="must be one of auto, torch, onednn, got 'mkl'"):
        fastest_product()

import pytest
import torch
from torch import nn

import fourm.transformer.linear as linear
from fourm.transformer.linear import Linear, onednn_is_faster


@pytest.fixture(params=[True, False], ids=["oneDNN", "MKL"])
def library(request, monkeypatch):
    """Whichever the processor of the test would choose."""
    monkeypatch.setattr(linear, "onednn_is_faster", lambda: request.param)


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
def test_weights_anywhere_in_memory(library):
    """A mapped file gives weights that no 64 bytes are aligned with."""
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


def test_keys_are_torchs():
    assert list(layer()[0].state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize(("vendor", "faster"), [("AuthenticAMD", True), ("GenuineIntel", False)])
def test_choice_by_processor(tmp_path, vendor, faster):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor : 0\nvendor_id : {vendor}\n")
    available = hasattr(torch.ops.mkldnn, "_linear_pointwise")
    assert onednn_is_faster(cpuinfo) == (faster and available)
    assert not onednn_is_faster(tmp_path / "absent")

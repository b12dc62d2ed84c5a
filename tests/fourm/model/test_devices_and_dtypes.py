"""Every device and precision that can be asked for: used where it is there, else refused."""

import numpy as np
import pytest
import torch
from PIL import Image

import fourm
from fourm.model.devices import DEVICES, DTYPES, choose_device, choose_dtype
from tests.fourm.tiny_model import make_tiny_model

HERE = {"auto": True, "cpu": True}
HERE |= {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_tiny_model(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8))
    layout = np.full((30, 30), 17)
    everything = {"image": photo, "text": "two dogs", "seg": layout}
    return [{modality: value} for modality, value in everything.items()] + [everything]


@pytest.fixture(scope="module")
def exact(folder, samples):
    model = fourm.load_model(folder, device="cpu", dtype="float32")
    return model.embed([model.prepare(sample) for sample in samples])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_unit_vectors_near_those_of_float32(folder, samples, exact, device, dtype):
    if not HERE[device]:
        with pytest.raises(fourm.BadInput, match=f"'{device}' is not available: torch finds no"):
            fourm.load_model(folder, device=device, dtype=dtype)
        return
    model = fourm.load_model(folder, device=device, dtype=dtype)
    if device != "auto":
        assert model.device.type == device
    if dtype != "auto":
        assert model.dtype == getattr(torch, dtype)
    vectors = model.embed([model.prepare(sample) for sample in samples])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    lowest = {torch.float32: 0.99999, torch.float16: 0.999, torch.bfloat16: 0.99}[model.dtype]
    assert (vectors * exact).sum(1).min() > lowest


@pytest.mark.parametrize(
    "device", ["warp", "", "CPU", "meta", "cpu:7", "mps:1", "cuda:x", "cuda:99"]
)
def test_other_devices_are_refused_in_one_line(device):
    with pytest.raises(fourm.BadInput) as caught:
        choose_device(device)
    assert "device" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["int4", "", "half", "float64", "torch.float32"])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(fourm.BadInput, match="auto, float32, bfloat16, float16"):
        choose_dtype(dtype, torch.device("cpu"))


@pytest.mark.parametrize(
    ("cuda", "mps", "best"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_fastest_that_is_there(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == best


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ("sse avx2 avx512_bf16", torch.bfloat16),
        ("amx_bf16", torch.bfloat16),
        ("avx2", torch.float32),
    ],
)
def test_auto_takes_bfloat16_where_the_processor_multiplies_it(tmp_path, monkeypatch, flags, dtype):
    from fourm.model import devices

    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"flags : {flags}\n")
    probe = devices._cpu_has_bfloat16
    monkeypatch.setattr(devices, "_cpu_has_bfloat16", lambda: probe(cpuinfo))
    assert choose_dtype("auto", torch.device("cpu")) == dtype
    assert choose_dtype("auto", torch.device("mps")) == torch.float32

import json

import pytest
import torch

from benchmarks import gpu

TINY = ["--size", "tiny", "--device", "cpu", "--rounds", "1", "--repeats", "1", "--compile", "off"]


def test_on_the_cpu(capsys):
    assert gpu.main([*TINY, "--batch-size", "1", "--batch-size", "3"]) == 0
    result = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert "not a GPU" in result["setting"]["chip"]
    names = [row["what"] for row in result["rows"]]
    assert names == [
        "tiny, batch 1, eager",
        "tiny, batch 1, eager: products",
        "tiny, batch 3, eager",
        "tiny, batch 3, eager: products",
    ]
    for row in result["rows"][1::2]:
        assert row["ratio"] == pytest.approx(row["value"] / row["baseline"])


def test_weights_have_the_requested_dtype():
    model = gpu.weighted("tiny", torch.device("cpu"), torch.bfloat16)
    assert model.decoder_proj_context.weight.dtype == torch.bfloat16
    assert model.encoder_norm.weight.dtype == torch.float32


def test_without_a_gpu(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main(["--size", "tiny"]) == 2
    assert capsys.readouterr().err.count("\n") == 1

import json

from benchmarks import official_folder, official_size
from benchmarks.products import operations

TINY = ["--size", "tiny", "--batch-size", "2", "--rounds", "1", "--threads", "1"]


def test_speed_and_memory(capfd):
    assert official_size.main([*TINY, "--dtype", "float32"]) == 0
    rows = json.loads(capfd.readouterr().out.strip().splitlines()[-1])["rows"]
    peaks = [row for row in rows if row["unit"] == "MiB"]
    values = [row["value"] for row in peaks]
    assert len(values) == 6
    assert values == sorted(values)
    assert values[0] < 100 < values[1]  # a fresh process, whatever the size of this one
    (judged,) = (row for row in peaks if row["target"])
    assert judged["reached"] == (judged["value"] <= 1500)
    ours, plain = (row for row in rows if row["what"] == "embed, float32")
    assert ours["baseline_name"] == "its matrix products"
    assert ours["reached"] == (ours["ratio"] >= 0.8)
    assert plain["baseline_name"] == "the products with keys and values"


def test_another_model_folder(tmp_path, capfd):
    folder = official_folder.write(tmp_path, "tiny")
    arguments = [*TINY, "--folder", str(folder), "--dtype", "bfloat16"]
    assert official_size.main(arguments) == 0
    result = json.loads(capfd.readouterr().out.strip().splitlines()[-1])
    assert result["setting"]["model"] == str(folder)
    assert not any("float32" in row["what"] for row in result["rows"])
    assert any(row["what"] == "embed, bfloat16" for row in result["rows"])


def test_operations_are_mostly_those_of_the_encoder():
    """Two operations per weight of the encoder and patch are most of the work."""
    import torch

    with torch.device("meta"):
        model = official_folder.build("B", ["rgb@224"], ["tok_dinov2_global"])
    encoder = sum(value.numel() for value in model.encoder.parameters())
    assert 35e9 < operations(model, 8192) - 2 * 196 * encoder + 33.3e9 < 50e9

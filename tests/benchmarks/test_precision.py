import json

from benchmarks import precision


def rows(capsys, *arguments):
    assert precision.main(arguments) == 0
    listed = json.loads(capsys.readouterr().out.strip().splitlines()[-1])["rows"]
    return {row["what"]: row for row in listed}


def test_a_model_of_random_weights(capsys):
    found = rows(capsys, "--size", "tiny", "--samples", "3")
    assert list(found) == [
        "image, float32: alone and in a batch, lowest",
        "image, bfloat16: alone and in a batch, lowest",
        "image, bfloat16: to float32, median",
        "image, bfloat16: to float32, lowest",
    ]
    for what, row in found.items():
        assert -1 <= row["value"] <= 1 + 1e-6
        assert row["reached"] or "to float32" in what


def test_texts_of_a_bundled_model(capsys):
    found = rows(capsys, "--folder", "mini", "--samples", "2", "--dtype", "float32")
    assert list(found) == [
        "image, float32: alone and in a batch, lowest",
        "text, float32: alone and in a batch, lowest",
    ]
    assert all(row["reached"] for row in found.values())

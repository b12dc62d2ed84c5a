"""Benchmarks run at the smallest size; their timings are not tested."""

import json

import pytest

from benchmarks import indexing, query
from benchmarks.measuring import compared, in_turns
from tests.fourm.tiny_model import make_tiny_model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return str(make_tiny_model(tmp_path_factory.mktemp("bundle") / "tiny"))


def _json_of(capsys):
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) > 3  # the table comes first
    return json.loads(lines[-1])


def test_indexing(tiny, capsys):
    arguments = ["--model", tiny, "--rounds", "1", "--count", "3", "--batch-size", "2"]
    assert indexing.main(arguments) == 0
    result = _json_of(capsys)
    assert result["setting"]["photos"] == "3 synthetic"
    build, model = result["rows"]
    assert build["ratio"] == pytest.approx(build["value"] / build["baseline"])
    assert build["reached"] == (build["ratio"] >= 0.9)
    assert model["value"] > 0


def test_query(tiny, capsys):
    arguments = ["--model", tiny, "--rounds", "1", "--queries", "1", "--images", "30"]
    assert query.main(arguments) == 0
    rows = {row["what"]: row for row in _json_of(capsys)["rows"]}
    for name in ("text", "image", "seg", "text + image + seg"):
        assert rows[f"warm query: {name}"]["baseline_name"] == "the model alone"
    assert rows["Index.search"]["baseline_name"] == "raw FAISS"
    assert rows["cold process: text"]["value"] > 0


@pytest.mark.parametrize("main", [indexing.main, query.main])
def test_a_missing_model_is_reported_in_one_line(main, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--model", str(tmp_path / "nothing")])
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_contenders_alternate_and_ratios_are_within_rounds():
    calls = []
    values = {"a": iter([2.0, 4.0, 90.0]), "b": iter([1.0, 2.0, 30.0])}

    def contender(name):
        return lambda: (calls.append(name), next(values[name]))[1]

    measured = in_turns({name: contender(name) for name in "ab"}, 3)
    assert calls == ["a", "b", "b", "a", "a", "b"]
    row = compared("a", measured["a"], "s", "b", measured["b"])
    assert (row.value, row.baseline, row.ratio) == (4.0, 2.0, 2.0)

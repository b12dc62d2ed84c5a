"""A model is compared with a former version of it; timings are not tested."""

import json

from benchmarks import versions
from tests.fourm.tiny_model import make_tiny_model
from tests.fourm.two_spaces import make_two_spaces


def test_two_versions(tmp_path, capsys):
    former = str(make_tiny_model(tmp_path / "tiny"))
    now = str(make_two_spaces(tmp_path / "two"))
    sizes = ["--rounds", "1", "--count", "3", "--queries", "1"]
    assert versions.main([former, "--model", now, *sizes]) == 0
    build, photo, text = json.loads(capsys.readouterr().out.strip().splitlines()[-1])["rows"]
    assert build["reached"] == (build["ratio"] >= 0.95)
    assert photo["reached"] == (photo["ratio"] <= 1 / 0.95)
    assert text["reached"] == (text["ratio"] <= 1.3)


def test_a_folder_that_is_no_model(tmp_path, capsys):
    assert versions.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")

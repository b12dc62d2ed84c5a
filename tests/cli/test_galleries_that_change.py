"""What the command line says about folders that are away, left out or moved."""

import json

import pytest

from tests.retrieval.conftest import numbered
from tests.retrieval.files import write


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(["nas/a.png", "nas/b.png", "c.png"]):
        write(tmp_path / "photos" / name, numbered(number))
    (tmp_path / "photos/c.xcf").write_bytes(b"x")
    return tmp_path / "photos"


def test_a_disk_that_is_away_is_warned_of_and_its_items_are_hidden(run, photos, tmp_path):
    done = run("index", photos, "--to", "i")
    assert "i: 3 indexed" in done.stdout and "missing" not in done.output
    (photos / "nas").rename(tmp_path / "disk")
    done = run("index", photos, "--to", "i")
    assert done.exit_code == 0 and "2 missing" in done.stdout
    assert "2 items are missing, in folders that are empty or gone: nas/." in done.stderr
    assert "--prune" in done.stderr
    about = json.loads(run("info", "i", "--json").stdout)
    assert (about["items"], about["missing"]) == (1, 2)
    done = run("index", photos, "--to", "i", "--prune")
    assert "2 deleted" in done.stdout and not done.stderr


def test_what_is_left_out_is_counted_and_listed(run, photos):
    done = run("index", photos, "--to", "i", "--exclude", "b.*")
    assert "left out: 1 .xcf, 1 excluded (fourm info --left-out i)" in done.stdout
    listed = json.loads(run("info", "i", "--left-out", "--json").stdout)
    assert [(entry["path"], entry["kind"]) for entry in listed] == [
        ("c.xcf", ".xcf"),
        ("nas/b.png", "excluded"),
    ]
    assert "excluded by --exclude" in run("info", "i", "--left-out").stdout
    assert "exclude  b.*" in run("info", "i").stdout
    for other in (["--skipped"], ["--where", "width > 1"]):
        done = run("info", "i", "--left-out", *other)
        assert done.exit_code == 2 and "choose one" in done.stderr


def test_hits_whose_file_is_gone_are_marked(run, photos):
    run("index", photos, "--to", "i")
    (photos / "c.png").unlink()
    lines = run("query", "i", "--image", photos / "nas/a.png", "-k", "3").stdout.splitlines()
    assert [line.endswith("c.png  (missing)") for line in lines].count(True) == 1
    assert sum("(missing)" in line for line in lines) == 1
    hits = json.loads(run("query", "i", "red", "-k", "3", "--json").stdout)
    assert {hit["path"]: hit.get("missing", False) for hit in hits} == {
        "c.png": True,
        "nas/a.png": False,
        "nas/b.png": False,
    }

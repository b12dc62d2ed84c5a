"""Every command with a real model of random weights, two of them in processes of their own."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import cli
from retrieval import Gallery
from tests.fourm.tiny_model import make_tiny_model
from tests.processes import run
from tests.retrieval.conftest import numbered
from tests.retrieval.files import encoded, write

COMMAND = [sys.executable, str(Path(cli.__file__))]
TINY = ("--model", "{place}/tiny", "--device", "cpu")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A gallery of 12 images, a damaged one and a layout, indexed with the tiny model."""
    folder = tmp_path_factory.mktemp("place")
    make_tiny_model(folder / "tiny")
    for number in range(12):
        write(folder / f"photos/{number:02}.jpg", numbered(number), "JPEG")
    (folder / "photos/05b.jpg").write_bytes(encoded(numbered(5), "JPEG")[:200])
    layout = np.zeros((40, 60), np.uint16)
    layout[:20], layout[20:, :30] = 187, 18
    Image.fromarray(layout).save(folder / "layout.png")
    done = fourm(folder, "index", "{place}/photos", "--to", "{place}/p.index", *TINY)
    assert "12 indexed, 1 skipped" in done.stdout
    return folder


def fourm(place, *arguments, code=0):
    done = CliRunner().invoke(cli.app, [str(a).format(place=place) for a in arguments])
    assert done.exit_code == code, done.output
    return done


def search(place, *arguments):
    done = fourm(place, "query", "{place}/p.index", *arguments, *TINY, "--json")
    return json.loads(done.stdout)


def process(place, *arguments):
    done = run([*COMMAND, *arguments], cwd=place)
    assert "Traceback" not in done.stderr
    return done


def test_another_process_finds_the_same(place):
    words = "two dogs in the snow"
    done = process(place, "query", "p.index", words, "--model", "tiny", "--device", "cpu", "--json")
    assert done.returncode == 0, done.stderr
    there, here = json.loads(done.stdout), search(place, words)
    assert [hit["path"] for hit in there] == [hit["path"] for hit in here]
    assert [h["score"] for h in there] == pytest.approx([h["score"] for h in here], abs=1e-5)


def test_an_image_of_the_gallery_finds_itself_with_score_one(place):
    hits = search(place, "--image", "{place}/photos/07.jpg", "-k", 20)
    assert len(hits) == 12 and hits[0]["path"] == "07.jpg"
    assert hits[0]["score"] == pytest.approx(1.0, abs=2e-3)
    assert hits[1]["score"] < 0.999


def test_text_map_and_both_give_different_rankings_of_the_same_gallery(place):
    words = search(place, "two dogs in the snow", "-k", 12)
    layout = search(place, "--seg", "{place}/layout.png", "-k", 12)
    both = search(place, "two dogs in the snow", "--seg", "{place}/layout.png", "-k", 12)
    scores = [
        {hit["path"]: round(hit["score"], 3) for hit in hits} for hits in (words, layout, both)
    ]
    assert scores[0].keys() == scores[1].keys() == scores[2].keys()
    assert scores[0] != scores[1] != scores[2] != scores[0]
    assert {hit["space"] for hit in both} == {"dinov2"}


def test_pages_are_written_and_json_stays_pure(place):
    hits = search(
        place,
        "dog",
        "--seg",
        "{place}/layout.png",
        "--html",
        "{place}/p.html",
        "--sheet",
        "{place}/s.png",
    )
    assert len(hits) == 10
    page = (place / "p.html").read_text(encoding="utf-8")
    assert page.count("data:image/") == 11
    assert "sky-other-merged 50 %, dog 25 %" in page
    with Image.open(place / "s.png") as sheet:
        assert sheet.width == 1544


def test_eval_of_images_that_find_themselves(place):
    lines = [
        {"image": f"photos/{number:02}.jpg", "relevant": [f"{number:02}.jpg"]}
        for number in range(12)
    ] + [{"text": "red", "seg": "layout.png", "relevant": ["00.jpg", "gone.jpg"]}]
    (place / "q.jsonl").write_text("\n".join(map(json.dumps, lines)))
    batches = ("--json", "--batch-size", 5)
    done = fourm(place, "eval", "{place}/p.index", "--queries", "{place}/q.jsonl", *TINY, *batches)
    measured = json.loads(done.stdout)
    assert measured["queries"] == 13 and measured["recall@1"] >= 12 / 13 - 1e-9
    assert measured["missing"] == 1 and "gone.jpg" in done.stderr


def test_a_model_that_cannot_be_found_is_named(place, tmp_path):
    shutil.copytree(place / "p.index", tmp_path / "p.index")
    (tmp_path / "p.index/encoder.json").unlink()  # written where the model lay in a folder
    done = process(place.parent, "query", str(tmp_path / "p.index"), "red")
    assert done.returncode == 1 and done.stdout == ""
    assert "'tiny'" in done.stderr and "--model" in done.stderr
    assert done.stderr.count("\n") == 1


def test_another_model_of_the_same_name_is_refused(place, tmp_path):
    make_tiny_model(tmp_path / "tiny", seed=1)
    other = ("--model", tmp_path / "tiny")
    done = fourm(place, "query", "{place}/p.index", "red", *other, code=1)
    assert "Use the model" in done.stderr and done.stdout == ""


@pytest.mark.parametrize(("option", "code"), [("--device", 2), ("--dtype", 2)])
def test_a_wrong_device_or_dtype_is_one_line(place, option, code):
    done = fourm(place, "query", "{place}/p.index", "red", *TINY, option, "warp", code=code)
    assert done.stderr.count("\n") == 1 and "warp" in done.stderr


def test_the_python_api_gives_what_the_command_gives(place):
    with Gallery.open(place / "p.index", place / "tiny", device="cpu") as gallery:
        hits = gallery.search(text="two dogs in the snow", k=12)
    command = search(place, "two dogs in the snow", "-k", 12)
    assert [hit.path for hit in hits] == [hit["path"] for hit in command]
    assert np.allclose([hit.score for hit in hits], [hit["score"] for hit in command], atol=1e-5)

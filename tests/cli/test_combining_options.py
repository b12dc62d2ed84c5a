"""--weight, --not, --combine, --use-only and --from."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.cli.test_commands import fails, rows
from tests.retrieval.files import write


@pytest.fixture
def layout(tmp_path):
    return write(tmp_path / "map.png", Image.fromarray(np.full((9, 9), 4, np.uint8)))  # red


def test_weights_and_negative_prompts(run, index, layout):
    words = rows(run("query", index, "blue", "--json"))
    arguments = ("blue", "--seg", layout, "--weight", "seg=3", "--weight", "text=-0.5", "--json")
    weighed = rows(run("query", index, *arguments))
    assert weighed[0]["path"] == "red one.png" != words[0]["path"]
    away = rows(run("query", index, "magenta", "--not", "blue", "--weight", "not=3", "--json"))
    assert away[0]["path"] == "red one.png"
    for way in ("guided", "late"):
        assert rows(run("query", index, *arguments, "--combine", way)) == weighed


def test_a_query_from_a_file_is_the_same_as_one_from_options(run, index, photos, layout, tmp_path):
    entry = {"text": "blue", "seg": "map.png", "weights": {"seg": 3}, "not": ["green"]}
    (tmp_path / "q.json").write_text(json.dumps({**entry, "relevant": ["x"]}))
    options = ("blue", "--seg", layout, "--weight", "seg=3", "--not", "green")
    wanted = rows(run("query", index, *options, "--json"))
    assert rows(run("query", index, "--from", tmp_path / "q.json", "--json")) == wanted
    (tmp_path / "q.json").write_text(json.dumps({"seg": "map.png"}))
    added = ("blue", "--weight", "seg=3", "--not", "green", "--from", tmp_path / "q.json", "--json")
    assert rows(run("query", index, *added)) == wanted


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["red", "--weight", "text"], "for example text=2, got 'text'"),
        (["red", "--weight", "seg=1"], "'seg' is not among the inputs of this query: text"),
        (["red", "--weight", "text=nan"], "expected for example text=2"),
        (["red", "--weight", "text=0"], "must not be all 0"),
        (["red", "--weight", "text=1", "--combine", "together"], "guided or late"),
        (["red", "--not", "blue", "--combine", "together"], "guided or late"),
        (["red", "--not", " "], "not: the text is empty"),
        (["red", "--combine", "both"], "together, guided, late"),
        (["red", "--use-only", "edges"], "give one (image)"),
        (["--image", "{photos}/00.png", "--use-only", "smell"], "'smell' is not a part"),
        (["--from", "gone.json"], "gone.json: no such file"),
        (["--from", "{photos}/00.png"], "not JSON"),
        (["red", "--from", "{query}"], "text: given twice"),
        (["--from", "{query}", "--html", "{query}"], "would be replaced"),
    ],
)
def test_invalid_queries_are_one_line_before_the_model_is_loaded(
    run, index, photos, loaded, tmp_path, arguments, words
):
    (tmp_path / "q.json").write_text('{"text": "red"}')
    loaded.clear()
    filled = [argument.format(photos=photos, query=tmp_path / "q.json") for argument in arguments]
    fails(run("query", index, *filled), 2, words)
    assert loaded == []


def test_parts_that_the_model_cannot_use_are_refused_with_those_it_can(run, index, photos):
    line = fails(
        run("query", index, "--image", photos / "00.png", "--use-only", "depth"), 2, "depth"
    )
    assert "mini cannot use depth of an image; it can use no part of one" in line


def test_a_photo_of_which_parts_are_used_is_an_input(run, index, photos):
    page = ("--image", photos / "00.png", "--use-only", "edges", "--html", photos / "00.png")
    fails(run("query", index, *page), 2, "would be replaced")

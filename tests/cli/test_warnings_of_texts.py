"""`fourm query` warns of a text that the model does not know or cuts off."""

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

import cli
from retrieval import Gallery, Query
from tests.fourm.tiny_model import make_tiny_model
from tests.retrieval.files import write


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    model = make_tiny_model(folder / "tiny")
    for colour in ("red", "blue"):
        write(folder / f"photos/{colour}.png", Image.new("RGB", (30, 20), colour))
    Gallery.build(folder / "photos", to=folder / "index", model=model, device="cpu").close()
    return folder / "index"


def query(index, *arguments):
    return CliRunner().invoke(cli.app, ["query", str(index), *arguments])


def test_a_text_without_a_known_word(index):
    done = query(index, "собака", "--json")
    assert done.exit_code == 0
    assert [hit["unknown_share"] for hit in json.loads(done.stdout)] == [1.0, 1.0]
    assert done.stderr.splitlines() == [
        "fourm: tiny knows no word of the text, so these hits say little; it reads English"
    ]


def test_a_text_that_is_known(index):
    done = query(index, "two dogs in the snow", "--json")
    assert {hit["unknown_share"] for hit in json.loads(done.stdout)} == {0.0}
    assert done.stderr == ""


def test_a_text_that_is_cut(index):
    done = query(index, "a dog " * 20)
    assert done.stderr == "fourm: the text has 42 tokens; tiny reads the first 24\n"


def test_a_text_of_which_nothing_is_left(index):
    done = query(index, "\u200b\u200b")
    assert done.exit_code == 2
    assert "nothing is left of the text" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_a_text(index):
    with Gallery.open(index, device="cpu") as gallery:
        red = Image.new("RGB", (30, 20), "red")
        assert gallery.warnings(Query.read(image=red)) == []
        hit, _ = gallery.search(image=red)
        assert hit.unknown_share is None
        assert "unknown_share" not in hit.as_dict()
        assert gallery.search(text="a dog qwxz")[0].unknown_share == pytest.approx(1 / 3)

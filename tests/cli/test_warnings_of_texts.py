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


def judged(index, *texts):
    file = index.parent / "judged.jsonl"
    lines = [json.dumps({"text": text, "relevant": ["red.png"]}) for text in texts]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_an_evaluation_names_the_texts_that_are_unknown_or_cut(index):
    file = judged(index, "a dog", "собака", "кот", *["a dog " * 20] * 5)
    done = CliRunner().invoke(cli.app, ["eval", str(index), "--queries", str(file)])
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "fourm: tiny knows no word of 2 texts, so the hits say little; it reads English: "
        f"{file}:2, {file}:3",
        f"fourm: tiny reads only the beginning of 5 texts: {file}:4, {file}:5, {file}:6 and 2 more",
    ]


def test_an_evaluation_of_known_texts_and_of_images(index):
    file = judged(index, "two dogs in the snow")
    with file.open("a") as lines:
        lines.write('\n{"image": "photos/red.png", "relevant": ["red.png"]}')
    done = CliRunner().invoke(cli.app, ["eval", str(index), "--queries", str(file), "--json"])
    assert (done.exit_code, done.stderr) == (0, "")

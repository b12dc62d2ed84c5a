"""A modality that one object a side describes can be searched, indexed, drawn and generated.

The objects are in `tests.toy_modality` and `tests.retrieval.toy_modality`. They are registered in a
child process, since options are made when the command line is imported.
"""

import json

import numpy as np
import pytest
from PIL import Image

from tests.processes import run_python
from tests.retrieval.files import striped, write

SCRIPT = """
import json, sys
from pathlib import Path

from typer.testing import CliRunner

from tests import toy_modality
from tests.retrieval.toy_modality import register_thumbnails

folder = Path(sys.argv[1])
register_thumbnails()
import cli
toy_modality.register_with_models(toy_modality.THUMBNAIL)
toy_modality.make_thumbnail_model(folder / "toy")

import retrieval

def run(*arguments):
    done = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, (arguments, done.stderr)
    return done.stdout

said = {"help": run("query", "--help")}
index = folder / "index"
model = ("--model", folder / "toy", "--device", "cpu", "--dtype", "float32")
run("index", folder / "photos", "--to", index, *model)
run("index", folder / "icons", "--to", index, "--as", "thumbnail", *model)
photo = folder / "photos/red.png"
page = ("--html", folder / "page.html", "--sheet", folder / "sheet.png")
said["option"] = json.loads(run("query", index, "--thumbnail", photo, *page, "--json", *model))
(folder / "query.json").write_text(json.dumps({"thumbnail": "photos/red.png"}))
said["file"] = json.loads(run("query", index, "--from", folder / "query.json", "--json", *model))
with retrieval.Gallery.open(index, folder / "toy", device="cpu", dtype="float32") as gallery:
    said["python"] = [hit.as_dict() for hit in gallery.search(thumbnail=photo)]
    hits = gallery.search(text="a dog", thumbnail=photo, modalities="thumbnail")
    said["gallery"] = [hit.path for hit in hits]
    parts = gallery.search(image=photo, use_only="icon", modalities="thumbnail")
    said["parts"] = [hit.path for hit in parts]
run("generate", photo, "--to", "thumbnail", "--out", folder / "made", *model)
json.dump(said, sys.stdout)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the child printed, and its folder."""
    folder = tmp_path_factory.mktemp("thumbnails")
    for name, colour in {"red": (250, 20, 20), "blue": (30, 30, 90), "grey": (9, 9, 9)}.items():
        write(folder / f"photos/{name}.png", striped(colour))
        write(folder / f"icons/{name}.png", striped(colour, (16, 16)))
    done = run_python(SCRIPT, str(folder))
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1]), folder


def test_it_is_an_option_of_queries(said):
    told, _ = said
    assert "--thumbnail" in told["help"]
    assert "grey thumbnail" in " ".join(told["help"].replace("│", " ").split())


def test_a_query_is_the_same_in_every_form(said):
    told, _ = said
    assert told["option"] == told["file"] and told["option"][0]["modality"] == "thumbnail"
    paths = [(hit["path"], hit["modality"]) for hit in told["python"]]
    assert paths == [(hit["path"], hit["modality"]) for hit in told["option"]]


def test_it_has_a_gallery_of_its_own(said):
    told, _ = said
    assert sorted(told["gallery"]) == sorted(told["parts"]) == ["blue.png", "grey.png", "red.png"]
    assert {hit["modality"] for hit in told["option"]} == {"image", "thumbnail"}


def test_it_has_a_panel_on_the_page_and_on_the_sheet(said):
    _, folder = said
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "<h3>Thumbnail</h3>" in page and "red.png" in page
    with Image.open(folder / "sheet.png") as sheet:
        assert sheet.width == 1544


def test_it_is_generated(said):
    _, folder = said
    with Image.open(folder / "made/thumbnail.png") as made:
        assert np.asarray(made).shape == (4, 4, 3)
    record = json.loads((folder / "made/generated.json").read_text())
    assert [one["modality"] for one in record["outputs"]] == ["thumbnail"]

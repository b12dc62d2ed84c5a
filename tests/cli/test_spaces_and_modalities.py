"""Options for several spaces and several galleries."""

import json

import numpy as np
import pytest
from PIL import Image

import fourm
from tests.retrieval.fake_model import FakeModel, three_spaces
from tests.retrieval.files import write

from .test_commands import fails, rows

KINDS = ("image", "text", "seg", "depth", "edges")


@pytest.fixture
def loaded(monkeypatch):
    def load_model(name, *, device, dtype):
        return FakeModel(name=name, inputs=KINDS, spaces=three_spaces())

    monkeypatch.setitem(vars(fourm), "load_model", load_model)


@pytest.fixture
def place(run, photos, tmp_path):
    """An index of photos, depth maps and captions in two spaces."""
    for number in range(4):
        ramp = np.linspace(0, 1000 * (number + 1), 64).reshape(8, 8)
        write(tmp_path / f"depth/0{number}.png", Image.fromarray(ramp.astype(np.uint16)))
    (tmp_path / "captions.txt").write_text("all red\nall <b>blue</b> blue\n")
    to = ("--to", tmp_path / "x.index")
    both = run("index", photos, *to, "--space", "layout", "--space", "hue")
    assert "13 indexed, 1 skipped" in both.stdout
    assert run("index", tmp_path / "depth", *to, "--as", "depth", "--depth-near", "high").stdout
    assert "2 indexed" in run("index", tmp_path / "captions.txt", *to, "--as", "text").stdout
    return tmp_path


@pytest.fixture
def index(place):
    return place / "x.index"


def test_query_names_a_space_or_fuses_several(run, index):
    for space in ("layout", "hue"):
        hits = rows(run("query", index, "red", "--space", space, "--json"))
        assert {hit["space"] for hit in hits} == {space}
        assert all(hit["scores"] == {space: hit["score"]} for hit in hits)
    weighted = ("--space", "hue=0.25", "--space", "layout", "--modality", "image", "--json")
    hits = rows(run("query", index, "red", *weighted))
    assert hits[0]["space"] == "hue+layout" and hits[0]["path"] == "red one.png"
    assert hits[0]["score"] == pytest.approx(1.25 / 61)
    assert list(hits[0]["scores"]) == ["hue", "layout"]
    mean = rows(run("query", index, "red", *weighted, "--fusion", "scores"))
    scores = mean[0]["scores"]
    assert mean[0]["score"] == pytest.approx((0.25 * scores["hue"] + scores["layout"]) / 1.25)
    every = rows(run("query", index, "red", "--space", "all", "--json"))
    assert every[0]["space"] == "layout+hue"


def test_the_table_shows_the_score_of_each_space_the_modality_and_the_text(run, index):
    lines = run("query", index, "all red", "--space", "all", "-k", 99).stdout.split("\n")
    assert lines[0].split() == ["rank", "score", "layout", "hue", "modality", "path", "text"]
    (line,) = [line for line in lines if "captions.txt:1" in line]
    assert line.endswith("all red") and " text " in line
    photos = run("query", index, "red", "--modality", "image").stdout.split("\n")[0]
    assert photos.split() == ["rank", "score", "path"]


def test_query_searches_some_modalities(run, index):
    for names, count in ((["depth"], 4), (["depth", "text"], 6), ([], 19)):
        options = [part for name in names for part in ("--modality", name)]
        hits = rows(run("query", index, "red", "-k", 99, "--json", *options))
        assert len(hits) == count and {hit["modality"] for hit in hits} >= set(names)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--space", "sound"], "no space 'sound'; it has layout, hue"),
        (["--space", "light"], "no space 'light'"),
        (["--space", "hue=much"], "space: expected for example clip=0.5, got 'hue=much'"),
        (["--space", "hue=0"], "must be > 0"),
        (["--space", "hue", "--space", "hue=2"], "given twice"),
        (["--space", ""], "expected for example clip=0.5, got ''"),
        (["--fusion", "sum"], "'sum' is not one of 'rrf', 'scores'"),
        (["--modality", "seg"], "no gallery of the modality 'seg'; it has image, depth, text"),
    ],
)
def test_wrong_spaces_and_modalities_are_one_line(run, index, tmp_path, arguments, words):
    fails(run("query", index, "red", *arguments), 2, words)
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"text": "red", "relevant": ["red one.png"]}')
    fails(run("eval", index, "--queries", queries, *arguments), 2, words)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--as", "sound"], 2, "unknown modality 'sound'"),
        (["--as", "normals"], 1, "does not read 'normals'"),
        (["--as", "seg", "--depth-near", "low"], 2, "depth_near"),
        (["--as", "boxes"], 2, "no files of boxes"),
        (["--space", "sound"], 2, "no space 'sound'; it has layout, hue, light"),
    ],
)
def test_wrong_galleries_are_one_line(run, index, photos, arguments, code, words):
    fails(run("index", photos, "--to", index, *arguments), code, words)


def test_another_depth_near_is_refused(run, index, place):
    near = ("--as", "depth", "--depth-near", "low")
    fails(run("index", place / "depth", "--to", index, *near), 1, "depth_near=high")


def test_a_space_is_added_later(run, index, photos, place):
    done = run("index", photos, "--to", index, "--space", "all")
    assert "13 completed" in done.stdout and "1 skipped" in done.stdout
    facts = rows(run("info", index, "--json"))
    assert [space["complete"] for space in facts["spaces"]] == [True, True, False]
    fails(run("query", index, "red", "--space", "light"), 1, "'light' is incomplete")
    assert rows(run("query", index, "red", "--space", "light", "--modality", "image", "--json"))
    run("index", place / "depth", "--to", index, "--as", "depth")
    run("index", place / "captions.txt", "--to", index, "--as", "text")
    assert len(rows(run("query", index, "red", "--space", "light", "-k", 99, "--json"))) == 19


def test_info_lists_galleries_and_spaces(run, index, photos, place):
    facts = rows(run("info", index, "--json"))
    assert (facts["items"], facts["skipped"], facts["root"]) == (19, 1, str(photos))
    assert facts["galleries"][1] == {
        "modality": "depth",
        "root": str(place / "depth"),
        "items": 4,
        "skipped": 0,
        "missing": 0,
        "options": "depth_near=high",
        "exclude": [],
    }
    assert [g["modality"] for g in facts["galleries"]] == ["image", "depth", "text"]
    assert [s["space"] for s in facts["spaces"]] == ["layout", "hue"]
    text = run("info", index).stdout
    assert "depth_near=high" in text and str(place / "captions.txt") in text and "hue" in text


def test_skipped_items_name_their_modality(run, index, place):
    (place / "depth/bad.png").write_bytes(b"bad")
    run("index", place / "depth", "--to", index, "--as", "depth")
    listed = rows(run("info", index, "--skipped", "--json"))
    assert [(entry["modality"], entry["path"]) for entry in listed] == [
        ("image", "bad.jpg"),
        ("depth", "bad.png"),
    ]
    assert run("info", index, "--skipped").stdout.split()[:3] == ["modality", "path", "reason"]


def test_pages_draw_every_modality(run, index, place):
    page, sheet = place / "p.html", place / "s.png"
    asked = ("all red", "-k", 99, "--space", "all", "--html", page, "--sheet", sheet)
    assert run("query", index, *asked).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/") == 13 + 4
    assert "all &lt;b&gt;blue&lt;/b&gt; blue" in text and "<b>blue" not in text
    assert "19 items" in text and "space layout+hue" in text and "fused from" in text
    assert text.count("<em>depth</em>") == 4 and text.count("<em>text</em>") == 2
    run("query", index, "red", "--modality", "image", "--html", page)
    assert "13 images" in page.read_text(encoding="utf-8")


def test_eval_takes_spaces_and_modalities(run, index, tmp_path):
    queries = tmp_path / "q.jsonl"
    entries = [
        {"image": "photos/03.png", "relevant": ["03.png"]},  # a photo, and a depth map
        {"image": "photos/05.png", "relevant": ["05.png"]},
    ]
    queries.write_text("\n".join(map(json.dumps, entries)))
    asked = ("eval", index, "--queries", queries, "--json")
    image, depth = ("--modality", "image"), ("--modality", "depth")
    for options, items in (([], 19), (image, 13), (depth, 4)):
        assert rows(run(*asked, *options))["items"] == items
    photos = rows(run(*asked, "--modality", "image", "--space", "all"))
    assert photos["map"] == 1 and photos["missing"] == 0
    assert rows(run(*asked))["map"] < 1  # the depth map of the same name ranks far below
    depth = rows(run(*asked, "--modality", "depth", "--space", "hue", "--fusion", "scores"))
    assert depth["missing"] == 1 and depth["recall@5"] == 0.5


def test_the_maps_of_a_gallery_are_told_on_stderr(run, tmp_path):
    write(tmp_path / "maps/a.png", Image.new("L", (9, 9), 187))
    done = run("index", tmp_path / "maps", "--to", tmp_path / "i", "--as", "seg")
    assert "fourm: 1 map read as: sky 100 %" in done.stderr and "read as" not in done.stdout

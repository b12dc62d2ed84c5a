"""From sources to a folder of files, and its record."""

import json

import numpy as np
import pytest
from PIL import Image

import fourm
from fourm import DiffusionConfig, GenerationConfig
from retrieval.errors import QueryError, UsageError
from retrieval.generation import generate, show_query
from retrieval.generation import results as results_room
from retrieval.generation.options import (
    output_named,
    outputs_named,
    read_inpaint,
    read_weights,
)
from retrieval.queries import Query
from retrieval.written import LIST
from tests.fourm.small_shelf import small_shelf
from tests.retrieval.fake_model import FakeModel
from tests.retrieval.files import striped, write

FAST = GenerationConfig(diffusion=DiffusionConfig(steps=2))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = small_shelf(tmp_path_factory.mktemp("shelf"))
    return fourm.load_model(folder, device="cpu", dtype="float32")


@pytest.fixture
def photo(tmp_path):
    return write(tmp_path / "dog.png", striped((200, 120, 40)))


def test_the_folder_is_created_before_anything_is_predicted(tmp_path, model, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(fourm.Generator, "generate", None)
    monkeypatch.setattr(fourm.Generator, "decode_inputs", None)
    with pytest.raises(UsageError, match="cannot be created"):
        show_query(model, Query.read(text="a dog"), tmp_path / "file")


def test_all_modalities_from_a_photo(tmp_path, model, photo):
    out = tmp_path / "a" / "out"
    made = generate(model, "all", out, config=FAST, image=photo, text="a dog")
    record = json.loads((out / "generated.json").read_text())
    modalities = [
        modality
        for modality in fourm.Generator(model).outputs
        if modality not in ("text", "image_tokens")
    ]
    assert [one["modality"] for one in record["outputs"]] == modalities
    assert [one.modality for one in made.outputs] == modalities
    files = {name for one in record["outputs"] for name in one["files"]}
    assert {path.name for path in out.iterdir()} == files | {"generated.json", "sheet.png", LIST}
    assert record["model"] == "4M-21_B" and record["settings"]["seed"] == 0
    assert record["inputs"] == [
        {"modality": "text", "value": "a dog"},
        {"modality": "image", "file": "dog.png"},
    ]
    assert [step["target"] for step in record["schedule"]][:2] == ["tok_clip@224", "tok_dinov2@224"]
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.width == 1544 and sheet.height > 1000


def test_everything_that_was_read_can_be_generated_from(tmp_path, model, photo):
    """Chained: the files of one generation are the inputs of the next."""
    out = tmp_path / "out"
    modalities = [
        "seg",
        "depth",
        "normals",
        "edges",
        "sam_edges",
        "clip_features",
        "dinov2_embedding",
    ]
    generate(model, modalities, out, config=FAST, image=photo)
    sources = {
        "seg": out / "seg.png",
        "depth": out / "depth.png",
        "normals": out / "normals.png",
        "edges": out / "edges.png",
        "sam_edges": out / "sam_edges.png",
        "clip_features": out / "clip_features.npy",
        "dinov2_embedding": out / "dinov2_embedding.npy",
    }
    made = generate(model, "rgb,caption", tmp_path / "next", config=FAST, **sources)
    assert [one.modality for one in made.outputs] == ["image_tokens", "text"]


def test_nothing_is_written_without_a_folder(tmp_path, model, photo):
    made = generate(model, "seg", config=FAST, image=photo)
    assert made["seg"].value.shape == (32, 32)
    assert made.files == {}
    assert [path.name for path in tmp_path.iterdir()] == ["dog.png"]
    with pytest.raises(KeyError):
        made["depth"]


def test_inpainting_and_infilling_need_no_names(tmp_path, model, photo):
    out = tmp_path / "out"
    hide = [(0.0, 0.0, 0.5, 0.5)]
    made = generate(model, (), out, config=FAST, inpaint=hide, image=photo, text="a [S_1]")
    assert [one.modality for one in made.outputs] == ["image_tokens", "text"]
    record = json.loads((out / "generated.json").read_text())
    assert record["inpaint"] == [[0.0, 0.0, 0.5, 0.5]]
    assert (out / "rgb.png").exists() and (out / "text.txt").exists()


def test_what_is_finished_stays_when_it_is_stopped(tmp_path, model, photo, monkeypatch):
    out = tmp_path / "out"
    write_files = results_room.write_files

    def stopping(decoded, *rest):
        if decoded.modality == "depth":
            raise KeyboardInterrupt
        return write_files(decoded, *rest)

    monkeypatch.setattr(results_room, "write_files", stopping)
    with pytest.raises(KeyboardInterrupt):
        generate(model, "seg,depth,normals", out, config=FAST, image=photo)
    assert (out / "seg.png").exists() and not (out / "normals.png").exists()
    record = json.loads((out / "generated.json").read_text())
    assert record["outputs"][0]["files"] == ["seg.png", "seg_colours.png", "seg_legend.png"]


def test_an_input_is_not_replaced(tmp_path, model):
    layout = write(tmp_path / "seg.png", Image.new("L", (8, 8), 1))
    before = layout.read_bytes()
    with pytest.raises(UsageError, match="is an input"):
        generate(model, "seg", tmp_path, config=FAST, image=layout)
    assert layout.read_bytes() == before


def test_a_file_of_the_user_is_not_replaced(tmp_path, model, photo):
    out = tmp_path / "out"
    mine = write(out / "seg.png", Image.new("L", (8, 8), 1))
    before = mine.read_bytes()
    with pytest.raises(UsageError, match=r"seg\.png: exists.*choose another folder"):
        generate(model, "seg", out, config=FAST, image=photo)
    assert mine.read_bytes() == before and list(out.iterdir()) == [mine]
    mine.unlink()
    for _ in range(2):
        generate(model, "seg", out, config=FAST, image=photo)


def test_an_input_that_no_file_would_replace_may_lie_in_the_folder(tmp_path, model, photo):
    generate(model, "seg", tmp_path, config=FAST, image=photo)
    assert photo.exists() and (tmp_path / "seg.png").exists()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"to": "depth"}, UsageError, "nothing to generate from"),
        ({"to": "dpeth", "text": "a"}, UsageError, "unknown modality 'dpeth'"),
        ({"to": "", "text": "a"}, UsageError, "expected at least one modality"),
        ({"to": "depth", "text": " "}, QueryError, "empty"),
        ({"to": "depth", "image": "nowhere.png"}, QueryError, "no such file"),
        ({"to": "t5", "text": "a"}, fourm.UnknownModality, "does not predict 't5'"),
        ({"to": "text", "text": "a"}, fourm.BadInput, "is given and cannot be predicted"),
    ],
)
def test_bad_arguments_are_refused_before_all_else(tmp_path, model, arguments, error, words):
    with pytest.raises(error, match=words):
        generate(model, out=tmp_path / "out", config=FAST, **arguments)
    assert words == "is given and cannot be predicted" or not (tmp_path / "out").exists()


class TestNames:
    @pytest.mark.parametrize(
        ("name", "modality"),
        [
            ("rgb", "image_tokens"),
            ("image", "image_tokens"),
            ("Image-Tokens", "image_tokens"),
            ("caption", "text"),
            ("tok_depth@224", "depth"),
            ("semseg", "seg"),
            ("sam-edges", "sam_edges"),
            ("det", "boxes"),
            ("color_palette", "palette"),
            ("tok_dinov2_global", "dinov2_embedding"),
        ],
    )
    def test_other_names(self, name, modality):
        assert output_named(name) == modality

    def test_lists(self):
        assert outputs_named("depth, rgb,depth", ()) == ["depth", "image_tokens"]
        assert outputs_named(["seg,depth", "text"], ()) == ["seg", "depth", "text"]
        assert outputs_named("depth,all", ("seg", "depth")) == ["depth", "seg"]


class TestOptions:
    def test_boxes(self):
        box = (0.25, 0.25, 0.75, 0.75)
        assert read_inpaint(["0.25,0.25,0.75,.75", box]) == [box, box]

    @pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "0.1 0.2 0.3 0.4"])
    def test_bad_boxes(self, text):
        with pytest.raises(UsageError, match="is not a valid box"):
            read_inpaint([text])

    def test_weights_are_of_inputs_first(self):
        assert read_weights(["image=2", "det=-0.5"], {"image"}) == {"image": 2.0, "boxes": -0.5}
        assert read_weights(["image=2"], {"text"}) == {"image_tokens": 2.0}
        assert read_weights({"caption": 3}, {"text"}) == {"text": 3}

    @pytest.mark.parametrize(
        "text", ["text", "text=", "text=x", "text=nan", "text=inf", "=2", "x=2"]
    )
    def test_bad_weights(self, text):
        with pytest.raises(UsageError):
            read_weights([text], {"text"})
        with pytest.raises(UsageError, match="twice"):
            read_weights(["text=1", "caption=2"], {"text"})


class TestShowingAQuery:
    def test_what_a_model_reads_and_predicts(self, tmp_path, model, photo):
        query = Query.read(text="a dog on marzipan", image=photo, depth=np.arange(64).reshape(8, 8))
        files = show_query(model, query, tmp_path / "shown")
        shown = tmp_path / "shown"
        assert {path.relative_to(shown).as_posix() for path in shown.rglob("*.*")} == {*files, LIST}
        assert "read/depth.png" in files and "predicted/seg.png" in files
        assert "predicted/rgb.png" not in files  # the photo is there already
        pieces = json.loads((shown / "word_pieces.json").read_text())
        assert pieces == {"text": ["a", "dog", "on", "[UNK]", "[EOS]"]}
        with Image.open(shown / "sheet.png") as sheet:
            assert sheet.width == 1544

    def test_predictions_from_text_alone(self, tmp_path, model):
        files = show_query(model, Query.read(text="a dog"), tmp_path)
        assert {"predicted/rgb.png", "predicted/seg.png", "predicted/palette.json"} <= set(files)

    def test_the_same_query_shows_the_same(self, tmp_path, model):
        for name in "ab":
            show_query(model, Query.read(text="a dog"), tmp_path / name)
        for file in (tmp_path / "a").rglob("*.*"):
            other = tmp_path / "b" / file.relative_to(tmp_path / "a")
            assert other.read_bytes() == file.read_bytes()

    def test_mini_shows_maps_text_and_the_photo(self, tmp_path, photo):
        mini = fourm.load_model("mini", device="cpu", dtype="float32")
        layout = np.full((64, 64), 184, np.uint8)  # trees
        layout[:32] = 187  # sky
        query = Query.read(text="a dog xqzzy", image=photo, seg=layout)
        files = show_query(mini, query, tmp_path / "shown")
        assert {"sheet.png", "predicted/palette.json"} <= set(files)
        assert not {"predicted/seg.png", "predicted/text.txt"} & set(files)  # they are given
        ids = np.array(Image.open(tmp_path / "shown/read/seg.png"))
        assert (ids[:24] == 187).mean() > 0.8 and (ids[40:] == 184).mean() > 0.8
        pieces = json.loads((tmp_path / "shown/word_pieces.json").read_text())["text"]
        assert "dog" in pieces and pieces[0] == "[CLS]"

    def test_other_models_cannot(self, tmp_path):
        with pytest.raises(UsageError, match="cannot show"):
            show_query(FakeModel(), Query.read(text="red"), tmp_path / "shown")

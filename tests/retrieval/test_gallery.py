import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fourm import ModelNotFound, UnknownModality
from indexes import NotAnIndex, RecipeMismatch
from retrieval import Gallery, Query, RetrievalError, UsageError, render_page, write_sheet
from retrieval.modalities.panoptic import coco_panoptic

from .conftest import numbered
from .fake_model import FakeModel
from .files import write


@pytest.fixture
def gallery(photos, model):
    with Gallery.build(photos, photos.parent / "photos.index", model) as built:
        yield built


def test_an_image_finds_itself_with_score_one(gallery):
    for path in ("b/00.png", "a/01.bmp", "b/02.tif"):
        hits = gallery.search(image=gallery.root / path, k=3)
        assert [hit.rank for hit in hits] == [1, 2, 3]
        assert hits[0].path == path and hits[0].space == "layout"
        assert hits[0].score == pytest.approx(1.0, abs=1e-5) and hits[0].score <= 1.0
        assert hits[0].score > hits[1].score >= hits[2].score


def test_a_text_finds_the_colour_and_a_map_the_layout(photos, model):
    write(photos / "red.png", Image.new("RGB", (20, 20), "red"))
    ids = np.zeros((30, 30), np.uint8)
    ids[:15] = 1
    ids[15:] = 187
    write(photos / "layout.png", Image.fromarray(coco_panoptic().paint(ids)))
    with Gallery.build(photos, photos.parent / "i", model) as gallery:
        assert gallery.search(text="the red")[0].path == "red.png"
        assert gallery.search(seg=ids)[0].path == "layout.png"
        model.batches.clear()
        both = gallery.search(text="red", seg=ids)
        assert model.batches == [1]
        assert {hit.path for hit in both[:2]} == {"red.png", "layout.png"}


def test_a_batch_of_queries_is_one_pass_with_the_hits_of_each_alone(gallery, model):
    queries = [Query.read(image=numbered(n)) for n in (3, 1, 2)] + [Query.read(text="blue")]
    model.batches.clear()
    together = gallery.search_batch(queries, k=4)
    assert model.batches == [4]
    assert [hits[0].path for hits in together[:3]] == ["a/03.png", "a/01.bmp", "b/02.tif"]
    assert together == [gallery.search_batch([query], k=4)[0] for query in queries]
    assert gallery.search_batch([]) == []


def test_k_beyond_the_gallery_returns_all_of_it(gallery):
    hits = gallery.search(text="red", k=1000)
    assert len(hits) == 40 and len({hit.id for hit in hits}) == 40
    assert all(-1.0 <= hit.score <= 1.0 for hit in hits)


@pytest.mark.parametrize("k", [0, -3, 2.5, True, "ten"])
def test_k_must_be_a_number_of_hits(gallery, k):
    with pytest.raises(UsageError, match="k must be"):
        gallery.search(text="red", k=k)


def test_a_hit_knows_its_json_keys(gallery):
    (hit,) = gallery.search(text="red", k=1)
    told = hit.as_dict()
    assert list(told) == ["rank", "score", "path", "id", "space", "modality", "scores", "file"]
    assert {type(value) for value in told.values()} == {int, float, str, dict}
    assert hit.file == gallery.root / hit.path and told["file"] == str(hit.file)
    assert told["scores"] == {"layout": told["score"]} and told["modality"] == "image"


def test_opening_needs_no_model_until_the_first_search(gallery, photos):
    with Gallery.open(photos.parent / "photos.index", "no-such-model") as opened:
        assert opened.index.counts().indexed == 40 and opened.report is None


def test_another_model_is_refused_with_the_way_out(gallery, photos):
    for other in (FakeModel(fingerprint="other"), FakeModel(name="other")):
        with (
            Gallery.open(photos.parent / "photos.index", other) as opened,
            pytest.raises(RecipeMismatch, match=r"Use the model that it was made with"),
        ):
            opened.search(text="red")


def test_an_input_that_the_model_does_not_read_is_refused(gallery, model):
    model.inputs = ("image",)
    with pytest.raises(UnknownModality, match="reads image"):
        gallery.search(text="red")


def test_a_folder_that_is_not_an_index_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no such index"):
        Gallery.open(tmp_path / "nothing")
    with pytest.raises(NotAnIndex):
        Gallery.open(tmp_path)


def test_threads_load_the_model_once(gallery, photos, monkeypatch):
    import fourm

    loads = []

    def load_model(name, *, device, dtype):
        loads.append((name, device, dtype))
        return FakeModel()

    monkeypatch.setitem(vars(fourm), "load_model", load_model)
    with Gallery.open(photos.parent / "photos.index", device="cpu") as opened:
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(opened.search(text="red")[0].path))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert loads == [("fake", "cpu", "auto")]
    assert len(found) == 8 and len(set(found)) == 1


def test_an_empty_name_is_not_the_default_model(photos, tmp_path):
    with pytest.raises(ModelNotFound, match="the name of the model is empty"):
        Gallery.build(photos, tmp_path / "i", "")
    assert not (tmp_path / "i").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("a dog", "search() takes inputs by keyword: search(text='a dog')"),
        (Path("dog.jpg"), "search(image="),
        (Query.read(text="red"), "search_batch"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_inputs_without_a_keyword_are_refused_with_the_way_out(gallery, given, words):
    with pytest.raises(UsageError) as caught:
        gallery.search(given)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((["a.jpg", "b.jpg"],), "folder must be the path of one folder, got ['a.jpg', 'b.jpg']"),
        ((5, "i"), "folder must be the path of one folder, got 5"),
        (("photos",), "to must be the path of one folder, got None"),
        (("photos", ""), "to must be the path of one folder, got ''"),
        (("photos", "a\0b"), r"to must be the path of one folder, got 'a\x00b'"),
    ],
)
def test_what_is_not_a_folder_is_not_indexed(arguments, words):
    with pytest.raises(UsageError) as caught:
        Gallery.build(*arguments)
    assert str(caught.value) == words


@pytest.mark.parametrize("queries", ["a dog", ["a dog"], None, Query.read(text="a dog"), [None]])
def test_a_batch_holds_queries(gallery, queries):
    with pytest.raises(UsageError, match=r"^queries: expected a list of Query objects, got "):
        gallery.search_batch(queries)


@pytest.mark.parametrize("given", [5, object()])
def test_what_is_not_a_model_is_refused(gallery, photos, tmp_path, given):
    with pytest.raises(UsageError, match=r"^model: expected a name, a folder or a model, got "):
        Gallery.open(gallery.index.folder, given)
    with pytest.raises(UsageError, match=r"^model: expected a name, a folder or a model, got "):
        Gallery.build(photos, tmp_path / "other", given)
    assert not (tmp_path / "other").exists()


def test_what_was_skipped_and_what_is_indexed_is_described(photos, model, tmp_path):
    (photos / "bad.png").write_bytes(b"bad")
    with Gallery.build(photos, tmp_path / "i", model) as gallery:
        about = gallery.describe()
        assert (about["items"], about["skipped"], about["model"]) == (40, 1, "fake")
        (skipped,) = gallery.skipped()
        assert (skipped.path, skipped.modality) == ("bad.png", "image") and skipped.reason


def test_a_page_is_rendered_and_a_sheet_written(gallery, tmp_path):
    query = Query.read(text="red")
    (hits,) = gallery.search_batch([query], k=2)
    html = render_page(gallery, query, hits)
    assert html.startswith("<!doctype html>") and html.count("data:image/") == 2
    write_sheet(gallery, query, hits, tmp_path / "sheet.png", modalities="image")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == 1544
    with pytest.raises(UsageError, match="no gallery of the modality 'depth'"):
        render_page(gallery, query, hits, modalities="depth")


@pytest.mark.parametrize("name", ["spaces", "modalities"])
def test_an_empty_choice_is_refused(name, gallery):
    with pytest.raises(UsageError, match=f"{name}: expected at least one"):
        gallery.search(text="a", **{name: []})


def test_a_gallery_is_not_built_in_no_space(photos, tmp_path):
    with pytest.raises(UsageError, match="spaces: expected at least one"):
        Gallery.build(photos, tmp_path / "i", FakeModel(), spaces=[])
    assert not (tmp_path / "i").exists()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        np.linalg.LinAlgError("x"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to"),
    ],
    ids=["Python", "another error", "torch"],
)
def test_a_lack_of_memory_is_named(error, gallery, monkeypatch):
    def fails(*given, **options):
        raise error

    monkeypatch.setattr(FakeModel, "embed_spaces", fails)
    expected = (type(error), "x") if str(error) == "x" else (RetrievalError, "not enough memory; ")
    with pytest.raises(expected[0], match=expected[1]):
        gallery.search(text="a")

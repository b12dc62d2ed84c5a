"""A gallery may hold any modality, and one index several of them."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fourm import UnknownModality
from indexes import ReadingMismatch
from retrieval import Gallery, ItemError, Query, UsageError
from retrieval.modalities import source_named, sources
from retrieval.modalities.panoptic import coco_panoptic
from retrieval.report.results import Results

from .conftest import numbered
from .examples import SOURCES
from .fake_model import FakeModel, three_spaces
from .files import encoded, write

KINDS = ("image", "text", "seg", "depth", "normals", "edges", "palette", "boxes")


@pytest.fixture
def model():
    return FakeModel(inputs=(*KINDS, "dinov2_embedding"), spaces=three_spaces())


def grey(number):
    cells = np.random.default_rng(number).integers(0, 65535, (4, 4)).astype(np.uint16)
    return np.kron(cells, np.ones((8, 8), np.uint16))


def seg_map(number):
    ids = sorted(coco_panoptic().names)
    cells = np.random.default_rng(number).choice(ids[1:], (4, 4))
    return np.kron(cells, np.ones((6, 6), int)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Folders of items of several modalities, five each, and one bad file each."""
    for number in range(5):
        write(tmp_path / f"image/{number}.png", numbered(number))
        write(tmp_path / f"normals/{number}.png", numbered(number + 20))
        write(tmp_path / f"seg/{number}.png", Image.fromarray(seg_map(number)))
        write(tmp_path / f"depth/{number}.png", Image.fromarray(grey(number)))
        (tmp_path / "embeddings").mkdir(exist_ok=True)
        np.save(
            tmp_path / f"embeddings/{number}.npy",
            np.random.default_rng(number).standard_normal(48).astype(np.float32),
        )
        box = {"bbox": [0, number * 10, 20, 20], "category_id": 1}
        (tmp_path / "boxes").mkdir(exist_ok=True)
        (tmp_path / f"boxes/{number}.json").write_text(
            json.dumps({"width": 60, "height": 60, "annotations": [box]})
        )
    np.save(tmp_path / "depth/array.npy", grey(9).astype(np.float64))
    for name in ("image/bad.png", "normals/bad.png", "seg/bad.png", "depth/bad.png"):
        (tmp_path / name).write_bytes(b"bad")
    write(tmp_path / "seg/photo.jpg", numbered(1), "JPEG")
    (tmp_path / "embeddings/bad.npy").write_bytes(b"")
    np.save(tmp_path / "embeddings/nan.npy", np.full(48, np.nan))
    (tmp_path / "boxes/bad.json").write_text("{")
    return tmp_path


def build(folder, name, modality, model, **options):
    return Gallery.build(folder / name, folder / "x.index", model, modality=modality, **options)


def test_every_source_of_a_query_makes_a_gallery():
    further = {"text", "image", "seg", "canny", "palette_of"}
    assert set(sources()) == set(SOURCES) | further
    assert source_named("dinov2-embedding").name == "dinov2_embedding"
    with pytest.raises(UsageError, match=r"modality 'sound'; known: text, image, seg"):
        source_named("sound")


@pytest.mark.parametrize(
    ("modality", "name", "item", "count", "reasons"),
    [
        ("seg", "seg", "3.png", 5, ["not an image", "JPEG changes the values"]),
        ("depth", "depth", "3.png", 6, ["expected a depth map"]),
        ("normals", "normals", "3.png", 5, ["not an image"]),
        ("canny", "image", "3.png", 5, ["not an image"]),
        ("palette_of", "image", "3.png", 5, ["not an image"]),
        ("boxes", "boxes", "3.json", 5, ["not JSON"]),
        ("dinov2_embedding", "embeddings", "3.npy", 5, ["empty file", "holds NaN"]),
    ],
)
def test_items_of_a_modality_find_themselves(folder, model, modality, name, item, count, reasons):
    with build(folder, name, modality, model, batch_size=3) as gallery:
        assert gallery.report.indexed == count and gallery.report.skipped == len(reasons)
        skipped = gallery.index.skipped(modality=modality)
        for photo, reason in zip(skipped, reasons, strict=True):
            assert photo.error.startswith(reason[:4]) and reason in photo.error
            assert str(folder) not in photo.error and photo.content_hash
        hits = gallery.search(**{modality: str(folder / name / item)}, k=2)
        assert hits[0].path == item and hits[0].modality == modality
        assert hits[0].score == pytest.approx(1, abs=1e-5) and hits[1].score < 0.9999
        assert hits[0].file == (
            None if source_named(modality).items.lines else folder / name / item
        )
        assert gallery.read(hits[0]).modality == source_named(modality).modality
        gallery.index.verify()
    model.batches.clear()
    with build(folder, name, modality, model) as gallery:
        assert model.batches == [] and gallery.report.unchanged == count


def test_one_index_holds_several_modalities_and_a_query_asks_for_some(folder, model):
    (folder / "captions.txt").write_text("the red\nthe blue\n")
    build(folder, "image", "image", model, spaces="all").close()
    build(folder, "depth", "depth", model).close()
    with build(folder, "captions.txt", "text", model) as gallery:
        assert [r.modality for r in gallery.index.readings.values()] == ["image", "depth", "text"]
        held = [gallery.index.counts(modality=modality) for modality in ("image", "depth", "text")]
        assert [count.indexed for count in held] == [5, 6, 2]
        for spaces in (None, "all"):
            asked = {"text": "the blue", "k": 99, "spaces": spaces, "fusion": "scores"}
            everything = gallery.search(**asked)
            assert len(everything) == 13 and everything[0].path == "captions.txt:2"
            assert gallery.read(everything[0]).value == "the blue"
            for modalities, expected in (("depth", 6), (["image", "text"], 7)):
                hits = gallery.search(**asked, modalities=modalities)
                wanted = [modalities] if isinstance(modalities, str) else modalities
                same = [hit for hit in everything if hit.modality in wanted]
                assert len(hits) == expected and [h.id for h in hits] == [h.id for h in same]
        by_photo = gallery.search(image=folder / "image/3.png", modalities="depth")
        assert {hit.modality for hit in by_photo} == {"depth"}
        assert {hit.path for hit in everything} >= {"3.png", "captions.txt:1"}
        gallery.index.verify()


def test_each_modality_is_brought_up_to_date_alone(folder, model):
    build(folder, "image", "image", model).close()
    build(folder, "depth", "depth", model).close()
    (folder / "depth/3.png").unlink()
    write(folder / "image/9.png", numbered(9))
    with build(folder, "depth", "depth", model) as gallery:
        assert (gallery.report.deleted, gallery.report.indexed) == (1, 0)
        assert "3.png" in gallery.index.snapshot() and "9.png" not in gallery.index.snapshot()
    with build(folder, "image", "image", model) as gallery:
        assert (gallery.report.deleted, gallery.report.indexed) == (0, 1)


def test_a_space_is_added_modality_by_modality(folder, model):
    build(folder, "image", "image", model).close()
    build(folder, "depth", "depth", model).close()
    with build(folder, "image", "image", model, spaces="light") as gallery:
        assert gallery.report.incomplete == {}
        query = {"image": folder / "image/3.png", "spaces": "light"}
        assert gallery.search(**query, modalities="image")[0].path == "3.png"
        with pytest.raises(Exception, match=r"depth \(depth\)"):
            gallery.search(**query)
    with build(folder, "depth", "depth", model) as gallery:
        assert gallery.report.completed == 6
        assert len(gallery.search(**query, k=99)) == 11


def test_which_end_is_near_is_remembered_and_not_mixed(folder, model):
    with build(folder, "depth", "depth", model, depth_near="high") as gallery:
        assert gallery.index.readings["depth"].options == "depth_near=high"
        asked = {"depth": str(folder / "depth/2.png"), "k": 1}
        assert gallery.search(**asked, depth_near="high")[0].score == pytest.approx(1, abs=1e-5)
        assert gallery.search(**asked)[0].score < 0.999
        before = gallery.index.counts(modality="depth")
    write(folder / "depth/new.png", Image.fromarray(grey(77)))
    with pytest.raises(ReadingMismatch, match=r"depth_near=high, got depth_near=low"):
        build(folder, "depth", "depth", model, depth_near="low")
    with build(folder, "depth", "depth", model) as gallery:  # as before
        assert gallery.index.counts(modality="depth").indexed == before.indexed + 1
        found = gallery.search(depth=grey(77), depth_near="high", k=1)[0]
        assert found.path == "new.png" and found.score == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("modality", "near"), [("image", "low"), ("depth", "left")])
def test_an_impossible_end_is_refused(folder, model, modality, near):
    with pytest.raises(UsageError, match="depth_near"):
        build(folder, modality, modality, model, depth_near=near)
    assert not (folder / "x.index").exists()


def test_a_model_that_reads_the_modality_otherwise_is_refused(folder, model):
    build(folder, "image", "image", model).close()
    build(folder, "depth", "depth", model).close()
    other = FakeModel(inputs=model.inputs, spaces=three_spaces(), readers={"depth": "beef"})
    with pytest.raises(ReadingMismatch, match="depth with other tokenizers"):
        build(folder, "depth", "depth", other)
    build(folder, "image", "image", other).close()


def test_a_modality_that_the_model_does_not_read_makes_no_gallery(folder):
    simple = FakeModel()
    for name in ("depth", "canny"):
        source = "image" if name == "canny" else name
        with pytest.raises(UnknownModality, match="it reads image, text, seg"):
            build(folder, source, name, simple)
    assert not (folder / "x.index").exists()
    build(folder, "image", "image", simple).close()
    with pytest.raises(UnknownModality):
        build(folder, "depth", "depth", simple)
    with Gallery.open(folder / "x.index", simple) as gallery:
        assert list(gallery.index.readings) == ["image"]


def test_a_gallery_is_of_one_folder_and_moves_with_it(folder, model):
    build(folder, "image", "image", model).close()
    build(folder, "depth", "depth", model).close()
    shutil.copytree(folder / "depth", folder / "copy", copy_function=shutil.copy)
    with pytest.raises(UsageError, match=r"modality depth is of the folder .*depth, got .*copy"):
        build(folder, "copy", "depth", model)
    (folder / "depth").rename(folder / "renamed")
    model.batches.clear()
    with build(folder, "renamed", "depth", model) as gallery:
        assert model.batches == [] and gallery.report.unchanged == 6
        assert gallery.index.roots["depth"] == folder / "renamed"
        assert gallery.root == folder / "image"


@pytest.mark.parametrize("modality", ["text", "seg", "boxes", "poses"])
def test_a_folder_without_such_items_is_refused(tmp_path, model, modality):
    write(tmp_path / "p/a.heic", numbered(1)) if modality != "seg" else (tmp_path / "p").mkdir()
    with pytest.raises(UsageError, match=r"p: no .* found"):
        Gallery.build(tmp_path / "p", tmp_path / "i", model, modality=modality)


def test_an_item_that_changes_is_read_again(folder, model):
    build(folder, "depth", "depth", model).close()
    (folder / "depth/3.png").write_bytes(encoded(Image.fromarray(grey(50))))
    (folder / "depth/4.png").rename(folder / "depth/moved.png")
    with build(folder, "depth", "depth", model) as gallery:
        assert (gallery.report.indexed, gallery.report.moved) == (1, 1)
        assert gallery.search(depth=grey(50))[0].path == "3.png"


def test_a_hit_that_is_gone_says_so(folder, model):
    (folder / "captions.txt").write_text("the red\nthe blue\n")
    build(folder, "captions.txt", "text", model).close()
    with build(folder, "seg", "seg", model) as gallery:
        hits = {hit.modality: hit for hit in gallery.search(text="the blue", k=99)}
        (folder / "captions.txt").write_text("the red")
        (folder / "seg" / hits["seg"].path).unlink()
        for modality, reason in (("text", "line is missing"), ("seg", "file is missing")):
            hit = hits[modality] if modality == "seg" else _line(gallery, 2)
            with pytest.raises(ItemError, match=reason):
                gallery.read(hit)


def test_a_hit_of_another_index_is_not_to_be_read(folder, model):
    with build(folder, "image", "image", model) as gallery:
        hit = replace(gallery.search(image=numbered(1))[0], modality="depth")
        with pytest.raises(ItemError, match="no gallery of the modality 'depth'"):
            gallery.read(hit)


def test_a_page_takes_modalities_as_they_are_typed(folder, model):
    build(folder, "image", "image", model).close()
    with build(folder, "embeddings", "dinov2_embedding", model) as gallery:
        query = Query.read(image=numbered(1))
        for asked in ("dinov2-embedding", ["dinov2-embedding", "dinov2_embedding"]):
            (hits,) = gallery.search_batch([query], modalities=asked)
            results = Results.of(gallery, query, hits, asked)
            assert (results.counted, results.gallery) == ("5 items", "embeddings")
        with pytest.raises(UsageError, match="no gallery of the modality 'depth'"):
            Results.of(gallery, query, [], "depth")


def _line(gallery, number):
    return next(
        hit
        for hit in gallery.search(text="the blue", k=99, modalities="text")
        if hit.path == f"captions.txt:{number}"
    )

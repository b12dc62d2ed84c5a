"""What a wide or tall image shows is found wherever it lies, and the image is found once."""

import sqlite3

import numpy as np
import pytest
from PIL import Image

from cli_tables import index_text
from fourm.modalities.pixels import square_box
from retrieval import BuildInterrupted, Gallery, Query
from retrieval.evaluation import JudgedQuery, evaluate

from .conftest import numbered
from .fake_model import FakeModel, three_spaces
from .files import write


def joined(*numbers, tall=False):
    pixels = [np.asarray(numbered(number)) for number in numbers]
    return Image.fromarray(np.concatenate(pixels, axis=0 if tall else 1))


class CroppingModel(FakeModel):
    """Sees the central square of an image, as the real models do."""

    def prepare(self, inputs, *, predict=()):
        if "image" in inputs:
            image = inputs["image"]
            inputs = {**inputs, "image": image.crop(square_box(*image.size))}
        return super().prepare(inputs, predict=predict)


@pytest.fixture
def model():
    return CroppingModel(spaces=three_spaces())


@pytest.fixture
def photos(photos):
    """Forty ordinary ones, a panorama of three others, and a screenshot of four others."""
    write(photos / "wide.png", joined(100, 101, 102))
    write(photos / "tall.png", joined(200, 201, 202, 203, tall=True))
    return photos


def build(photos, model, **options):
    options.setdefault("batch_size", 8)
    return Gallery.build(photos, photos.parent / "photos.index", model, **options)


def drop_squares(gallery):
    """As an index of an earlier version has none."""
    with sqlite3.connect(gallery.index.folder / "catalogue.sqlite3") as catalogue:
        catalogue.execute("DELETE FROM part_vectors")
        catalogue.execute("UPDATE spaces SET generation = generation + 1")


@pytest.mark.parametrize("spaces", [None, "all"])
def test_each_part_is_found_first(photos, model, spaces):
    with build(photos, model, spaces=spaces) as gallery:
        for at, number in enumerate((100, 101, 102)):
            hits = gallery.search(image=numbered(number), spaces=spaces, k=99)
            assert hits[0].path == "wide.png"
            assert hits[0].scores["layout"] == pytest.approx(1, abs=1e-5)
            box = (at / 3, 0, (at + 1) / 3, 1)
            assert hits[0].box == (None if at == 1 else pytest.approx(box))
            assert len({hit.path for hit in hits}) == len(hits) == 42
        for at, number in enumerate((200, 201, 202, 203)):
            hit = gallery.search(image=numbered(number), spaces=spaces)[0]
            assert hit.path == "tall.png"
            assert hit.box == pytest.approx((0, at / 4, 1, (at + 1) / 4))
        gallery.index.verify()


def test_ordinary_images_and_whole_ones_have_no_box(photos, model):
    with build(photos, model) as gallery:
        assert gallery.search(image=joined(100, 101, 102))[0].box is None
        entry = gallery.search(image=numbered(3))[0].as_dict()
        assert "box" not in entry and entry["path"].startswith("a/03")
        boxed = gallery.search(image=numbered(100))[0].as_dict()
        assert boxed["box"] == pytest.approx([0, 0, 1 / 3, 1])


def test_an_item_counts_once_in_an_evaluation(photos, model):
    with build(photos, model) as gallery:
        queries = [JudgedQuery({"image": numbered(102)}, ["wide.png"])]
        result = evaluate(gallery, queries)
    assert (result.items, result.median_rank) == (42, 1)


def test_passes_stay_within_the_batch_size(photos, model):
    with build(photos, model) as gallery:
        assert max(model.batches) <= 8
        assert sum(model.batches) == 42 + 4 + 6
        assert gallery.report.indexed == 42


def test_squares_that_are_missing_are_added_without_the_wholes(photos, model):
    with build(photos, model) as gallery:
        drop_squares(gallery)
        assert gallery.search(image=numbered(100))[0].scores["layout"] < 0.99
        about = gallery.describe()["galleries"][0]
        assert (about["wide"], about["wide_without_squares"]) == (2, 2)
        before = {path: known.id for path, known in gallery.index.snapshot().items()}
    model.batches.clear()
    with build(photos, model) as gallery:
        assert sum(model.batches) == 4 + 6
        assert (gallery.report.completed, gallery.report.unchanged) == (2, 40)
        assert (gallery.report.indexed, gallery.report.skipped) == (0, 0)
        assert gallery.search(image=numbered(100))[0].path == "wide.png"
        assert gallery.describe()["galleries"][0]["wide_without_squares"] == 0
        assert before == {path: known.id for path, known in gallery.index.snapshot().items()}
    model.batches.clear()
    with build(photos, model) as gallery:
        assert model.batches == [] and gallery.report.completed == 0


def test_info_says_that_squares_are_missing(photos, model):
    with build(photos, model) as gallery:
        assert "\nwide     2\n" in index_text(gallery.describe())
        assert "without squares" not in index_text(gallery.describe())
        drop_squares(gallery)
        assert "wide without squares  2 (`fourm index` adds them)" in index_text(gallery.describe())


def test_a_space_that_is_added_has_squares_too(photos, model):
    build(photos, model).close()
    model.batches.clear(), model.passes.clear()
    with build(photos, model, spaces=["hue"]) as gallery:
        assert gallery.report.completed == 42
        assert sum(model.batches) == 42 + 4 + 6 and set(model.passes) == {("hue",)}
        assert gallery.index.shapes()["wide.png"].parts == {"layout": 4, "hue": 4}
        hit = gallery.search(image=numbered(102), spaces="all")[0]
        assert hit.path == "wide.png" and hit.scores["hue"] == pytest.approx(1, abs=1e-5)


def test_squares_move_and_go_with_their_image(photos, model):
    build(photos, model).close()
    (photos / "wide.png").rename(photos / "a/moved.png")
    (photos / "tall.png").unlink()
    model.batches.clear()
    with build(photos, model) as gallery:
        assert model.batches == [] and (gallery.report.moved, gallery.report.deleted) == (1, 1)
        hit = gallery.search(image=numbered(102))[0]
        assert hit.path == "a/moved.png" and hit.box == pytest.approx((2 / 3, 0, 1, 1))
        assert gallery.search(image=numbered(200))[0].scores["layout"] < 0.99
        gallery.index.verify()


def test_an_image_that_is_no_longer_wide_loses_its_squares(photos, model):
    build(photos, model).close()
    write(photos / "wide.png", numbered(7))
    with build(photos, model) as gallery:
        assert gallery.search(image=numbered(101))[0].scores["layout"] < 0.99
        assert gallery.index.shapes()["wide.png"].parts == {}


def test_an_interrupted_build_goes_on_with_squares(photos, model):
    for name in range(5):
        write(photos / f"wide {name}.png", joined(300 + 3 * name, 301 + 3 * name, 302 + 3 * name))

    def stop(done):
        if done == 5:
            raise KeyboardInterrupt

    model.before_embed = stop
    for _ in range(3):
        with pytest.raises(BuildInterrupted):
            build(photos, model, batch_size=4)
        model.batches.clear()
    model.before_embed = None
    with build(photos, model, batch_size=4) as gallery:
        gallery.index.verify()
        assert all(
            gallery.index.shapes()[f"wide {name}.png"].parts == {"layout": 4} for name in range(5)
        )
        for number in range(300, 315):
            hit = gallery.search(image=numbered(number))[0]
            assert hit.score == pytest.approx(1, abs=1e-5)
            assert hit.path == f"wide {(number - 300) // 3}.png"


def test_other_modalities_have_no_squares(tmp_path):
    model = FakeModel(inputs=("image", "depth"))
    depth = np.asarray(joined(1, 2, 3).convert("L")).astype(np.float32)
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps/wide.npy", depth)
    with Gallery.build(tmp_path / "maps", tmp_path / "i", model, modality="depth") as gallery:
        assert model.batches == [1]
        assert gallery.index.shapes()["wide.npy"].parts == {}
        assert "wide" not in gallery.describe()["galleries"][0]


def test_a_panorama_that_cannot_be_read_is_one_skipped_item(photos, model):
    content = (photos / "wide.png").read_bytes()
    (photos / "wide.png").write_bytes(content[: len(content) // 2])
    with build(photos, model) as gallery:
        assert gallery.report.skipped == 1
        gallery.index.verify()


def test_frames_and_pages_are_counted(tmp_path):
    frames = [numbered(number) for number in range(3)]
    options = {"save_all": True, "append_images": frames[1:]}
    write(tmp_path / "photos/a.gif", frames[0], "GIF", duration=50, **options)
    write(tmp_path / "photos/b.tif", frames[0], "TIFF", **options)
    write(tmp_path / "photos/c.png", frames[0])
    with Gallery.build(tmp_path / "photos", tmp_path / "i", FakeModel()) as gallery:
        assert gallery.describe()["galleries"][0]["several_frames"] == 2
        hits = {hit.path: hit for hit in gallery.search(image=frames[0])}
        assert {path: hit.frames for path, hit in hits.items()} == {
            "a.gif": 3,
            "b.tif": 3,
            "c.png": 1,
        }
        assert hits["a.gif"].as_dict()["frames"] == 3 and "frames" not in hits["c.png"].as_dict()


def test_a_wide_query_says_that_its_central_square_is_used(tmp_path):
    write(tmp_path / "wide.png", joined(1, 2, 3))
    said = "only the central square is used; crop it to use another part"
    assert Query.read(image=tmp_path / "wide.png").notes == (f"wide.png: {said}",)
    assert Query.read(image=joined(1, 2, 3)).notes == (f"image: {said}",)
    assert Query.read(image=joined(1)).notes == ()

"""A file of which only the metadata was edited keeps its vector."""

import os
from datetime import datetime

import pytest
from PIL import Image, PngImagePlugin

from tests.retrieval.building.verified import build
from tests.retrieval.conftest import numbered
from tests.retrieval.images.icc import DISPLAY_P3, matrix_profile

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "TIFF": "tif", "AVIF": "avif"}


def _exif(date=None, orientation=None, rating=None):
    exif = Image.Exif()
    if date is not None:
        exif[0x0132] = date
    if orientation is not None:
        exif[0x0112] = orientation
    if rating is not None:
        exif[0x4746] = rating
    return exif


def save(path, photo=1, form="JPEG", **options):
    path.parent.mkdir(exist_ok=True)
    numbered(photo).save(path, form, **options)


@pytest.mark.parametrize("form", FORMATS)
def test_a_new_date_and_rating_are_noted_and_nothing_is_embedded(form, tmp_path, model):
    if form == "AVIF" and "AVIF" not in Image.SAVE:
        Image.init()
        if "AVIF" not in Image.SAVE:
            pytest.skip("Pillow without AVIF")
    path = tmp_path / f"photos/a.{FORMATS[form]}"
    save(path, form=form, exif=_exif("2020:01:02 03:04:05"))
    build(path.parent, model).close()
    save(path, form=form, exif=_exif("2021:01:02 03:04:05", rating=5))
    with build(path.parent, model) as gallery:
        assert (gallery.report.edited, gallery.report.indexed) == (1, 0)
        assert model.batches == []
        known = gallery.index.snapshot()["a." + FORMATS[form]]
        item = gallery.index.items([known.id])[known.id]
        assert item.exif_date == datetime(2021, 1, 2, 3, 4, 5)
        assert (item.width, item.height, item.size) == (32, 32, path.stat().st_size)
    with build(path.parent, model) as gallery:
        assert (gallery.report.unchanged, gallery.report.edited) == (1, 0)


@pytest.mark.parametrize(
    "texts", [{"comment": b"a dog"}, {"xmp": b"<x:xmpmeta/>"}, {"dpi": (300, 300)}]
)
def test_texts_of_a_jpeg_do_not_count(texts, tmp_path, model):
    path = tmp_path / "photos/a.jpg"
    save(path)
    build(path.parent, model).close()
    save(path, **texts)
    with build(path.parent, model) as gallery:
        assert gallery.report.edited == 1 and model.batches == []


def test_texts_of_a_png_do_not_count(tmp_path, model):
    path = tmp_path / "photos/a.png"
    save(path, form="PNG")
    build(path.parent, model).close()
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "a dog")
    texts.add_itxt("parameters", "seed 1", zip=True)
    save(path, form="PNG", pnginfo=texts, dpi=(300, 300))
    with build(path.parent, model) as gallery:
        assert gallery.report.edited == 1 and model.batches == []


@pytest.mark.parametrize("lossless", [False, True])
def test_the_first_rating_of_a_webp_does_not_count(lossless, tmp_path, model):
    path = tmp_path / "photos/a.webp"
    save(path, form="WEBP", lossless=lossless)
    assert b"VP8X" not in path.read_bytes()
    build(path.parent, model).close()
    save(path, form="WEBP", lossless=lossless, exif=_exif(rating=5))
    assert b"VP8X" in path.read_bytes()
    with build(path.parent, model) as gallery:
        assert gallery.report.edited == 1 and model.batches == []


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("change", ["pixels", "orientation", "profile"])
def test_what_changes_the_picture_counts(form, change, tmp_path, model):
    path = tmp_path / f"photos/a.{FORMATS[form]}"
    save(path, form=form)
    build(path.parent, model).close()
    if change == "pixels":
        save(path, 2, form=form)
    elif change == "orientation":
        save(path, form=form, exif=_exif(orientation=6))
    else:
        save(path, form=form, icc_profile=matrix_profile(*DISPLAY_P3))
    with build(path.parent, model) as gallery:
        assert (gallery.report.indexed, gallery.report.edited) == (1, 0)
        assert model.batches == [1]


def test_an_edited_file_of_an_older_index_is_embedded_once(tmp_path, model):
    path = tmp_path / "photos/a.jpg"
    save(path)
    with build(path.parent, model) as gallery:
        known = gallery.index.snapshot()["a.jpg"]
        item = gallery.index.items([known.id])[known.id]
        gallery.index.update_files([_without_pixel_hash(item)])
    save(path, exif=_exif(rating=3))
    with build(path.parent, model) as gallery:
        assert gallery.report.indexed == 1
    save(path, exif=_exif(rating=4))
    with build(path.parent, model) as gallery:
        assert gallery.report.edited == 1


def test_a_file_that_is_read_anyway_gets_its_pixel_hash(tmp_path, model):
    path = tmp_path / "photos/a.jpg"
    save(path)
    with build(path.parent, model) as gallery:
        known = gallery.index.snapshot()["a.jpg"]
        item = gallery.index.items([known.id])[known.id]
        gallery.index.update_files([_without_pixel_hash(item)])
    os.utime(path, ns=(1, 1))
    with build(path.parent, model) as gallery:
        assert gallery.report.unchanged == 1 and model.batches == []
        assert gallery.index.snapshot()["a.jpg"].pixel_hash == known.pixel_hash


def _without_pixel_hash(item):
    from dataclasses import fields, replace

    from indexes import FileInfo

    facts = FileInfo(**{one.name: getattr(item, one.name) for one in fields(FileInfo)})
    return replace(facts, pixel_hash=None)

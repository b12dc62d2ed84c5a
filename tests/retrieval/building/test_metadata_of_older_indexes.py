"""Images of an index that was made before their metadata were stored get them without a model."""

import os

import pytest
from PIL import Image

from retrieval import Gallery
from tests.retrieval.conftest import numbered
from tests.retrieval.fake_model import FakeModel


@pytest.fixture
def older(tmp_path):
    """Three photos, of which the index has no details."""
    exif = Image.Exif()
    exif[0x0110] = "D90"
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        numbered(number).save(folder / f"{number}.jpg", exif=exif)
    with Gallery.build(folder, tmp_path / "index", FakeModel()) as gallery:
        with gallery.index._catalogue.write() as (session, _):
            session.connection().exec_driver_sql("DELETE FROM details")
        assert gallery.count("camera = 'd90'") == 0
    return folder, tmp_path / "index"


def generations(index):
    with index._catalogue.read() as session:
        rows = session.connection().exec_driver_sql("SELECT generation FROM spaces")
        return rows.scalars().all()


def test_the_next_build_reads_them_and_embeds_nothing(older):
    folder, to = older
    model = FakeModel()
    with Gallery.open(to, model) as gallery:
        before = generations(gallery.index)
    with Gallery.build(folder, to, model) as gallery:
        assert gallery.count("camera = 'd90'") == 3
        assert (gallery.report.indexed, gallery.report.unchanged) == (0, 3)
        assert generations(gallery.index) == before
        assert model.batches == []


def test_they_are_read_once(older, monkeypatch):
    folder, to = older
    Gallery.build(folder, to, FakeModel()).close()
    import retrieval.items.reading as reading

    def fail(path):
        raise AssertionError(path)

    monkeypatch.setattr(reading, "read_file", fail)
    Gallery.build(folder, to, FakeModel()).close()


def test_a_photo_that_is_damaged_now_has_none_and_stops_nothing(older):
    folder, to = older
    photo = folder / "1.jpg"
    times = photo.stat()
    photo.write_bytes(b"x" * times.st_size)
    os.utime(photo, ns=(times.st_atime_ns, times.st_mtime_ns))
    with Gallery.build(folder, to, FakeModel()) as gallery:
        assert gallery.count("camera = 'd90'") == 2

"""Files that are skipped because a decoder is missing, and read once it is installed."""

import pytest
from PIL import Image

from indexes import SnapshotEntry
from retrieval import Gallery
from retrieval.building.planning import worth_retrying
from retrieval.images import formats
from tests.retrieval.fake_model import FakeModel
from tests.retrieval.images.encoding import encoded, quarters


@pytest.fixture
def folder(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "beach.heic").write_bytes(encoded(quarters(), "HEIF"))
    (photos / "plain.png").write_bytes(encoded(Image.new("RGB", (20, 20))))
    return photos


def build(folder, **options):
    with Gallery.build(folder, folder.parent / "index", FakeModel(), **options) as gallery:
        return gallery.report, gallery.index.snapshot()


def test_heic_is_read(folder):
    report, _ = build(folder)
    assert report.indexed == 2 and not report.skipped


def test_the_reason_names_the_package_and_the_file_is_retried_by_itself(folder, monkeypatch):
    with monkeypatch.context() as without:
        without.setattr(formats, "_heif_registered", lambda: False)
        without.setattr(formats, "can_decode_now", lambda package, reason: False)
        report, known = build(folder)
        assert known["beach.heic"].state == "skipped"
        assert "needs the package pillow-heif" in known["beach.heic"].error
        assert known["beach.heic"].needs_decoder == "pillow-heif"
    report, known = build(folder)
    assert known["beach.heic"].state == "indexed" and report.unchanged == 1


@pytest.mark.parametrize(
    "reason",
    [
        "HEIC needs the package pillow-heif: `pip install pillow-heif`",
        "HEIC cannot be decoded by Pillow alone; convert it to JPEG",
        "HEIC is not read by Pillow itself: convert it to JPEG",
    ],
)
def test_reasons_that_an_index_may_hold(reason):
    pytest.importorskip("pillow_heif")
    assert worth_retrying(SnapshotEntry(1, 1, 1, "abc", "skipped", reason), retry=False)


@pytest.mark.parametrize("reason", [None, "", "empty file", "JPEG XL needs the package nothing: x"])
def test_other_reasons_wait_for_the_user(reason):
    before = SnapshotEntry(1, 1, 1, "abc", "skipped", reason)
    assert not worth_retrying(before, retry=False)
    assert worth_retrying(before, retry=True)

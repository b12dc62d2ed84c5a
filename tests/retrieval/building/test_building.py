"""A build brings an index up to date with its folder."""

import os
import shutil
import signal
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexes import Index, IndexBusy, RecipeMismatch
from retrieval import BuildInterrupted, Gallery, UsageError
from tests.processes import run_python
from tests.retrieval.conftest import numbered
from tests.retrieval.fake_model import FakeModel
from tests.retrieval.files import encoded, write

ROOT = Path(__file__).resolve().parents[3]


def build(photos, model, **options):
    options.setdefault("batch_size", 8)
    return Gallery.build(photos, photos.parent / "photos.index", model, **options)


def everything(gallery):
    """Path -> id of what is in the index, each proven to have its own photo's vector."""
    found = {}
    for path, known in gallery.index.snapshot().items():
        if known.state != "indexed":
            continue
        with Image.open(gallery.root / path) as opened:
            expected = gallery.model.prepare({"image": opened.convert("RGB")})
        (expected,) = gallery.model.embed([expected], space="layout")
        assert np.allclose(gallery.index.vectors([known.id])[0], expected, atol=1e-6), path
        found[path] = known.id
    return found


def test_every_image_gets_its_own_vector(photos, model):
    with build(photos, model) as gallery:
        assert gallery.report.indexed == 40
        assert len(everything(gallery)) == 40
    assert model.batches[:5] == [8] * 5


@pytest.mark.parametrize("workers", [1, 3, 8])
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_bad_images_do_not_shift_the_others(photos, model, batch_size, workers):
    rng = np.random.default_rng(batch_size * 10 + workers)
    content = encoded(Image.fromarray(rng.integers(0, 255, (40, 40, 3), np.uint8)))
    bad = {
        "a/00-first.png": b"",
        "a/11b.png": content[: len(content) // 2],
        "a/11c.png": b"not a photo",
        "a/11d.png": content[:30],
        "b/12b.jpg": b"\xff\xd8\xff\xe0garbage",
        "b/12c.png": encoded(Image.new("RGB", (1, 1))),
        "zz-last.gif": b"GIF89a",
    }
    for path, data in bad.items():
        (photos / path).write_bytes(data)
    (photos / "b/link.png").symlink_to("nowhere.png")
    with build(photos, model, batch_size=batch_size, workers=workers) as gallery:
        assert gallery.report.indexed == len(everything(gallery)) == 40
        skipped = {photo.path: photo.error for photo in gallery.index.skipped()}
        assert gallery.report.skipped == 8
    assert set(skipped) == {*bad, "b/link.png"}
    assert skipped["a/00-first.png"] == "empty file"
    assert skipped["b/link.png"] == "broken link"
    assert "truncated" in skipped["a/11b.png"]
    assert "not an image" in skipped["a/11c.png"]
    assert "smaller than 2 pixels" in skipped["b/12c.png"]


def test_a_gallery_of_bad_images_only_is_built(tmp_path, model):
    for number in range(30):
        (tmp_path / "p").mkdir(exist_ok=True)
        (tmp_path / f"p/{number}.jpg").write_bytes(b"x" * number)
    with Gallery.build(tmp_path / "p", tmp_path / "i", model, batch_size=2) as gallery:
        assert (gallery.report.indexed, gallery.report.skipped) == (0, 30)
        assert gallery.search(text="red") == []
    assert model.batches == [1]  # the query alone


def test_exif_data_is_stored_in_the_catalogue(tmp_path, model):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8769] = {0x9003: "2024:05:31 18:04:12"}
    write(tmp_path / "p/a.jpg", Image.new("RGB", (40, 20)), "JPEG", exif=exif)
    with Gallery.build(tmp_path / "p", tmp_path / "i", model) as gallery:
        (photo,) = gallery.index.items([gallery.search(text="black")[0].id]).values()
    assert (photo.width, photo.height, photo.exif_orientation) == (20, 40, 6)
    assert photo.exif_date.isoformat() == "2024-05-31T18:04:12"
    assert photo.content_hash and photo.size == (tmp_path / "p/a.jpg").stat().st_size


def test_a_second_build_has_nothing_to_do(photos, model):
    with build(photos, model):
        pass
    model.batches.clear()
    with build(photos, model) as gallery:
        report = gallery.report
        assert (report.indexed, report.unchanged, report.deleted) == (0, 40, 0)
        assert model.batches == []


def test_a_build_with_nothing_new_does_not_write_the_faiss_files(photos, model):
    (photos / "link.png").symlink_to("nowhere.png")
    (photos / "bad.png").write_bytes(b"bad")
    with build(photos, model):
        pass
    (published,) = (photos.parent / "photos.index").glob("*.faiss")
    os.utime(published, ns=(1, 1))
    with build(photos, model) as gallery:
        assert (gallery.report.unchanged, gallery.report.skipped) == (40, 2)
    assert published.stat().st_mtime_ns == 1
    with Index.open(photos.parent / "photos.index") as index:
        reasons = [photo.error for photo in index.skipped()]
    assert reasons == ["not an image of a supported format", "broken link"]


def test_all_changes_of_a_folder_are_indexed(photos, model):
    with build(photos, model) as gallery:
        before = everything(gallery)
    write(photos / "a/01.bmp", numbered(101), "BMP")  # changed
    os.utime(photos / "b/00.png", ns=(1, 1))  # touched
    shutil.move(photos / "b/02.tif", photos / "a/elsewhere.tif")  # moved
    (photos / "b/04.bmp").unlink()  # deleted
    write(photos / "new.png", numbered(102))  # new
    shutil.copy(photos / "b/06.png", photos / "copy.png")  # copied: both stay
    model.batches.clear()
    with build(photos, model) as gallery:
        assert model.batches == [3]
        report = gallery.report
        assert (report.indexed, report.moved, report.deleted) == (3, 1, 1)
        assert report.unchanged == 37
        after = everything(gallery)
    assert after["a/elsewhere.tif"] == before["b/02.tif"]
    assert after["a/01.bmp"] == before["a/01.bmp"]
    assert "b/04.bmp" not in after and "b/02.tif" not in after
    model.batches.clear()
    with build(photos, model) as gallery:
        assert gallery.report.unchanged == 41 and model.batches == []


def test_of_two_copies_of_a_moved_image_one_is_new(photos, model):
    with build(photos, model) as gallery:
        before = everything(gallery)
    content = (photos / "b/00.png").read_bytes()
    (photos / "b/00.png").unlink()
    (photos / "x.png").write_bytes(content)
    (photos / "y.png").write_bytes(content)
    with build(photos, model) as gallery:
        after = everything(gallery)
        assert (gallery.report.moved, gallery.report.indexed) == (1, 1)
    assert len(after) == 41
    assert before["b/00.png"] in (after["x.png"], after["y.png"])
    assert after["x.png"] != after["y.png"]


def test_names_may_be_swapped(photos, model):
    with build(photos, model):
        pass
    one, two = photos / "b/00.png", photos / "b/06.png"
    one.rename(photos / "t")
    two.rename(one)
    (photos / "t").rename(two)
    for number, path in enumerate((one, two)):
        os.utime(path, ns=(number, number))
    with build(photos, model) as gallery:
        assert len(everything(gallery)) == 40


def test_skipped_images_are_retried_if_asked_for_or_changed(photos, model, monkeypatch):
    (photos / "bad.png").write_bytes(b"bad")
    (photos / "bad2.png").write_bytes(b"bad2")
    with build(photos, model):
        pass
    from retrieval.items import reading

    reads = []

    read_file = reading.read_file
    monkeypatch.setattr(
        reading, "read_file", lambda path: reads.append(path.name) or read_file(path)
    )
    with build(photos, model) as gallery:
        assert (reads, gallery.report.skipped) == ([], 2)
    os.utime(photos / "bad.png", ns=(5, 5))
    with build(photos, model) as gallery:
        assert gallery.report.skipped == 2
    assert reads == ["bad.png"]
    with build(photos, model) as gallery:
        assert gallery.report.skipped == 2
    assert reads == ["bad.png"]
    with build(photos, model, retry=True) as gallery:
        assert gallery.report.skipped == 2
    assert sorted(reads[1:]) == ["bad.png", "bad2.png"]
    write(photos / "bad.png", numbered(7))
    with build(photos, model) as gallery:
        assert (gallery.report.skipped, gallery.report.indexed) == (1, 1)


def test_a_file_without_permission_is_retried_by_the_next_build(photos, model, monkeypatch):
    from retrieval.images.reading import FileNotRead
    from retrieval.items import reading

    read_file = reading.read_file

    def refusing(path):
        if path.name == "00.png":
            raise FileNotRead("no permission to read the file")
        return read_file(path)

    with monkeypatch.context() as patch:
        patch.setattr(reading, "read_file", refusing)
        with build(photos, model) as gallery:
            assert [p.error for p in gallery.index.skipped()] == ["no permission to read the file"]
    with build(photos, model) as gallery:
        assert gallery.report.indexed == 1 and gallery.report.skipped == 0
        assert len(everything(gallery)) == 40


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_missing_permission_is_a_reason_to_skip(photos, model):
    (photos / "b/00.png").chmod(0)
    with build(photos, model) as gallery:
        assert [p.error for p in gallery.index.skipped()] == ["no permission to read the file"]


def test_an_invalid_vector_is_a_reason_to_skip(photos, model):
    honest = model.embed_spaces

    def embed_spaces(prepared, *, spaces):
        vectors = honest(prepared, spaces=spaces)
        vectors["layout"][1], vectors["layout"][2] = np.nan, 0
        return vectors

    model.embed_spaces = embed_spaces
    with build(photos, model, batch_size=20) as gallery:
        assert gallery.report.indexed == 36
        assert all("no unit vector" in p.error for p in gallery.index.skipped())
        model.embed_spaces = honest
        assert len(everything(gallery)) == 36


def test_ctrl_c_keeps_what_is_done_and_says_how_to_continue(photos, model):
    def interrupt(batch):
        if batch == 3:
            raise KeyboardInterrupt

    model.before_embed = interrupt
    with pytest.raises(BuildInterrupted, match=r"stopped: 24 of 40 .*run the same command again"):
        build(photos, model)
    model.before_embed = None
    with Gallery.open(photos.parent / "photos.index", model) as gallery:
        assert len(everything(gallery)) == 24
        assert len(gallery.search(text="red", k=100)) == 24
    model.batches.clear()
    with build(photos, model) as gallery:
        assert gallery.report.unchanged == 24 and gallery.report.indexed == 16
        assert model.batches == [8, 8]
        assert len(everything(gallery)) == 40


def test_an_error_of_the_model_keeps_what_is_done(photos, model):
    def fail(batch):
        if batch == 2:
            raise RuntimeError("the device is lost")

    model.before_embed = fail
    with pytest.raises(RuntimeError, match="the device is lost"):
        build(photos, model)
    with Gallery.open(photos.parent / "photos.index", model) as gallery:
        model.before_embed = None
        assert len(everything(gallery)) == 16


def test_a_build_that_is_killed_is_completed_by_the_next(photos, model):
    script = f"""
        import os, signal, sys
        sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
        import importlib
        FakeModel = importlib.import_module("retrieval_tests.fake_model").FakeModel
        from retrieval import Gallery
        model = FakeModel()
        def kill(batch):
            if batch == 2:
                os.kill(os.getpid(), signal.SIGKILL)
        model.before_embed = kill
        Gallery.build({str(photos)!r}, {str(photos.parent / "photos.index")!r}, model, batch_size=8)
    """
    package = photos.parent / "package"
    package.mkdir()
    (package / "retrieval_tests").symlink_to(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": str(package)}
    done = run_python(textwrap.dedent(script), env=environment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with Gallery.open(photos.parent / "photos.index", model) as gallery:
        assert len(everything(gallery)) == 16
    model.batches.clear()
    with build(photos, model) as gallery:
        assert (gallery.report.unchanged, gallery.report.indexed) == (16, 24)
        assert model.batches == [8, 8, 8]
        assert len(everything(gallery)) == 40


def test_an_index_of_another_model_is_refused_before_anything_is_written(photos, model):
    with build(photos, model) as gallery:
        counts = gallery.index.counts()
    other = FakeModel(name="other", fingerprint="beef")
    write(photos / "new.png", numbered(99))
    with pytest.raises(RecipeMismatch, match=r"fake.*other"):
        build(photos, other)
    assert other.batches == []
    with Gallery.open(photos.parent / "photos.index", model) as gallery:
        assert gallery.index.counts() == counts


def test_an_index_belongs_to_one_folder_and_moves_with_it(photos, model, tmp_path):
    with build(photos, model):
        pass
    write(tmp_path / "other/a.png", numbered(1))
    with pytest.raises(UsageError, match=r"photos, got .*other"):
        Gallery.build(tmp_path / "other", tmp_path / "photos.index", model)
    photos.rename(tmp_path / "renamed")
    with pytest.raises(UsageError, match=r"got .*other"):
        Gallery.build(tmp_path / "other", tmp_path / "photos.index", model)
    model.batches.clear()
    with Gallery.build(tmp_path / "renamed", tmp_path / "photos.index", model) as gallery:
        assert gallery.report.unchanged == 40 and model.batches == []
        assert gallery.root == tmp_path / "renamed"


def test_an_empty_folder_does_not_empty_an_index(photos, model, tmp_path):
    with build(photos, model):
        pass
    shutil.rmtree(photos)
    photos.mkdir()
    with build(photos, model) as gallery:
        assert (gallery.report.deleted, gallery.report.missing) == (0, 40)
    with Index.open(tmp_path / "photos.index") as index:
        assert (index.counts().indexed, index.counts().missing) == (0, 40)


def test_a_second_build_at_the_same_time_is_refused(photos, model):
    with build(photos, model) as gallery, gallery.index.lock():
        write(photos / "new.png", numbered(99))
        with pytest.raises(IndexBusy):
            build(photos, model)


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"workers": 0}, {"workers": "two"}])
def test_invalid_options_are_refused(photos, model, options):
    with pytest.raises(UsageError, match="must be >= 1"):
        build(photos, model, **options)
    assert not (photos.parent / "photos.index").exists()


def test_nothing_is_written_outside_the_index(photos, model, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with build(photos, model):
        pass
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    index = tmp_path / "photos.index"
    new = {path for path in after if path not in before}
    assert all(path == index or index in path.parents for path in new)
    assert all(after[path] == before[path] for path in before)

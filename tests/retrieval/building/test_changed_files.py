"""An update notices every file whose content changed, and embeds nothing else."""

import os
import shutil

import pytest

from retrieval import Gallery
from retrieval.building.planning import make_plan
from retrieval.images import FoundItem, Listing
from retrieval.images.finding import signed
from tests.retrieval.conftest import numbered
from tests.retrieval.files import write

from .test_planning import known
from .verified import build

MTIME_NS = 1_600_000_000_000_000_000


@pytest.fixture
def photos(tmp_path):
    """Five files of the same size and time."""
    for number in range(5):
        path = write(tmp_path / f"photos/{number}.bmp", numbered(number), "BMP")
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
    return tmp_path / "photos"


def best(gallery, number):
    return gallery.search(image=numbered(number), k=1)[0].path


def test_two_files_that_swap_names_swap_their_vectors(photos, model):
    build(photos, model).close()
    (photos / "0.bmp").rename(photos / "other")
    (photos / "1.bmp").rename(photos / "0.bmp")
    (photos / "other").rename(photos / "1.bmp")
    with build(photos, model) as gallery:
        assert gallery.report.unchanged == 3
        assert best(gallery, 0) == "1.bmp" and best(gallery, 1) == "0.bmp"


def test_new_content_of_the_same_size_under_the_old_time_is_noticed(photos, model):
    build(photos, model).close()
    (photos / "2.bmp").write_bytes(_bytes_of(7))
    os.utime(photos / "2.bmp", ns=(MTIME_NS, MTIME_NS))
    with build(photos, model) as gallery:
        assert (gallery.report.indexed, gallery.report.unchanged) == (1, 4)
        assert best(gallery, 7) == "2.bmp"


def _bytes_of(number):
    from tests.retrieval.files import encoded

    return encoded(numbered(number), "BMP")


def test_a_copied_gallery_is_read_and_not_embedded(photos, model):
    build(photos, model).close()
    shutil.copytree(photos, photos.parent / "copy")
    shutil.rmtree(photos)
    (photos.parent / "copy").rename(photos)
    with build(photos, model) as gallery:
        assert gallery.report.unchanged == 5 and model.batches == []
        status = (photos / "3.bmp").stat()
        stored = gallery.index.snapshot()["3.bmp"]
        assert (stored.ctime_ns, stored.inode) == (status.st_ctime_ns, signed(status.st_ino))


def test_check_content_reads_what_looks_unchanged(photos, model):
    with build(photos, model) as gallery:
        before = gallery.index.snapshot()["2.bmp"]
    (photos / "2.bmp").write_bytes(_bytes_of(8))
    os.utime(photos / "2.bmp", ns=(MTIME_NS, MTIME_NS))
    with Gallery.open(photos.parent / "index", model) as gallery:
        _pretend_to_have_seen(gallery.index, photos / "2.bmp", before)
    with build(photos, model) as gallery:
        assert gallery.report.unchanged == 5 and best(gallery, 2) == "2.bmp"
    with build(photos, model, check_content=True) as gallery:
        assert (gallery.report.indexed, gallery.report.unchanged) == (1, 4)
        assert best(gallery, 8) == "2.bmp"


def _pretend_to_have_seen(index, path, before):
    """Store the times and the inode of a file with the hash of its former content."""
    from indexes import FileInfo

    status = path.stat()
    index.update_files(
        [
            FileInfo(
                path=path.name,
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                ctime_ns=status.st_ctime_ns,
                inode=signed(status.st_ino),
                content_hash=before.content_hash,
                pixel_hash=before.pixel_hash,
            )
        ]
    )


def found(path, ctime, inode):
    return FoundItem(path, 5, 7, ctime, inode)


def seen(number, ctime, inode):
    from dataclasses import replace

    return replace(known(number), ctime_ns=ctime, inode=inode)


def test_files_differ_if_their_ctime_or_inode_does():
    listing = Listing(items=[found("a", 1, 10), found("b", 2, 20), found("c", 1, 31)])
    index = {"a": seen(1, 1, 10), "b": seen(2, 1, 20), "c": seen(3, 1, 30)}
    plan = make_plan(listing, index)
    assert [item.path for item in plan.to_read] == ["b", "c"] and plan.unchanged == 1


def test_inodes_of_a_file_system_that_numbers_anew_are_not_compared():
    listing = Listing(items=[found("a", 1, 11), found("b", 2, 21)])
    plan = make_plan(listing, {"a": seen(1, 1, 10), "b": seen(2, 2, 20)})
    assert plan.to_read == [] and plan.unchanged == 2
    assert [item.path for item in plan.to_note] == ["a", "b"]


def test_an_index_without_inodes_notes_them_and_reads_nothing():
    listing = Listing(items=[found("a", 1, 10)])
    plan = make_plan(listing, {"a": known()})
    assert (plan.to_read, plan.unchanged, plan.to_note) == ([], 1, listing.items)


def test_large_inode_numbers_fit_an_integer_of_64_bits():
    assert signed(2**64 - 1) == -1 and signed(2**63) == -(2**63) and signed(5) == 5


def test_a_line_of_a_file_that_keeps_its_size_and_time_is_noticed(tmp_path, model):
    lines = tmp_path / "words.txt"
    lines.write_text("red\nblue\n")
    os.utime(lines, ns=(MTIME_NS, MTIME_NS))
    Gallery.build(lines, tmp_path / "index", model, modality="text").close()
    lines.write_text("tan\nblue\n")
    os.utime(lines, ns=(MTIME_NS, MTIME_NS))
    with Gallery.build(lines, tmp_path / "index", model, modality="text") as gallery:
        assert (gallery.report.indexed, gallery.report.unchanged) == (1, 1)

"""The files of a gallery are listed once each, in one order."""

import errno
import os
from pathlib import Path

import pytest

from retrieval.errors import UsageError
from retrieval.images import find_files
from retrieval.items import find_items
from retrieval.modalities import source_named


def find_pictures(root, **options):
    return find_items(root, source_named("image"), **options)


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


def paths(root: Path, **options: object) -> list[str]:
    return [found.path for found in find_pictures(root, **options).items]


def test_files_of_all_folders_are_listed_sorted_and_relative(tmp_path):
    for name in ["b.jpg", "a/z.PNG", "a/b/c.webp", "a.jpeg", "notes.txt", "noext"]:
        touch(tmp_path / name)
    assert paths(tmp_path) == ["a.jpeg", "a/b/c.webp", "a/z.PNG", "b.jpg"]


def test_hidden_files_and_folders_are_left_out(tmp_path):
    for name in [".a.jpg", ".trash/b.jpg", "c.jpg"]:
        touch(tmp_path / name)
    assert paths(tmp_path) == ["c.jpg"]


def test_unusual_names_are_kept(tmp_path):
    names = ["-rf.jpg", "new\nline.jpg", "ünïcödé 🐕.jpg", "<b>.png", "a'b\".gif"]
    for name in names:
        touch(tmp_path / name)
    assert paths(tmp_path) == sorted(names)


def test_size_and_time_are_those_of_the_file(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"12345")
    os.utime(tmp_path / "a.jpg", ns=(7, 1234567890123456789))
    (found,) = find_pictures(tmp_path).items
    assert (found.size, found.mtime_ns) == (5, 1234567890123456789)


def test_links_are_followed_once_and_loops_end(tmp_path):
    touch(tmp_path / "gallery/real/a.jpg")
    touch(tmp_path / "outside/b.jpg")
    gallery = tmp_path / "gallery"
    (gallery / "0-link-to-real").symlink_to(gallery / "real")
    (gallery / "real/loop").symlink_to(gallery)
    (gallery / "out").symlink_to(tmp_path / "outside")
    (gallery / "out2").symlink_to(tmp_path / "outside")
    (gallery / "file.jpg").symlink_to(tmp_path / "outside/b.jpg")
    assert paths(gallery) == ["file.jpg", "out/b.jpg", "real/a.jpg"]


def test_broken_links_and_pipes_are_reported_not_opened(tmp_path):
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    touch(tmp_path / "ok.jpg")
    listing = find_pictures(tmp_path)
    assert [found.path for found in listing.items] == ["ok.jpg"]
    reasons = {entry.path: entry.reason for entry in listing.unreadable}
    assert reasons == {"gone.jpg": "broken link", "pipe.jpg": "not a regular file"}


def test_links_to_themselves_are_reported(tmp_path):
    touch(tmp_path / "a.png")
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    (tmp_path / "own.jpg").symlink_to(tmp_path / "own.jpg")
    listing = find_pictures(tmp_path)
    assert [found.path for found in listing.items] == ["a.png"]
    (own,) = listing.unreadable
    assert own.path == "own.jpg" and own.reason.startswith("cannot be reached")
    assert listing.closed_folders == []


def test_a_link_that_cannot_be_followed_may_be_one_to_a_folder(tmp_path, monkeypatch):
    touch(tmp_path / "a.png")
    (tmp_path / "album").symlink_to(tmp_path / "elsewhere")

    class Forbidden:
        def __init__(self, entry):
            self.entry = entry

        def __getattr__(self, name):
            return getattr(self.entry, name)

        def is_dir(self, *, follow_symlinks=True):
            if follow_symlinks and self.entry.name == "album":
                raise PermissionError(errno.EACCES, "Permission denied")
            return self.entry.is_dir(follow_symlinks=follow_symlinks)

    scandir = os.scandir

    class Scan:
        def __init__(self, path):
            self.entries = scandir(path)

        def __iter__(self):
            return (Forbidden(entry) for entry in self.entries)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.entries.close()

    monkeypatch.setattr(os, "scandir", Scan)
    listing = find_pictures(tmp_path)
    assert [found.path for found in listing.items] == ["a.png"]
    assert listing.closed_folders == ["album/"]  # what was indexed of it is not forgotten
    assert listing.unreadable[0].reason == "link cannot be followed: Permission denied"


def test_a_name_that_is_not_valid_utf8_is_listed(tmp_path):
    try:
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.jpg"))).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    assert paths(tmp_path) == ["bad\udcff.jpg"]


def test_a_folder_that_cannot_be_listed_is_reported(tmp_path, monkeypatch):
    touch(tmp_path / "closed/a.jpg")
    touch(tmp_path / "b.jpg")
    scandir = os.scandir

    def refusing(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    listing = find_pictures(tmp_path)
    assert [found.path for found in listing.items] == ["b.jpg"]
    assert listing.closed_folders == ["closed/"]
    assert listing.unreadable[0].path == "closed"
    assert "Permission denied" in listing.unreadable[0].reason


def test_the_index_inside_the_gallery_is_left_out(tmp_path):
    touch(tmp_path / "my.index/thumb.jpg")
    touch(tmp_path / "a.jpg")
    assert paths(tmp_path, skip=[tmp_path / "my.index"]) == ["a.jpg"]


@pytest.mark.parametrize(("make", "message"), [(False, "no such folder"), (True, "not a folder")])
def test_a_gallery_that_is_not_a_folder_is_refused(tmp_path, make, message):
    if make:
        touch(tmp_path / "x")
    with pytest.raises(UsageError, match=message):
        find_pictures(tmp_path / "x")


def test_a_raw_file_beside_its_jpeg_is_left_out(tmp_path):
    for name in ("a.CR2", "a.JPG", "b.nef", "c.dng", "c.heic", "sub/a.arw"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    found = find_files(tmp_path, {".cr2", ".jpg", ".nef", ".dng", ".heic", ".arw"}).items
    assert [file.path for file in found] == ["a.JPG", "b.nef", "c.heic", "sub/a.arw"]

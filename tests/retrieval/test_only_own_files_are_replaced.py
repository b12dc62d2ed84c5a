"""This program replaces a file only if it wrote it, and never writes through a link."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from retrieval import Gallery, Query, ResultFiles, UsageError, write_sheet
from retrieval.report.page import write_page
from retrieval.report.results import Results
from retrieval.written import LIST, WrittenFiles, keep_foreign

from .conftest import numbered
from .fake_model import FakeModel
from .files import write


@pytest.fixture
def gallery(tmp_path):
    for number in range(3):
        write(tmp_path / f"photos/{number}.png", numbered(number))
    with Gallery.build(tmp_path / "photos", tmp_path / "i", FakeModel()) as gallery:
        yield gallery


def saved(content):
    return lambda file: file.write(content)


def test_what_was_written_may_be_written_again(tmp_path):
    for content in (b"1", b"22"):
        files = WrittenFiles(tmp_path)
        files.check(["a.png", "b.npy"])
        files.write("a.png", saved(content))
        files.write("b.npy", lambda file: np.save(file, np.zeros(2)))
    assert (tmp_path / "a.png").read_bytes() == b"22"
    WrittenFiles(tmp_path).remove("a.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == [LIST, "b.npy"]


def test_another_file_is_named_and_stays(tmp_path):
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"a\.png: exists.*choose another folder"):
        WrittenFiles(tmp_path).check(["b.png", "a.png"])
    assert (tmp_path / "a.png").read_bytes() == b"mine"


def test_a_file_that_was_changed_since_is_another_file(tmp_path):
    WrittenFiles(tmp_path).write("a.png", saved(b"1"))
    (tmp_path / "a.png").write_bytes(b"retouched")
    with pytest.raises(UsageError, match="exists"):
        WrittenFiles(tmp_path).check(["a.png"])


@pytest.mark.parametrize(
    "text", ["", "[]", '{"files": 5}', "[" * 9000, '{"files": {"a": 1}}', "\0"]
)
def test_a_list_that_cannot_be_read_lists_nothing(tmp_path, text):
    (tmp_path / LIST).write_text(text)
    (tmp_path / "a").write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists"):
        WrittenFiles(tmp_path).check(["a"])


def test_a_run_that_was_stopped_while_writing_may_be_repeated(tmp_path):
    def stopped(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        WrittenFiles(tmp_path).write("a", stopped)
    assert [path.name for path in tmp_path.iterdir()] == [LIST]
    files = WrittenFiles(tmp_path)
    files.check(["a"])
    files.write("a", saved(b"whole"))
    assert (tmp_path / "a").read_bytes() == b"whole"


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "victim").write_bytes(b"mine")
    for name in ("a", ".a.partial", LIST, f".{LIST}.partial"):
        (tmp_path / "out" / name).unlink(missing_ok=True)
        (tmp_path / "out" / name).symlink_to(tmp_path / "victim")
        files = WrittenFiles(tmp_path / "out")
        if name == "a":
            with pytest.raises(UsageError, match="exists"):
                files.check(["a"])
        files.write("a", saved(b"new"))
        assert (tmp_path / "victim").read_bytes() == b"mine"
        assert not (tmp_path / "out/a").is_symlink()
        (tmp_path / "out/a").unlink()


def test_pages_and_sheets_say_who_wrote_them(gallery, tmp_path):
    query = Query.read(text="red")
    (hits,) = gallery.search_batch([query])
    page, sheet = tmp_path / "page.html", tmp_path / "sheet.png"
    write_page(Results.of(gallery, query, hits), page)
    write_sheet(gallery, query, hits, sheet)
    ResultFiles(page, sheet).check(gallery, query)
    page.write_text("<html>mine</html>")
    Image.new("RGB", (9, 9)).save(sheet)
    for file in (page, sheet):
        with pytest.raises(UsageError, match=f"{file.name}: exists.*choose another name"):
            keep_foreign(file)
    with pytest.raises(UsageError, match="exists"):
        ResultFiles(page).check(gallery, query)


def test_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.html")
    with pytest.raises(UsageError, match="exists"):
        keep_foreign(tmp_path / "pipe.html")


def test_the_query_is_not_shown_in_a_gallery_or_over_other_files(gallery, tmp_path):
    query = Query.read(text="red")
    for folder in (gallery.root, gallery.root / "new/inner"):
        with pytest.raises(UsageError, match=r"is in the gallery.*choose another folder"):
            ResultFiles(query=folder).check(gallery, query)
    (tmp_path / "shown/read").mkdir(parents=True)
    (tmp_path / "shown/read/text.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"read/text\.txt: exists"):
        ResultFiles(query=tmp_path / "shown").check(gallery, query)
    (tmp_path / "shown" / LIST).write_text(json.dumps({"files": {"read/text.txt": None}}))
    ResultFiles(query=tmp_path / "shown").check(gallery, query)

"""What does not belong to a gallery is left out, and counted by kind."""

import unicodedata

import pytest

from retrieval import Gallery, Query, UsageError, write_sheet
from retrieval.images import find_files
from retrieval.images.contact_sheets import contact_sheet_tag
from retrieval.images.leaving_out import LeftOut, count_kinds
from retrieval.suffixes import IMAGE_SUFFIXES, RAW_SUFFIXES
from tests.retrieval.conftest import numbered
from tests.retrieval.files import write

SUFFIXES = IMAGE_SUFFIXES | RAW_SUFFIXES


@pytest.fixture
def top(tmp_path):
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


def touch(top, *paths):
    for path in paths:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(b"x")


def listed(top, *exclude):
    return [found.path for found in find_files(top, SUFFIXES, exclude=exclude).items]


def kinds(top, *exclude):
    return count_kinds(find_files(top, SUFFIXES, exclude=exclude).left_out)


@pytest.mark.parametrize(
    "name",
    ["@eaDir", "#recycle", "$RECYCLE.BIN", "$Recycle.Bin", "lost+found", ".thumbnails", "@Recycle"],
)
def test_folders_of_systems_are_left_out_at_any_depth(name, top):
    touch(top, "a.jpg", f"{name}/b.jpg", f"d/{name}/e/c.jpg", f"{name}x/d.jpg", f"f/{name}.jpg")
    expected = ["a.jpg", f"{name}x/d.jpg", f"f/{name}.jpg"]
    assert listed(top) == sorted(path for path in expected if "/." not in f"/{path}")
    left_out = {entry.path: entry.kind for entry in find_files(top, SUFFIXES).left_out}
    assert left_out[f"{name}/"] == left_out[f"d/{name}/"] == name


def test_endings_that_are_not_read_are_counted_without_regard_to_case(top):
    touch(top, "a.jpg", "a.CR2", "b.xcf", "b2.XCF", "c.txt", "README", ".DS_Store")
    assert kinds(top) == {".xcf": 2, ".CR2": 1, ".txt": 1, "hidden": 1, "without ending": 1}


def test_exclude_takes_patterns_of_gitignore(top):
    touch(top, "a.jpg", "a.gif", "drafts/b.jpg", "c/drafts/d.jpg", "keep.gif", "c/top.png")
    assert listed(top, "*.gif", "!keep.gif", "drafts/", "/top.png") == [
        "a.jpg",
        "c/top.png",
        "keep.gif",
    ]
    assert kinds(top, "*.gif", "drafts/") == {"excluded": 4}


def test_a_fourmignore_holds_for_its_folder_and_the_nearest_one_counts(top):
    touch(top, "a.gif", "in/a.gif", "in/deep/a.gif", "in/deep/b.png", "in/b.png", "b.png")
    (top / ".fourmignore").write_text("# no animations\n*.gif\n", encoding="utf-8-sig")
    (top / "in/.fourmignore").write_text("/b.png\n!deep/*.gif\n")
    assert listed(top) == ["b.png", "in/deep/a.gif", "in/deep/b.png"]
    assert kinds(top) == {"excluded": 3}
    reasons = {entry.path: entry.reason for entry in find_files(top, SUFFIXES).left_out}
    assert reasons["in/b.png"] == "excluded by in/.fourmignore"
    assert listed(top, "in/") == ["b.png"]


def test_patterns_match_however_accents_are_encoded(top):
    touch(top, "cafe\u0301/a.jpg", "b\u00fc.png", "c.jpg")
    assert listed(top, "caf\u00e9/", "bu\u0308.*") == ["c.jpg"]


@pytest.mark.parametrize("pattern", ["!", "\\"])
def test_a_wrong_pattern_is_named(pattern, top):
    touch(top, "a.jpg")
    with pytest.raises(UsageError, match=r"--exclude: .*pattern"):
        listed(top, pattern)
    (top / ".fourmignore").write_text(pattern)
    with pytest.raises(UsageError, match=r"\.fourmignore: .*pattern"):
        listed(top)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_of_a_pattern_may_be_written_in_another_way(form, top):
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    touch(top, "a.jpg", unicodedata.normalize(form, "\u00e9t\u00e9/b.jpg"))
    pattern = unicodedata.normalize(other, "\u00e9t\u00e9/")
    assert listed(top, pattern) == ["a.jpg"]
    (top / ".fourmignore").write_text(pattern, encoding="utf-8")
    assert listed(top) == ["a.jpg"]


def test_kinds_are_counted_the_most_frequent_first():
    entries = [LeftOut(path, kind, "") for path, kind in [("a", ".x"), ("b", ".Y"), ("c", ".y")]]
    assert list(count_kinds(entries).items()) == [(".Y", 2), (".x", 1)]


@pytest.fixture
def photos(tmp_path):
    for number, name in enumerate(["a.png", "b.png", "drafts/c.png", "drafts/d.png"]):
        write(tmp_path / "photos" / name, numbered(number))
    (tmp_path / "photos/notes.txt").write_text("x")
    return tmp_path / "photos"


def build(photos, model, **options):
    with Gallery.build(photos, photos.parent / "index", model, **options) as gallery:
        gallery.index.verify()
        return gallery.report, set(gallery.index.snapshot())


def test_an_index_remembers_its_patterns_until_there_are_others(photos, model):
    report, paths = build(photos, model, exclude=["drafts/", "b.*"])
    assert paths == {"a.png"} and report.left_out == {"excluded": 2, ".txt": 1}
    _, paths = build(photos, model)
    assert paths == {"a.png"}
    with Gallery.open(photos.parent / "index", model) as gallery:
        assert gallery.describe()["galleries"][0]["exclude"] == ["drafts/", "b.*"]
        left_out = {entry.path: entry.reason for entry in gallery.left_out()}
        assert set(left_out) == {"b.png", "drafts/", "notes.txt"}
        assert left_out["b.png"] == "excluded by --exclude"
    _, paths = build(photos, model, exclude="b.*")
    assert paths == {"a.png", "drafts/c.png", "drafts/d.png"}
    _, paths = build(photos, model, exclude=[""])
    assert len(paths) == 4


def test_items_that_are_excluded_later_are_deleted_and_not_missing(photos, model):
    build(photos, model)
    report, paths = build(photos, model, exclude=["drafts/"])
    assert (report.deleted, report.missing) == (2, 0) and paths == {"a.png", "b.png"}
    (photos / ".fourmignore").write_text("b.png\n")
    assert build(photos, model)[0].deleted == 1


def test_a_pattern_with_a_line_break_is_refused(photos, model):
    with pytest.raises(UsageError, match="one line"):
        build(photos, model, exclude=["a\nb"])


def test_a_contact_sheet_is_no_item(photos, model):
    numbered(9).save(photos / "sheet.png", pnginfo=contact_sheet_tag())
    report, _ = build(photos, model)
    assert (report.indexed, report.skipped) == (4, 1)
    with Gallery.open(photos.parent / "index", model) as gallery:
        assert gallery.skipped()[0].reason == "left out: a contact sheet that fourm wrote"
        query = Query.read(image=numbered(1))
        (hits,) = gallery.search_batch([query], k=2)
        write_sheet(gallery, query, hits, photos / "again.png")
    assert build(photos, model)[0].skipped == 2

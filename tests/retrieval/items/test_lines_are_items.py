"""Lines of text files are items: which they are, what they are called, and what happens to them."""

import json
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.records import check_path
from retrieval import Gallery, ItemError, UsageError
from retrieval.images import FoundItem
from retrieval.items.lines import file_of, lines_of
from tests.retrieval.fake_model import FakeModel


@pytest.fixture
def model():
    return FakeModel(inputs=("image", "text", "palette"))


def items(content, path="captions.txt", modality="text"):
    raw = content if isinstance(content, bytes) else content.encode()
    return {found.path: found for found in lines_of(raw, FoundItem(path, 0, 5), modality)}


def build(root, model, modality="text", **options):
    return Gallery.build(root, root.parent / "t.index", model, modality=modality, **options)


def test_lines_are_items_unless_they_are_empty():
    found = items("\ufeffa dog\r\n\n  two cats  \n\t\n猫")
    assert {path: line.value for path, line in found.items()} == {
        "captions.txt:1": "a dog",
        "captions.txt:3": "two cats",
        "captions.txt:5": "猫",
    }
    assert [line.size for line in found.values()] == [5, 8, 3]
    assert {line.mtime_ns for line in found.values()} == {5}
    assert items("") == {} == items("\n\n")


def test_an_object_may_have_an_id():
    found = items(
        '{"id": "dog-7", "text": "a dog", "split": "test"}\n'
        '{"text": "a cat"}\n{"id": 12, "text": "a cow"}\n',
        "c.jsonl",
    )
    assert {path: line.value for path, line in found.items()} == {
        "c.jsonl#dog-7": "a dog",
        "c.jsonl:2": "a cat",
        "c.jsonl#12": "a cow",
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "a JSON object with 'text'"),
        ('"a dog"', "a JSON object with 'text'"),
        ('{"id": 3}', "a JSON object with 'text'"),
        ('{"text": null}', "a JSON object with 'text'"),
        ('{"id": "", "text": "x"}', "1 to 200"),
        ('{"id": true, "text": "x"}', "a number, or a text"),
        ('{"id": ["a"], "text": "x"}', "a number, or a text"),
        ('{"id": "a/../b", "text": "x"}', "'/'"),
        ('{"id": "a\\nb", "text": "x"}', "invisible"),
        ('{"id": "\\ud800", "text": "x"}', "invisible"),
        ('{"id": "a#b", "text": "x"}', "'#'"),
        (json.dumps({"id": "x" * 201, "text": "x"}), "1 to 200"),
    ],
)
def test_a_bad_object_is_an_item_with_a_reason(line, reason):
    found = items(f'{{"text": "good"}}\n{line}', "c.jsonl")
    assert found["c.jsonl:1"].problem == ""
    assert found["c.jsonl:2"].value is None and reason in found["c.jsonl:2"].problem


def test_ids_are_unique():
    found = items('{"id": 1, "text": "a"}\n{"id": "1", "text": "b"}', "c.jsonl")
    assert found["c.jsonl#1"].value == "a"
    assert "used by line 1 already" in found["c.jsonl:2"].problem


def test_files_that_are_not_text_are_refused():
    with pytest.raises(ItemError, match=r"not UTF-8 text .* at byte 3"):
        items(b"abc\xff\n")


@given(st.binary(max_size=300), st.sampled_from(["a.txt", "a/b.JSONL", "x#y:3.txt", "a.jsonl"]))
def test_any_bytes_give_paths_that_an_index_takes_or_one_reason(content, path):
    try:
        found = list(lines_of(content, FoundItem(path, 0, 0), "text"))
    except ItemError:
        return
    paths = [line.path for line in found]
    assert len(set(paths)) == len(paths)
    for line in found:
        assert check_path(line.path) and line.size == len(line.line) > 0
        assert bool(line.problem) == (line.value is None)


@given(st.lists(st.one_of(st.none(), st.text(max_size=9), st.integers()), max_size=6))
def test_the_file_of_a_line_is_told_by_its_path(names):
    for path in ("a/c.jsonl", "b:2/c#1.jsonl", "c.txt"):
        content = "\n".join(json.dumps({"id": name, "text": "x"}) for name in names)
        for found in lines_of(content.encode(), FoundItem(path, 0, 0), "text"):
            assert file_of(found.path) == path
            assert str(PurePosixPath(found.path)) == found.path


def test_a_folder_of_text_files_and_a_single_one(tmp_path, model):
    (tmp_path / "t/a").mkdir(parents=True)
    (tmp_path / "t/one.txt").write_text("the red\nthe blue\n")
    (tmp_path / "t/a/two.jsonl").write_text('{"id": "g", "text": "the green"}\n{"x": 1}\n')
    (tmp_path / "t/a/other.md").write_text("the white")
    with build(tmp_path / "t", model, batch_size=2) as gallery:
        assert gallery.search(text="green")[0].path == "a/two.jsonl#g"
        assert gallery.report.indexed == 3
        (skipped,) = gallery.index.skipped(modality="text")
        assert skipped.path == "a/two.jsonl:2" and "'text'" in skipped.error
    with Gallery.build(tmp_path / "t/one.txt", tmp_path / "i", model, modality="text") as gallery:
        hit = gallery.search(text="blue")[0]
        assert hit.path == "one.txt:2" and gallery.read(hit).value == "the blue"
        assert hit.file is None and gallery.file(hit) == tmp_path / "t/one.txt"
        assert gallery.root == tmp_path / "t/one.txt"


def test_another_file_of_the_same_folder_is_another_gallery(tmp_path, model):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"the red {name}\n")
    build(tmp_path / "a.txt", model).close()
    with pytest.raises(UsageError, match=r"a\.txt, got .*b\.txt"):
        build(tmp_path / "b.txt", model)
    with pytest.raises(UsageError, match=r"expected a folder, or a \.jsonl or \.txt file"):
        build((tmp_path / "a.txt").rename(tmp_path / "a.csv"), model)
    with pytest.raises(UsageError, match="no such folder"):
        build(tmp_path / "gone.txt", model)


def test_only_changed_lines_are_read_again(tmp_path, model):
    file = tmp_path / "c.txt"
    file.write_text("the red\nthe blue\nthe green\n")
    build(file, model).close()
    model.batches.clear()
    file.write_text("the red\nthe white\nthe green\nthe black\n")
    with build(file, model) as gallery:
        assert model.batches == [2]
        report = gallery.report
        assert (report.indexed, report.unchanged, report.deleted) == (2, 2, 0)
        assert gallery.search(text="white")[0].path == "c.txt:2"
        gallery.index.verify()
    file.write_text("the red\n")
    with build(file, model) as gallery:
        assert gallery.report.deleted == 3 and gallery.report.unchanged == 1


def test_ids_stay_when_lines_are_added_before_them(tmp_path, model):
    file = tmp_path / "c.jsonl"
    lines = [json.dumps({"id": name, "text": f"the {name}"}) for name in ("red", "blue")]
    file.write_text("\n".join(lines))
    with build(file, model) as gallery:
        before = gallery.search(text="blue")[0].id
    model.batches.clear()
    file.write_text("\n".join([json.dumps({"id": "new", "text": "the green"}), *lines]))
    with build(file, model) as gallery:
        assert model.batches == [1] and gallery.search(text="blue")[0].id == before


def test_a_file_that_cannot_be_read_for_now_keeps_its_lines(tmp_path, model):
    (tmp_path / "t").mkdir()
    (tmp_path / "t/a.txt").write_text("the red\n")
    (tmp_path / "t/b.txt").write_text("the blue\n")
    build(tmp_path / "t", model).close()
    (tmp_path / "t/a.txt").write_bytes(b"\xff\xfe")
    with build(tmp_path / "t", model) as gallery:
        assert gallery.report.deleted == 0 and gallery.report.skipped == 1
        assert {h.path for h in gallery.search(text="red")} == {"a.txt:1", "b.txt:1"}
        assert [p.path for p in gallery.index.skipped(modality="text")] == ["a.txt"]
    (tmp_path / "t/a.txt").write_text("the red\nthe green\n")
    with build(tmp_path / "t", model) as gallery:
        assert gallery.index.skipped(modality="text") == []
        assert len(gallery.search(text="red")) == 3


def test_palettes_are_lines_too(tmp_path, model):
    (tmp_path / "p.txt").write_text("#ff0000\n#0000ff,#0000f0\nblue\n")
    (tmp_path / "p.jsonl").write_text('{"palette": [[0, 255, 0]]}\n')
    with build(tmp_path / "p.txt", model, "palette") as gallery:
        assert gallery.search(palette="#ff0000")[0].path == "p.txt:1"
        assert gallery.report.indexed == 2 and gallery.report.skipped == 1
        (skipped,) = gallery.index.skipped(modality="palette")
        assert "blue" in skipped.error

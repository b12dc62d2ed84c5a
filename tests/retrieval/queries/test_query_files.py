"""A query in a JSON file is the same as one in Python."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from retrieval import Query, QueryError, UsageError
from retrieval.evaluation import evaluate, read_queries
from retrieval.gallery import Gallery
from retrieval.queries.options import query_options
from retrieval.queries.query_files import (
    added_to_file,
    query_of_line,
    read_query,
    read_query_file,
    sources_of,
)
from tests.retrieval.conftest import numbered
from tests.retrieval.files import write

PERSON = {
    "box": [0, 0, 5, 5],
    "pose": [7] * 8,
    "orientation": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "camera": [0, 0, 5],
    "shape": [0] * 10,
}
SAM = [{"segmentation": {"size": [2, 3], "counts": [2, 1, 1, 2]}}]


@pytest.fixture
def file(tmp_path):
    write(tmp_path / "q/a.png", numbered(3))
    np.save(tmp_path / "q/d.npy", np.ones((3, 4)))

    def written(content):
        path = tmp_path / "q" / "query.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return written


def test_a_file_can_hold_what_python_takes(file, tmp_path):
    entry = {
        "text": "a beach",
        "image": "a.png",
        "use_only": ["edges", "palette"],
        "depth": "d.npy",
        "depth_near": "high",
        "boxes": ["dog:0,0,1,1"],
        "metadata": {"brightness": 200},
        "sam": SAM,
        "poses": {"width": 10, "height": 10, "people": [PERSON]},
        "not": ["people", "cars"],
        "weights": {"text": 2, "palette": 0.5, "not": 0.25},
        "combine": "late",
        "relevant": ["ignored.jpg"],
    }
    sources = read_query_file(file(entry))
    assert (
        sources["image"] == str(tmp_path / "q/a.png") and sources["negative_text"] == entry["not"]
    )
    query = Query.read(**sources)
    assert query.combine == "late"
    given = [(entry.modality, entry.weight) for entry in query.inputs]
    assert given == [
        ("text", 2),
        ("edges", 1),
        ("palette", 0.5),
        ("depth", 1),
        ("boxes", 1),
        ("metadata", 1),
        ("sam", 1),
        ("poses", 1),
        ("text", -0.25),
        ("text", -0.25),
    ]
    assert set(query.files) == {tmp_path / "q/a.png", tmp_path / "q/d.npy"}


def test_options_add_to_a_file_without_repeating_it(file):
    path = file({"text": "red"})
    assert added_to_file(path, {"text": None, "weights": ["text=2"]}) == {
        "text": "red",
        "weights": ["text=2"],
    }
    with pytest.raises(UsageError, match=r"text: given twice, in .*query\.json and as an argument"):
        added_to_file(path, {"text": "blue"})


def test_repeated_inputs_are_named_as_in_files(file):
    with pytest.raises(UsageError, match=r"^not: given twice"):
        added_to_file(file({"not": "people"}), {"negative_text": ["cars"]})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"metadata": {"brightness": "200"}}, "metadata: brightness must be a number"),
        ({"text": "a", "weights": {"text": True}}, "weight: text must be a number"),
        ({"text": "a", "weights": {"edges": 1}}, "weight: 'edges' is not among the inputs"),
        ({"palette": [[300, 0, 0]]}, "palette: a colour is red, green, blue"),
        ({"image": "bad.png"}, "bad.png: empty file"),
    ],
)
def test_what_is_wrong_in_a_file_names_it(file, tmp_path, content, words):
    path = file(content)
    (tmp_path / "q/bad.png").write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        read_query(path, text=None)
    assert str(caught.value).startswith(f"{path}: ") and words in str(caught.value)


def test_long_file_names_are_shortened(file):
    with pytest.raises(QueryError) as caught:
        read_query_file(file({"image": "a" * 100_000}))
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "expected a JSON object, got list"),
        ('{"text": "a", "text": "b"}', "key 'text' twice"),
        ('{"weights": {"text": 1, "text": 2}, "text": "a"}', "key 'text' twice"),
        ("[" * 100_000, "not JSON"),
        ('{"txt": "x"}', "unknown key 'txt'; known: text, image"),
        ('{"negative_text": "x"}', "unknown key 'negative_text'"),
        ("{}", "no input"),
        ('{"weights": {"text": 1}}', "no input"),
        ('{"image": "gone.jpg"}', "image: no such file: gone.jpg"),
        ('{"image": "a\\u0000"}', "image: no such file"),
        ('{"image": "."}', "image: no such file: ."),
        ('{"image": ["a.png"]}', "image: expected a string, and"),
        ('{"text": 3}', "text: expected a string, and"),
        ('{"text": "a", "weights": "text=2"}', "weights: expected an object"),
        ('{"text": "a", "weights": {}}', "weights: expected an object"),
        ('{"text": "a", "use_only": []}', "use_only: expected a string or a list"),
        ('{"text": "a", "boxes": [3]}', "boxes: expected a string or a list"),
    ],
)
def test_a_file_without_a_query_is_named(file, content, words):
    path = file(content)
    with pytest.raises(UsageError) as caught:
        read_query_file(path)
    assert str(caught.value).startswith(str(path)) and words in str(caught.value)


def test_the_former_name_of_use_only_is_still_read():
    folder = Path(__file__).parent
    entry = {"text": "a lake", "take": ["edges", "palette"]}
    assert sources_of(entry, "file", folder)["use_only"] == ["edges", "palette"]
    with pytest.raises(UsageError, match="file: use_only: given twice, as take and as use_only"):
        sources_of({**entry, "use_only": "edges"}, "file", folder)


def test_files_that_are_no_text_or_not_there(tmp_path):
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "bom.json").write_bytes(b'\xef\xbb\xbf{"text": "red"}')
    for name in ("gone.json", ".", "b.json"):
        with pytest.raises(QueryError):
            read_query_file(tmp_path / name)
    assert read_query_file(tmp_path / "bom.json") == {"text": "red"}


@example(entry={"image": "0\n"})
@settings(max_examples=200, deadline=None)
@given(
    entry=st.dictionaries(
        st.sampled_from([setting.key for setting in query_options()] + ["relevant", "odd"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=4), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        max_size=4,
    )
)
def test_any_object_is_read_or_refused(tmp_path_factory, entry):
    folder = tmp_path_factory.getbasetemp()
    try:
        Query.read(**sources_of(entry, "file", folder))
    except UsageError as error:
        assert "\n" not in str(error).replace(repr(entry), "")


def test_judged_queries_may_have_weights_and_negative_prompts(model, photos, tmp_path):
    lines = [
        {"text": "red", "not": "blue", "relevant": ["b/00.png"]},
        {"text": "red", "image": "a.png", "weights": {"text": 0.5}, "relevant": ["b/00.png"]},
        {"text": "red", "image": "a.png", "combine": "late", "relevant": ["b/00.png"]},
        {"text": "red", "relevant": ["b/00.png"]},
        {"text": "red", "weights": {"seg": 1}, "relevant": ["b/00.png"]},
    ]
    write(tmp_path / "a.png", numbered(1))
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    judged = read_queries(path)
    with Gallery.build(photos, tmp_path / "i", model) as gallery:
        evaluate(gallery, judged[:4])
        assert sorted(model.fusions) == [
            ("guided", [0.5, 1.0]),
            ("guided", [1.0, -0.5]),
            ("late", [1.0, 1.0]),
        ]
        with pytest.raises(QueryError, match=r"q\.jsonl:5: weight: 'seg' is not among"):
            evaluate(gallery, judged)


class TestFormatsOfMaps:
    """Files of before `seg_format` hold COCO ids, also where another data set has them as well."""

    @pytest.fixture
    def ambiguous(self, tmp_path):
        ids = np.zeros((16, 16), np.uint8)
        ids[:8], ids[8:12] = 1, 18
        Image.fromarray(ids).save(tmp_path / "map.png")
        return tmp_path

    def read(self, folder, entry, **given):
        (folder / "query.json").write_text(json.dumps({"seg": "map.png", **entry}))
        return read_query(folder / "query.json", **given)

    def test_a_map_is_read_as_coco(self, ambiguous):
        (entry,) = self.read(ambiguous, {}).inputs
        assert set(np.unique(entry.value)) == {0, 1, 18}

    def test_the_file_may_say_otherwise(self, ambiguous):
        with pytest.raises(QueryError, match="--seg-format"):
            self.read(ambiguous, {"seg_format": "auto"})

    def test_so_may_an_option_beside_the_file(self, ambiguous):
        with pytest.raises(QueryError, match="--seg-format"):
            self.read(ambiguous, {}, seg_format="auto")

    def test_judged_queries_are_read_the_same(self, ambiguous):
        line = json.dumps({"seg": "map.png", "relevant": ["a.jpg"]})
        given, _ = query_of_line(line, "queries.jsonl:1", ambiguous)
        assert given["seg_format"] == "coco"

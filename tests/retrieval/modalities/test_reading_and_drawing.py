"""Depth, edges, boxes, colours, metadata, masks, poses and features as queries."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fourm.modalities.boxes import Box
from retrieval import Query, QueryError, UsageError
from retrieval.evaluation import read_queries
from retrieval.modalities import MODALITIES, sources
from retrieval.modalities.object_masks import decode_counts
from retrieval.report.page import write_page
from retrieval.report.panels import panels
from retrieval.report.results import Results
from retrieval.report.sheet import draw_sheet
from tests.retrieval.examples import PHOTO, SOURCES

few = settings(max_examples=50, deadline=None)
KEYS = [
    *("width", "height", "images", "annotations", "people", "bbox", "category_id", "box", "pose"),
    *("size", "counts", "segmentation", "orientation", "camera", "shape", "point_coords", "score"),
    *("categories", "id"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=12,
)


def read(modality, source, **others):
    (entry,) = Query.read(**{modality: source}, **others).inputs
    return entry


def saved(tmp_path, name, content):
    path = tmp_path / name
    if isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=True)
    elif isinstance(content, str):
        path.write_text(content)
    else:
        path.write_text(json.dumps(content))
    return path


class TestDepth:
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_grey_images_keep_their_range(self, tmp_path, dtype):
        depth = np.linspace(0, np.iinfo(dtype).max, 12).astype(dtype).reshape(3, 4)
        Image.fromarray(depth).save(tmp_path / "d.png")
        for source in (tmp_path / "d.png", depth, saved(tmp_path, "d.npy", depth)):
            value = read("depth", source).value
            assert value.dtype == dtype and (value == depth).all()

    def test_which_end_is_near(self):
        depth = np.arange(6, dtype=np.uint8).reshape(2, 3)
        assert (read("depth", depth, depth_near="low").value == depth).all()
        assert (read("depth", depth, depth_near="high").value == 255 - depth).all()
        assert (read("depth", depth / 4, depth_near="high").value == -(depth / 4)).all()

    def test_depth_near_is_checked(self):
        with pytest.raises(QueryError, match="low or high"):
            Query.read(depth=np.ones((2, 2)), depth_near="left")
        with pytest.raises(UsageError, match="depth_near"):
            Query.read(text="sea", depth_near="high")

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
    def test_colour_images_are_refused(self, tmp_path, mode):
        Image.new(mode, (4, 4)).save(tmp_path / "d.png")
        with pytest.raises(QueryError, match="grey"):
            read("depth", tmp_path / "d.png")


def coco_of(entry):
    return {"width": 9, "height": 9, "annotations": [{"bbox": [1, 1, 2, 2], **entry}]}


class TestArrays:
    @pytest.mark.parametrize(
        ("array", "words"),
        [
            (np.array([{"a": 1}], object), "npy"),
            (np.array(["a"]), "numbers"),
            (np.array([True]), "numbers"),
            (np.array([1j]), "numbers"),
            (np.array([1.0, np.nan]), "NaN"),
            (np.array([np.inf]), "infinity"),
            (np.zeros((0, 3)), "npy"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("modality", ["depth", "t5", "clip_features", "dinov2_embedding"])
    def test_what_is_in_the_file_is_checked(self, tmp_path, modality, array, words):
        with pytest.raises(QueryError, match=words) as caught:
            read(modality, saved(tmp_path, "a.npy", array))
        assert "a.npy" in str(caught.value)
        assert "dtype(" not in str(caught.value) and "allow_pickle" not in str(caught.value)

    def test_pickles_are_not_opened(self, tmp_path):
        import pickle

        (tmp_path / "a.npy").write_bytes(pickle.dumps([1, 2]))
        with pytest.raises(QueryError, match=r"not a readable .npy array \(it is another type"):
            read("t5", tmp_path / "a.npy")
        np.savez(tmp_path / "a.npz", a=np.ones(3))
        (tmp_path / "a.npz").rename(tmp_path / "b.npy")
        with pytest.raises(QueryError, match="npz"):
            read("t5", tmp_path / "b.npy")

    def test_a_header_that_promises_too_much(self, tmp_path):
        whole = saved(tmp_path, "a.npy", np.zeros((10, 10))).read_bytes()
        (tmp_path / "a.npy").write_bytes(whole.replace(b"(10, 10)", b"(9999999999, 9)"))
        with pytest.raises(QueryError, match="not a readable"):
            read("t5", tmp_path / "a.npy")

    @few
    @given(content=st.binary(max_size=200))
    def test_any_bytes(self, tmp_path_factory, content):
        path = tmp_path_factory.mktemp("any") / "a.npy"
        path.write_bytes(b"\x93NUMPY\x01\x00" + content)
        with pytest.raises(QueryError, match=r"a\.npy"):
            read("t5", path)


class TestBoxes:
    def test_typed_boxes_and_files_together(self, tmp_path):
        yolo = saved(tmp_path, "y.txt", "0 0.5 0.5 0.2 0.4\n16 0.25 0.25 0.5 0.5 0.9\n")
        value = read("boxes", ["dog:0.1,0.2,0.3,0.4", str(yolo)]).value
        assert [box.name for box in value] == ["dog", "person", "dog"]
        assert value[1].xmin == pytest.approx(0.4) and value[1].ymax == pytest.approx(0.7)
        assert value[2] == Box(0, 0, 0.5, 0.5, "dog", 0.9)

    def test_coco_boxes_are_those_of_the_central_square(self, tmp_path):
        coco = {"images": [{"width": 200, "height": 100}]}
        coco["annotations"] = [
            {"bbox": [50, 0, 50, 100], "category_id": 1},
            {"bbox": [0, 0, 40, 40], "category_id": 18},  # outside
        ]
        (box,) = read("boxes", saved(tmp_path, "c.json", coco)).value
        assert box == Box(0, 0, 0.5, 1, "person")

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("c.json", "{", "not JSON"),
            ("c.json", [1], "width"),
            ("c.json", {"images": [{}, {}], "annotations": []}, "2 images"),
            ("c.json", {"width": 4, "height": True, "annotations": []}, "height"),
            ("c.json", {"width": 4, "height": 4}, "annotations"),
            ("c.json", {"width": 4, "height": 4, "annotations": [{"bbox": [1]}]}, "bbox"),
            ("c.json", {"width": 4, "height": 4, "annotations": []}, "expected at least one box"),
            ("y.txt", "person 0 0 1 1", "y.txt:1"),
            ("y.txt", "0 0.5 0.5 1", "y.txt:1"),
            ("y.txt", "80 0.5 0.5 1 1", "0 to 79"),
            ("y.txt", "0 nan 0.5 1 1", "within 0 and 1"),
            ("y.txt", "0 0.5 0.5 1 1\n0 0.9 0.5 1 1", "y.txt:2: the box of 'person' must lie"),
            ("c.json", coco_of({"category_id": 1, "score": "x"}), "annotation 1: the score"),
        ],
    )
    def test_files_that_are_not(self, tmp_path, name, content, words):
        with pytest.raises(QueryError, match=words):
            read("boxes", saved(tmp_path, name, content))

    @few
    @given(text=st.text(max_size=30) | st.from_regex(r"person:[-0-9.,einfa]{0,20}"))
    def test_any_text(self, text):
        try:
            assert all(0 <= box.xmin <= box.xmax <= 1 for box in read("boxes", text).value)
        except QueryError as error:
            assert "\n" not in str(error).replace(repr(text), "")


class TestWritten:
    def test_colours(self):
        wanted = [(30, 144, 255), (255, 255, 255)]
        assert read("palette", "#1e90ff, #fff").value == wanted
        assert read("palette", wanted).value == wanted
        assert read("palette_of", PHOTO).modality == "palette"
        with pytest.raises(UsageError, match="palette: given twice"):
            Query.read(palette="#fff", palette_of=PHOTO)

    def test_metadata(self):
        wanted = {"brightness": 200.0, "n_humans": 3.0}
        for source in ("brightness=200 n_humans=3", ["brightness=200", "n_humans=3"], wanted):
            assert read("metadata", source).value == wanted

    @pytest.mark.parametrize(
        ("modality", "source", "words"),
        [
            ("palette", "blue", "#rrggbb"),
            ("palette", "", "1 to 7"),
            ("palette", [(1, 2)], "red, green, blue"),
            ("palette", [(1, 2, 256)], "0 to 255"),
            ("palette", 3, "colours"),
            ("metadata", "brightness=300", "between 0 and 255"),
            ("metadata", "brightness", "number"),
            ("metadata", {"brightness": float("nan")}, "between"),
            ("metadata", {"smell": 1}, "smell"),
            ("metadata", 3, "metadata"),
            ("boxes", 3, "boxes"),
            ("boxes", [], "none"),
            ("canny", 3, "expected a path"),
        ],
    )
    def test_what_is_refused(self, modality, source, words):
        with pytest.raises(QueryError, match=words):
            read(modality, source)

    @few
    @given(text=st.text(max_size=30) | st.from_regex(r"(brightness|n_humans)=[-0-9.einfa]{0,9}"))
    @pytest.mark.parametrize("modality", ["palette", "metadata"])
    def test_any_text(self, modality, text):
        try:
            assert read(modality, text).value
        except QueryError as error:
            assert str(error).startswith(modality)


class TestObjects:
    MASK = np.array([[0, 1, 1], [0, 0, 1]], np.uint8)  # column by column: 0 0 | 1 0 | 1 1

    @pytest.mark.parametrize("counts", [[2, 1, 1, 2], "2111"])
    def test_run_lengths_go_down_the_columns(self, counts):
        entry = {"segmentation": {"size": [2, 3], "counts": counts}, "point_coords": [[2, 0]]}
        (mask,) = read("sam", [entry]).value
        assert (mask.pixels == self.MASK).all() and mask.point == (2, 0)

    def test_compressed_counts_with_differences_and_long_runs(self):
        # 4th run on: difference to the run before last; 300 takes two characters.
        assert decode_counts("2112") == [2, 1, 1, 3]
        assert decode_counts("\\9") == [300]

    def test_polygons_need_the_size(self):
        entry = {"segmentation": [[1, 1, 8, 1, 8, 8, 1, 8]]}
        (mask,) = read("sam", {"width": 10, "height": 10, "annotations": [entry]}).value
        assert mask.pixels.sum() == 64
        with pytest.raises(QueryError, match="width and height"):
            read("sam", [entry])

    def test_run_lengths_have_the_size_of_the_image(self):
        entry = {"segmentation": {"size": [2, 3], "counts": [2, 1, 1, 2]}}
        assert read("sam", {"width": 3, "height": 2, "annotations": [entry]}).value
        with pytest.raises(QueryError, match=r"1 has a mask of \(3, 2\) pixels, expected \(2, 3\)"):
            read("sam", {"width": 2, "height": 3, "annotations": [entry]})

    @pytest.mark.parametrize("content", [[], {"width": 3, "height": 2, "annotations": []}])
    def test_files_without_objects(self, content):
        with pytest.raises(QueryError, match="expected at least one object, got none"):
            read("sam", content)

    def test_poses(self):
        person = {
            "box": [10, 10, 90, 90],
            "pose": [[[1, 0, 0], [0, 1, 0], [0, 0, 1]]] * 23,
            "orientation": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            "camera": [0, 0, 5],
            "shape": [0] * 10,
        }
        content = {"width": 140, "height": 100, "people": [person, {**person, "pose": [7] * 8}]}
        value = read("poses", content).value
        assert value.size == (100, 100) and value.people[0].box == (-10, 10, 70, 90)
        assert len(value.rotations[0]) == 207 and value.rotations[1] is None
        assert value.people[1].pose == (7,) * 8
        for key, wrong in [("pose", [1] * 7), ("pose", [1024] * 8), ("camera", [1]), ("box", "x")]:
            with pytest.raises(QueryError, match="person 1"):
                read("poses", {**content, "people": [{**person, key: wrong}]})

    @few
    @given(content=JSON)
    @pytest.mark.parametrize("modality", ["sam", "poses", "boxes"])
    def test_any_json(self, tmp_path_factory, modality, content):
        path = saved(tmp_path_factory.mktemp("any"), "a.json", content)
        try:
            read(modality, path)
        except QueryError as error:
            assert "a.json" in str(error)

    @few
    @given(text=st.text(max_size=20) | st.text("01O`noP", max_size=20))
    def test_any_counts(self, text):
        with pytest.raises(QueryError):
            read("sam", [{"segmentation": {"size": [1000, 999], "counts": text}}])


def test_every_modality_of_the_models_has_a_source():
    from fourm.modalities import MODALITIES as OF_MODELS

    assert set(OF_MODELS) == set(MODALITIES) <= set(sources())
    assert set(SOURCES) | {"text", "image", "seg"} == set(OF_MODELS)


def test_canny_edges_are_edges():
    entry = read("canny", PHOTO)
    assert entry.modality == "edges" and entry.value.size == (224, 224)
    assert set(np.unique(np.asarray(entry.value))) == {0, 255}


@pytest.mark.parametrize("modality", ["edges", "sam_edges"])
@pytest.mark.parametrize("paper", ["dark", "light", "transparent"])
def test_drawings_become_light_on_dark(tmp_path, modality, paper):
    mode, ground, pen = {
        "dark": ("L", 0, 255),
        "light": ("L", 255, 0),
        "transparent": ("LA", (0, 0), (0, 255)),
    }[paper]
    drawing = Image.new(mode, (64, 64), ground)
    drawing.paste(pen, (10, 20, 50, 23))
    drawing.save(tmp_path / "drawn.png")
    lines = np.asarray(read(modality, tmp_path / "drawn.png").value.convert("L"))
    assert lines[21, 30] == 255 and lines[40, 30] == 0


def test_dense_thick_lines_are_not_inverted():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, np.arange(64) % 4 > 0] = 255
    np.testing.assert_array_equal(np.asarray(read("edges", stripes).value), stripes)


@pytest.mark.parametrize("modality", SOURCES)
def test_every_modality_is_drawn(modality):
    (panel,) = panels(Query.read(**{modality: SOURCES[modality]}))
    assert panel.title and panel.summary and (panel.image is not None or panel.rows)
    sheet = draw_sheet(Results((panel,), (), 0, "gallery", "model", "space"))
    ground = sheet.getpixel((0, 0))
    assert any(colour != ground for _, colour in sheet.crop((32, 32, 232, 272)).getcolors(1 << 20))


def test_depth_is_drawn_with_the_near_end_light():
    (panel,) = panels(Query.read(depth=np.tile(np.arange(64.0), (64, 1))))
    assert panel.image.getpixel((0, 30)) == (255,) * 3
    assert panel.image.getpixel((63, 30)) == (0,) * 3


def test_query_files_take_every_modality(tmp_path):
    np.save(tmp_path / "d.npy", np.ones((2, 2)))
    (tmp_path / "y.txt").write_text("0 0.5 0.5 0.2 0.4")
    line = {
        "depth": "d.npy",
        "depth_near": "high",
        "boxes": ["dog:0,0,1,1", "y.txt"],
        "metadata": {"n_humans": 1},
        "palette": "#fff",
        "relevant": ["a"],
    }
    path = saved(tmp_path, "q.jsonl", json.dumps(line))
    (judged,) = read_queries(path)
    query = Query.read(**judged.inputs)
    assert query.modalities == ("depth", "boxes", "palette", "metadata")
    assert [box.name for box in query.values["boxes"]] == ["dog", "person"]
    for wrong in ({"t5": "gone.npy"}, {"boxes": []}, {"depth_near": "low"}, {"metadata": 3}):
        with pytest.raises(UsageError, match=r"q\.jsonl:1"):
            read_queries(saved(tmp_path, "q.jsonl", json.dumps({**wrong, "relevant": ["a"]})))


def test_the_page_has_metadata_as_a_table(tmp_path):
    np.save(tmp_path / "<b>.npy", np.ones((3, 4)))
    query = Query.read(metadata="brightness=200 n_humans=3", t5=tmp_path / "<b>.npy")
    write_page(Results(panels(query), (), 0, "g", "m", "s"), tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert '<th scope="row">brightness</th><td>200</td>' in page
    assert "<td>3 x 4</td>" in page and "&lt;b&gt;.npy" in page and "<b>.npy" not in page

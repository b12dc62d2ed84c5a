"""Whatever a file or an argument holds, it is read, or refused by an error that names it.

What is read can be drawn, and the model can judge it.
"""

import json
import pickle
import struct
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from fourm import BadInput
from fourm.modalities.boxes import Box, boxes_text
from fourm.modalities.depth import square_depth
from fourm.modalities.metadata import metadata_text
from fourm.modalities.palette import palette_text
from fourm.modalities.pixels import square_pixels
from fourm.modalities.poses import poses_text
from fourm.modalities.sam import square_outlines
from fourm.modalities.seg import square_labels
from retrieval import Query, QueryError, UsageError
from retrieval.modalities import sources
from retrieval.modalities.object_masks import read_masks
from retrieval.modalities.panoptic import coco_panoptic
from retrieval.queries.query_files import read_query_file
from retrieval.report.panels import panels
from tests.retrieval.files import encoded, striped

often = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ARRAYS = ("depth", "t5", "clip_features", "dinov2_embedding")
JSON_KINDS = ("sam", "poses", "boxes")
JUDGES = {
    "image": square_pixels,
    "seg": square_labels,
    "depth": square_depth,
    "boxes": boxes_text,
    "palette": palette_text,
    "metadata": metadata_text,
    "sam": square_outlines,
    "poses": lambda people: poses_text(
        [person for person in people.people if person.pose], people.size
    ),
}
PERSON = {
    "box": [10, 10, 90, 90],
    "pose": [7] * 8,
    "orientation": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "camera": [0, 0, 5],
    "shape": [0] * 10,
}
RIGHT = {
    "sam": {
        "width": 4,
        "height": 3,
        "annotations": [
            {"segmentation": {"size": [3, 4], "counts": [3, 4, 5]}, "point_coords": [[1, 1]]},
            {"segmentation": [[0, 0, 3, 0, 3, 2]]},
            {"segmentation": {"size": [3, 4], "counts": "345"}},
        ],
    },
    "poses": {"width": 140, "height": 100, "people": [PERSON, {**PERSON, "pose": [[0.5] * 207]}]},
    "boxes": {
        "images": [{"width": 200, "height": 100}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"bbox": [50, 0, 50, 100], "category_id": 1, "score": 0.9}],
    },
}
ODD_NUMBERS = st.sampled_from(
    [0, -1, 2**31, 2**63, 2**64, -(2**63), 10**30, 10**4000, 1e308, -1e308, 5e-324, True]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | ODD_NUMBERS
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["٣", "1_0", "NaN", "v0=1", "person", "\ud800", "a\0"])
)
KEYS = st.sampled_from([*RIGHT["poses"], *PERSON, *RIGHT["boxes"], *RIGHT["sam"], "bbox", "size"])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


def check(modality, source, **others):
    """Read and draw an input and prepare it for a model; the message if it is refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            query = Query.read(**{modality: source}, **others)
        except QueryError as error:
            assert 8 < len(str(error)) < 1200
            return str(error)
        panels(query)
        try:
            JUDGES.get(query.inputs[0].modality, lambda value: value)(query.inputs[0].value)
        except BadInput as error:
            assert len(str(error)) < 1200
    return None


@st.composite
def damaged(draw, content):
    """JSON that is right but for one or two places."""
    content = json.loads(json.dumps(content))
    for _ in range(draw(st.integers(1, 2))):
        at = content
        while True:
            keys = list(at) if isinstance(at, dict) else range(len(at))
            if not keys:
                break
            key = draw(st.sampled_from(list(keys)))
            if isinstance(at[key], (dict, list)) and at[key] and draw(st.booleans()):
                at = at[key]
                continue
            if draw(st.booleans()) or not isinstance(at, dict):
                at[key] = draw(JSON)
            else:
                del at[key]
            break
    return content


class TestFiles:
    FILES = [source.name for source in sources().values() if not source.typed] + ["boxes"]
    SUFFIXES = ("png", "jpg", "npy", "json", "txt", "tif", "webp", "gif", "jsonl")
    HEADS = (
        *(b"", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"),
        *(
            b"PK\x03\x04",
            b"GIF89a",
            b"II*\x00",
            b"RIFF\x10\0\0\0WEBP",
            b"\xef\xbb\xbf{",
            b"[",
            b"{",
        ),
    )

    @pytest.mark.parametrize("modality", FILES)
    @settings(max_examples=60, deadline=None)
    @given(
        head=st.sampled_from(HEADS), tail=st.binary(max_size=120), suffix=st.sampled_from(SUFFIXES)
    )
    def test_any_bytes_under_any_name(self, tmp_path_factory, modality, head, tail, suffix):
        path = tmp_path_factory.mktemp("any") / f"a.{suffix}"
        path.write_bytes(head + tail)
        message = check(modality, path if modality != "boxes" else str(path))
        assert message is None or "a." in message

    def test_a_file_without_boxes_is_named(self, tmp_path):
        (tmp_path / "a.txt").write_text("\n")
        outside = {**RIGHT["boxes"], "annotations": [{"bbox": [0, 0, 40, 40], "category_id": 1}]}
        (tmp_path / "b.json").write_text(json.dumps(outside))
        for name in ("a.txt", "b.json"):
            assert f"{name}: expected at least one box" in check("boxes", str(tmp_path / name))
        assert (
            check("boxes", []) == "boxes: expected at least one box in the central square, got none"
        )

    @pytest.mark.parametrize("modality", FILES)
    def test_paths_that_are_not_files(self, tmp_path, modality):
        for suffix in ("npy", "json", "png"):
            for name in (f"gone.{suffix}", f"nul\0.{suffix}", "x" * 300 + f".{suffix}"):
                assert check(modality, str(tmp_path / name)) is not None
            (tmp_path / f"folder.{suffix}").mkdir()
            assert check(modality, str(tmp_path / f"folder.{suffix}")) is not None

    @pytest.mark.parametrize("modality", [*ARRAYS, "seg"])
    def test_archives_and_pickles_named_as_arrays(self, tmp_path, modality):
        path = tmp_path / "a.npy"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("b.txt", "no array")
        assert "npz" in check(modality, path)
        with path.open("wb") as file:
            np.savez(file, a=np.ones((2, 2), np.uint8))
        assert "npz" in check(modality, path)
        for content in (pickle.dumps([1, 2]), b"", b"\x93NUMPY"):
            path.write_bytes(content)
            assert "not a readable .npy array" in check(modality, path)
        np.save(path, np.array([[{}, 1]], object), allow_pickle=True)
        assert "not a readable .npy array" in check(modality, path)

    def test_images_that_are_not_maps(self, tmp_path):
        photo = striped((200, 30, 40))
        path = tmp_path / "a.png"
        for content, words in [
            (encoded(photo, "JPEG"), "save it as PNG"),
            (encoded(photo), "belongs to no class"),
            (encoded(Image.new("I;16", (4, 4), 40000)), "id 40000"),
            (encoded(Image.new("P", (4, 4), 99)), "the map is empty"),
            (encoded(Image.new("CMYK", (4, 4)), "TIFF"), "CMYK"),
            (encoded(Image.new("F", (4, 4), 1.5), "TIFF"), "of mode F is not"),
        ]:
            path.write_bytes(content)
            assert words in (check("seg", path) or "nothing")
        Image.fromarray(np.full((4, 4), 200, np.uint16)).save(path)
        assert check("seg", path) is None and check("depth", path) is None

    def test_maps_in_palettes(self, tmp_path):
        ids = np.array([[1, 18], [0, 200]], np.uint8)
        path = tmp_path / "a.png"
        indexed = Image.fromarray(ids).convert("P")
        indexed.putpalette([255 - value for value in range(256) for _ in range(3)])
        for photo in (indexed, Image.fromarray(coco_panoptic().paint(ids)).quantize(8)):
            photo.save(path)
            assert np.array_equal(Query.read(seg=path).values["seg"], ids)
        assert "grey image" in check("depth", path)


class TestArrays:
    DESCRIPTIONS = st.sampled_from(
        [
            *(
                "'<f4'",
                "'>f8'",
                "'<f2'",
                "'<i2'",
                "'|u1'",
                "'>u8'",
                "'|b1'",
                "'<c8'",
                "'|O'",
                "'<U3'",
            ),
            *(
                "'|S2'",
                "'<M8[D]'",
                "'|V3'",
                "[('a', '<f4')]",
                "[('a', '<f4', (2, 2)), ('b', '|O')]",
            ),
            *("'<f16'", "'zz'", "None", "3", "'<f4' * 9", "__import__('os')"),
        ]
    )
    SIDES = st.sampled_from([0, 1, 2, 3, 5, -1, 2**16, 2**31, 2**32, 2**62, 2**63, 10**30])
    SHAPES = st.lists(SIDES, max_size=4).map(lambda sides: repr(tuple(sides))) | st.sampled_from(
        ["()", "(3", "None", "(2.0, 2)", "('a',)", "(True, 2)", "[2, 2]", "(" * 200]
    )

    @pytest.mark.parametrize("modality", [*ARRAYS, "seg"])
    @often
    @given(
        description=DESCRIPTIONS,
        order=st.sampled_from(["False", "True", "1", "None"]),
        shape=SHAPES,
        data=st.binary(max_size=160),
        version=st.sampled_from([(1, "<H"), (2, "<I"), (3, "<I"), (9, "<I")]),
    )
    def test_any_header(self, tmp_path_factory, modality, description, order, shape, data, version):
        head = (
            f"{{'descr': {description}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
        )
        length = struct.pack(version[1], len(head))
        path = tmp_path_factory.mktemp("any") / "a.npy"
        path.write_bytes(b"\x93NUMPY" + bytes([version[0], 0]) + length + head + data)
        message = check(modality, path)
        assert message is None or "a.npy" in message

    @pytest.mark.parametrize("modality", [*ARRAYS, "seg", "image", "palette"])
    @often
    @given(
        array=arrays.arrays(
            arrays.scalar_dtypes() | arrays.array_dtypes(max_size=2),
            arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        )
    )
    def test_any_array(self, modality, array):
        check(modality, array)

    @pytest.mark.parametrize("near", ["low", "high"])
    @pytest.mark.parametrize("order", ["C", "F"])
    @pytest.mark.parametrize("dtype", ["u1", ">u2", "<u8", "i1", ">i4", "<i8", "<f2", ">f4", "<f8"])
    def test_depth_of_every_type(self, tmp_path, dtype, order, near):
        values = np.arange(-6 if dtype[-2] in "if" else 0, 6)[-6:].reshape(2, 3)
        values = np.asarray(values, dtype, order=order)
        np.save(tmp_path / "a.npy", values)
        for source in (values, tmp_path / "a.npy"):
            assert check("depth", source, depth_near=near) is None
            read = square_depth(Query.read(depth=source, depth_near=near).values["depth"], 3)
            first, last = sorted((read[0, 0, 0], read[0, 0, -1]), reverse=near == "high")
            assert (first, last) == (read[0, 0, 0], read[0, 0, -1]) and abs(first - last) > 0.5

    @pytest.mark.skipif(np.finfo("g").nmant != 63, reason="no such numbers on this machine")
    @pytest.mark.parametrize("modality", ARRAYS)
    def test_long_texts_that_are_not_numbers(self, tmp_path, modality):
        """Bit patterns that no arithmetic makes are signalling NaNs to the processor."""
        pattern = b"\0" * 9 + b"\1" + b"\0" * 6
        np.save(tmp_path / "a.npy", np.frombuffer(pattern, np.longdouble))
        assert "NaN" in check(modality, tmp_path / "a.npy")

    @pytest.mark.parametrize("value", [1e300, -1e39, np.nan, np.inf])
    @pytest.mark.parametrize("modality", ARRAYS)
    def test_unusable_numbers(self, modality, value):
        assert "3.4e38" in check(modality, np.array([[1.0, value]]))

    def test_large_numbers_keep_their_differences(self):
        depth = np.linspace(-3e38, 3e38, 64).reshape(8, 8)
        assert check("depth", depth) is None
        near = square_depth(depth, 8)
        assert np.isfinite(near).all() and near.std() > 0.5


class TestJson:
    @pytest.mark.parametrize("modality", JSON_KINDS)
    @often
    @given(data=st.data())
    def test_json_with_a_mistake(self, tmp_path_factory, modality, data):
        content = data.draw(damaged(RIGHT[modality]))
        path = tmp_path_factory.mktemp("any") / "a.json"
        try:
            path.write_text(json.dumps(content))
        except ValueError:  # Python does not write whole numbers of so many digits
            path = None
        if path is not None:
            message = check(modality, str(path))
            assert message is None or "a.json" in message or message.startswith("boxes:")
        if modality != "boxes":
            check(modality, content)

    @pytest.mark.parametrize("modality", JSON_KINDS)
    def test_json_without_a_mistake(self, tmp_path, modality):
        (tmp_path / "a.json").write_text(json.dumps(RIGHT[modality]), encoding="utf-8-sig")
        assert check(modality, str(tmp_path / "a.json")) is None

    @pytest.mark.parametrize("modality", [*JSON_KINDS, "query"])
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "not JSON"),
            ("[" * 200_000, "not JSON"),
            ('{"a":' * 200_000, "not JSON"),
            ("[" * 5000 + "]" * 5000, ""),
            ('{"width": 1, "width": 2}', "the key 'width' twice"),
            ('{"people": [{"box": [], "box": []}]}', "the key 'box' twice"),
            ('{"width": ' + "9" * 5000 + "}", ""),
            ('{"width": 1e999, "height": 2}', ""),
            ('{"width": NaN, "height": -Infinity}', ""),
            ('{"width": ٣}', "not JSON"),
            ("\ufeff\ufeff{}", "not JSON"),
        ],
        ids=range(11),
    )
    def test_texts(self, tmp_path, modality, text, words):
        path = tmp_path / "a.json"
        path.write_text(text, encoding="utf-8")
        if modality == "query":
            with pytest.raises(UsageError) as caught:
                read_query_file(path)
            message = str(caught.value)
        else:
            message = check(modality, str(path))
        assert "a.json" in message and words in message and len(message) < 1200

    def test_lists_that_hold_themselves(self, monkeypatch):
        monkeypatch.setattr("retrieval.inputs.json_files._MOST_NUMBERS", 1000)
        endless = [1]
        endless.append(endless)
        message = check("poses", {**RIGHT["poses"], "people": [{**PERSON, "box": endless}]})
        assert "more than 1000 numbers" in message

    @often
    @given(
        counts=st.lists(st.integers() | ODD_NUMBERS | st.floats(), max_size=6)
        | st.text("0123456789:;<=>?@ABCO`noP", max_size=30)
        | st.sampled_from(["o" * 40, "o" * 12 + "0", "n" * 13, "0" * 10_000, "ÿ", "\ud800"]),
        size=st.lists(st.integers(1, 40) | ODD_NUMBERS, min_size=1, max_size=3),
    )
    def test_any_run_lengths(self, counts, size):
        check("sam", [{"segmentation": {"size": size, "counts": counts}}])

    def test_run_lengths_that_overflow(self):
        for counts in ([2**64, 6 - 2**64], [7, -1], [2.5, 3.5], [[6], [1]]):
            assert check("sam", [{"segmentation": {"size": [2, 3], "counts": counts}}])
        assert check("sam", [{"segmentation": {"size": [2, 3], "counts": [[1], [2, 3]]}}]) is None
        huge = {"segmentation": {"size": [2**20, 2**20], "counts": [2**40]}}
        assert "limit" in check("sam", [huge])

    def test_large_masks_are_shrunk_without_a_change_of_meaning(self):
        large = {"segmentation": {"size": [1200, 1500], "counts": [360_000, 240_000, 1_200_000]}}
        runs = np.repeat([0, 1, 0], large["segmentation"]["counts"]).reshape(1500, 1200).T
        entry = {**large, "point_coords": [[350, 700]]}
        masks = read_masks([entry] * 3).value
        assert all(mask.pixels.size < 100_000 for mask in masks)
        from fourm.modalities.sam import Mask

        whole, small = square_outlines([Mask(runs, (350, 700))]), square_outlines(masks[:1])
        for name in ("positions", "boxes", "parts"):
            assert np.array_equal(getattr(whole, name), getattr(small, name)), name

    def test_objects_of_several_images(self):
        two = [{"segmentation": {"size": [2, side], "counts": [0, 2 * side]}} for side in (3, 4)]
        assert "object 2 has a mask of (4, 2) pixels" in check("sam", two)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGBa", "CMYK", "YCbCr", "LAB", "HSV", "I", "F"]
)
@pytest.mark.parametrize("modality", ["image", "edges", "canny", "seg", "depth"])
def test_images_of_every_mode(modality, mode):
    for size in ((1, 1), (3, 2)):
        check(modality, Image.new(mode, size))


class TestTyped:
    @often
    @given(source=JSON | st.binary(max_size=4) | st.lists(st.text(max_size=20), max_size=3))
    @pytest.mark.parametrize("modality", [source.name for source in sources().values()])
    def test_any_object(self, modality, source):
        if source is not None:
            check(modality, source)

    @pytest.mark.parametrize("digits", ["٠.١", "1_0", "0x1", "1e", "½", "०", "1.2.3", "", "--1"])
    def test_numbers_are_ascii(self, tmp_path, digits):
        (tmp_path / "y.txt").write_text(f"0 {digits or 'x'} 0.5 0.2 0.2", encoding="utf-8")
        assert "not a box" in check("boxes", f"person:0,0,1,{digits}")
        assert "y.txt:1" in check("boxes", str(tmp_path / "y.txt"))
        assert "brightness" in check("metadata", f"brightness={digits}")

    @pytest.mark.parametrize("text", ["\udcff", "a\ud800b"])
    def test_text_is_unicode(self, text):
        assert "Unicode" in check("text", text)
        assert "Unicode" in check("text", "a", negative_text=text)

    @pytest.mark.parametrize(
        "box",
        [
            Box(None, 0, 1, 1, "person"),
            Box(0, 0, 1, 1, ["person"]),
            Box(0, 0, 1, 1, "person", float("nan")),
            Box(0, 0, 1, 1, "person", 90.0),
            Box(0, 0, 1, 10**400, "person"),
            Box(True, 0, 1, 1, "person"),
        ],
        ids=range(6),
    )
    def test_boxes_given_in_python(self, box):
        assert "box" in check("boxes", box)

    @pytest.mark.parametrize(
        "facts",
        [
            {"brightness": "200 n_humans=3"},
            {"brightness=3 n_humans": 2},
            {3: 3},
            {"brightness": True},
            {"brightness": None},
            {"brightness": 10**400},
            {"n_humans": float("nan")},
            {},
        ],
        ids=str,
    )
    def test_metadata_given_in_python(self, facts):
        assert check("metadata", facts).startswith("metadata: ")

    @pytest.mark.parametrize(
        "colours", [[(1, 2, 10**400)], [[True, 1, 1]], [["1", "2", "3"]], {"a": 1}, [[]], [None]]
    )
    def test_colours_given_in_python(self, colours):
        assert check("palette", colours).startswith("palette: ")
        assert check("palette", ["#fff", "#000000"]) is None

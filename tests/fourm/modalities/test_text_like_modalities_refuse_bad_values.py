import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fourm.errors import BadInput
from fourm.modalities import boxes, metadata, palette, poses, sam

PERSON = {
    "box": (10, 20, 100, 200),
    "pose": (0, 511, 512, 1023, 1, 2, 3, 4),
    "orientation": (1, 0, 0, 0, 1, 0, 0, 0, 1),
    "camera": (0, 1, 2),
    "shape": (0,) * 10,
}
INSTANCE = sam.SamInstance(1, 2, 30, 40, (0,) * 16)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("person", "is not a box"),
        ("person:0.1,0.2,0.3", "is not a box"),
        ("person:0.1,0.2,0.3,x", "is not a box"),
        ("person:10,20,30,40", "within 0 and 1"),
        ("person:nan,0,1,1", "within 0 and 1"),
        ("person:0,0,1,inf", "within 0 and 1"),
        ("person:0.5,0,0.1,1", "smaller ones first"),
        ("sky-other-merged:0,0,1,1", "not one of the 80"),
        (":0,0,1,1", "not one of the 80"),
        ("", "is not a box"),
    ],
)
def test_boxes(text, message):
    with pytest.raises(BadInput, match=message):
        boxes.read_box(text)


def test_a_box_as_a_user_writes_it():
    assert boxes.read_box("sports ball:0.1, 0.2,.4,1") == boxes.Box(0.1, 0.2, 0.4, 1, "sports ball")
    assert boxes.boxes_text([boxes.read_box("dog:0,0,1,1")]) == "v0=0 v1=0 v2=999 v3=999 dog"
    assert boxes.boxes_text([]) == ""


def test_a_box_outside_a_crop_is_dropped():
    left = boxes.Box(0, 0, 0.2, 1, "dog")
    assert boxes.crop_boxes([left], (100, 50), (25, 0, 75, 50)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no metadata"),
        ("colour=3", "not a metadata key; known: original_width"),
        ("brightness", "must be brightness=<number>"),
        ("brightness=high", "must be brightness=<number>"),
        ("brightness=256", "between 0 and 255"),
        ("brightness=nan", "between 0 and 255"),
        ("n_humans=-1", "between 0 and 999"),
        ("occlusion_score=0.3", "between 0 and 0.25"),
        ("n_humans=1 n_humans=2", "given twice"),
    ],
)
def test_metadata(text, message):
    with pytest.raises(BadInput, match=message):
        metadata.read_metadata(text)


@pytest.mark.parametrize("value", [3, np.float32(3), np.int64(3)])
def test_metadata_may_be_numbers_of_numpy(value):
    assert metadata.metadata_text({"n_humans": value}) == metadata.metadata_text({"n_humans": 3})


def test_metadata_as_a_user_writes_it():
    assert metadata.read_metadata("brightness=200, n_humans=3") == {
        "brightness": 200,
        "n_humans": 3,
    }
    assert len(metadata.KEYS) == 21


@pytest.mark.parametrize("value", [math.nan, math.inf, "3", None, True, [3]])
def test_metadata_values_that_are_not_numbers(value):
    with pytest.raises(BadInput, match="brightness must be a"):
        metadata.metadata_text({"brightness": value})


@pytest.mark.parametrize(
    "text", ["", "red", "#12", "#12345", "#gggggg", ",".join(["#fff"] * 8), "1,2,3"]
)
def test_colours(text):
    with pytest.raises(BadInput, match="colour"):
        palette.read_colours(text)


def test_colours_as_a_user_writes_them():
    colours = [(30, 144, 255), (255, 255, 255)]
    assert palette.read_colours("#1e90ff,fff") == colours
    assert palette.read_colours(",".join(map(palette.written_colour, colours))) == colours


@pytest.mark.parametrize("colours", [[], [(0, 0)], [(0, 0, 256)], [(0, 0, math.nan)], [(0, 0, -1)]])
def test_palettes(colours):
    with pytest.raises(BadInput, match="colour"):
        palette.palette_text(colours)


def test_the_palette_of_a_photo():
    photo = np.zeros((40, 40, 3), np.uint8)
    photo[:30] = (200, 30, 40)
    photo[30:] = (10, 20, 240)
    assert palette.palette_of(Image.fromarray(photo), 2) == [(200, 30, 40), (10, 20, 240)]
    assert palette.palette_of(photo, 7)[0] == (200, 30, 40)
    with pytest.raises(BadInput, match="1 to 7"):
        palette.palette_of(photo, 8)


@pytest.mark.parametrize(
    "change",
    [
        {"box": (1, 2, 3)},
        {"box": (1, 2, 3, math.nan)},
        {"pose": (0,) * 7},
        {"pose": (1024,) * 8},
        {"pose": (-1,) * 8},
        {"orientation": (2,) * 9},
        {"camera": (0, 0)},
        {"camera": (0, 0, math.inf)},
        {"shape": (0,) * 9},
    ],
    ids=str,
)
def test_people(change):
    with pytest.raises(BadInput):
        poses.poses_text([poses.Person(**PERSON | change)], (224, 224))


def test_people_outside_the_image_are_left_out():
    inside = poses.Person(**PERSON)
    outside = poses.Person(**PERSON | {"box": (300, 0, 400, 200)})
    assert poses.poses_text([outside, inside], (224, 224)).count("human") == 1
    assert poses.poses_text([outside], (224, 224)) == "none"
    with pytest.raises(BadInput, match="parts of a person"):
        poses.poses_text([inside], (224, 224), ("pose", "global", "camera"))


@pytest.mark.parametrize(
    "point",
    [
        sam.Point(224, 0),
        sam.Point(0, -1),
        sam.Point(0, 0, (sam.SamInstance(0, 0, 225, 1, (0,) * 16),)),
        sam.Point(0, 0, (sam.SamInstance(9, 0, 1, 1, (0,) * 16),)),
        sam.Point(0, 0, (sam.SamInstance(0, 0, 1, 1, (0,) * 15),)),
        sam.Point(0, 0, (sam.SamInstance(0, 0, 1, 1, (1024,) * 16),)),
    ],
    ids=range(6),
)
def test_instances(point):
    with pytest.raises(BadInput):
        sam.sam_text([point])


def test_a_mask_becomes_its_box():
    mask = np.zeros((20, 30), bool)
    mask[5:10, 7:27] = True
    box, part = sam.mask_to_box(mask)
    assert box == (7, 5, 26, 9)
    assert part.shape == (64, 64)
    assert part.all()
    with pytest.raises(BadInput, match="empty"):
        sam.mask_to_box(np.zeros((4, 4)))
    with pytest.raises(BadInput, match=r"\(H, W\)"):
        sam.mask_to_box(np.zeros((4, 4, 1)))


WORDS = st.sampled_from(
    [
        *(f"v{axis}={value}" for axis in range(4) for value in (0, 7, 223, 512, 999)),
        *("v0=1000", "v1=-1", "v0=", "v4=3", "v0=07", "human", "pose", "global", "camera", "shape"),
        *("point", "polygon", "none", "dog", "[EOS]", "[S_1]"),
    ]
)
READERS = [
    boxes.parse_boxes,
    metadata.parse_metadata,
    palette.parse_palette,
    lambda text: poses.parse_poses(text, (224, 224)),
    sam.parse_sam,
]


@given(st.one_of(st.lists(WORDS, max_size=60).map(" ".join), st.text(max_size=60)))
def test_whatever_a_model_writes_can_be_read(text):
    for read in READERS:
        read(text)


@pytest.mark.parametrize("read", [boxes.read_box, metadata.read_metadata, palette.read_colours])
@given(text=st.text(max_size=40))
def test_whatever_a_user_writes_is_read_or_refused(read, text):
    try:
        read(text)
    except BadInput as error:
        assert "\n" not in str(error).replace(repr(text), "")


@given(st.data())
def test_what_is_written_is_read_back_wherever_it_is_truncated(data):
    points = [sam.Point(3, 4, (INSTANCE, INSTANCE)), sam.Point(5, 6), sam.Point(7, 8, (INSTANCE,))]
    words = sam.sam_text(points).split()
    cut = data.draw(st.integers(0, len(words)))
    read = sam.parse_sam(" ".join(words[:cut]))
    for got, whole in zip(read, points, strict=False):
        assert (got.x, got.y) == (whole.x, whole.y)
        assert got.instances == whole.instances[: len(got.instances)]

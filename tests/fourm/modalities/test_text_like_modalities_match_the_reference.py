"""Every recorded string, written and read back; and held to its ids."""

import dataclasses

import numpy as np
import pytest

from fourm.modalities import boxes, metadata, palette, poses, sam
from fourm.tokenizers.wordpiece import TextTokenizer
from tests.fourm.recorded_text import (
    recorded_strings,
    save_recorded_tokenizer,
    text_recordings,
)

TEXT = text_recordings()


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return TextTokenizer(save_recorded_tokenizer(tmp_path_factory.mktemp("text") / "text.json"))


@pytest.mark.parametrize(("name", "case"), recorded_strings(), ids=lambda value: str(value)[:12])
def test_strings_are_made_of_the_recorded_tokens(tokenizer, name, case):
    assert tokenizer.encode(case["string"]) == case["ids"]
    # Numbers and class names are one token each, so that nothing is lost on the way back.
    assert tokenizer.decode(case["ids"]).split() == case["string"].split()


@pytest.mark.parametrize("case", TEXT["det"], ids=lambda case: case["name"])
def test_boxes(case):
    given = [
        boxes.Box(*row["boxes"], name=row["class_name"], score=row["score"])
        for row in case["instances"]
    ]
    height, width = case["orig_size_hw"]
    top, left, crop_height, crop_width = case["crop_tlhw"]
    crop = (left, top, left + crop_width, top + crop_height)
    given = boxes.crop_boxes(given, (width, height), crop)
    if case["flip"]:
        given = boxes.flip_boxes(given)
    assert boxes.boxes_text(given) == case["string"]
    read = boxes.parse_boxes(case["string"])
    assert [[b.xmin, b.ymin, b.xmax, b.ymax, b.name] for b in read] == case["parsed_back"]


@pytest.mark.parametrize("case", TEXT["metadata"], ids=lambda case: case["string"][:12])
def test_metadata(case):
    assert metadata.metadata_text(case["metadata"]) == case["string"]
    assert metadata.parse_metadata(case["string"]) == case["decoded_back"]


@pytest.mark.parametrize("case", TEXT["color_palette"], ids=lambda case: case["string"][:4])
def test_palettes(case):
    colours = np.array(case["palette"]).reshape(-1, 3)
    assert palette.palette_text(colours.tolist()) == case["string"]
    assert palette.parse_palette(case["string"]) == [tuple(c) for c in colours.round().tolist()]


def people():
    given = TEXT["human_poses"]["instances"]
    smpl = given["pred_smpl_params"]
    return [
        poses.Person(
            box=tuple(given["bbox_xyxy"][i]),
            pose=tuple(given["pose_tokenized"][i]),
            orientation=tuple(np.ravel(smpl["global_orient"][i]).tolist()),
            camera=tuple(given["pred_cam"][i]),
            shape=tuple(smpl["betas"][i]),
        )
        for i in range(len(given["bbox_xyxy"]))
    ]


@pytest.mark.parametrize("case", TEXT["human_poses"]["cases"], ids=lambda c: str(c["part_order"]))
def test_human_poses(case):
    size = tuple(TEXT["human_poses"]["image_size"])
    order = [case["parts"][i] for i in case["part_order"]]
    assert poses.poses_text(people(), size, order) == case["string"]
    read = poses.parse_poses(case["string"], size)
    assert [person.pose for person in read] == [person.pose for person in people()]
    for got, want in zip(read, people(), strict=True):
        np.testing.assert_allclose(got.box, want.box, atol=0.5 * 224 / 999)
        np.testing.assert_allclose(got.orientation, want.orientation, atol=0.5 / 499.5 + 1e-9)
        np.testing.assert_allclose(
            got.camera, np.clip(want.camera, -1, 19), atol=0.5 / 49.95 + 1e-9
        )
        np.testing.assert_allclose(got.shape, want.shape, atol=0.5 / 166.5 + 1e-9)


def test_a_camera_is_rounded_as_the_reference_rounds_it():
    """Values half-way between two numbers, at which the order of operations decides."""
    for half in np.arange(0.5, 999):
        value = half / 49.95 - 1
        person = dataclasses.replace(people()[0], camera=(value,) * 3)
        number = round(49.95 * value + 49.95)
        assert f" camera v0={number} " in poses.poses_text([person], (224, 224))


def test_people_at_the_edge_of_the_image():
    """Only those who are wholly outside are left out."""
    boxes_in_pixels = {
        (-9, 0, -1, 99): "none",
        (0, 225, 9, 300): "none",
        (-9, 5, 0, 50): "human v0=0 v1=50 v2=0 v3=500 ",
        (50, 5, 50, 50): "human v0=500 v1=50 v2=500 v3=500 ",
        (90, -50, 300, 50): "human v0=899 v1=0 v2=999 v3=500 ",
    }
    for box, start in boxes_in_pixels.items():
        person = dataclasses.replace(people()[0], box=box)
        assert poses.poses_text([person], (100, 100)).startswith(start)


def test_nobody():
    assert poses.poses_text([], (224, 224)) == TEXT["human_poses"]["no_humans"]
    assert poses.parse_poses("none", (224, 224)) == []


def test_sam_instances():
    case = TEXT["sam_instance"]
    ymin, xmin, ymax, xmax = case["bbox_ymin_xmin_ymax_xmax"]
    instance = sam.SamInstance(xmin, ymin, xmax, ymax, tuple(case["token_ids"]))
    first, second = case["points_xy"]
    points = [sam.Point(*first, (instance,)), sam.Point(*second)]
    assert sam.sam_text(points) == case["string"]
    assert sam.parse_sam(case["string"]) == points
    # An object that the square cuts off ends at 224, a place beyond the last pixel.
    cut = [sam.Point(0, 223, (sam.SamInstance(200, 190, 224, 224, instance.codes),))]
    assert " v0=200 v1=190 v2=224 v3=224 " in sam.sam_text(cut)
    assert sam.parse_sam(sam.sam_text(cut)) == cut
    assert [list(point) for point in sam.text.GRID] == TEXT["sam_instance_grid_points_xy"]

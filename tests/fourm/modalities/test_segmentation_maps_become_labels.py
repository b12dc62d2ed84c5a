import colorsys
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fourm.errors import BadInput
from fourm.modalities.seg import ids_of_labels, labels_of_indices, panoptic_classes, square_labels
from tests.fourm.recorded import recorded, recorded_path

IDS = [row.id for row in panoptic_classes()]


def test_there_are_133_classes_in_order():
    classes = panoptic_classes()
    assert len(classes) == 133
    assert sorted(set(IDS)) == IDS
    assert (classes[0].id, classes[0].name) == (1, "person")
    assert (classes[-1].id, classes[-1].name) == (200, "rug-merged")
    assert sum(row.is_thing for row in classes) == 80
    assert [row.name for row in classes if row.id in (18, 90, 92)] == [
        "dog",
        "toothbrush",
        "banner",
    ]


def test_names_are_those_of_the_data_set():
    stored = json.loads(recorded_path("coco_panoptic_classes.json").read_text())
    want = {int(key): name for key, name in stored.items()}
    assert {row.id: row.name for row in panoptic_classes()} == want


def test_each_class_has_its_own_colour():
    colours = [row.colour for row in panoptic_classes()]
    assert len(set(colours)) == 133
    assert all(0 <= part <= 255 for colour in colours for part in colour)
    # Black is nothing: no colour may be taken for it.
    assert min(colorsys.rgb_to_hsv(*colour)[2] for colour in colours) > 50


def test_indices_of_the_reference():
    want = recorded("pixels.safetensors")
    labels = labels_of_indices(want["semseg_u8"].numpy())
    assert torch.equal(torch.from_numpy(labels).int(), want["semseg"])


def test_ids_become_contiguous_labels():
    ids = np.array([[0, 1, 200]] * 3)
    assert square_labels(ids, 3).tolist() == [[0, 1, 133]] * 3
    assert ids_of_labels(square_labels(ids, 3)).tolist() == ids.tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64])
def test_resizing_keeps_to_the_given_ids(dtype):
    ids = np.array([[1, 1], [187, 0]], dtype)
    labels = square_labels(ids, 6)
    assert labels.dtype == np.uint8
    sky = IDS.index(187) + 1
    assert labels.tolist() == [[1] * 6] * 3 + [[sky] * 3 + [0] * 3] * 3


def test_the_square_is_that_of_the_photo():
    ids = np.zeros((4, 8), np.uint8)
    ids[:, 2:6] = 1
    assert (square_labels(ids, 4) == 1).all()


@given(st.lists(st.sampled_from([0, *IDS]), min_size=16, max_size=16))
def test_there_and_back(ids):
    grid = np.array(ids).reshape(4, 4)
    assert (ids_of_labels(square_labels(grid, 4)) == grid).all()


@pytest.mark.parametrize("wrong", [12, 91, 201, 255, 256, -1, 70_000])
def test_an_unknown_id_is_named(wrong):
    ids = np.ones((4, 4), np.int64)
    ids[0, 3] = wrong
    with pytest.raises(BadInput, match=f"the id {wrong}:"):
        square_labels(ids)


def test_an_unknown_id_outside_the_square_is_named_too():
    ids = np.ones((2, 9), np.int64)
    ids[0, 0] = 12
    with pytest.raises(BadInput, match="the id 12"):
        square_labels(ids)


@pytest.mark.parametrize(
    "ids",
    [np.zeros((4, 4)), np.zeros((4, 4), bool), np.zeros((1, 4, 4), int), np.zeros((0, 4), int)],
    ids=["float", "bool", "three axes", "empty"],
)
def test_what_is_not_a_map(ids):
    with pytest.raises(BadInput, match="segmentation map"):
        square_labels(ids)


@pytest.mark.parametrize("wrong", [[133], [-1], [254], [0.5]])
def test_wrong_indices(wrong):
    with pytest.raises(BadInput, match="class ind"):
        labels_of_indices(wrong)


@pytest.mark.parametrize("wrong", [[134], [-1], [0.5]])
def test_wrong_labels(wrong):
    with pytest.raises(BadInput, match="labels must be"):
        ids_of_labels(wrong)

"""What only the model can judge of an input is refused with the name of its file or option."""

import os

import numpy as np
import pytest

from fourm import load_model
from retrieval import Query, QueryError
from retrieval.queries import prepare
from tests.fourm.small_shelf import small_shelf
from tests.retrieval.conftest import numbered


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    shelf = small_shelf(tmp_path_factory.mktemp("shelf"))
    return load_model(shelf, device="cpu", dtype="float32")


def refused(model, **sources):
    with pytest.raises(QueryError) as caught:
        prepare(Query.read(**sources), model)
    return str(caught.value)


@pytest.mark.parametrize("modality", ["t5", "clip_features", "dinov2_embedding"])
def test_an_array_of_another_shape(model, tmp_path, modality):
    np.save(tmp_path / "wrong.npy", np.ones((3, 5)))
    file = tmp_path / "wrong.npy"
    assert refused(model, **{modality: file}).startswith("wrong.npy: ")
    assert refused(model, **{modality: np.ones((3, 5))}).startswith(f"{modality}: ")
    # Beside other inputs it is still clear which one it is.
    many = {"text": "a dog", "image": numbered(1), modality: file}
    assert refused(model, **many).startswith("wrong.npy: ")
    assert refused(model, **many, combine="late").startswith("wrong.npy: ")
    assert refused(
        model, text="a dog", image=numbered(1), use_only="depth", **{modality: file}
    ).startswith("wrong.npy: ")


def test_boxes_with_low_scores_only(model, tmp_path):
    (tmp_path / "boxes.txt").write_text("0 0.5 0.5 0.2 0.2 0.1\n")
    assert "boxes.txt: none of the boxes" in refused(model, boxes=os.fspath(tmp_path / "boxes.txt"))


def test_metadata_that_mini_does_not_read():
    said = refused(load_model("mini"), metadata="walkability=0.5")
    assert said.startswith("metadata: this model reads n_humans") and "walkability" in said


def test_a_device_is_not_read_without_end():
    with pytest.raises(QueryError, match="is a device, expected an image"):
        Query.read(image=os.devnull)

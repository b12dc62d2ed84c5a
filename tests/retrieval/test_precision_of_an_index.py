"""An index of a model that picks tokens is used in the precision that it was made in."""

import pytest
import torch
from PIL import Image

import fourm
from indexes import RecipeMismatch
from retrieval import Gallery
from tests.fourm.small_shelf import small_shelf
from tests.retrieval.files import write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    for colour in ("red", "blue"):
        write(folder / f"photos/{colour}.png", Image.new("RGB", (32, 32), colour))
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return small_shelf(folder / "models")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_model_loaded_for_it_takes_its_precision(folder, model, dtype):
    index = folder / dtype
    photos, own = folder / "photos", {"model": model, "device": "cpu"}
    with Gallery.build(photos, to=index, dtype=dtype, **own) as gallery:
        assert gallery.index.recipe.precision == dtype
    with Gallery.open(index, device="cpu") as gallery:
        assert gallery.model.dtype == getattr(torch, dtype)
        assert len(gallery.search(text="a dog")) == 2
    with Gallery.build(photos, to=index, **own) as gallery:
        assert gallery.model.dtype == getattr(torch, dtype)


def test_another_precision_is_refused(folder, model):
    index = folder / "exact"
    photos, own = folder / "photos", {"model": model, "device": "cpu"}
    Gallery.build(photos, to=index, **own).close()
    said = "made with 4M-21_B in float32"
    with (
        pytest.raises(RecipeMismatch, match=said),
        Gallery.build(photos, index, dtype="bfloat16", **own),
    ):
        pass
    other = fourm.load_model(model, device="cpu", dtype="bfloat16")
    with (
        pytest.raises(RecipeMismatch, match="--dtype float32"),
        Gallery.open(index, model=other) as gallery,
    ):
        gallery.search(text="a dog")

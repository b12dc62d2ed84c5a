"""A modality that one object describes is read, embedded, predicted and decoded by a model."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import fourm
from fourm.hub import official
from fourm.hub.availability import requirements
from fourm.hub.names import find
from fourm.modalities import (
    MODALITIES,
    OfficialSpace,
    OfficialTokenizer,
    find_modality,
    generation_order,
    register,
    unregister,
)
from fourm.modalities.depth import DEPTH
from tests.toy_modality import LEVELS, SIDE, THUMBNAIL, make_thumbnail_model, thumbnail_registered

ICON = replace(
    THUMBNAIL,
    name="icon",
    tokens=replace(THUMBNAIL.tokens, name="icon@4"),
    tokenizer=OfficialTokenizer("icons_1k", "tokenizer/icon", "icons", {}),
    space=OfficialSpace("icons", "Icons"),
)
PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with thumbnail_registered():
        yield fourm.load_model(
            make_thumbnail_model(tmp_path_factory.mktemp("thumbnails")),
            device="cpu",
            dtype="float32",
        )


def test_it_is_read_and_embedded(model):
    assert "thumbnail" in model.inputs
    prepared = model.prepare({"thumbnail": PHOTO, "text": "two dogs"})
    assert prepared.contents["thumbnail"].shape == (SIDE * SIDE,)
    vectors = model.embed([prepared, model.prepare({"text": "two dogs"})])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert not np.allclose(*vectors, atol=1e-3)


def test_it_is_predicted_from_an_image_and_then_given(model):
    assert "thumbnail" in model.predictable
    predicted = model.prepare({"image": PHOTO}, predict=["thumbnail"])
    vectors = model.embed([predicted, model.prepare({"image": PHOTO})])
    assert not np.allclose(*vectors, atol=1e-3)


def test_it_is_generated_and_decoded(model):
    generator = fourm.Generator(model)
    assert "thumbnail" in generator.outputs
    (decoded,) = generator.generate({"text": "a dog in the snow"}, ["thumbnail"])
    assert decoded.modality == "thumbnail"
    assert (decoded.value.shape, decoded.value.dtype) == ((SIDE, SIDE, 3), np.uint8)
    (again,) = generator.decode_inputs({"thumbnail": decoded.value})
    assert again.tokens.tolist() == decoded.tokens.tolist()
    assert 0 <= decoded.tokens.min() <= decoded.tokens.max() < LEVELS


def test_its_fingerprint_says_how_it_is_read(model):
    assert len(model.input_fingerprint("thumbnail")) == 64


def test_a_registered_modality_is_found_by_either_name():
    register(ICON)
    try:
        assert list(MODALITIES)[-1] == "icon"
        assert find_modality("icon@4") is find_modality("icon") is ICON
        assert generation_order()[-1] == "icon"
    finally:
        unregister("icon")
    assert "icon" not in MODALITIES


def test_its_tokenizer_and_its_space_are_known_to_the_hub():
    register(ICON)
    try:
        assert official.tokenizer_repositories()["icon@4"] == "icons_1k"
        assert official.spaces()["icons"].modality == "icon@4"
        assert find("tokenizer/icon").modalities == ("icon@4",)
        needed = requirements(find("4M-21_B"), ["icon"])
        assert needed.repositories[1:] == ("EPFL-VILAB/icons_1k",)
    finally:
        unregister("icon")
    assert "icon@4" not in official.tokenizer_repositories()


def test_no_name_is_registered_twice():
    with pytest.raises(ValueError, match=r"'depth' .*registered already"):
        register(DEPTH)


def test_an_unknown_modality_is_named():
    with pytest.raises(fourm.UnknownModality, match=r"'smell' is not a modality; .* image, text"):
        find_modality("smell")
    with pytest.raises(fourm.UnknownModality, match="'smell' is not a modality"):
        unregister("smell")


@pytest.mark.parametrize("modality", MODALITIES.values(), ids=list(MODALITIES))
def test_every_modality_is_what_4m21_has(modality):
    """It is read as 4M-21 reads it, and decoded if it is predicted."""
    codec = modality.codec()
    assert codec is not None
    assert (codec.decoder is not None) == (modality.generation is not None)
    assert ("tokenizer" in codec.needs) == (modality.tokenizer is not None)
    assert modality.tokens is fourm.tokens.OFFICIAL[modality.tokens.name]

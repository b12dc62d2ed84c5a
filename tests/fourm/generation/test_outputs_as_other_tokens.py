"""A modality may be predicted as other tokens than it is read as."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from fourm import BadInput, ConfigError, load_4m
from fourm.generation import Generator
from fourm.hub.manifest import Manifest
from tests.fourm.three_spaces import BUNDLE, CONFIG, make_three_spaces
from tests.fourm.tiny_model import SEMSEG_CONFIG, write_model, write_tokenizer

OUT = "tok_semseg@32"
LIKELIEST = {
    "scheme": "roar",
    "steps": 1,
    "temperature": 0,
    "temperature_schedule": "constant",
    "guidance": 1,
}
PHOTO = Image.fromarray(np.random.default_rng(5).integers(0, 255, (90, 70, 3)).astype(np.uint8))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A model that reads maps of 4 x 4 tokens and predicts those of 2 x 2."""
    folder = make_three_spaces(tmp_path_factory.mktemp("outputs") / "bundle")
    torch.manual_seed(1)
    config = {**CONFIG, "domains_out": [*CONFIG["domains_out"], OUT]}
    info = {"kind": "img", "vocabulary": 12, "max_tokens": 4}
    config["modality_info"] = {**CONFIG["modality_info"], OUT: info}
    config["domains_out"].remove("tok_semseg@224")
    write_model(folder / "model", config)
    write_tokenizer(folder / "tok_out", {**SEMSEG_CONFIG, "image_size": 32, "codebook_size": 12})
    return described(folder, outputs={"seg": OUT}, generation={"seg": LIKELIEST})


def described(folder, **fields):
    """The folder with further fields in its manifest."""
    tokenizers = {**BUNDLE["tokenizers"], OUT: "tok_out"}
    manifest = {**BUNDLE, "tokenizers": tokenizers, **fields}
    (folder / "bundle.json").write_text(json.dumps(manifest))
    return folder


def test_what_is_generated_is_decoded_from_the_predicted_tokens(bundle):
    made = Generator(load_4m(bundle)).generate({"image": PHOTO}, ["seg"])[0]
    assert made.value.shape == (32, 32)
    assert len(made.tokens) == 4


def test_defaults_of_generation_are_those_of_the_model(bundle):
    schedules = []
    Generator(load_4m(bundle)).generate({"image": PHOTO}, ["seg"], started=schedules.append)
    step = schedules[0][0]
    assert (step.scheme, step.temperature, step.guidance) == ("roar", 0, 1)


def test_a_predicted_part_of_an_image_is_decoded_and_read_again(bundle):
    model = load_4m(bundle, dtype="float32")
    made = Generator(model).generate({"image": PHOTO}, ["seg"])[0]
    assert "seg" in model.predictable
    vectors = model.embed(
        [model.prepare({"image": PHOTO}, predict=["seg"]), model.prepare({"seg": made.value})]
    )
    assert np.allclose(*vectors, atol=1e-5)


def test_a_part_that_stands_for_nothing_is_refused(bundle, monkeypatch):
    model = load_4m(bundle, dtype="float32")

    def refuse(value):
        raise BadInput("nothing in it")

    monkeypatch.setattr(model.readers["seg"], "prepare", refuse)
    with pytest.raises(BadInput, match="no seg was predicted from the image"):
        model.embed([model.prepare({"image": PHOTO}, predict=["seg"])])


def test_no_vector_depends_on_how_modalities_are_generated(bundle):
    before = Manifest.read(bundle).space_fingerprint("dinov2")
    other = described(bundle, outputs={"seg": OUT}, generation={})
    assert Manifest.read(other).space_fingerprint("dinov2") == before
    described(bundle, outputs={"seg": OUT}, generation={"seg": LIKELIEST})


@pytest.mark.parametrize(
    ("generation", "words"),
    [
        ({"sounds": {}}, "expected a modality"),
        ({"seg": {"speed": 2}}, "expected a modality and fields of its defaults"),
        ({"seg": {"scheme": "gan"}}, "scheme"),
        ({"seg": {"temperature": -1}}, "temperature"),
        ({"seg": {"steps": 0}}, "steps"),
    ],
)
def test_invalid_defaults_of_generation_are_refused(bundle, generation, words):
    described(bundle, outputs={"seg": OUT}, generation=generation)
    with pytest.raises(ConfigError, match=words):
        Manifest.read(bundle)
    described(bundle, outputs={"seg": OUT}, generation={"seg": LIKELIEST})

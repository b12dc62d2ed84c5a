"""Every modality that 4M-21 reads, in the official layout and with a `bundle.json`."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

import fourm
from fourm.hub.official import TEXT_TOKENIZER, tokenizer_repositories
from fourm.modalities import MODALITIES
from fourm.modalities.boxes import Box
from fourm.modalities.poses import People, Person
from fourm.modalities.sam import Mask, square_outlines
from tests.fourm.recorded import recorded
from tests.fourm.recorded_shelf import NANO

RNG = np.random.default_rng(0)
DISC = np.hypot(*np.mgrid[-50:50, -80:80]) < 30


def person(pose=()):
    return Person((20, 10, 90, 95), pose, (1, 0, 0, 0, 1, 0, 0, 0, 1), (0, 0, 5), (0,) * 10)


VALUES = {
    "depth": RNG.integers(0, 65536, (60, 80)).astype(np.uint16),
    "normals": Image.fromarray(RNG.integers(0, 256, (50, 40, 3), np.uint8)),
    "edges": Image.fromarray(RNG.integers(0, 256, (50, 40), np.uint8)),
    "sam_edges": Image.fromarray(RNG.integers(0, 256, (50, 40), np.uint8)),
    "image_tokens": Image.fromarray(RNG.integers(0, 256, (50, 40, 3), np.uint8)),
    "boxes": [Box(0.1, 0.2, 0.4, 0.9, "person"), Box(0.5, 0.5, 0.6, 0.6, "sports ball")],
    "palette": [(30, 144, 255), (255, 255, 255)],
    "metadata": {"brightness": 200, "n_humans": 3},
    "sam": [Mask(DISC), Mask(np.roll(DISC, 40, axis=1), (115, 50))],
    "poses": People((160, 100), (person(),), (tuple(np.tile(np.eye(3).ravel(), 23).tolist()),)),
    "t5": RNG.standard_normal((9, 4096)).astype(np.float32),
    "clip_features": RNG.standard_normal((512, 14, 14)).astype(np.float32),
    "dinov2_embedding": RNG.standard_normal(768).astype(np.float32),
    "imagebind_embedding": RNG.standard_normal(1280).astype(np.float32),
}


@pytest.fixture(scope="module")
def model(recorded_shelf):
    return fourm.load_model(recorded_shelf / "4M-21_B", device="cpu", dtype="float32")


def test_what_has_its_tokenizer_is_read(model):
    absent = {"dinov2_features", "imagebind_features"}
    assert list(model.inputs) == [modality for modality in MODALITIES if modality not in absent]
    with pytest.raises(fourm.UnknownModality, match="it reads image, text, seg, depth"):
        model.prepare({"dinov2_features": VALUES["clip_features"]})


def test_spaces_of_an_official_model(model):
    assert {name: space.dim for name, space in model.spaces.items()} == {
        "dinov2": 768,
        "imagebind": 1280,
        "clip": 512,
    }
    assert model.default_space == "dinov2"
    assert "not the joint space" in model.spaces["imagebind"].title
    prepared = [model.prepare({"text": "a lake"}), model.prepare({"depth": VALUES["depth"]})]
    together = model.embed_spaces(prepared, spaces=("dinov2", "clip"))
    for name, vectors in together.items():
        assert vectors.shape == (2, model.spaces[name].dim)
        np.testing.assert_allclose(vectors, model.embed(prepared, space=name), atol=2e-4)


def test_every_modality_that_is_predicted_from_an_image(model):
    """All but images, T5's outputs and global embeddings; no tokenizer is asked."""
    never = {"image", "t5", "dinov2_embedding", "imagebind_embedding"}
    assert set(model.predictable) == set(MODALITIES) - never
    photo = VALUES["image_tokens"]
    samples = [
        model.prepare({"image": photo}, predict=[modality]) for modality in model.predictable
    ]
    vectors = model.embed([*samples, model.prepare({"image": photo})])
    assert np.isfinite(vectors).all()
    apart = np.abs(vectors[:, None] - vectors[None]).max(axis=2) + np.eye(len(vectors))
    assert apart.min() > 1e-5


@pytest.mark.parametrize("modality", VALUES)
def test_each_modality_gives_a_vector_of_its_own(model, modality):
    other = model.prepare({"text": "a lake"})
    both = model.prepare({modality: VALUES[modality], "text": "a lake"})
    vectors = model.embed([model.prepare({modality: VALUES[modality]}), other, both])
    assert vectors.shape == (3, 768)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3
    assert np.abs(vectors[2] - vectors[1]).max() > 1e-6
    alone = model.embed([model.prepare({modality: VALUES[modality]})])
    np.testing.assert_allclose(alone[0], vectors[0], atol=1e-5)
    read = model._network.backbone.get().inputs
    assert len(set(read)) == len(read)  # a table is loaded once


def test_the_recorded_queries(model):
    """Strings of the reference, and the tokens that it made of them."""
    stored = recorded("gen/single_modality_queries.safetensors")
    values = {
        "boxes": [
            Box(12 / 999, 34 / 999, 500 / 999, 700 / 999, "person"),
            Box(400 / 999, 410 / 999, 800 / 999, 990 / 999, "sports ball"),
        ],
        "metadata": {"semantic_diversity": 12, "n_humans": 2, "colorfulness": 62},
        "palette": [(10, 20, 30), (200, 100, 50), (0, 0, 255)],
    }
    for modality, value in values.items():
        ids = model.prepare({modality: value}).contents[modality]
        assert ids.tolist() == stored[f"{MODALITIES[modality].tokens.name}/in/tensor"][0].tolist()


def test_poses_that_are_codes_already(model):
    codes = model._readers["poses"].codes([VALUES["poses"].rotations[0]], torch.device("cpu"))[0]
    coded = People((160, 100), (person(tuple(codes)),), (None,))
    vectors = model.embed([model.prepare({"poses": p}) for p in (VALUES["poses"], coded)])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_all_keys_of_metadata_fit(model):
    from fourm.modalities.metadata import KEYS

    ids = model.prepare({"metadata": {key: KEYS[key].low for key in KEYS}}).contents["metadata"]
    assert len(ids) == 2 * 21 + 1


@pytest.mark.parametrize(
    ("modality", "value", "words"),
    [
        ("clip_features", np.zeros((512, 14, 13)), "(512, 14, 14)"),
        ("clip_features", np.full((512, 14, 14), np.nan), "finite"),
        ("clip_features", np.full((512, 14, 14), "x"), "numbers"),
        ("clip_features", np.empty((512, 14, 14), object), "object"),
        ("dinov2_embedding", np.zeros(767), "(768,)"),
        ("dinov2_embedding", np.full(768, 1e300), "finite"),
        ("imagebind_embedding", np.zeros(1024), "joint space"),
        ("t5", np.zeros((78, 4096)), "1 to 77"),
        ("t5", np.zeros((0, 4096)), "empty"),
        ("t5", np.zeros((3, 4095)), "(n, 4096)"),
        ("boxes", [Box(0, 0, 1, 1, "person")] * 60, "at most 256"),
        ("boxes", [Box(0, 0, 1, 1, "person", 0.1)], "score"),
        ("boxes", "person", "list of Box"),
        ("palette", [], "1 to 7"),
        ("palette", 3, "list of colours"),
        ("metadata", {}, "at least one"),
        ("metadata", {"smell": 3}, "smell"),
        ("sam", [], "at least one Mask"),
        ("sam", [Mask(np.zeros((4, 4)))], "no mask"),
        ("sam", [Mask(DISC)] * 14, "at most 290"),
        ("poses", [person()], "People"),
        ("depth", np.zeros((4, 4, 3)), "depth map"),
    ],
)
def test_what_does_not_fit_is_refused(model, modality, value, words):
    with pytest.raises(fourm.BadInput) as caught:
        model.prepare({modality: value})
    assert words in str(caught.value)


def test_further_modalities_leave_the_fingerprint_alone(recorded_shelf, tmp_path, model):
    fewer = tmp_path / "shelf"
    fewer.mkdir()
    for name in (
        "4M-21_B",
        TEXT_TOKENIZER,
        *(tokenizer_repositories()[m] for m in list(NANO)[:3]),
    ):
        (fewer / name).symlink_to(recorded_shelf / name)
    copy = dataclasses.replace(
        model.manifest.counted_only(), inputs=dict(model.manifest.counted_only().inputs)
    )
    assert copy.fingerprint() == model.fingerprint
    assert list(copy.inputs) == ["image"]


def test_a_model_folder_reads_boxes_and_embeddings(tmp_path):
    """No recorded models: random weights, made here."""
    from safetensors.torch import load_file, save_file

    from fourm.checkpoints import Fields
    from fourm.transformer import FM, FMConfig
    from tests.fourm.tiny_model import DIM, make_tiny_model

    folder = make_tiny_model(tmp_path / "tiny")
    config = json.loads((folder / "model" / "config.json").read_text())
    config["domains_in"] += ["tok_dinov2_global", "tok_depth@224", "t5_caption"]
    config["modality_info"] |= {
        "tok_depth@224": {"vocabulary": 32, "max_tokens": 16},
        "t5_caption": {"width": 8, "max_tokens": 5},
    }
    whole = FM(FMConfig.from_fields(Fields(config))).state_dict()
    whole |= load_file(folder / "model" / "model.safetensors")
    save_file({k: v.contiguous() for k, v in whole.items()}, folder / "model/model.safetensors")
    (folder / "model" / "config.json").write_text(json.dumps(config))
    before = fourm.load_model(folder, dtype="float32").fingerprint
    bundle = json.loads((folder / "bundle.json").read_text())
    bundle["kinds"] |= {"dinov2_embedding": "tok_dinov2_global", "t5": "t5_caption"}
    (folder / "bundle.json").write_text(json.dumps(bundle))
    model = fourm.load_model(folder, dtype="float32")
    assert model.inputs == ("image", "text", "seg", "dinov2_embedding", "t5")
    assert model.fingerprint == before
    embedding, states = np.arange(DIM) - 9.5, RNG.standard_normal((3, 8))
    samples = [{"dinov2_embedding": embedding}, {"t5": states, "text": "sea"}, {"text": "sea"}]
    vectors = model.embed([model.prepare(sample) for sample in samples])
    assert np.isfinite(vectors).all() and np.abs(vectors[1] - vectors[2]).max() > 1e-6
    shorter = model.prepare({"t5": states[:2]})
    pair = model.embed([shorter, model.prepare({"t5": states})])
    np.testing.assert_allclose(pair[:1], model.embed([shorter]), atol=1e-5)
    with pytest.raises(fourm.UnknownModality, match="it reads image, text, seg, dinov2_embedding"):
        model.prepare({"depth": np.zeros((3, 3))})
    bundle["kinds"]["depth"] = "tok_depth@224"  # the model would read it, but has no tokenizer
    (folder / "bundle.json").write_text(json.dumps(bundle))
    with pytest.raises(fourm.ConfigError, match="depth cannot be read"):
        fourm.load_model(folder)


class TestOutlines:
    def test_points_lie_in_their_objects_and_know_all_that_contain_them(self):
        inner = np.zeros((100, 100), bool)
        inner[40:60, 40:60] = True
        outer = np.zeros((100, 100), bool)
        outer[10:90, 10:90] = True
        points = square_outlines([Mask(inner), Mask(outer, (12, 12))]).points([[0] * 16, [1] * 16])
        assert [len(point.instances) for point in points] == [2, 1]
        assert points[1].instances[0].codes == (1,) * 16
        assert (points[1].x, points[1].y) == (27, 27)

    def test_what_the_square_cuts_off_is_left_out(self):
        left = np.zeros((10, 40), bool)
        left[:, :5] = True
        middle = np.zeros((10, 40), bool)
        middle[:, 10:30] = True
        outlines = square_outlines([Mask(left), Mask(middle, (11, 5))])
        assert outlines.boxes.tolist() == [[0, 0, 223, 223]]

    def test_a_point_outside_its_object(self):
        with pytest.raises(fourm.BadInput, match="does not lie in it"):
            square_outlines([Mask(DISC, (40, 90))])

    def test_sizes_that_differ(self):
        with pytest.raises(fourm.BadInput, match="mask 2"):
            square_outlines([Mask(DISC), Mask(DISC.T)])

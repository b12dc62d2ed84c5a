"""A sample alone has the vector that it has in any batch, at every dtype that can be a default."""

import numpy as np
import pytest
import torch
from PIL import Image

import fourm
from fourm.hub.finding import find_manifest
from fourm.model import Model
from fourm.model.devices import choose_dtype
from tests.fourm.small_shelf import small_shelf
from tests.fourm.tiny_model import make_tiny_model

TEXTS = [
    "a dog",
    "two dogs in the snow",
    "a red bicycle on the beach in front of the sea at sunset and a cat " * 3,
    "the sky",
    "a cat on a blue bicycle",
]
CASES = [("tiny", "float32"), ("official", "float32"), ("mini", "float32")]
CASES += [(name, "bfloat16") for name, _ in CASES]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    shelf = tmp_path_factory.mktemp("models")
    tiny = make_tiny_model(shelf / "tiny")
    return {"tiny": tiny, "official": small_shelf(shelf / "official"), "mini": "mini"}


def samples(model):
    """Texts of several lengths, images, maps, and all of them together."""
    rng = np.random.default_rng(3)
    images = [Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8)) for _ in range(3)]
    layouts = [np.repeat([[1, 17], [category, 200]], 30, axis=0) for category in (3, 18, 44)]
    inputs = [{"text": text} for text in TEXTS]
    inputs += [{"image": image} for image in images] + [{"seg": layout} for layout in layouts]
    inputs += [
        {"text": TEXTS[1], "seg": layouts[0]},
        {"text": TEXTS[2], "seg": layouts[1]},
        {"image": images[0], "text": TEXTS[0], "seg": layouts[2]},
        {"image": images[1], "text": TEXTS[3], "seg": layouts[0]},
    ]
    return [model.prepare(sample) for sample in inputs]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_alone_in_a_batch_and_in_another_order(folders, name, dtype):
    model = fourm.load_model(folders[name], device="cpu", dtype=dtype)
    mixed = samples(model)
    alone = np.concatenate([model.embed([sample]) for sample in mixed])
    together = model.embed(mixed)
    reversed_order = model.embed(mixed[::-1])[::-1]
    for other in (together, reversed_order):
        if dtype == "float32":
            np.testing.assert_allclose(other, alone, atol=1e-6)
        assert (other * alone).sum(axis=1).min() >= 0.999


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_predicted_inputs_do_not_depend_on_their_batch(folders, dtype):
    model = fourm.load_model(folders["official"], device="cpu", dtype=dtype)
    rng = np.random.default_rng(4)
    images = [Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)) for _ in range(3)]
    mixed = [model.prepare({"image": image}, predict=["depth", "text"]) for image in images]
    alone = np.concatenate([model.embed([sample]) for sample in mixed])
    assert (model.embed(mixed) * alone).sum(axis=1).min() >= 0.999


def test_only_matrix_products_are_in_the_lower_precision(folders):
    model = fourm.load_model(folders["official"], device="cpu", dtype="bfloat16")
    network = model.transformer(inputs=["caption"], outputs=["tok_dinov2_global"])
    dtypes = {name: value.dtype for name, value in network.state_dict().items()}
    assert dtypes.pop("encoder.0.mlp.fc1.weight") == torch.bfloat16
    assert dtypes.pop("encoder_embeddings.caption.token_emb.weight") == torch.bfloat16
    for name in (
        "encoder.0.norm1.weight",
        "encoder_embeddings.caption.pos_emb",
        "decoder_embeddings.tok_dinov2_global.to_logits.weight",
    ):
        assert dtypes[name] == torch.float32
    encoded = network.encode_nothing()
    assert network.decode_logits(encoded, "tok_dinov2_global").dtype == torch.float32


def test_models_that_pick_tokens_are_in_float32_by_default(folders, monkeypatch):
    from fourm.model import devices

    monkeypatch.setattr(devices, "_cpu_has_bfloat16", lambda: True)
    cpu = torch.device("cpu")
    assert choose_dtype("auto", cpu, picks_tokens=True) == torch.float32
    assert choose_dtype("bfloat16", cpu, picks_tokens=True) == torch.bfloat16
    official, tiny = (find_manifest(str(folders[name])) for name in ("official", "tiny"))
    assert Model(official, "cpu").dtype == torch.float32
    assert Model(tiny, "cpu").dtype == torch.bfloat16


def test_spaces_name_the_precision_where_it_matters(folders):
    official = fourm.load_model(folders["official"], device="cpu", dtype="bfloat16")
    assert {space.precision for space in official.spaces.values()} == {"bfloat16"}
    mini = fourm.load_model("mini", device="cpu", dtype="bfloat16")
    assert {space.precision for space in mini.spaces.values()} == {None}

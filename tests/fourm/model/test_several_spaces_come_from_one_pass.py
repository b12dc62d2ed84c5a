"""`Model.embed_spaces`: several spaces, each sample encoded once."""

import json
import shutil

import numpy as np
import pytest
import torch

import fourm
from fourm.transformer import FM
from tests.fourm.model.test_models_embed import layout, make_photo
from tests.fourm.three_spaces import DIMS, SPACES, make_three_spaces
from tests.fourm.tiny_model import GLOBAL_CONFIG, make_tiny_model

SAMPLES = [
    {"image": make_photo(0)},
    {"text": "two dogs"},
    {"seg": layout(0)},
    {"image": make_photo(1)},
    {"text": "sea", "image": make_photo(1)},
    {"seg": layout(2), "text": "sky"},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_three_spaces(tmp_path_factory.mktemp("bundle") / "three")


@pytest.fixture(scope="module")
def model(folder):
    return fourm.load_model(folder, device="cpu", dtype="float32")


def edit_spaces(folder, **changes):
    path = folder / "bundle.json"
    bundle = json.loads(path.read_text())
    for name, fields in changes.items():
        bundle["spaces"][name].update(fields)
    path.write_text(json.dumps(bundle))


def counted(monkeypatch, *names):
    """How often methods of the transformer run."""
    counts = dict.fromkeys(names, 0)
    for name in names:
        original = getattr(FM, name)

        def count(self, *args, _original=original, _name=name, **options):
            counts[_name] += 1
            return _original(self, *args, **options)

        monkeypatch.setattr(FM, name, count)
    return counts


def test_vectors_are_those_of_separate_calls(model):
    prepared = [model.prepare(sample) for sample in SAMPLES]
    together = model.embed_spaces(prepared, spaces=SPACES)
    assert tuple(together) == SPACES
    for name in SPACES:
        assert together[name].dtype == np.float32
        assert together[name].shape == (len(SAMPLES), DIMS[name])
        assert model.spaces[name].dim == DIMS[name]
        np.testing.assert_allclose(np.linalg.norm(together[name], axis=1), 1, atol=1e-5)
        apart = np.stack([model.embed([sample], space=name)[0] for sample in prepared])
        np.testing.assert_allclose(together[name], apart, atol=2e-4)
        assert np.abs(np.diff(together[name], axis=0)).max() > 1e-2


def test_samples_of_the_same_modalities_are_encoded_and_decoded_once(model, monkeypatch):
    prepared = [model.prepare(sample) for sample in SAMPLES]
    counts = counted(monkeypatch, "encode_embedded", "decode")
    model.embed_spaces(prepared, spaces=SPACES)
    modalities = {tuple(sorted(sample)) for sample in SAMPLES}
    assert counts == {"encode_embedded": len(modalities), "decode": len(modalities)}


def test_a_grid_is_decoded_and_averaged(model, folder):
    from fourm.generation import predict
    from fourm.tokenizers.loading import load_tokenizer
    from fourm.transformer import load_fm

    prepared = model.prepare({"image": make_photo(3)})
    inputs = {"rgb@224": model._readers["image"].batch([prepared.contents["image"]], "cpu")}
    with torch.no_grad():
        tokens = predict(load_fm(folder / "model"), inputs, "tok_clip@224").tokens
        features = load_tokenizer(folder / "tok_clip").decode_tokens(tokens.reshape(1, 3, 3))
    assert features.shape == (1, DIMS["clip"], 3, 3)
    mean = features[0].mean(dim=(1, 2))
    expected = (mean / mean.norm()).numpy()
    np.testing.assert_allclose(model.embed([prepared], space="clip")[0], expected, atol=1e-5)
    assert "tok_clip@224 argmax, mean over the grid" in model.spaces["clip"].preprocessing


@pytest.mark.parametrize("decode", ["argmax", "soft", "sample"])
def test_every_way_of_decoding_a_grid(tmp_path, folder, decode):
    copy = shutil.copytree(folder, tmp_path / "copy")
    edit_spaces(copy, clip={"decode": decode, "temperature": 0.7})
    model = fourm.load_model(copy, device="cpu", dtype="float32")
    vectors = model.embed([model.prepare(sample) for sample in SAMPLES[:3]], space="clip")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_tables_that_are_not_used_are_not_loaded(folder):
    model = fourm.load_model(folder, device="cpu", dtype="float32")
    photo_only = [model.prepare({"image": make_photo()})]
    loaded = model._network.backbone.get()
    assert loaded.inputs == loaded.outputs == ()
    model.embed(photo_only, space="clip")
    assert (loaded.inputs, loaded.outputs) == (("rgb@224",), ("tok_clip@224",))
    model.embed_spaces(photo_only, spaces=("clip", "dinov2"))
    assert loaded.outputs == ("tok_clip@224", "tok_dinov2_global")


def test_a_space_read_at_the_register_and_one_that_is_predicted(tmp_path):
    """The same encoder pass serves both; one of them reads an image in a pass of its own."""
    folder = make_tiny_model(tmp_path / "tiny")
    path = folder / "bundle.json"
    bundle = json.loads(path.read_text())
    bundle["spaces"]["dinov2"]["image_share"] = 0.25
    bundle["spaces"]["plain"] = {"modality": "tok_dinov2_global", "decode": "soft"}
    path.write_text(json.dumps(bundle))
    model = fourm.load_model(folder, device="cpu", dtype="float32")
    prepared = [model.prepare(sample) for sample in SAMPLES]
    together = model.embed_spaces(prepared, spaces=("plain", "dinov2", "plain"))
    assert set(together) == {"plain", "dinov2"}
    for name, vectors in together.items():
        np.testing.assert_allclose(vectors, model.embed(prepared, space=name), atol=2e-4)
    only = model.prepare({"image": make_photo(1)}), model.prepare({"text": "sea"})
    image, text = model.embed(only, space="dinov2")
    mean = 0.25 * image + 0.75 * text
    np.testing.assert_allclose(together["dinov2"][4], mean / np.linalg.norm(mean), atol=1e-5)


def test_no_spaces(model):
    assert model.embed_spaces([model.prepare({"text": "sea"})], spaces=()) == {}
    empty = model.embed_spaces([], spaces=SPACES)
    assert {name: vectors.shape for name, vectors in empty.items()} == {
        name: (0, dim) for name, dim in DIMS.items()
    }
    with pytest.raises(fourm.UnknownSpace, match=r"sound.*dinov2, imagebind, clip"):
        model.embed_spaces([], spaces=("dinov2", "sound"))


@pytest.mark.parametrize(
    ("space", "changes", "words"),
    [
        ("clip", {"pool": None}, 'pool of the space clip must be "mean"'),
        ("clip", {"pool": "max"}, "pool must be"),
        ("dinov2", {"pool": "mean"}, "pool of the space dinov2 must be null"),
        ("clip", {"modality": "tok_semseg@224"}, "decodes to images"),
        ("clip", {"modality": "det"}, "no tokenizer"),
    ],
)
def test_spaces_that_do_not_fit_their_tokenizer(folder, tmp_path, space, changes, words):
    copy = shutil.copytree(folder, tmp_path / "copy")
    edit_spaces(copy, **{space: changes})
    with pytest.raises(fourm.ConfigError, match=words):
        fourm.load_model(copy)


def test_a_tokenizer_of_another_model(folder, tmp_path):
    from tests.fourm.tiny_model import write_tokenizer

    copy = shutil.copytree(folder, tmp_path / "copy")
    write_tokenizer(copy / "tok_dinov2_global", {**GLOBAL_CONFIG, "codebook_size": 16})
    model = fourm.load_model(copy, device="cpu", dtype="float32")
    with pytest.raises(fourm.ConfigError, match="4 codebooks of 16"):
        model.embed([model.prepare({"text": "sea"})], space="dinov2")


class TestSeeds:
    def test_sampled_vectors_are_averaged(self, folder, tmp_path):
        copy = shutil.copytree(folder, tmp_path / "copy")
        edit_spaces(copy, clip={"decode": "sample", "temperature": 2.0, "seed": 5})
        model = fourm.load_model(copy, device="cpu", dtype="float32")
        sample = [model.prepare({"image": make_photo(3)})]
        drawn = []
        for seed in (5, 6, 7):
            edit_spaces(copy, clip={"seed": seed})
            drawn.append(fourm.load_model(copy, dtype="float32").embed(sample, space="clip")[0])
        assert np.abs(drawn[0] - drawn[1]).max() > 1e-3
        mean = np.mean(drawn, axis=0)
        averaged = model.embed(sample, space="clip", seeds=3)[0]
        np.testing.assert_allclose(averaged, mean / np.linalg.norm(mean), atol=1e-5)

    def test_they_come_with_several_spaces_and_do_not_depend_on_the_batch(self, model):
        prepared = [model.prepare(sample) for sample in SAMPLES]
        together = model.embed_spaces(prepared, spaces=SPACES, seeds=4)
        for name in SPACES:
            apart = np.stack([model.embed([one], space=name, seeds=4)[0] for one in prepared])
            np.testing.assert_allclose(together[name], apart, atol=2e-4)
        assert np.abs(together["dinov2"] - model.embed(prepared)).max() > 1e-3

    @pytest.mark.parametrize("seeds", [0, -1, 1001, 2.5, True, "3", None])
    def test_invalid_numbers(self, model, seeds):
        with pytest.raises(fourm.BadInput, match="seeds"):
            model.embed([], seeds=seeds)


class TestFingerprints:
    def test_depend_on_what_the_space_depends_on(self, model, folder, tmp_path):
        before = {name: model.space_fingerprint(name) for name in SPACES}
        assert len({*before.values(), model.fingerprint}) == 4
        copy = shutil.copytree(folder, tmp_path / "copy")

        def changed():
            again = fourm.load_model(copy)
            return {name for name in SPACES if again.space_fingerprint(name) != before[name]}

        assert changed() == set()
        edit_spaces(copy, imagebind={"temperature": 0.5})
        assert changed() == {"imagebind"}
        config = copy / "tok_clip" / "config.json"
        config.write_text(config.read_text() + "\n")
        assert changed() == {"imagebind", "clip"}
        config = copy / "tok_semseg" / "config.json"  # photos may lie beside maps in a gallery
        config.write_text(config.read_text() + "\n")
        assert changed() == set(SPACES)

    def test_change_with_the_transformer(self, model, folder, tmp_path):
        copy = shutil.copytree(folder, tmp_path / "copy")
        config = copy / "model" / "config.json"
        config.write_text(config.read_text() + "\n")
        again = fourm.load_model(copy)
        for name in SPACES:
            assert again.space_fingerprint(name) != model.space_fingerprint(name)

    def test_an_unknown_space(self, model):
        with pytest.raises(fourm.UnknownSpace):
            model.space_fingerprint("sound")

    def test_a_single_space_keeps_that_of_its_model(self, tmp_path):
        """By the formula that existing indexes were made with."""
        import hashlib

        model = fourm.load_model(make_tiny_model(tmp_path / "tiny"), device="cpu")
        first = model.manifest
        then = ("modality", "decode", "temperature", "top_p", "seed", "image_readout")
        then += ("image_share", "transform", "title")
        written = json.loads((model.manifest.locate("model").parent / "bundle.json").read_text())
        (entry,) = written["spaces"].values()
        defaults = {"temperature": 1.0, "top_p": 0.0, "seed": 0, "image_share": 0.0}
        about = {
            "kinds": dict(first.inputs),
            "tokenizers": dict(first.tokenizers),
            "language_models": dict(first.language_models),
            "words": dict(first.text_tokenizers),
            "spaces": {"dinov2": {one: entry.get(one, defaults.get(one)) for one in then}},
        }
        total = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        for part in first.parts():
            path = first.locate(part)
            files = [path / one for one in ("config.json", "model.safetensors", "tokenizer.json")]
            for file in [path] if path.is_file() else [one for one in files if one.is_file()]:
                label = part if path.is_file() else f"{part}/{file.name}"
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                total.update(f"\n{label} {digest}".encode())
        default = model.default_space
        assert model.fingerprint == model.space_fingerprint(default) == total.hexdigest()

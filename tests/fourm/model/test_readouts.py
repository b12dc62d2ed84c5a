"""Spaces of format 2, in which every modality is read alone, without the decoder."""

import json
import shutil

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

import fourm
from fourm.checkpoints import TensorFile
from fourm.embedder import Route
from tests.fourm.model.test_models_embed import edit, layout, make_photo
from tests.fourm.two_spaces import BUNDLE, DIMS, FORMER, make_two_spaces

SPACES = ("photos", "joint")
TEXT = "two dogs on the beach"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_two_spaces(tmp_path_factory.mktemp("bundle") / "two")


@pytest.fixture(scope="module")
def model(folder):
    return fourm.load_model(folder, device="cpu", dtype="float32")


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "two")


def load(folder):
    return fourm.load_model(folder, device="cpu", dtype="float32")


def unit(vector):
    return vector / np.linalg.norm(vector)


def embedded(model, *samples, space):
    return model.embed([model.prepare(sample) for sample in samples], space=space)


def head(folder, name, features):
    """The formula of a head, without its words."""
    read = load_file(folder / name)
    x = features - read["mean"]
    out = read["matrix"] @ x
    if "hidden_weight" in read:
        hidden = F.gelu(read["hidden_weight"] @ x + read["hidden_bias"])
        out = out + read["out_weight"] @ hidden
    return out, read


def hidden_layers(folder, model, modality, value):
    """The tokens of both layers after the final norm, from the blocks themselves."""
    from fourm.transformer import load_fm

    domain = model.manifest.inputs[modality]
    fm = load_fm(folder / "model", inputs=[domain], outputs=[])
    content = model.prepare({modality: value}).contents[modality]
    layers = []
    with torch.no_grad():
        given = model.readers[modality].batch([content], torch.device("cpu"))
        x, e, _ = fm.embed({domain: given})
        h = torch.cat([fm.register_tokens, x + e], dim=1)
        for block in fm.encoder:
            h = block(h, None)
            layers.append(fm.encoder_norm(h)[0])
    return layers


class TestVectors:
    def test_of_the_register(self, folder, model):
        tokens = hidden_layers(folder, model, "image", make_photo(2))[-1]
        expected, _ = head(folder, "photos-image.safetensors", tokens[0])
        found = embedded(model, {"image": make_photo(2)}, space="photos")[0]
        np.testing.assert_allclose(found, unit(expected.numpy()), atol=1e-5)

    @pytest.mark.parametrize("space", SPACES)
    def test_of_layers_with_a_hidden_layer_in_the_head(self, folder, model, space):
        layers = hidden_layers(folder, model, "seg", layout(1))
        chosen = BUNDLE["spaces"][space]["readouts"]["seg"]["layers"]
        features = torch.cat(
            [part for n in chosen for part in (layers[n][0], layers[n][1:].mean(dim=0))]
        )
        expected, _ = head(folder, f"heads/{space}-seg.safetensors", features)
        found = embedded(model, {"seg": layout(1)}, space=space)[0]
        np.testing.assert_allclose(found, unit(expected.numpy()), atol=1e-5)

    def test_of_the_language_model_and_words(self, folder, model):
        reader = model.readers["text"]
        text = "the dog and the dog"
        ids = torch.from_numpy(reader.prepare(text))
        with torch.no_grad():
            outputs, _ = reader.language_model.get().encode([text])
        expected, read = head(folder, "heads/joint-text.safetensors", outputs[0].mean(dim=0))
        distinct = sorted(set(ids.tolist()))
        assert len(distinct) < len(ids)
        counted = [n for n in distinct if read["idf"][n] > 0]
        assert len(counted) == len(distinct) - 2  # [CLS] and [SEP]
        length = sum(float(read["idf"][n]) ** 2 for n in counted) ** 0.5
        expected = expected + sum(read["words"][n] for n in counted) / length
        found = embedded(model, {"text": text}, space="joint")[0]
        np.testing.assert_allclose(found, unit(expected.numpy()), atol=1e-5)

    def test_of_the_input_and_of_blocks(self, folder, copy):
        edit_readout(copy, modality="image", layers=[-1, 1], blocks=[13, 7])
        model = load(copy)
        prepared = model.prepare({"image": make_photo(5)})
        inputs = model._network.inputs([prepared])
        fm = model.transformer(inputs)
        with torch.no_grad():
            x, e, _ = fm.embed(inputs)
            tokens = fm.encoder_norm(torch.cat([fm.register_tokens, x + e], dim=1))[0]
        last = hidden_layers(folder, model, "image", make_photo(5))[-1]
        features = [tokens[0], tokens[1:].mean(dim=0), last[0], last[1:].mean(dim=0)]
        expected, _ = head(folder, "heads/joint-image.safetensors", torch.cat(features))
        expected = np.concatenate([unit(expected[:13].numpy()), unit(expected[13:].numpy())])
        found = model.embed([prepared], space="joint")[0]
        np.testing.assert_allclose(found, expected / np.sqrt(2), atol=1e-5)

    @pytest.mark.parametrize("text", ["日本語", "🙂", "ω" * 300, "xylophone " * 100])
    def test_of_texts_without_known_words(self, model, text):
        for space in SPACES:
            vector = embedded(model, {"text": text}, space=space)[0]
            assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)

    def test_do_not_depend_on_their_batch_nor_on_the_other_space(self, model):
        samples = [
            {"image": make_photo(0)},
            {"text": "sea"},
            {"text": "a red bicycle in the snow at sunset"},
            {"seg": layout(0)},
            {"image": make_photo(1), "text": TEXT},
            {"image": make_photo(3)},
            {"image": make_photo(1), "text": TEXT, "seg": layout(2)},
        ]
        prepared = [model.prepare(sample) for sample in samples]
        together = model.embed_spaces(prepared, spaces=SPACES)
        for space in SPACES:
            assert together[space].shape == (len(samples), DIMS[space])
            alone = np.stack([model.embed([one], space=space)[0] for one in prepared])
            np.testing.assert_allclose(together[space], alone, atol=1e-4)

    def test_half_precision_stays_close(self, folder, model):
        half = fourm.load_model(folder, device="cpu", dtype="bfloat16")
        for sample in ({"image": make_photo(4)}, {"seg": layout(1)}, {"text": TEXT}):
            for space in SPACES:
                cosine = (
                    embedded(half, sample, space=space) @ embedded(model, sample, space=space).T
                )
                assert cosine[0, 0] > 0.98


class TestOnePass:
    def test_serves_all_spaces(self, model, monkeypatch):
        runs, backbone = [], model._network.backbone.get()
        original = type(backbone).encode_embedded
        monkeypatch.setattr(
            type(backbone),
            "encode_embedded",
            lambda self, embedded, layers=(): (
                runs.append(tuple(layers)) or original(self, embedded, layers)
            ),
        )
        model.embed_spaces([model.prepare({"image": make_photo()})], spaces=SPACES)
        assert runs == [(0, 1)]
        model.embed_spaces([model.prepare({"image": make_photo()})], spaces=("photos",))
        assert runs[1:] == [(1,)]
        model.embed_spaces([model.prepare({"text": TEXT})], spaces=SPACES)
        assert len(runs) == 2

    def test_texts_alone_read_no_weights_of_the_transformer(self, folder, monkeypatch):
        read, original = [], TensorFile.read
        monkeypatch.setattr(
            TensorFile,
            "read",
            lambda self, *a: read.append(str(self.path.relative_to(folder))) or original(self, *a),
        )
        fresh = load(folder)
        assert not read
        fresh.embed_spaces([fresh.prepare({"text": TEXT})], spaces=SPACES)
        heads = ["heads/joint-text.safetensors", "heads/photos-text.safetensors"]
        assert sorted(read) == [*heads, "language_model/model.safetensors"]
        fresh.embed_spaces([fresh.prepare({"image": make_photo()})], spaces=SPACES)
        assert "model/model.safetensors" in read


class TestSeveralInputs:
    def test_are_the_weighted_sum_of_each_alone(self, model):
        sample = {"image": make_photo(1), "text": TEXT, "seg": layout(2)}
        for space in SPACES:
            readouts = BUNDLE["spaces"][space]["readouts"]
            parts = [
                readouts[name].get("weight", 1) * embedded(model, {name: value}, space=space)[0]
                for name, value in sample.items()
            ]
            found = embedded(model, sample, space=space)[0]
            np.testing.assert_allclose(found, unit(np.sum(parts, axis=0)), atol=1e-5)

    def test_guided_weights_multiply_those_of_the_space(self, model):
        image, text = {"image": make_photo(1)}, {"text": TEXT}
        parts = [model.prepare(image), model.prepare(text)]
        both = model.prepare({**image, **text})
        even, double, late = model.embed(
            [
                model.fuse([(parts[0], 1), (parts[1], 1)]),
                model.fuse([(parts[0], 1), (parts[1], -2)]),
                model.fuse([(parts[0], 1), (parts[1], -2)], "late"),
            ],
            space="joint",
        )
        np.testing.assert_allclose(even, model.embed([both], space="joint")[0], atol=1e-6)
        one, two = model.embed(parts, space="joint")
        np.testing.assert_allclose(double, unit(1.5 * one - 4 * two), atol=1e-5)
        np.testing.assert_allclose(late, unit(one - 2 * two), atol=1e-5)

    def test_that_cancel_out_are_refused(self, model):
        part = model.prepare({"text": TEXT})
        with pytest.raises(fourm.BadInput, match="cancel"):
            model.embed([model.fuse([(part, 1), (part, -1)])], space="joint")


class TestDescription:
    def test_of_spaces(self, model):
        photos, joint = model.spaces.values()
        assert (photos.dim, photos.former_name, photos.succeeds) == (24, "dinov2", (FORMER,))
        assert photos.preprocessing.endswith("register token; head 32 to 24; unit length")
        assert "register and mean of layers 0, 1; head 128 to 20" in joint.preprocessing
        assert (model.default_space, joint.precision) == ("photos", None)

    def test_of_routes(self, model):
        first, second, _ = model.routes
        assert first == Route(frozenset({"image"}), False, {"photos": 1.0})
        assert second.fusion == "scores"
        taken = [
            next(number for number, route in enumerate(model.routes) if route.takes(inputs))
            for inputs in ({"image"}, {"image", "text"}, {"text"}, {"seg", "text"})
        ]
        assert taken == [0, 1, 2, 2]


class TestFingerprints:
    def changed(self, model, folder):
        again = load(folder)
        names = {name for name in SPACES if again.space_fingerprint(name) != prints(model)[name]}
        names |= {
            name
            for name in model.inputs
            if again.input_fingerprint(name) != model.input_fingerprint(name)
        }
        return names | ({"all"} if again.fingerprint != model.fingerprint else set())

    def test_count_what_vectors_depend_on(self, model, copy):
        assert self.changed(model, copy) == set()
        path = copy / "heads" / "joint-text.safetensors"
        tensors = load_file(path)
        save_file({**tensors, "mean": tensors["mean"] + 1}, path)
        assert self.changed(model, copy) == {"text", "all"}
        path = copy / "heads" / "joint-image.safetensors"
        tensors = load_file(path)
        save_file({**tensors, "mean": tensors["mean"] + 1}, path)
        assert self.changed(model, copy) == {"text", "joint", "all"}

    def test_weights_and_routes_leave_stored_vectors_as_they_are(self, model, copy):
        bundle = json.loads((copy / "bundle.json").read_text())
        bundle["spaces"]["joint"]["readouts"]["text"]["weight"] = 0.25
        del bundle["space_for"], bundle["succeeds"]
        (copy / "bundle.json").write_text(json.dumps(bundle))
        assert self.changed(model, copy) == {"all"}

    def test_count_parts_of_readers(self, model, copy):
        config = copy / "tok_semseg" / "config.json"
        config.write_text(config.read_text() + "\n")
        assert self.changed(model, copy) == {"seg", "all"}
        config = copy / "model" / "config.json"
        config.write_text(config.read_text() + "\n")
        assert self.changed(model, copy) == {"seg", "all", *SPACES}


def prints(model):
    return {name: model.space_fingerprint(name) for name in SPACES}


def edit_readout(folder, space="joint", modality="seg", **changes):
    bundle = json.loads((folder / "bundle.json").read_text())
    bundle["spaces"][space]["readouts"][modality].update(changes)
    (folder / "bundle.json").write_text(json.dumps(bundle))


class TestBadBundles:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"features": "pixels"}, "features must be one of register, encoder, language"),
            ({"features": None}, "features"),
            ({"features": "language"}, "seg is not read by a language model"),
            ({"features": "register"}, "takes vectors of 128, the features of seg are 32"),
            ({"layers": []}, "layers must be ascending"),
            ({"layers": None}, "layers must be ascending"),
            ({"layers": [1, 0]}, "layers must be ascending"),
            ({"layers": [0, 0]}, "layers must be ascending"),
            ({"layers": [-2, 0]}, "layers must be ascending"),
            ({"blocks": [12, 9]}, "blocks of seg are 21 numbers, its vectors 20"),
            ({"blocks": [21, -1]}, "blocks must be lengths"),
            ({"blocks": 20}, "blocks must be lengths"),
            ({"layers": [0.5]}, "layers must be ascending"),
            ({"layers": [0, 2]}, "reads layer 2; the last is 1"),
            ({"layers": [1]}, "takes vectors of 128, the features of seg are 64"),
            ({"weight": 0}, "weight must be > 0"),
            ({"weight": "much"}, "weight must be a number"),
            ({"head": None}, "head"),
            ({"head": "absent.safetensors"}, "absent"),
            ({"head": "../outside.safetensors"}, "must lie in"),
            ({"head": "heads/joint-text.safetensors"}, "takes vectors of 16"),
            ({"head": "model/model.safetensors"}, r"must hold mean \(n,\)"),
        ],
    )
    def test_of_readouts(self, copy, changes, words):
        edit_readout(copy, **changes)
        with pytest.raises(fourm.CheckpointError, match=words):
            load(copy)

    def test_a_modality_without_a_readout(self, copy):
        bundle = json.loads((copy / "bundle.json").read_text())
        del bundle["spaces"]["joint"]["readouts"]["seg"]
        (copy / "bundle.json").write_text(json.dumps(bundle))
        with pytest.raises(fourm.ConfigError, match="space joint has no readout of seg"):
            load(copy)
        del bundle["spaces"]["joint"]["readouts"]["image"]
        (copy / "bundle.json").write_text(json.dumps(bundle))
        with pytest.raises(fourm.ConfigError, match="at least that of image"):
            load(copy)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"matrix": torch.zeros(21, 128)}, "must hold"),
            ({"matrix": torch.zeros(20, 127)}, "must hold"),
            ({"mean": torch.zeros(128, 1)}, "must hold"),
            ({"hidden_bias": None}, "must hold"),
            ({"out_weight": torch.zeros(20, 11)}, "must hold"),
            ({"further": torch.zeros(1)}, "must hold"),
            ({"idf": torch.zeros(9)}, "must hold"),
            ({"idf": torch.zeros(9), "words": torch.zeros(9, 20)}, "has words, but seg"),
            ({"mean": torch.zeros(128, dtype=torch.int32)}, "stored as I32"),
        ],
    )
    def test_of_heads(self, copy, changes, words):
        path = copy / "heads" / "joint-seg.safetensors"
        tensors = {**load_file(path), **changes}
        save_file({name: one for name, one in tensors.items() if one is not None}, path)
        with pytest.raises(fourm.CheckpointError, match=words):
            load(copy)

    def test_a_head_of_another_space(self, copy):
        path = copy / "heads" / "joint-image.safetensors"
        save_file({"mean": torch.zeros(128), "matrix": torch.zeros(24, 128)}, path)
        with pytest.raises(fourm.ConfigError, match="in the space joint"):
            load(copy)

    def test_words_of_another_vocabulary(self, copy):
        path = copy / "heads" / "joint-text.safetensors"
        tensors = load_file(path)
        tensors |= {"idf": torch.ones(9), "words": torch.zeros(9, 20)}
        save_file(tensors, path)
        with pytest.raises(fourm.ConfigError, match="9 words, the language model"):
            load(copy)

    @pytest.mark.parametrize(
        ("routes", "words"),
        [
            ({}, "space_for must be a list"),
            ([1], "space_for must be a list"),
            ([{"inputs": ["smell"], "spaces": {"joint": 1}}], "smell"),
            ([{"inputs": "image", "spaces": {"joint": 1}}], "inputs"),
            ([{"spaces": {"joint": 1}}], "inputs"),
            ([{"inputs": "*"}], "spaces"),
            ([{"inputs": "*", "spaces": {"clip": 1}}], "clip"),
            ([{"inputs": "*", "spaces": {"joint": 0}}], "weights > 0"),
            ([{"inputs": "*", "spaces": {"joint": 1}, "fusion": "luck"}], "fusion"),
        ],
    )
    def test_of_routes(self, copy, routes, words):
        edit(copy, space_for=routes)
        with pytest.raises(fourm.ConfigError, match=words):
            load(copy)

    @pytest.mark.parametrize("succeeds", [["photos"], {"clip": ["0"]}, {"photos": "0"}])
    def test_of_former_models(self, copy, succeeds):
        edit(copy, succeeds=succeeds)
        with pytest.raises(fourm.ConfigError, match=r"succeeds|photos"):
            load(copy)

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import fourm
from fourm.checkpoints import TensorFile
from fourm.hub import names
from fourm.lazy import Lazy
from fourm.model.devices import _cpu_has_bfloat16
from tests.fourm.tiny_model import DIM_OUT, make_tiny_model
from tests.processes import run_python


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def model(folder):
    return fourm.load_model(folder, device="cpu", dtype="float32")


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of the model folder, to be damaged."""
    return shutil.copytree(folder, tmp_path / "copy")


def make_photo(seed=0, size=(48, 80)):
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    return coarse.resize(size[::-1], Image.Resampling.BICUBIC)


def layout(seed=0):
    ids = np.array([0, 1, 17, 90, 92, 184, 187, 200])
    return ids[np.random.default_rng(seed).integers(0, len(ids), (6, 9))]


SAMPLES = [
    {"image": make_photo(0)},
    {"text": "two dogs"},
    {"seg": layout(0)},
    {"image": make_photo(1, (30, 30))},
    {"text": "a red bicycle in the snow at sunset"},
    {"text": "sea", "seg": layout(1)},
    {"seg": layout(1), "text": "sea"},
    {"image": make_photo(0), "text": "sea", "seg": layout(1)},
    {"image": make_photo(0), "seg": layout(2)},
]


def edit(folder, **changes):
    path = folder / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_space(folder, **changes):
    spaces = json.loads((folder / "bundle.json").read_text())["spaces"]
    spaces["dinov2"].update(changes)
    edit(folder, spaces=spaces)


class TestVectors:
    def test_what_a_model_says_of_itself(self, model):
        assert model.name == "tiny"
        assert model.inputs == ("image", "text", "seg")
        assert list(model.spaces) == [model.default_space] == ["dinov2"]
        space = model.spaces["dinov2"]
        assert (space.name, space.dim, space.title) == ("dinov2", DIM_OUT, "random directions")
        for word in ("64 px", "register token", "tok_dinov2_global soft", "unit length"):
            assert word in space.preprocessing
        assert "\n" not in space.preprocessing

    def test_unit_vectors_of_any_modalities(self, model):
        vectors = model.embed([model.prepare(sample) for sample in SAMPLES], space="dinov2")
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(SAMPLES), DIM_OUT)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        # The order in which inputs are named is not part of the query; everything else is.
        np.testing.assert_allclose(vectors[5], vectors[6], atol=1e-5)
        rest = np.delete(vectors, 6, axis=0)
        cosines = rest @ rest.T - 2 * np.eye(len(rest))
        assert cosines.max() < 0.9999

    def test_a_batch_equals_each_alone(self, model):
        prepared = [model.prepare(sample) for sample in SAMPLES]
        together = model.embed(prepared)
        for row, sample in enumerate(prepared):
            np.testing.assert_allclose(model.embed([sample])[0], together[row], atol=2e-5)

    def test_no_samples(self, model):
        assert model.embed([]).shape == (0, DIM_OUT)

    def test_an_image_alone_is_read_at_the_register(self, folder, model):
        from fourm.transformer import load_fm

        prepared = model.prepare({"image": make_photo(3)})
        fm = load_fm(folder / "model", inputs=["rgb@224"], outputs=[])
        inputs = {"rgb@224": model._readers["image"].batch([prepared.contents["image"]], "cpu")}
        with torch.no_grad():
            register = fm.encode(inputs).tokens[0, 0]
        transform = load_file(folder / "transform.safetensors")
        expected = transform["matrix"] @ (register - transform["mean"])
        expected /= expected.norm()
        np.testing.assert_allclose(model.embed([prepared])[0], expected.numpy(), atol=1e-5)

    def test_other_samples_are_decoded(self, folder, model):
        from fourm.generation import predict
        from fourm.tokenizers.loading import load_tokenizer
        from fourm.transformer import load_fm

        prepared = model.prepare({"seg": layout(4)})
        with torch.no_grad():
            labels = model._readers["seg"].batch([prepared.contents["seg"]], torch.device("cpu"))
            inputs = {"tok_semseg@224": labels}
            predicted = predict(load_fm(folder / "model"), inputs, "tok_dinov2_global", "soft")
            decoded = load_tokenizer(folder / "tok_dinov2_global").decode_soft(
                predicted.probabilities
            )[0]
        transform = load_file(folder / "transform.safetensors")
        expected = transform["matrix"] @ (decoded - transform["mean"])
        expected /= expected.norm()
        np.testing.assert_allclose(model.embed([prepared])[0], expected.numpy(), atol=1e-5)

    @pytest.mark.parametrize("decode", ["argmax", "soft", "sample"])
    def test_without_image_readout_and_transform(self, copy, decode):
        edit_space(copy, image_readout=None, transform=None, decode=decode, temperature=2.0)
        model = fourm.load_model(copy, dtype="float32")
        assert model.spaces["dinov2"].dim == 32
        assert "register" not in model.spaces["dinov2"].preprocessing
        prepared = [model.prepare(sample) for sample in SAMPLES[:3]]
        vectors = model.embed(prepared)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(model.embed(prepared), vectors)

    def test_half_precision_stays_close(self, folder, model):
        half = fourm.load_model(folder, device="cpu", dtype="bfloat16")
        prepared = [model.prepare(sample) for sample in SAMPLES]
        cosines = (half.embed(prepared) * model.embed(prepared)).sum(1)
        assert cosines.min() > 0.99

    def test_many_threads_load_each_part_once(self, folder, monkeypatch):
        read = []
        original = TensorFile.read

        def reading(self, names=None, dtype=None):
            read.extend((self.path, name) for name in names or ["all"])
            return original(self, names, dtype)

        monkeypatch.setattr(TensorFile, "read", reading)
        model = fourm.load_model(folder, dtype="float32")
        with ThreadPoolExecutor(8) as pool:
            prepared = list(pool.map(model.prepare, SAMPLES * 4))
            vectors = np.concatenate(list(pool.map(lambda p: model.embed([p]), prepared)))
        kept = [(path, name) for path, name in read if not name.startswith("decoder.blocks.")]
        assert len(kept) == len(set(kept)) > 50  # blocks of a tokenizer are mapped at every call
        assert len({path for path, _ in read}) == 5
        np.testing.assert_allclose(vectors[: len(SAMPLES)], vectors[len(SAMPLES) : 18], atol=1e-5)

    def test_only_what_is_needed_is_loaded(self, folder, monkeypatch):
        opened = []
        original = TensorFile.read
        monkeypatch.setattr(
            TensorFile,
            "read",
            lambda self, *a: opened.append(self.path.parent.name) or original(self, *a),
        )
        model = fourm.load_model(folder)
        model.embed([model.prepare({"image": make_photo()})])
        assert "model" in opened
        assert not {"language_model", "tok_semseg", "tok_dinov2_global"} & set(opened)

    def test_a_part_that_fails_to_load_is_tried_again(self):
        answers = iter([OSError("not yet"), 5])

        def load():
            answer = next(answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

        part = Lazy(load)
        with pytest.raises(OSError, match="not yet"):
            part.get()
        assert part.get() == part.get() == 5


class TestBadInput:
    @pytest.mark.parametrize(
        ("inputs", "error", "words"),
        [
            ({}, fourm.BadInput, "at least one input"),
            ({"smell": 1}, fourm.UnknownModality, "image, text, seg"),
            ({"text": "   "}, fourm.BadInput, "empty"),
            ({"text": 5}, fourm.BadInput, "string"),
            ({"image": "photo.jpg"}, fourm.BadInput, "PIL image"),
            ({"image": np.zeros((4, 4))}, fourm.BadInput, "uint8"),
            ({"image": np.zeros((0, 4, 3), np.uint8)}, fourm.BadInput, "no pixels"),
            ({"seg": np.zeros((4, 4))}, fourm.BadInput, "integer"),
            ({"seg": np.full((4, 4), 12)}, fourm.BadInput, "12"),
            ({"seg": np.full((4, 4), -1)}, fourm.BadInput, "-1"),
            ({"text": "fine", "seg": np.zeros((0, 3), int)}, fourm.BadInput, "no pixels"),
        ],
    )
    def test_is_refused_with_its_reason(self, model, inputs, error, words):
        with pytest.raises(error, match=words):
            model.prepare(inputs)

    def test_an_unknown_space(self, model):
        with pytest.raises(fourm.UnknownSpace, match=r"clip.*dinov2"):
            model.embed([], space="clip")

    @pytest.mark.parametrize(
        "options", [{"dtype": "int4"}, {"device": "warp"}, {"device": "cuda:99"}]
    )
    def test_devices_and_dtypes_that_are_not_there(self, folder, options):
        with pytest.raises(fourm.BadInput):
            fourm.load_model(folder, **options)


class TestFingerprints:
    def test_are_the_same_wherever_the_folder_lies(self, model, copy):
        assert len(model.fingerprint) == 64
        assert fourm.load_model(copy).fingerprint == model.fingerprint
        edit(copy, title="another title")
        assert fourm.load_model(copy).fingerprint == model.fingerprint

    def test_image_share_counts(self, model, copy):
        edit_space(copy, image_share=0.25)
        shared = fourm.load_model(copy, device="cpu", dtype="float32")
        assert shared.fingerprint != model.fingerprint
        words = {"text": "sea", "seg": layout(1)}
        samples = ({"image": make_photo()}, words, {"image": make_photo(), **words})
        image, others, both = shared.embed([shared.prepare(sample) for sample in samples])
        wanted = 0.25 * image + 0.75 * others
        assert np.allclose(both, wanted / np.linalg.norm(wanted), atol=1e-6)
        alone = model.embed([model.prepare(sample) for sample in samples])
        assert np.allclose([image, others], alone[:2], atol=1e-6)
        assert not np.allclose(both, alone[2], atol=1e-3)

    @pytest.mark.parametrize(
        "name",
        [
            "model/model.safetensors",
            "model/config.json",
            "tok_semseg/model.safetensors",
            "language_model/tokenizer.json",
            "transform.safetensors",
        ],
    )
    def test_change_with_any_file(self, model, copy, name):
        path = copy / name
        if path.suffix == ".json":
            path.write_text(path.read_text() + "\n")
        else:
            state = load_file(path)
            first = next(iter(state.values()))
            first += 1
            save_file(state, path)
        assert fourm.load_model(copy).fingerprint != model.fingerprint

    def test_change_with_the_manifest(self, model, copy):
        edit_space(copy, temperature=0.5)
        assert fourm.load_model(copy).fingerprint != model.fingerprint


class TestManifests:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"format": 3}, "newer than this program"),
            ({"format": "one"}, "format"),
            ({"kinds": {}}, "kinds"),
            ({"kinds": {"smell": "tok_smell"}}, "kinds"),
            ({"kinds": {"image": 3}}, "kinds"),
            ({"kinds": {"image": "rgb@448"}}, "rgb@448"),
            ({"kinds": {"text": "rgb@224"}}, "text cannot be read as rgb@224"),
            ({"language_models": {}}, "text cannot be read"),
            ({"tokenizers": {"tok_semseg@224": "tok_semseg"}}, "no tokenizer"),
            ({"tokenizers": ["tok_semseg"]}, "tokenizers"),
            ({"spaces": {}}, "at least one space"),
            ({"spaces": {"dinov2": 3}}, "modality"),
            ({"model": "../elsewhere"}, "must lie in"),
            ({"model": "/etc"}, "must lie in"),
            ({"model": 7}, "model"),
            ({"model": "absent"}, "absent"),
        ],
    )
    def test_impossible_ones_are_refused(self, copy, changes, words):
        edit(copy, **changes)
        with pytest.raises(fourm.CheckpointError, match=words):
            fourm.load_model(copy)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"decode": "guess"}, "decode"),
            ({"temperature": 0}, "temperature"),
            ({"top_p": 2}, "top_p"),
            ({"image_readout": "mean"}, "image_readout"),
            ({"modality": "tok_clip@224"}, "tok_clip@224"),
            ({"transform": "absent.safetensors"}, "absent"),
            ({"transform": "model/model.safetensors"}, "mean"),
        ],
    )
    def test_impossible_spaces_are_refused(self, copy, changes, words):
        edit_space(copy, **changes)
        with pytest.raises(fourm.CheckpointError, match=words):
            fourm.load_model(copy)

    def test_a_transform_of_another_width(self, copy):
        save_file(
            {"mean": torch.zeros(31), "matrix": torch.zeros(4, 31)}, copy / "transform.safetensors"
        )
        with pytest.raises(fourm.ConfigError, match="takes vectors of 31"):
            fourm.load_model(copy)

    def test_parts_of_another_model(self, copy):
        path = copy / "model" / "config.json"
        config = json.loads(path.read_text())
        config["modality_info"]["tok_dinov2_global"]["max_tokens"] = 5
        path.write_text(json.dumps(config))
        with pytest.raises(fourm.CheckpointError):
            model = fourm.load_model(copy)
            model.embed([model.prepare({"text": "sea"})])

    def test_no_json_at_all(self, copy):
        (copy / "bundle.json").write_text("{")
        with pytest.raises(fourm.ConfigError, match=r"bundle\.json"):
            fourm.load_model(copy)


class TestNames:
    def test_bundled_models_are_found_by_name(self, folder, monkeypatch):
        monkeypatch.setattr(names, "WEIGHTS", folder.parent)
        assert fourm.load_model("tiny").name == "tiny"
        card = fourm.list_models()[0]
        assert (card.name, card.available, card.inputs) == ("tiny", True, ("image", "text", "seg"))

    def test_official_models_are_listed(self):
        cards = {card.name: card for card in fourm.list_models()}
        assert {"4M-21_B", "4M-21_L", "4M-21_XL"} <= set(cards)
        assert cards["4M-21_L"].where == "EPFL-VILAB/4M-21_L"
        assert cards["4M-21_L"].spaces == ("dinov2", "imagebind", "clip")

    def test_an_unknown_name_lists_the_known(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(fourm.ModelNotFound, match=r"maxi.*4M-21_B"):
            fourm.load_model("maxi")

    def test_a_folder_that_is_not_a_model(self, tmp_path):
        with pytest.raises(fourm.CheckpointError, match=r"model\.safetensors"):
            fourm.load_model(tmp_path)

    def test_importing_fourm_does_not_import_torch(self):
        code = "import sys, fourm.model, fourm.checkpoints; sys.exit('torch' in sys.modules)"
        assert run_python(code).returncode == 0

    @pytest.mark.parametrize(
        ("text", "native"),
        [("flags : fma avx512_bf16", True), ("flags : amx_bf16", True), ("flags : avx2", False)],
    )
    def test_native_bfloat16_is_told_by_the_processors_flags(self, tmp_path, text, native):
        path = tmp_path / "cpuinfo"
        path.write_text(text)
        assert _cpu_has_bfloat16(path) is native
        assert not _cpu_has_bfloat16(tmp_path / "absent")

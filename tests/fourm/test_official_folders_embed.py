"""The layout of the official repositories, with the small recorded models in their places."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import fourm
from fourm.bundle.official import OWNER, TOKENIZERS, WORDS
from tests.fourm.recorded import model_folder, recorded, recorded_path
from tests.fourm.recorded_inputs import pictures


@pytest.fixture(scope="module")
def repositories(tmp_path_factory, fm_mod21_folder):
    """Repositories side by side; the ImageBind tokenizer is not among them."""
    shelf = tmp_path_factory.mktemp("shelf")
    shutil.copytree(fm_mod21_folder, shelf / "4M-21_B")
    scratch = tmp_path_factory.mktemp("scratch")
    for modality, name in (
        ("tok_dinov2_global", "vq_dinov2_global_nano"),
        ("tok_semseg@224", "vq_semseg_nano"),
    ):
        shutil.copytree(model_folder(name, scratch), shelf / TOKENIZERS[modality])
    shutil.copy(recorded_path(WORDS), shelf / WORDS)
    return shelf


@pytest.fixture(scope="module")
def model(repositories):
    return fourm.load_model(repositories / "4M-21_B", dtype="float32")


def recorded_picture():
    return recorded("inputs.safetensors")["rgb_u8"][0].permute(1, 2, 0).contiguous().numpy()


def expected(model, repositories, inputs):
    from fourm.predict import predict
    from fourm.tokenizers.loading import load_tokenizer
    from fourm.transformer import load_fm

    with torch.no_grad():
        fm = load_fm(repositories / "4M-21_B")
        tokens = predict(fm, inputs, "tok_dinov2_global").tokens
        tokenizer = load_tokenizer(repositories / TOKENIZERS["tok_dinov2_global"])
        vector = tokenizer.decode_tokens(tokens)[0]
    return (vector / vector.norm()).numpy()


def test_what_is_there_is_offered(model):
    assert model.name == "4M-21_B"
    written = ("boxes", "palette", "metadata", "t5", "dinov2_embedding")
    assert model.inputs == ("image", "text", "seg", *written)
    assert list(model.spaces) == ["dinov2"]
    assert model.spaces["dinov2"].dim == 768
    assert "argmax" in model.spaces["dinov2"].preprocessing


def test_a_picture(model, repositories):
    from fourm.embeddings import ModalityInput

    vector = model.embed([model.prepare({"image": recorded_picture()})])[0]
    inputs = {"rgb@224": ModalityInput(pictures(1))}
    np.testing.assert_allclose(vector, expected(model, repositories, inputs), atol=1e-4)


def test_a_text(model, repositories):
    from tokenizers import Tokenizer

    from fourm.embeddings import ModalityInput

    text = "a lake house with a boat in front"
    ids = Tokenizer.from_file(str(repositories / WORDS)).encode(f"{text} [EOS]").ids
    vector = model.embed([model.prepare({"text": text})])[0]
    inputs = {"caption": ModalityInput(torch.tensor([ids]))}
    np.testing.assert_allclose(vector, expected(model, repositories, inputs), atol=1e-4)


def test_everything_at_once(model):
    layout = np.zeros((50, 50), int)
    layout[:20] = 187
    picture = Image.fromarray(recorded_picture())
    prepared = [model.prepare({"image": picture, "text": "a lake", "seg": layout})]
    vectors = model.embed(prepared)
    assert vectors.shape == (1, 768)
    assert abs(np.linalg.norm(vectors) - 1) < 1e-5


def test_words_without_their_tokenizer(repositories, tmp_path):
    shelf = shutil.copytree(repositories, tmp_path / "shelf")
    (shelf / WORDS).unlink()
    model = fourm.load_model(shelf / "4M-21_B", dtype="float32")
    model.prepare({"image": recorded_picture()})
    with pytest.raises(fourm.CheckpointError, match=WORDS):
        model.prepare({"text": "a lake"})


def test_an_official_name_goes_to_the_hub(repositories, monkeypatch, tmp_path):
    import huggingface_hub

    asked = []

    def snapshot(repository, **options):
        asked.append(repository)
        owner, name = repository.split("/")
        assert owner == OWNER
        if not (repositories / name).is_dir():
            raise OSError(f"{repository} is not here")
        return str(shutil.copytree(repositories / name, tmp_path / name, dirs_exist_ok=True))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(fourm.ModelNotFound, match="ImageBind"):
        fourm.load_model("4M-21_B")
    assert asked[0] == "EPFL-VILAB/4M-21_B"

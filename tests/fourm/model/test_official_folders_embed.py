"""The layout of the official repositories, with the small recorded models in their places."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import fourm
from fourm.hub.official import OWNER, TEXT_TOKENIZER, tokenizer_repositories
from tests.fourm.recorded import model_folder, recorded
from tests.fourm.recorded_inputs import images
from tests.fourm.recorded_text import save_recorded_tokenizer

TOKENIZERS = tokenizer_repositories()


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
    save_recorded_tokenizer(shelf / TEXT_TOKENIZER)
    return shelf


@pytest.fixture(scope="module")
def model(repositories):
    return fourm.load_model(repositories / "4M-21_B", dtype="float32")


def recorded_photo():
    return recorded("inputs.safetensors")["rgb_u8"][0].permute(1, 2, 0).contiguous().numpy()


def expected(model, repositories, inputs):
    from fourm.generation import predict
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


def test_an_image(model, repositories):
    from fourm.transformer.embeddings import ModalityInput

    vector = model.embed([model.prepare({"image": recorded_photo()})])[0]
    inputs = {"rgb@224": ModalityInput(images(1))}
    np.testing.assert_allclose(vector, expected(model, repositories, inputs), atol=1e-4)


def test_a_text(model, repositories):
    from tokenizers import Tokenizer

    from fourm.transformer.embeddings import ModalityInput

    text = "a lake house with a boat in front"
    ids = Tokenizer.from_file(str(repositories / TEXT_TOKENIZER)).encode(f"{text} [EOS]").ids
    vector = model.embed([model.prepare({"text": text})])[0]
    inputs = {"caption": ModalityInput(torch.tensor([ids]))}
    np.testing.assert_allclose(vector, expected(model, repositories, inputs), atol=1e-4)


def test_several_seeds_sample_as_the_retrieval_notebook(model, repositories):
    """4M-21 reference, sec. 4.3: temperature 0.1, top-p 0.8."""
    from fourm.generation import predict
    from fourm.tokenizers.loading import load_tokenizer
    from fourm.transformer import load_fm
    from fourm.transformer.embeddings import ModalityInput

    inputs = {"rgb@224": ModalityInput(images(1))}
    with torch.no_grad():
        fm = load_fm(repositories / "4M-21_B")
        tokenizer = load_tokenizer(repositories / TOKENIZERS["tok_dinov2_global"])
        drawn = [
            predict(
                fm, inputs, "tok_dinov2_global", "sample", temperature=0.1, top_p=0.8, seed=seed
            ).tokens
            for seed in range(3)
        ]
        units = [torch.nn.functional.normalize(tokenizer.decode_tokens(one)) for one in drawn]
    mean = torch.stack(units).mean(dim=0)[0]
    vector = model.embed([model.prepare({"image": recorded_photo()})], seeds=3)[0]
    np.testing.assert_allclose(vector, (mean / mean.norm()).numpy(), atol=1e-4)


def test_everything_at_once(model):
    layout = np.zeros((50, 50), int)
    layout[:20] = 187
    photo = Image.fromarray(recorded_photo())
    prepared = [model.prepare({"image": photo, "text": "a lake", "seg": layout})]
    vectors = model.embed(prepared)
    assert vectors.shape == (1, 768)
    assert abs(np.linalg.norm(vectors) - 1) < 1e-5


def test_text_without_its_tokenizer(repositories, tmp_path):
    shelf = shutil.copytree(repositories, tmp_path / "shelf")
    (shelf / TEXT_TOKENIZER).unlink()
    model = fourm.load_model(shelf / "4M-21_B", dtype="float32")
    assert model.inputs == ("image", "seg", "t5", "dinov2_embedding")
    command = f"`fourm models pull 4M-21_B --for text --to {shelf}`"
    with pytest.raises(fourm.UnknownModality, match=TEXT_TOKENIZER) as caught:
        model.prepare({"text": "a lake"})
    assert command in str(caught.value)


def test_what_is_read_for_queries_alone_leaves_a_gallerys_fingerprint_alone(repositories, tmp_path):
    whole = fourm.load_model(repositories / "4M-21_B", dtype="float32")
    shelf = shutil.copytree(repositories, tmp_path / "shelf")
    (shelf / TEXT_TOKENIZER).unlink()
    shutil.rmtree(shelf / TOKENIZERS["tok_semseg@224"])
    bare = fourm.load_model(shelf / "4M-21_B", dtype="float32")
    assert bare.inputs == ("image", "t5", "dinov2_embedding")
    assert bare.space_fingerprint("dinov2") == whole.space_fingerprint("dinov2")
    assert whole.input_fingerprint("seg") and whole.input_fingerprint("text")
    assert not whole.input_fingerprint("image")


def test_the_fingerprint_is_that_of_the_files_wherever_they_lie(
    repositories, tmp_path, monkeypatch
):
    whole = fourm.load_model(repositories / "4M-21_B", dtype="float32")
    shelf = shutil.copytree(repositories, tmp_path / "shelf")
    moved = fourm.load_model(shelf / "4M-21_B", dtype="float32")
    monkeypatch.chdir(shelf)
    relative = fourm.load_model("./4M-21_B", dtype="float32")
    assert moved.fingerprint == relative.fingerprint == whole.fingerprint
    assert moved.input_fingerprint("seg") == whole.input_fingerprint("seg")


def test_tokenizers_without_their_tensors_do_not_count(repositories, tmp_path):
    shelf = shutil.copytree(repositories, tmp_path / "shelf")
    name = TOKENIZERS["tok_semseg@224"]
    (shelf / name / "model.safetensors").unlink()
    model = fourm.load_model(shelf / "4M-21_B", dtype="float32")
    with pytest.raises(fourm.UnknownModality, match=f"{name}, not on this disk.*--for seg"):
        model.prepare({"seg": np.zeros((4, 4), int)})
    (shelf / TOKENIZERS["tok_dinov2_global"] / "model.safetensors").unlink()
    with pytest.raises(fourm.CheckpointError, match="pull 4M-21_B --for dinov2 --to"):
        fourm.load_model(shelf / "4M-21_B")


@pytest.mark.parametrize("name", ["4M-21_XL", "EPFL-VILAB/4M-21_XL"])
def test_an_official_name_that_was_not_pulled_names_the_command(monkeypatch, tmp_path, name):
    import huggingface_hub

    def refuse(*arguments, **options):
        raise AssertionError("nothing is downloaded unasked")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(fourm.ModelNotFound, match="`fourm models pull 4M-21_XL` fetches it"):
        fourm.load_model(name)


@pytest.mark.parametrize(
    "name",
    ["tokenizer/rgb", "tokenizer/text", f"{OWNER}/{TOKENIZERS['tok_rgb@224']}"],
)
def test_a_tokenizer_is_not_a_model(name):
    with pytest.raises(fourm.ModelNotFound, match="is a tokenizer; known models: mini, 4M-21_B"):
        fourm.load_model(name)


def test_a_folder_of_models_says_which_one(repositories):
    with pytest.raises(fourm.ModelNotFound, match=f"give {repositories / '4M-21_B'}"):
        fourm.load_model(repositories)


def test_the_tensor_file_stands_for_its_folder(repositories, model):
    same = fourm.load_model(repositories / "4M-21_B/model.safetensors", dtype="float32")
    assert (same.name, same.inputs) == (model.name, model.inputs)
    assert same.fingerprint == model.fingerprint


def test_a_snapshot_in_a_hubs_cache_has_its_repositorys_name(repositories, tmp_path):
    snapshots = tmp_path / f"models--{OWNER}--4M-21_B" / "snapshots"
    shutil.copytree(repositories / "4M-21_B", snapshots / ("a" * 40))
    name = TOKENIZERS["tok_dinov2_global"]
    shutil.copytree(repositories / name, snapshots / name)
    model = fourm.load_model(snapshots / ("a" * 40), dtype="float32")
    assert model.name == "4M-21_B"
    assert model.missing["clip"].pull == "fourm models pull 4M-21_B --for clip"
    assert "`fourm models pull 4M-21_B --for clip`" in str(model.missing["clip"])


@pytest.mark.parametrize("where", ["link", "target"])
def test_tokenizers_are_found_next_to_a_link_and_next_to_its_target(repositories, tmp_path, where):
    (tmp_path / "link").mkdir()
    target = Path(shutil.copytree(repositories / "4M-21_B", tmp_path / "target" / "4M-21_B"))
    link = tmp_path / "link" / "4M-21_B"
    link.symlink_to(target, target_is_directory=True)
    for name in {TOKENIZERS["tok_dinov2_global"], TOKENIZERS["tok_semseg@224"]}:
        shutil.copytree(repositories / name, tmp_path / where / name)
    model = fourm.load_model(link, dtype="float32")
    assert "seg" in model.inputs and "dinov2" in model.spaces

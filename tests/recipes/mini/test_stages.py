"""The stages of the recipe, up to a model folder that loads, on a few synthetic photos."""

import filecmp

import numpy as np
import pytest
import torch
from PIL import Image

from fourm import load_model
from fourm.checkpoints import TensorFile
from fourm.errors import BadInput, CheckpointError
from fourm.imagenet import imagenet_normalised
from fourm.modalities.boxes import Box
from fourm.modalities.pixels import square_pixels
from fourm.training.export import stored_tensors
from fourm.training.run import Run
from fourm.transformer import load_fm
from fourm.transformer.embeddings import ModalityInput
from recipes.mini import export, features
from recipes.mini.architecture import IMAGE
from recipes.mini.flickr8k_coco import Flickr8kCoco

SPACES = ("dinov2-s14", "joint")
INPUTS = {
    "text": "two dogs",
    "seg": np.full((50, 60), 193),
    "edges": Image.fromarray(np.eye(80, dtype=np.uint8) * 255),
    "boxes": [Box(0.1, 0.2, 0.5, 0.9, "dog"), Box(0, 0, 1, 1, "person")],
    "palette": [(250, 10, 10), (0, 0, 90)],
    "metadata": {"brightness": 100.0, "n_humans": 2},
}


def test_the_model_loads_and_reads_all_inputs_in_both_spaces(made):
    model = load_model(str(made.bundle), dtype="float32")
    photo = Image.open(made.data.captioned[0].path)
    samples = [{name: value} for name, value in {**INPUTS, "image": photo}.items()]
    samples += [INPUTS, {"image": photo, "text": "a cat"}]
    found = model.embed_spaces([model.prepare(sample) for sample in samples], spaces=SPACES)
    assert found.keys() == {*SPACES}
    for vectors in found.values():
        assert len(vectors) == len(samples)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert len(np.unique(vectors.round(4), axis=0)) == len(samples)


def test_photos_are_embedded_as_by_the_teacher(made):
    shipped = load_fm(made.bundle / "model", inputs=[IMAGE], outputs=[])
    pixels = [square_pixels(Image.open(photo.path)) for photo in made.data.captioned[:6]]
    normal = imagenet_normalised(torch.from_numpy(np.stack(pixels)))
    with torch.inference_mode():
        read = shipped.encode({IMAGE: ModalityInput(normal)}).tokens[:, 0]
    seen = made.run.load("features/captioned")["cls"][:6]
    # The shipped weights are int8.
    assert torch.cosine_similarity(read, seen).min() > 0.999


def test_what_is_kept_of_the_former_folder_stays_byte_by_byte(made):
    before, _ = stored_tensors(made.former / "model" / "model.safetensors")
    after, _ = stored_tensors(made.bundle / "model" / "model.safetensors")
    assert all(torch.equal(tensor, before[name]) for name, tensor in after.items())
    assert {n for n in before if n.startswith("enc")} == {n for n in after if n.startswith("enc")}
    for name in ("transform.safetensors", "tok_semseg/model.safetensors"):
        assert filecmp.cmp(made.former / name, made.bundle / name, shallow=False)
    assert filecmp.cmp(
        made.former / "readout_edges.safetensors",
        made.bundle / "heads" / "dinov2-s14-edges.safetensors",
        shallow=False,
    )


def test_both_blocks_of_a_photo_have_the_same_length(made):
    model = load_model(str(made.bundle), dtype="float32")
    photo = Image.open(made.data.captioned[0].path)
    vector = model.embed_spaces([model.prepare({"image": photo})], spaces=SPACES)["joint"][0]
    first, second = model.manifest.spaces["joint"].readouts["image"].blocks
    assert np.allclose(np.linalg.norm(vector[:first]), np.linalg.norm(vector[first:]), atol=1e-5)
    assert len(vector) == first + second


def test_a_text_says_nothing_of_the_shape(made):
    model = load_model(str(made.bundle), dtype="float32")
    vector = model.embed_spaces([model.prepare({"text": "a cat"})], spaces=SPACES)["joint"][0]
    first = model.manifest.spaces["joint"].readouts["image"].blocks[0]
    assert np.allclose(vector[first:], 0, atol=1e-6)


def test_words_of_held_out_texts_do_not_count(made):
    with TensorFile(made.bundle / "heads" / "joint-text.safetensors") as file:
        counted = int((file.read()["idf"] > 0).sum())
    ids = made.run.load("texts/captioned")
    trained = made.run.load("split")["train"]
    seen = ids["ids"][torch.isin(ids["photo"], trained)].unique()
    assert 0 < counted <= len(seen) + 20


def test_held_out_photos_are_not_trained_on(made):
    kept = made.run.load("split")["coco_panoptic"]
    photos = set(made.run.load("features/coco_panoptic")["photo"][kept].tolist())
    assert photos == {1, 2, 4, 5, 7, 8, 9}


def test_a_stage_that_is_run_too_early_says_what_is_missing(made, tmp_path):
    with pytest.raises(CheckpointError, match=r"teacher\.safetensors does not exist"):
        features.extract(Run(tmp_path), made.data)


def test_a_model_folder_too_large_to_ship_is_refused(made, tmp_path):
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "README.md").write_text("a model card")
    with pytest.raises(BadInput, match="reduce the vocabulary"):
        export.write(made.run, made.former, tmp_path / "large", most_bytes=1000)
    assert [path.name for path in tmp_path.rglob("*")] == ["large", "README.md"]


def test_the_shipped_size_is_bounded():
    assert export.MOST_BYTES <= 60_000_000


def test_a_folder_without_captions_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"captions\.jsonl does not exist"):
        Flickr8kCoco(tmp_path)

"""The recipe of mini, first stage to a bundle that loads, on a handful of made-up photos."""

import numpy as np
import pytest
import torch
from PIL import Image

from fourm import load_model
from fourm.errors import BadInput, CheckpointError
from fourm.imagenet import imagenet_normalised
from fourm.modalities.pixels import square_pixels
from fourm.training import export, features, joint
from fourm.training.architecture import IMAGE
from fourm.training.run import Run
from fourm.transformer import load_fm
from fourm.transformer.embeddings import ModalityInput


def test_the_bundle_loads_and_reads_every_kind(made):
    model = load_model(str(made[1]), dtype="float32")
    photo = Image.open(sorted((made[0].data / "flickr8k" / "images").iterdir())[0])
    seg = np.full((50, 60), 193)
    samples = [{"text": "two dogs"}, {"image": photo}, {"seg": seg}, {"text": "a cat", "seg": seg}]
    vectors = model.embed([model.prepare(sample) for sample in samples])
    assert vectors.shape == (4, 383)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_picture_is_read_as_the_teacher_sees_it(made):
    run, bundle, _ = made
    shipped = load_fm(bundle / "model", inputs=[IMAGE], outputs=[])
    folder = run.data / "flickr8k" / "images"
    pixels = [square_pixels(Image.open(folder / f"photo{i}.jpg")) for i in range(6)]
    normal = imagenet_normalised(torch.from_numpy(np.stack(pixels)))
    with torch.inference_mode():
        read = shipped.encode({IMAGE: ModalityInput(normal)}).tokens[:, 0]
    seen = run.load("features/flickr8k")["cls"][:6]
    # The teacher was run in bfloat16 and the shipped weights are int8.
    assert torch.cosine_similarity(read, seen).min() > 0.999


def test_held_out_photos_are_not_trained_on(made):
    run = made[0]
    kept = run.load("split")["panoptic"]
    photos = set(run.load("features/coco_panoptic")["photo"][kept].tolist())
    assert photos == {1, 2, 4, 5, 7, 8, 9}


def test_the_image_side_stays_the_teachers(made):
    trained = made[0].load("joint")
    assert not any(name.startswith("model.encoder.") for name in trained)
    assert "model.register_tokens" not in trained


def test_an_interrupted_training_goes_on_where_it_was(made, monkeypatch):
    run, _, language = made
    monkeypatch.setattr(joint, "SAVE_EVERY", 1)
    taken = []
    monkeypatch.setattr(joint, "_follow", lambda *arguments: taken.append(arguments))
    joint.train(run, language, steps=5)
    assert len(taken) == 3


def test_a_stage_that_comes_too_early_says_what_is_missing(tmp_path):
    with pytest.raises(CheckpointError, match=r"teacher\.safetensors does not exist"):
        features.extract(Run(tmp_path, tmp_path))


def test_a_bundle_too_large_to_ship_is_refused(made, monkeypatch, tmp_path):
    run, _, language = made
    monkeypatch.setattr(export, "MOST_BYTES", 1000)
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "README.md").write_text("what was there")
    with pytest.raises(BadInput, match="lower VOCABULARY"):
        export.write(run, language, tmp_path / "large")
    assert [path.name for path in tmp_path.rglob("*")] == ["large", "README.md"]

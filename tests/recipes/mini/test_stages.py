"""The stages of the recipe, up to a model folder that loads, on a few synthetic photos."""

import numpy as np
import pytest
import torch
from PIL import Image

from fourm import load_model
from fourm.errors import BadInput, CheckpointError
from fourm.imagenet import imagenet_normalised
from fourm.modalities.pixels import square_pixels
from fourm.training.run import Run
from fourm.transformer import load_fm
from fourm.transformer.embeddings import ModalityInput
from recipes.mini import export, features, joint
from recipes.mini.architecture import IMAGE
from recipes.mini.flickr8k_coco import Flickr8kCoco


def test_the_model_loads_and_embeds_all_inputs(made):
    model = load_model(str(made.bundle), dtype="float32")
    photo = Image.open(made.data.captioned[0].path)
    seg = np.full((50, 60), 193)
    samples = [{"text": "two dogs"}, {"image": photo}, {"seg": seg}, {"text": "a cat", "seg": seg}]
    vectors = model.embed([model.prepare(sample) for sample in samples])
    assert vectors.shape == (4, 383)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_photos_are_embedded_as_by_the_teacher(made):
    shipped = load_fm(made.bundle / "model", inputs=[IMAGE], outputs=[])
    pixels = [square_pixels(Image.open(photo.path)) for photo in made.data.captioned[:6]]
    normal = imagenet_normalised(torch.from_numpy(np.stack(pixels)))
    with torch.inference_mode():
        read = shipped.encode({IMAGE: ModalityInput(normal)}).tokens[:, 0]
    seen = made.run.load("features/captioned")["cls"][:6]
    # The teacher was run in bfloat16 and the shipped weights are int8.
    assert torch.cosine_similarity(read, seen).min() > 0.999


def test_held_out_photos_are_not_trained_on(made):
    kept = made.run.load("split")["coco_panoptic"]
    photos = set(made.run.load("features/coco_panoptic")["photo"][kept].tolist())
    assert photos == {1, 2, 4, 5, 7, 8, 9}


def test_the_encoder_stays_that_of_the_teacher(made):
    trained = made.run.load("joint")
    assert not any(name.startswith("model.encoder.") for name in trained)
    assert "model.register_tokens" not in trained


def test_interrupted_training_resumes_at_its_checkpoint(made, monkeypatch):
    steps = []
    monkeypatch.setattr(joint, "update_average", lambda *arguments: steps.append(arguments))
    joint.train(made.run, made.data, made.language, steps=5, save_every=1)
    assert len(steps) == 3


def test_a_stage_that_is_run_too_early_says_what_is_missing(made, tmp_path):
    with pytest.raises(CheckpointError, match=r"teacher\.safetensors does not exist"):
        features.extract(Run(tmp_path), made.data)


def test_a_model_folder_too_large_to_ship_is_refused(made, tmp_path):
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "README.md").write_text("a model card")
    with pytest.raises(BadInput, match="reduce the vocabulary"):
        export.write(made.run, made.data, made.language, tmp_path / "large", most_bytes=1000)
    assert [path.name for path in tmp_path.rglob("*")] == ["large", "README.md"]


def test_the_shipped_size_is_bounded():
    assert export.MOST_BYTES <= 48_000_000


def test_a_folder_without_captions_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"captions\.jsonl does not exist"):
        Flickr8kCoco(tmp_path)

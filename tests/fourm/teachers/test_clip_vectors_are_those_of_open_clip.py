"""Pooled patch tokens, CLIP's own embedding and text, compared with open_clip's computation."""

import numpy as np
import open_clip
import pytest
import torch

from fourm import BadInput
from fourm.imagenet import IMAGENET_MEAN, IMAGENET_STD
from fourm.teachers import ClipTeacher
from tests.fourm.teachers.small_teachers import CLIP_CONFIG, noise, save_clip, small_clip

OPENAI_MEAN, OPENAI_STD = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_clip(tmp_path_factory.mktemp("clip") / "weights")


def normalised(pixels, mean, std):
    return (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)


def pooled_by_hand(visual, pixels):
    """Every step of the tower, and the projection of each patch token before the mean."""
    x = visual.conv1(pixels).flatten(2).permute(0, 2, 1)
    cls = visual.class_embedding.expand(len(x), 1, -1)
    x = visual.ln_pre(torch.cat([cls, x], dim=1) + visual.positional_embedding)
    x = visual.ln_post(visual.transformer(x))
    grid = (x[:, 1:] @ visual.proj).permute(0, 2, 1).reshape(len(x), -1, 7, 7)
    return grid.mean(dim=(2, 3))


@torch.no_grad()
def test_the_clip_vector_is_the_mean_of_the_projected_patch_tokens(folder):
    vectors = ClipTeacher(folder, dtype="float32").embed_pixels(noise())
    expected = pooled_by_hand(small_clip().visual, normalised(noise(), IMAGENET_MEAN, IMAGENET_STD))
    torch.testing.assert_close(vectors, expected, atol=2e-5, rtol=1e-5)
    assert vectors.shape == (3, CLIP_CONFIG["embed_dim"])


@torch.no_grad()
def test_pixels_may_be_normalised_as_clips_own(folder):
    vectors = ClipTeacher(folder, dtype="float32", pixels="clip").embed_pixels(noise())
    expected = pooled_by_hand(small_clip().visual, normalised(noise(), OPENAI_MEAN, OPENAI_STD))
    torch.testing.assert_close(vectors, expected, atol=2e-5, rtol=1e-5)
    assert not torch.allclose(vectors, ClipTeacher(folder, dtype="float32").embed_pixels(noise()))


@torch.no_grad()
def test_the_joint_vector_is_clips_own_embedding(folder):
    for pixels in ("imagenet", "clip"):
        teacher = ClipTeacher(folder, dtype="float32", pixels=pixels)
        expected = small_clip().encode_image(normalised(noise(), OPENAI_MEAN, OPENAI_STD))
        vectors = teacher.embed_pixels(noise(), "clip_joint")
        torch.testing.assert_close(vectors, expected, atol=2e-5, rtol=1e-5)


@torch.no_grad()
def test_words_are_read_by_the_text_tower(folder):
    texts = ["two dogs in the snow", "a red bicycle", "x " * 200]
    vectors = ClipTeacher(folder, dtype="float32").embed_texts(texts)
    tokens = open_clip.get_tokenizer("ViT-B-16")(texts)
    expected = small_clip().encode_text(tokens, normalize=True)
    units = torch.nn.functional.normalize(vectors, dim=1)
    torch.testing.assert_close(units, expected, atol=2e-5, rtol=1e-5)
    assert not torch.allclose(units[0], units[1], atol=0.1)


@torch.no_grad()
def test_the_gelu_is_the_configs(tmp_path):
    plain = {**CLIP_CONFIG, "quick_gelu": False}
    quick = ClipTeacher(save_clip(tmp_path / "quick"), dtype="float32")
    other = ClipTeacher(save_clip(tmp_path / "plain", config=plain), dtype="float32")
    assert not torch.allclose(quick.embed_pixels(noise()), other.embed_pixels(noise()), atol=1e-3)
    expected = small_clip(quick_gelu=False)
    tokens = open_clip.get_tokenizer("ViT-B-16")(["a dog"])
    torch.testing.assert_close(
        other.embed_texts(["a dog"]), expected.encode_text(tokens), atol=2e-5, rtol=1e-5
    )
    assert quick.space_fingerprint("clip") != other.space_fingerprint("clip")


def test_half_precision_is_near(folder):
    exact = ClipTeacher(folder, dtype="float32").embed_pixels(noise())
    near = ClipTeacher(folder, dtype="bfloat16").embed_pixels(noise())
    assert near.dtype == torch.float32
    assert torch.cosine_similarity(exact, near).min() > 0.999


@pytest.mark.parametrize(
    "pixels",
    [
        torch.zeros(1, 3, 224, 224, dtype=torch.uint8),
        torch.zeros(1, 3, 64, 64),
        torch.zeros(3, 224),
    ],
)
def test_other_pixels_are_refused(folder, pixels):
    with pytest.raises(BadInput, match="float32"):
        ClipTeacher(folder, dtype="float32").embed_pixels(pixels)


def test_another_normalisation_is_refused():
    with pytest.raises(BadInput, match="imagenet, clip"):
        ClipTeacher(pixels="half")


def test_what_is_done_is_told(folder):
    spaces = ClipTeacher(folder).spaces
    assert list(spaces) == ["clip_joint", "clip"]
    assert {space.dim for space in spaces.values()} == {24}
    assert "ImageNet" in spaces["clip"].preprocessing
    assert "patch tokens" in spaces["clip"].preprocessing
    assert "CLIP's mean" in spaces["clip_joint"].preprocessing
    assert "CLIP's mean" in ClipTeacher(folder, pixels="clip").spaces["clip"].preprocessing
    assert np.unique([s.teacher for s in spaces.values()]).tolist() == ["clip-b16"]

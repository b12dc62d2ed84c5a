"""The class token as timm computes it, and positions as DINOv2 resizes them."""

import json
import math

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

import fourm
from fourm.checkpoints import Checkpoint
from fourm.imagenet import imagenet_normalised
from fourm.teachers import Dinov2Teacher
from fourm.teachers.dinov2 import resized_positions
from tests.fourm.teachers.small_teachers import (
    as_arrays,
    noise,
    save_dinov2,
    small_dinov2,
    tensors,
)


def normalised(pixels):
    return imagenet_normalised(pixels * 255)


@torch.no_grad()
def test_the_vector_is_timms_class_token(tmp_path):
    vectors = Dinov2Teacher(save_dinov2(tmp_path / "weights"), dtype="float32").embed_pixels(
        noise()
    )
    expected = small_dinov2().forward_features(normalised(noise()))[:, 0]
    torch.testing.assert_close(vectors, expected, atol=2e-5, rtol=1e-5)
    assert not torch.allclose(vectors[0], vectors[1], atol=1e-2)


def positions_as_dinov2(table, grid):
    """A loop over the bicubic kernel: source place (i + 0.5) / scale - 0.5, a = -0.75."""
    first, patches = table[0, :1], table[0, 1:]
    old = math.isqrt(len(patches))
    scale = (grid + 0.1) / old
    weights = np.zeros((grid, old))
    for i in range(grid):
        place = (i + 0.5) / scale - 0.5
        for j in range(math.floor(place) - 1, math.floor(place) + 3):
            d = abs(place - j)
            a = -0.75
            if d <= 1:
                w = (a + 2) * d**3 - (a + 3) * d**2 + 1
            else:
                w = a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
            weights[i, min(max(j, 0), old - 1)] += w
    table = patches.double().numpy().reshape(old, old, -1)
    resized = np.einsum("ai,bj,ijd->abd", weights, weights, table).reshape(grid * grid, -1)
    return np.concatenate([first.double().numpy(), resized])


def test_positions_are_resized_as_dinov2_does_it():
    table = torch.randn(1, 1 + 37 * 37, 8, generator=torch.Generator().manual_seed(0))
    resized = resized_positions(table, 16)
    assert resized.shape == (1, 257, 8)
    np.testing.assert_allclose(resized[0].numpy(), positions_as_dinov2(table, 16), atol=1e-4)


@torch.no_grad()
def test_a_network_for_518_pixels_reads_224(tmp_path):
    large = small_dinov2(img_size=518)
    small = small_dinov2()
    state = tensors(large)
    state["pos_embed"] = resized_positions(state["pos_embed"], 16)
    small.load_state_dict(state)
    teacher = Dinov2Teacher(save_dinov2(tmp_path / "weights", large), dtype="float32")
    expected = small.forward_features(normalised(noise()))[:, 0]
    torch.testing.assert_close(teacher.embed_pixels(noise()), expected, atol=2e-5, rtol=1e-5)


@torch.no_grad()
def test_it_reads_what_minis_encoder_reads(tmp_path):
    """mini's encoder is a DINOv2 ViT-S/14 for 224 pixels: the same network in fourm's own code."""
    mini = fourm.load_model("mini", dtype="float32")
    with Checkpoint.open(mini.manifest.locate("model")).tensors() as file:
        state = as_timms(file.read())
    folder = tmp_path / "weights"
    folder.mkdir()
    save_file(state, folder / "model.safetensors")
    config = {"architecture": "vit_small_patch14_dinov2", "num_features": 384}
    (folder / "config.json").write_text(json.dumps(config))
    arrays, exact = as_arrays(noise())
    vectors = Dinov2Teacher(folder, dtype="float32").embed_pixels(exact)

    from fourm.model.heads import Head

    transform = Head(mini.manifest.locate("transform.safetensors"))
    expected = mini.embed([mini.prepare({"image": array}) for array in arrays])
    found = torch.nn.functional.normalize(transform(vectors), dim=1)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)


def as_timms(state):
    """fourm's names -> timm's; what fourm keeps folded together becomes neutral in timm."""
    network = timm.create_model("vit_small_patch14_dinov2", img_size=224, num_classes=0)
    rgb = "encoder_embeddings.rgb@224."
    renamed = {
        "cls_token": state["register_tokens"],
        "pos_embed": torch.cat([torch.zeros(1, 1, 384), state[rgb + "pos_emb"]], dim=1),
        "patch_embed.proj.weight": state[rgb + "proj.weight"]
        .reshape(384, 14, 14, 3)
        .permute(0, 3, 1, 2),
        "patch_embed.proj.bias": state[rgb + "mod_emb"].flatten(),
        "norm.weight": state["encoder_norm.weight"],
        "norm.bias": state["encoder_norm.bias"],
    }
    for name, value in network.state_dict().items():
        if "gamma" in name:
            renamed[name] = torch.ones_like(value)
        elif name.startswith("blocks."):
            renamed[name] = state["encoder." + name.removeprefix("blocks.")]
    return {name: value.contiguous() for name, value in renamed.items()}


def test_half_precision_is_near(tmp_path):
    folder = save_dinov2(tmp_path / "weights")
    exact = Dinov2Teacher(folder, dtype="float32").embed_pixels(noise())
    near = Dinov2Teacher(folder, dtype="bfloat16").embed_pixels(noise())
    assert torch.cosine_similarity(exact, near).min() > 0.999


def test_the_defaults_are_vit_b14_at_its_official_size():
    """Shapes alone: what a bare file has to hold."""
    from fourm.teachers.dinov2 import ARCHITECTURE, WIDTH

    with torch.device("meta"):
        network = timm.create_model(ARCHITECTURE, img_size=224, num_classes=0)
    assert network.num_features == WIDTH == 768
    assert network.patch_embed.grid_size == (16, 16)
    assert network.num_prefix_tokens == 1


@pytest.mark.parametrize("shape", [(1, 1, 8), (1, 10 + 1, 8), (3, 8)])
def test_positions_without_a_square_grid_are_left_to_the_strict_check(shape):
    table = torch.zeros(shape)
    assert resized_positions(table, 16) is table

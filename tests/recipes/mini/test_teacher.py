"""The teacher's backbone as the model's encoder."""

import torch
import torch.nn.functional as F

from fourm.transformer.embeddings import ModalityInput
from recipes.mini import teacher
from recipes.mini.architecture import IMAGE, image_encoder


def backbone(dim=64, depth=2):
    """A DINOv2 backbone as `read_onnx` returns it, with LayerScale and random weights."""
    generator = torch.Generator().manual_seed(0)

    def tensor(*shape):
        return torch.randn(*shape, generator=generator) * 0.2

    weights = {
        "embeddings.patch_embeddings.projection.weight": tensor(dim, 3, 14, 14) * 0.1,
        "embeddings.patch_embeddings.projection.bias": tensor(dim),
        "positions": tensor(1, 37 * 37, dim),
        "cls_with_position": tensor(1, 1, dim),
        "layernorm.weight": tensor(dim),
        "layernorm.bias": tensor(dim),
    }
    for i in range(depth):
        name = f"encoder.layer.{i}."
        shapes = {"attention.output.dense": (dim, dim), "mlp.fc1": (4 * dim, dim)}
        shapes |= {f"attention.attention.{n}": (dim, dim) for n in ("query", "key", "value")}
        shapes["mlp.fc2"] = (dim, 4 * dim)
        for layer, shape in shapes.items():
            weights[f"{name}{layer}.weight"] = tensor(*shape)
            weights[f"{name}{layer}.bias"] = tensor(shape[0])
        for half in "12":
            weights[f"{name}norm{half}.weight"] = 1 + tensor(dim)
            weights[f"{name}norm{half}.bias"] = tensor(dim)
            weights[f"{name}layer_scale{half}.lambda1"] = tensor(dim)
    return weights


def dinov2(w, pixels):
    """DINOv2 with LayerScale and one head, as published."""
    patches = F.conv2d(
        pixels,
        w["embeddings.patch_embeddings.projection.weight"],
        w["embeddings.patch_embeddings.projection.bias"],
        stride=14,
    )
    dim = patches.shape[1]
    grid = w["positions"].view(1, 37, 37, dim).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(16, 16), mode="bicubic", align_corners=False)
    h = torch.cat([w["cls_with_position"], (patches + grid).flatten(2).transpose(1, 2)], 1)
    for i in range(2):
        p = f"encoder.layer.{i}."

        def linear(x, name, p=p):
            return F.linear(x, w[f"{p}{name}.weight"], w[f"{p}{name}.bias"])

        def norm(x, half, p=p):
            return F.layer_norm(
                x, (dim,), w[f"{p}norm{half}.weight"], w[f"{p}norm{half}.bias"], 1e-6
            )

        u = norm(h, 1)
        q, k, v = (linear(u, f"attention.attention.{n}") for n in ("query", "key", "value"))
        attention = (q @ k.transpose(1, 2) / dim**0.5).softmax(-1) @ v
        scaled = linear(attention, "attention.output.dense") * w[p + "layer_scale1.lambda1"]
        h = h + scaled
        inner = F.gelu(linear(norm(h, 2), "mlp.fc1"))
        h = h + linear(inner, "mlp.fc2") * w[p + "layer_scale2.lambda1"]
    return F.layer_norm(h, (dim,), w["layernorm.weight"], w["layernorm.bias"], 1e-6)


def test_the_encoder_is_the_backbone_with_its_layer_scale_folded_in():
    weights = backbone()
    pixels = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    model = image_encoder(teacher.encoder_state(weights))
    with torch.inference_mode():
        tokens = model.encode({IMAGE: ModalityInput(pixels)}).tokens
    assert torch.allclose(tokens, dinov2(weights, pixels), atol=1e-4)

"""Tokens exact, numbers within 2e-4, for every recorded tokenizer without diffusion."""

import pytest
import torch

from fourm.tokenizers.loading import load_tokenizer
from tests.fourm.recorded import assert_close, model_folder, recorded


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("models")
    return lambda name, **parts: load_tokenizer(model_folder(name, scratch), **parts)


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.no_grad():
        yield


def test_clip_feature_maps(load):
    tokenizer, want = load("vq_clip_nano"), recorded("tok/vq_clip_nano.safetensors")
    # Position embeddings of 448 pixels, interpolated for 224.
    assert_close(tokenizer.latents(want["x"]), want["h"])
    assert torch.equal(tokenizer.encode(want["x"]).int(), want["tokens"])
    assert_close(tokenizer.quantised(want["tokens"]), want["quant"])
    decoded = tokenizer.decode_tokens(want["tokens_in"])
    assert_close(decoded, want["decoded"])


@pytest.mark.parametrize("name", ["vq_dinov2_global_nano", "vq_imagebind_global_nano"])
def test_global_embeddings(load, name):
    tokenizer, want = load(name), recorded(f"tok/{name}.safetensors")
    tokens = tokenizer.encode(want["x"])
    assert torch.equal(tokens.int(), want["tokens"])
    quantised = tokenizer.quantised(tokens)
    assert_close(quantised, want["embedding_of_tokens"])
    assert_close(quantised, want["quant"])
    assert_close(tokenizer.decode_tokens(tokens), want["decoded"])
    heads, count, width = want["values_sample"].shape
    every = torch.arange(count)[:, None].expand(-1, heads)
    values = tokenizer.quantize.decode(every).view(count, heads, width)
    assert_close(values.transpose(0, 1), want["values_sample"])


def test_human_poses(load):
    tokenizer, want = load("vq_human_poses_nano"), recorded("tok/vq_human_poses_nano.safetensors")
    assert torch.equal(tokenizer.encode(want["x"]).int(), want["tokens_raw"].flatten(1))
    decoded = tokenizer.decode_tokens(want["tokens_raw"])
    assert_close(decoded, want["decoded"].flatten(1))


def test_sam_instances(load):
    tokenizer, want = load("vq_sam_instance_nano"), recorded("tok/vq_sam_instance_nano.safetensors")
    assert torch.equal(tokenizer.encode(want["x"]).int(), want["tokens"])
    decoded = tokenizer.decode_tokens(want["tokens"])
    assert_close(decoded, want["decoded_logits"])


def test_segmentation_maps(load):
    tokenizer, want = load("vq_semseg_nano"), recorded("tok/vq_semseg_nano.safetensors")
    assert torch.equal(tokenizer.encode(want["x"]).int(), want["tokens"])
    assert torch.equal(tokenizer.encode(want["x64"]).int(), want["tokens64"])
    assert_close(tokenizer.quantised(want["tokens"]), want["quant"])
    decoded = tokenizer.decode_tokens(want["tokens"])
    assert_close(decoded[:1], want["decoded"])
    assert torch.equal(decoded.argmax(1).int(), want["labels"])


@pytest.mark.slow
def test_global_embeddings_at_the_official_size(load):
    name = "true_DINOv2-B14-global_8k_16_224"
    tokenizer, want = load(name), recorded(f"true/{name}.safetensors")
    assert torch.equal(tokenizer.encode(want["x"]).int(), want["tokens"])
    decoded = tokenizer.decode_tokens(want["tokens"])
    assert_close(decoded, want["decoded"])


@pytest.mark.parametrize("name", ["vq_imagebind_global_nano", "vq_sam_instance_nano"])
def test_half_a_tokenizer(load, name):
    want = recorded(f"tok/{name}.safetensors")
    whole = load(name)
    tokens = load(name, decode=False).encode(want["x"])
    assert torch.equal(tokens.int(), want["tokens"])
    decoded = load(name, encode=False).decode_tokens(tokens)
    assert torch.equal(decoded, whole.decode_tokens(tokens))

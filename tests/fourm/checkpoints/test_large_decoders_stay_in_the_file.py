"""A vectors' decoder that is read for one call at a time, not kept in memory."""

import os
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from fourm.checkpoints.streamed import Streamed
from fourm.errors import CheckpointError
from fourm.tokenizers.loading import load_tokenizer
from tests.fourm.recorded import assert_close, model_folder, recorded

NAME = "vq_imagebind_global_nano"


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(model_folder(NAME, tmp_path / "recorded"), tmp_path / NAME)


def streamed(part):
    return [name for name, layer in part.named_modules() if isinstance(layer, Streamed)]


def test_it_decodes_as_the_one_in_memory(folder):
    want = recorded(f"tok/{NAME}.safetensors")
    tokenizer = load_tokenizer(folder, encode=False, stream=True)
    assert len(streamed(tokenizer.decoder.blocks)) == 2 * 2  # layers of blocks
    with torch.no_grad():
        decoded = tokenizer.decode_tokens(want["tokens"])
        kept = load_tokenizer(folder, encode=False).decode_tokens(want["tokens"])
    assert torch.equal(decoded, kept)
    assert_close(decoded, want["decoded"])


def test_it_holds_no_weights_between_calls(folder):
    tokenizer = load_tokenizer(folder, encode=False, stream=True)
    for _ in range(2):
        assert not any(".block." in name for name in tokenizer.state_dict())
        with torch.no_grad():
            tokenizer.decode_tokens(torch.zeros(1, 16, dtype=torch.int64))


def test_the_file_is_still_held_against_the_whole_tokenizer(folder):
    tensors = load_file(folder / "model.safetensors")
    del tensors["decoder.blocks.1.block.2.bias"]
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"decoder\.blocks\.1\.block\.2\.bias"):
        load_tokenizer(folder, encode=False, stream=True)


def test_layers_that_must_be_converted_are_kept(folder):
    tensors = load_file(folder / "model.safetensors")
    for name in tensors:
        if name.startswith("decoder.blocks.0."):
            tensors[name] = tensors[name].bfloat16()
    save_file(tensors, folder / "model.safetensors")
    tokenizer = load_tokenizer(folder, encode=False, stream=True)
    assert streamed(tokenizer.decoder.blocks) == ["1.block.0", "1.block.2"]


@pytest.mark.parametrize("change", ["gone", "another"])
def test_a_file_that_is_no_longer_the_same_is_refused(folder, change):
    tokenizer = load_tokenizer(folder, encode=False, stream=True)
    file = folder / "model.safetensors"
    if change == "gone":
        file.unlink()
    else:
        os.utime(file, ns=(0, 0))
    message = "cannot be read" if change == "gone" else "has changed since it was loaded"
    with pytest.raises(CheckpointError, match=message):
        tokenizer.decode_tokens(torch.zeros(1, 16, dtype=torch.int64))


def test_official_folders_use_it_on_the_cpu(tmp_path):
    from benchmarks.official_folder import write
    from fourm import load_4m

    model = load_4m(write(tmp_path, "tiny"), device="cpu", dtype="float32")
    blocks = model._spaces["dinov2"].decoder._tokenizer.get().decoder.blocks
    assert len(streamed(blocks)) == 2 * len(blocks) > 0

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from fourm.errors import BadInput, ConfigError, TensorMismatch
from fourm.tokenizers.bottleneck_mlp import parse_bottleneck_name
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.loading import build_tokenizer, load_tokenizer
from tests.fourm.recorded import model_folder

VECTOR = {
    "n_channels": 6,
    "enc_type": "BottleneckMLP/B_1-Wi_8",
    "dec_type": "BottleneckMLP/B_1-Wi_8",
    "quant_type": "memcodes",
    "codebook_size": 5,
    "num_codebooks": 4,
    "latent_dim": 8,
}
GRID = {
    "n_channels": 3,
    "n_labels": 7,
    "image_size": 32,
    "patch_size": 8,
    "enc_type": "vit_nano_enc",
    "dec_type": "vit_nano_dec",
    "codebook_size": 5,
    "latent_dim": 8,
}


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.tensor([[0, 1, 2, 5]]), "tokens must be between 0 and 4, got 5"),
        (torch.tensor([[0, -1, 2, 3]]), "tokens must be between 0 and 4, got -1"),
        (torch.tensor([[0, 1, 2]]), r"shape \(B, 4\), got \(1, 3\)"),
        (torch.tensor([0, 1, 2, 3]), r"shape \(B, 4\)"),
        (torch.zeros(1, 4), "must be integers, got torch.float32"),
        (torch.zeros(1, 4, dtype=torch.bool), "must be integers, got torch.bool"),
        (torch.zeros(1, 4, 2, 2, dtype=torch.long), r"shape \(B, 4\)"),
    ],
)
def test_invalid_tokens_of_a_vector(tokens, message):
    with pytest.raises(BadInput, match=message):
        build_tokenizer(VECTOR).decode_tokens(tokens)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.full((1, 2, 2), 5), "tokens must be between 0 and 4, got 5"),
        (torch.full((1, 2, 2), -3), "tokens must be between 0 and 4, got -3"),
        (torch.zeros(1, 7, dtype=torch.long), "7 tokens are not a square grid"),
        (torch.zeros(1, 2, 2, 2, dtype=torch.long), r"shape \(B, h, w\)"),
        (torch.zeros(1, 2, 2), "must be integers"),
    ],
)
def test_invalid_tokens_of_a_grid(tokens, message):
    with pytest.raises(BadInput, match=message):
        build_tokenizer(GRID).decode_tokens(tokens)


@pytest.mark.parametrize("shape", [(1, 5), (1, 6, 2, 1), (6,), (1, 6, 1)])
def test_invalid_vectors(shape):
    with pytest.raises(BadInput, match=r"takes \(B, 6\)"):
        build_tokenizer(VECTOR).encode(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(1, 4), (1, 4, 6), (1, 3, 5)])
def test_invalid_probabilities(shape):
    with pytest.raises(BadInput, match=r"shape \(B, 4, 5\)"):
        build_tokenizer(VECTOR).decode_soft(torch.zeros(shape))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.full((1, 8, 8), 7), "class ids must be 0 to 6, got 7 to 7"),
        (torch.full((1, 8, 8), -1), "class ids must be 0 to 6"),
        (torch.zeros(1, 8, 8), "integer class ids"),
        (torch.zeros(1, 1, 8, 8, dtype=torch.long), "integer class ids"),
        (torch.zeros(1, 8, 12, dtype=torch.long), "multiples of 8"),
        (torch.zeros(1, 0, 8, dtype=torch.long), "multiples of 8"),
    ],
)
def test_invalid_label_maps(labels, message):
    with pytest.raises(BadInput, match=message):
        build_tokenizer(GRID).encode(labels)


def test_wrong_number_of_channels():
    with pytest.raises(BadInput, match=r"takes \(B, 3, H, W\)"):
        build_tokenizer({**GRID, "n_labels": None}).encode(torch.zeros(1, 4, 8, 8))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quant_type": "fsq"}, "quant_type"),
        ({"codebook_size": "many"}, "codebook_size"),
        ({"codebook_size": 0}, "codebook_size"),
        ({"latent_dim": 9}, "latent_dim 9 is not a multiple of num_codebooks 4"),
        ({"enc_type": "MLP/6-1024"}, "memcodes"),
        ({"enc_type": "BottleneckMLP/B_1"}, "not of the form"),
        ({"enc_type": "BottleneckMLP/B_1-Wi_0"}, "of 0"),
        ({"undo_std": True}, "undo_std needs images of 3 channels"),
        ({"quant_type": "lucid"}, "num_codebooks = 1"),
    ],
)
def test_invalid_configs(change, message):
    with pytest.raises(ConfigError, match=message):
        build_tokenizer({**VECTOR, **change})


@pytest.mark.parametrize(
    "change", [{"enc_type": "vit_q_enc"}, {"dec_type": "vit_b_enc"}, {"image_size": 30}]
)
def test_invalid_configs_of_a_grid(change):
    with pytest.raises(ConfigError):
        build_tokenizer({**GRID, **change})


def test_unknown_fields_are_ignored():
    config = TokenizerConfig.from_mapping({**GRID, "ckpt_path": "/etc/passwd", "ema_decay": 0.99})
    assert config == TokenizerConfig.from_mapping(GRID)


def test_names_of_bottleneck_sizes():
    assert parse_bottleneck_name("BottleneckMLP/B_6-Wi_1024") == (6, 1024, 4)
    assert parse_bottleneck_name("BottleneckMLP/B_0-Wi_384-E_2") == (0, 384, 2)


def test_a_file_with_other_tensors(tmp_path):
    source = model_folder("vq_imagebind_global_nano", tmp_path)
    tensors = load_file(source / "model.safetensors")
    tensors["quantize.codes"] = tensors["quantize.codes"][:, :-1].contiguous()
    tensors["decoder.extra"] = torch.zeros(1)
    del tensors["encoder.linear_in.bias"]
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text((source / "config.json").read_text())
    # A half that is not wanted is held to account all the same.
    with pytest.raises(TensorMismatch) as caught:
        load_tokenizer(tmp_path, encode=False)
    assert caught.value.unknown == ["decoder.extra"]
    assert caught.value.missing == ["encoder.linear_in.bias"]
    assert "quantize.codes" in caught.value.wrong[0]


def test_the_config_may_be_in_the_header_alone(tmp_path):
    source = model_folder("vq_human_poses_nano", tmp_path)
    config = json.loads((source / "config.json").read_text())
    tensors = load_file(source / "model.safetensors")
    header = {name: str(value) for name, value in config.items()}
    save_file(tensors, tmp_path / "model.safetensors", metadata=header)
    assert load_tokenizer(tmp_path).config == TokenizerConfig.from_mapping(config)


@pytest.mark.parametrize(("encode", "need"), [(True, "decoder"), (False, "encoder")])
def test_half_a_tokenizer_names_the_missing_half(encode, need):
    half = build_tokenizer(VECTOR, encode=encode, decode=not encode)
    with pytest.raises(ConfigError, match=f"loaded without its {need}"):
        if encode:
            half.decode_tokens(torch.zeros(1, 4, dtype=torch.long))
        else:
            half.encode(torch.zeros(1, 6))

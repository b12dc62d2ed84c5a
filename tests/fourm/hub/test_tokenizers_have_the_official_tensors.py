"""Names and shapes of all twelve released tokenizers, without their weights."""

import json

import pytest
import torch

from fourm.errors import ConfigError
from fourm.hub.official import official_tokenizer, tokenizers
from fourm.tokenizers.loading import build_tokenizer
from tests.fourm.recorded import FIXTURES, recorded_path

LISTS = sorted(path.name for path in (FIXTURES / "shapes").glob("4M_tokenizers_*.json"))


@pytest.mark.parametrize("name", LISTS)
def test_names_and_shapes(name):
    listed = json.loads(recorded_path(f"shapes/{name}").read_text())
    with torch.device("meta"):
        tokenizer = build_tokenizer(listed["config_guess"])
    ours = {key: list(value.shape) for key, value in tokenizer.state_dict().items()}
    assert ours == listed["tensors"]


@pytest.mark.parametrize("name", tokenizers())
def test_builders(name):
    listed = json.loads(recorded_path(f"shapes/{name}.json").read_text())
    with torch.device("meta"):
        tokenizer = official_tokenizer(name)
    ours = {key: list(value.shape) for key, value in tokenizer.state_dict().items()}
    assert ours == listed["tensors"]


def test_unknown_builders():
    with pytest.raises(ConfigError, match="known: 4M_tokenizers_semseg"):
        official_tokenizer("4M_tokenizers_smell")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_precisions_run(dtype):
    config = {"n_channels": 2, "image_size": 16, "patch_size": 8, "post_mlp": True}
    config |= {"enc_type": "vit_nano_enc", "dec_type": "vit_nano_dec", "codebook_size": 5}
    tokenizer = build_tokenizer(config).to(dtype).eval()
    with torch.no_grad():
        # Twice the stored grid, so that positions are resized in that precision, too.
        tokens = tokenizer.encode(torch.zeros(1, 2, 32, 32, dtype=dtype))
        decoded = tokenizer.decode_tokens(tokens)
    assert tokens.shape == (1, 4, 4)
    assert decoded.shape == (1, 2, 32, 32)
    assert decoded.dtype == dtype

"""A photo gives a tokenizer the same image, whether it takes -1 .. 1 or standardised pixels."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fourm.errors import BadInput
from fourm.modalities.image_tokens import IMAGE_TOKENS
from fourm.tokenizers.loading import build_tokenizer
from fourm.tokens import TokenSpec

CONFIG = {
    "image_size": 32,
    "patch_size": 8,
    "enc_type": "vit_nano_enc",
    "dec_type": "vit_nano_dec",
    "codebook_size": 64,
    "latent_dim": 6,
}


def test_tokens_of_a_photo(tmp_path):
    torch.manual_seed(0)
    tensors = build_tokenizer(CONFIG).state_dict()
    photo = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    tokens = []
    for undo in (False, True):
        folder = tmp_path / str(undo)
        folder.mkdir()
        save_file(tensors, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps({**CONFIG, "undo_std": undo}))
        spec = TokenSpec("tok_rgb@224", "img", 16, "sincos2d", 16, 64)
        reader = IMAGE_TOKENS.reader(spec, {"tokenizer": lambda folder=folder: folder})
        tokens.append(reader.batch([reader.prepare(photo)], torch.device("cpu")).content)
    assert torch.equal(*tokens)
    assert len(tokens[0].unique()) > 3


def test_other_channels_are_refused():
    tokenizer = build_tokenizer({**CONFIG, "undo_std": True})
    with pytest.raises(BadInput, match="takes"):
        tokenizer.encode(torch.zeros(1, 5, 32, 32))

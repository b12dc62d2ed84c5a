"""On the meta device a model has shapes alone; nothing is drawn, no compiler is imported."""

import subprocess
import sys

import torch

from fourm.tokenizers.loading import build_tokenizer
from fourm.transformer import fm_4m21_b

MEMCODES = {
    "n_channels": 8,
    "enc_type": "BottleneckMLP/B_2-Wi_16",
    "dec_type": "BottleneckMLP/B_2-Wi_16",
    "patch_proj": False,
    "quant_type": "memcodes",
    "codebook_size": 5,
    "num_codebooks": 2,
    "latent_dim": 8,
}

SCRIPT = """
import sys
import torch
from fourm.tokenizers.loading import build_tokenizer
from fourm.transformer import fm_4m21_b
with torch.device("meta"):
    fm_4m21_b()
    build_tokenizer({config})
print([name for name in ("torch._dynamo", "sympy", "triton") if name in sys.modules])
"""


def test_no_compiler_is_imported():
    script = SCRIPT.format(config=MEMCODES)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_everything_is_meta_there():
    with torch.device("meta"):
        modules = [fm_4m21_b(), build_tokenizer(MEMCODES)]
    assert all(value.is_meta for module in modules for value in module.state_dict().values())


def test_elsewhere_everything_is_drawn():
    from fourm.embeddings import input_embedding, target_embedding
    from fourm.modalities.registry import OFFICIAL

    embedding = input_embedding(OFFICIAL["tok_dinov2_global"], 8)
    target = target_embedding(OFFICIAL["tok_dinov2_global"], 8)
    for name, value in [*embedding.named_parameters(), *target.named_parameters()]:
        assert 0.001 < value.std() < 1.2, name
    codes = build_tokenizer(MEMCODES).quantize.codes
    assert 0.5 < codes.std() < 2

"""Models on the meta device have no values, and torch's compiler is not imported."""

import pytest
import torch

from fourm.hub.official import official_tokenizer, tokenizers
from fourm.tokens import OFFICIAL
from fourm.transformer import fm_4m21_b
from fourm.transformer.embeddings import input_embedding
from fourm.transformer.targets import target_embedding
from tests.processes import run_python

SCRIPT = """
import sys
import torch
from fourm.language.bert import Bert, BertConfig
from fourm.hub.official import official_tokenizer, tokenizers
from fourm.transformer import fm_4m21_b
with torch.device("meta"):
    fm_4m21_b()
    for name in tokenizers():
        official_tokenizer(name)
    Bert(BertConfig(9, 8, 1, heads=2, hidden=8, positions=4, segments=2, eps=1e-6))
print([name for name in ("torch._dynamo", "sympy", "triton") if name in sys.modules])
"""


@pytest.mark.skipif(
    torch.__version__.startswith("2.6."), reason="torch 2.6 imports sympy for any such layer"
)
def test_no_compiler_is_imported():
    done = run_python(SCRIPT)
    assert done.stdout.strip() == "[]", done.stderr


def test_all_tensors_are_on_the_meta_device():
    with torch.device("meta"):
        modules = [fm_4m21_b(), *(official_tokenizer(name) for name in tokenizers())]
    assert all(value.is_meta for module in modules for value in module.state_dict().values())


def test_parameters_are_initialised_on_other_devices():
    embedding = input_embedding(OFFICIAL["tok_dinov2_global"], 8)
    target = target_embedding(OFFICIAL["tok_dinov2_global"], 8)
    for name, value in [*embedding.named_parameters(), *target.named_parameters()]:
        assert 0.001 < value.std() < 1.2, name
    codes = official_tokenizer("4M_tokenizers_human-poses_1k_8").quantize.codes
    assert 0.9 < codes.std() < 1.1

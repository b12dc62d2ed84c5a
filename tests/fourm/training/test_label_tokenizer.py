"""Label maps as tokens."""

import torch
import torch.nn.functional as F

from fourm.training.label_tokenizer import (
    assemble,
    decode_cells,
    label_shares,
    label_tokenizer_config,
)

CONFIG = label_tokenizer_config(classes=133, codes=2048)


def test_each_token_depends_on_its_own_cell_alone():
    table = F.normalize(torch.randn(134, 64, generator=torch.Generator().manual_seed(0)), dim=-1)
    codes = torch.cat([table[1:], torch.randn(2048 - 133, 64)])
    model = assemble(CONFIG, table, F.normalize(codes, dim=-1))
    labels = torch.arange(64).view(8, 8).repeat_interleave(8, 0).repeat_interleave(8, 1)[None] + 1
    with torch.inference_mode():
        assert model.encode(labels).flatten().tolist() == list(range(64))


def test_shares_of_labels_in_a_cell_add_up_to_one():
    labels = torch.zeros(1, 64, 64, dtype=torch.uint8)
    labels[0, :8, :4] = 7
    shares = label_shares(CONFIG, labels)
    assert shares[0, 0, 7] == 0.5
    assert torch.allclose(shares.sum(-1), torch.ones(1, 64))


def test_a_decoder_of_cells_gives_each_class_back():
    table = F.normalize(torch.randn(134, 64, generator=torch.Generator().manual_seed(0)), dim=-1)
    model = assemble(CONFIG, table, torch.cat([table, torch.randn(2048 - 134, 64)]))
    decode_cells(model, table)
    labels = torch.arange(64).view(8, 8).repeat_interleave(8, 0).repeat_interleave(8, 1)[None] + 1
    with torch.inference_mode():
        decoded = model.decode_tokens(model.encode(labels)).argmax(1)
    assert torch.equal(decoded, labels)

"""Edge images as tokens."""

import torch

from fourm.modalities.pixels import centred
from fourm.training.edge_tokenizer import edge_tokenizer_config, fit_edge_tokenizer

CONFIG = edge_tokenizer_config(32, side=56, grid=8)


def drawings(count):
    """A line in each, at another place."""
    drawn = torch.zeros(count, 1, 56, 56, dtype=torch.uint8)
    for row in range(count):
        drawn[row, 0, row % 56] = 255
    return drawn


def test_the_first_code_is_a_cell_without_a_line():
    model = fit_edge_tokenizer(CONFIG, drawings(56), steps=2)
    with torch.no_grad():
        tokens = model.encode(centred(drawings(1)))[0]
    assert (tokens[1:] == 0).all()
    assert (tokens[0] != 0).all()


def test_lines_at_other_places_have_other_tokens():
    model = fit_edge_tokenizer(CONFIG, drawings(56), steps=2)
    with torch.no_grad():
        tokens = model.encode(centred(drawings(4)))
    assert len(tokens[:, 0, 0].unique()) == 4

"""An id becomes as frequent among the likeliest as it is in the data."""

import torch

from fourm.training.balance import balanced


def uncertain(count=2000):
    """Hidden vectors with a constant part, and ids of which 0 is the most frequent."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(count, 8, generator=generator)
    hidden[:, 0] = 3 + 0.1 * hidden[:, 0]
    wanted = (torch.rand(count, generator=generator) > 0.6).long()
    wanted *= 1 + (hidden[:, 1] > 0).long()
    rows = torch.zeros(3, 8)
    rows[0, 0], rows[1, 1], rows[2, 1] = 2.0, -1.0, 1.0
    return rows, hidden, wanted


def test_the_likeliest_ids_have_the_share_that_they_are_wanted_with():
    rows, hidden, wanted = uncertain()
    assert ((hidden @ rows.T).argmax(1) == 0).float().mean() > 0.95
    share = ((hidden @ balanced(rows, hidden, wanted, 0).T).argmax(1) == 0).float().mean()
    assert abs(share - (wanted == 0).float().mean()) < 0.01


def test_other_ids_keep_their_logits():
    rows, hidden, wanted = uncertain()
    assert torch.equal(balanced(rows, hidden, wanted, 0)[1:], rows[1:])

import torch

from fourm.training.optim import TEMPERATURE, info_nce


def test_other_targets_of_the_same_group_are_no_negatives():
    groups, rows = torch.tensor([0, 1, 1, 2]), torch.tensor([1])
    similarities = torch.tensor([[0.0, 1.0, 50.0, 0.0]]) * TEMPERATURE
    loss = info_nce(similarities, torch.eye(4), rows, groups)
    assert torch.isclose(loss, -torch.tensor([0.0, 1.0, 0.0]).log_softmax(0)[1])

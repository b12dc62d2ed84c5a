"""Random variations of label maps and drawings."""

import random

import numpy as np
import torch

from fourm.training.augmentation import vary_label_map
from fourm.training.edges import VERSIONS, edge_input


def test_label_maps_are_only_coarsened_shifted_confused_or_reduced():
    labels = torch.zeros(64, 64, dtype=torch.uint8)
    labels[10:30], labels[30:] = 5, 9
    rng = random.Random(0)
    varied = [vary_label_map(labels, [(9, 11)], rng) for _ in range(60)]
    assert {int(v) for one in varied for v in one.unique()} == {0, 5, 9, 11}
    assert any((one == labels).all() for one in varied)
    assert any((one == labels).float().mean() < 0.9 for one in varied)


def test_edges_in_all_versions_have_the_size_of_the_model_input():
    photo = np.random.default_rng(5).integers(0, 255, (224, 224, 3)).astype(np.uint8)
    versions = [edge_input(photo, name, random.Random(0)) for name in VERSIONS]
    assert {(one.shape, one.dtype.name) for one in versions} == {((1, 112, 112), "uint8")}
    assert all(one.max() > 100 for one in versions)

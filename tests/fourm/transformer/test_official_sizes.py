import json

import pytest
import torch

from fourm.transformer import fm_4m21_b, fm_4m21_l, fm_4m21_xl
from tests.fourm.recorded import recorded_path

BUILDERS = {"B": (fm_4m21_b, 842.6), "L": (fm_4m21_l, 1564), "XL": (fm_4m21_xl, 4540)}


@pytest.mark.parametrize("size", BUILDERS)
def test_names_and_shapes(size):
    build, _ = BUILDERS[size]
    with torch.device("meta"):
        state = build().state_dict()
    listed = json.loads(recorded_path(f"shapes/4M-21_{size}.json").read_text())
    assert {name: list(value.shape) for name, value in state.items()} == listed["tensors"]


@pytest.mark.parametrize("size", BUILDERS)
def test_number_of_parameters(size):
    build, millions = BUILDERS[size]
    with torch.device("meta"):
        values = sum(value.numel() for value in build().state_dict().values())
    assert values / 1e6 == pytest.approx(millions, rel=1e-3)


def test_a_query_loads_a_fraction_of_the_embeddings():
    with torch.device("meta"):
        query = fm_4m21_b(["caption"], ["tok_dinov2_global"]).state_dict()
    assert not [name for name in query if "tok_rgb@224" in name]
    assert sum(value.numel() for value in query.values()) < 240e6

import json

import pytest
import torch

from tests.fourm.recorded import recorded
from tests.fourm.recorded_inputs import inputs_of, metadata

TOLERANCE = 2e-4
CASES = [
    "encoder_caption",
    "encoder_everything_masked",
    "encoder_rgb",
    "encoder_rgb_caption_det_meta_t5",
    "encoder_semseg_caption",
]


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_every_stage_of_the_encoder(fm_mod21, case):
    name = f"fm/{case}.safetensors"
    stored = recorded(name)
    inputs = inputs_of(stored, json.loads(metadata(name)["modalities"]))

    embedded = fm_mod21.embed(inputs)
    encoded = fm_mod21.encode(inputs)

    masked = stored["enc/mask"][:, 0]
    mask = torch.zeros_like(masked) if encoded.mask is None else encoded.mask
    assert torch.equal(mask, masked)
    for ours, key in (
        (embedded.x + embedded.e, "x0"),
        (embedded.e, "emb"),
        (encoded.tokens, "out"),
        (encoded.context, "context"),
    ):
        difference = (ours - stored[f"enc/{key}"])[~masked].abs().max().item()
        assert difference < TOLERANCE, key


@torch.no_grad()
def test_the_order_of_modalities_does_not_matter(fm_mod21):
    name = "fm/encoder_rgb_caption_det_meta_t5.safetensors"
    stored = recorded(name)
    inputs = inputs_of(stored, json.loads(metadata(name)["modalities"]))
    backwards = dict(reversed(inputs.items()))
    one = fm_mod21.decode_logits(fm_mod21.encode(inputs), "tok_dinov2_global")
    other = fm_mod21.decode_logits(fm_mod21.encode(backwards), "tok_dinov2_global")
    assert (one - other).abs().max() < TOLERANCE

import json

import torch

from fourm.transformer.scoring import TargetTokens, score
from tests.fourm.recorded import recorded
from tests.fourm.recorded_inputs import inputs_of, metadata

TOLERANCE = 2e-4


@torch.no_grad()
def test_teacher_forced_pass_and_losses(fm_mod21):
    name = "fm/forward_train.safetensors"
    stored = recorded(name)
    about = metadata(name)
    names = json.loads(about["modalities"])
    targets = {
        modality: TargetTokens(
            stored[f"in/{modality}/tensor"].long(),
            stored[f"in/{modality}/target_mask"],
            stored[f"in/{modality}/decoder_attention_mask"].long(),
        )
        for modality in names
        if f"loss/{modality}" in stored
    }
    keep = int(about["num_encoder_tokens"]), int(about["num_decoder_tokens"])
    inputs = inputs_of(stored, names)

    encoded = fm_mod21.encode(inputs, keep[0])
    visible = ~stored["enc/mask"][:, 0]
    assert (encoded.tokens - stored["enc/out"])[visible].abs().max() < TOLERANCE

    scores = score(fm_mod21, inputs, targets, *keep)
    masked = stored["dec/mask"][:, 0]
    assert torch.equal(scores.masked, masked)
    assert torch.equal(scores.ids, stored["dec/target_ids"].long().masked_fill(masked, 0))
    assert (scores.y - stored["dec/y"])[~masked].abs().max() < TOLERANCE
    for modality in targets:
        logits = fm_mod21.target(modality).to_logits(scores.y)[~masked]
        best = logits.gather(-1, stored[f"logits/{modality}/top5_idx"].long()[~masked])
        assert (best - stored[f"logits/{modality}/top5_val"][~masked]).abs().max() < TOLERANCE
        lse = stored[f"logits/{modality}/lse"][~masked]
        assert (logits.logsumexp(-1) - lse).abs().max() < TOLERANCE
        assert (scores.losses[modality] - stored[f"loss/{modality}"]).abs() < TOLERANCE
    assert (scores.mean() - stored["loss_mod"]).abs() < TOLERANCE
    assert (scores.mean_by_size() - stored["loss_token"]).abs() < TOLERANCE

    # Of the modalities that come last, no token is kept: their loss is 0.
    few = score(fm_mod21, inputs, targets, keep[0], 2)
    first, *others = targets
    assert few.ids.shape[1] == 2
    assert few.losses[first] > 1
    assert all(few.losses[name] == 0 for name in others)
    assert few.mean() == few.losses[first] / len(targets)
    assert few.mean_by_size() == few.losses[first]

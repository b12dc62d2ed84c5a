import pytest
import torch

from fourm.generation import Branches, Sampler, TokenSampler
from fourm.generation.guidance import guided
from fourm.generation.images import TokenPositions, image_step, position_logits, with_tokens
from fourm.generation.sampling import Draw, probabilities
from fourm.transformer import sequence_logits
from tests.fourm.recorded import recorded
from tests.fourm.recorded_generation import (
    DRAWN,
    TOLERANCE,
    Recording,
    needs_recorded_draws,
    off_by,
)

# One sample drawn on the CPU repeats the reference's random stream, greedy ones need none.
DETERMINED = [
    "roar1_rgb_to_dinov2_global",
    "roar1_rgb_to_dinov2_global_topk1",
    "roar1_rgb_to_dinov2_global_notebook_seed0",
    "roar1_rgb_to_dinov2_global_T1_topk50",
    "roar1_rgb_to_imagebind_global",
    "roar1_caption_to_imagebind_global",
    "roar1_customtext_to_imagebind_global",
    "roar1_caption_metadata_to_dinov2_global",
    "roar1_rgb_to_tok_clip",
    "roar1_rgb_to_tok_dinov2",
    "roar4_rgb_to_dinov2_global",
    "maskgit3_semseg_to_clip",
    "cfg_rgb_to_dinov2_global",
    "cfg_t5_to_imagebind_global",
]
STEPS = [
    "roar4_rgb_to_dinov2_global",
    "maskgit3_semseg_to_clip",
    "maskgit4_rgb_to_dinov2_global",
    "maskgit4_rgb_to_dinov2_global_greedy",
]
SEQUENCES = [
    "ar_rgb_to_caption",
    "ar_rgb_to_det",
    "ar_rgb_to_human_poses",
    "ar_rgb_to_sam_instance",
    "ar_caption_to_color_palette",
    "ar_cfg_rgb_to_caption",
]


def generate(model, recording, **settings):
    settings = {**recording.settings, "seed": recording.seed, **settings}
    result = Sampler(model).generate(recording.sample(), recording.schedule, **settings)
    return result[recording.target]


@pytest.mark.parametrize("case", [*DETERMINED, *SEQUENCES])
def test_tokens(fm_mod21, case):
    recording = Recording(case)
    part = generate(fm_mod21, recording)
    if case in DRAWN:
        needs_recorded_draws()
    assert torch.equal(part.content, recording.result)
    assert torch.equal(part.input_mask, recording.stored[f"out/{recording.target}/input_mask"])
    assert part.target_mask.all()


@pytest.mark.parametrize("case", STEPS)
@torch.no_grad()
def test_logits_of_every_step(fm_mod21, case):
    """Each step is given what the reference had drawn before it."""
    recording = Recording(case)
    sample = recording.sample()
    part = sample.pop(recording.target)
    branches = Branches((sample,))
    last = len(recording.schedule) - 1
    for number in range(last + 1):
        positions = recording.step(number, "pass0/positions")
        predicted = TokenPositions(positions, None)
        logits = position_logits(fm_mod21, branches, recording.target, part, predicted)
        assert off_by(logits, recording.stored, f"step{number}/pass0") < TOLERANCE
        kept = torch.ones_like(positions, dtype=torch.bool)
        if "maskgit" in case and number < last:
            following = recording.step(number + 1, "pass0/positions")
            kept = ~(positions[:, :, None] == following[:, None]).any(-1)
        count = int(kept.sum(1)[0])
        predicted = TokenPositions(positions[kept].view(len(kept), count), None)
        drawn = recording.step(number, "samples")[kept].view(len(kept), count)
        part = with_tokens(part, predicted, drawn)
    assert torch.equal(part.content, recording.result)
    assert not part.input_mask.any()


class Recorded(TokenSampler):
    """Draws the recorded tokens, with the probabilities that the logits give them."""

    def __init__(self, tokens, confidence, **settings):
        super().__init__(**settings)
        self.tokens, self.confidence = tokens, confidence

    def draw(self, logits, temperature, padding=None):
        chances = probabilities(logits, temperature, self.top_k, self.top_p)
        confidence = chances.gather(-1, self.tokens[..., None])[..., 0]
        torch.testing.assert_close(confidence, self.confidence, atol=TOLERANCE, rtol=0)
        return Draw(self.tokens, confidence)


@pytest.mark.parametrize("case", ["maskgit4_rgb_to_dinov2_global", "maskgit3_semseg_to_clip"])
@torch.no_grad()
def test_maskgit_keeps_the_most_confident_tokens(fm_mod21, case):
    recording = Recording(case)
    sample = recording.sample()
    part = sample.pop(recording.target)
    for number, step in enumerate(recording.schedule):
        tokens, confidence = recording.step(number, "samples"), recording.step(number, "probs")
        draws = Recorded(tokens, confidence, **recording.settings)
        draws.begin(number, len(part.content), part.content.device)
        part = image_step(fm_mod21, Branches((sample,)), part, step, draws)
    assert torch.equal(part.content, recording.result)


@pytest.mark.parametrize("case", ["cfg_rgb_to_dinov2_global", "cfg_t5_to_imagebind_global"])
@torch.no_grad()
def test_conditional_and_unconditional_logits(fm_mod21, case):
    recording = Recording(case)
    sample = recording.sample()
    part = sample[recording.target]
    branches = guided(fm_mod21, sample, recording.schedule[0])
    assert branches.weights == (recording.schedule[0].guidance,)
    for number, encoded in enumerate(branches.encode(fm_mod21, recording.target, part)):
        logits = fm_mod21.decode_logits(encoded, recording.target)
        assert off_by(logits, recording.stored, f"pass{number}") < TOLERANCE


def test_a_text_ends_after_its_stop_token(fm_mod21):
    stored = recorded("gen/ar_rgb_to_caption_early_eos.safetensors")
    recording = Recording("ar_rgb_to_caption")
    part = generate(fm_mod21, recording, stop=int(stored["eos_token"]))
    short = stored["out"].shape[1]
    assert torch.equal(part.content[:1, :short], stored["out"].long())
    assert part.input_mask[0].tolist() == [False] * short + [True] * (13 - short)
    assert torch.equal(part.content[1], recording.result[1])


@pytest.mark.parametrize("case", SEQUENCES)
@torch.no_grad()
def test_one_causal_pass_predicts_the_same_sequence(fm_mod21, case):
    """As the reference at every token, over the whole prefix at once."""
    recording = Recording(case)
    sample = recording.sample()
    part = sample[recording.target]
    start = part.content[:, 1:2]
    prefix = torch.cat([start, recording.result[:, :-1]], dim=1)
    branches = guided(fm_mod21, sample, recording.schedule[0])
    logits = branches.combine(
        [
            sequence_logits(fm_mod21, encoded, recording.target, prefix)
            for encoded in branches.encode(fm_mod21, recording.target, part)
        ]
    )
    assert torch.equal(logits.argmax(-1), recording.result)

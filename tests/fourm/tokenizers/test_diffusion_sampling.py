import math

import pytest
import torch

from fourm.errors import BadInput, ConfigError
from fourm.tokenizers.diffusion.config import DiffusionConfig
from fourm.tokenizers.diffusion.sampling import DiffusionSampler
from fourm.tokenizers.diffusion.schedule import NoiseSchedule
from fourm.tokenizers.loading import build_tokenizer

SCHEDULES = ["linear", "scaled_linear", "squaredcos_cap_v2", "shifted_cosine:1.5"]
TINY = {
    "image_size": 32,
    "n_channels": 1,
    "enc_type": "vit_nano_enc",
    "dec_type": "unet_nano",
    "codebook_size": 5,
    "latent_dim": 8,
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("zero", [False, True])
def test_schedules_go_from_signal_to_noise(name, zero):
    kept = NoiseSchedule.named(name, 1000, zero).kept
    assert kept.shape == (1000,)
    assert kept[0] > 0.99
    assert (kept[1:] <= kept[:-1]).all()
    assert kept[-1] < 1e-2
    if zero or name.startswith("shifted"):
        assert kept[-1] == 0


def test_the_squared_cosine_follows_its_formula():
    kept = NoiseSchedule.named("squaredcos_cap_v2", 1000).kept

    def share(time):
        return math.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2

    assert kept[499].item() == pytest.approx(share(0.5) / share(0), rel=1e-4)


def test_a_shift_of_1_has_an_snr_of_1_half_way():
    kept = NoiseSchedule.named("shifted_cosine:1", 1001).kept
    assert kept[500].item() == pytest.approx(0.5, abs=1e-6)
    assert NoiseSchedule.named("shifted_cosine:2", 1001).kept[500].item() == pytest.approx(0.2)


@pytest.mark.parametrize("name", ["cosine", "shifted_cosine:x", "shifted_cosine:-1", ""])
def test_unknown_schedules(name):
    with pytest.raises(ConfigError, match="beta_schedule"):
        NoiseSchedule.named(name, 10)


@pytest.mark.parametrize(("count", "spacing"), [(0, "trailing"), (11, "leading"), (5, "even")])
def test_unknown_timesteps(count, spacing):
    with pytest.raises(BadInput):
        NoiseSchedule.named("linear", 10).timesteps(count, spacing)


def perfect_network(prediction, image, kept):
    """A network whose predictions are exact."""

    def network(x, step):
        share = kept[step]
        noise = (x - share.sqrt() * image) / (1 - share).sqrt()
        mixed = share.sqrt() * noise - (1 - share).sqrt() * image
        return {"sample": image, "epsilon": noise, "v_prediction": mixed}[prediction]

    return network


@pytest.mark.parametrize("scheduler", ["ddim", "ddpm"])
@pytest.mark.parametrize("prediction", ["sample", "epsilon", "v_prediction"])
@pytest.mark.parametrize("clamp", [False, True])
@pytest.mark.parametrize("steps", [(10, "leading"), (10, "trailing"), (30, "trailing")])
def test_a_perfect_network_recovers_the_image(scheduler, prediction, clamp, steps):
    torch.manual_seed(0)
    schedule = NoiseSchedule(NoiseSchedule.named("linear", 1000).kept.double())
    image = torch.rand(2, 3, 4, 4, dtype=torch.float64) * 2 - 1
    sampler = DiffusionSampler(schedule, scheduler, prediction, clamp)
    count, _ = steps
    visited = schedule.timesteps(*steps)
    network = perfect_network(prediction, image, schedule.kept)
    sampled = sampler.sample(network, lambda: torch.randn_like(image), visited, 1000 // count)
    torch.testing.assert_close(sampled, image, rtol=0, atol=1e-4)


def test_predicted_images_are_clamped():
    schedule = NoiseSchedule.named("linear", 100)
    far = torch.full((1, 1, 2, 2), 5.0)
    for clamp, want in ((True, 1.0), (False, 5.0)):
        sampler = DiffusionSampler(schedule, "ddpm", "sample", clamp)
        sampled = sampler.sample(lambda x, step: far, lambda: torch.zeros_like(far), [0], 1)
        torch.testing.assert_close(sampled, torch.full_like(far, want))


@pytest.mark.parametrize(
    "change",
    [
        {"scheduler": "euler"},
        {"prediction_type": "flow"},
        {"beta_schedule": "sigmoid"},
        {"conditioning": "xattn"},
        {"dec_type": "unet_giant"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_invalid_configs(change):
    with pytest.raises(ConfigError, match=next(iter(change.values()))):
        build_tokenizer(TINY | change)


@pytest.mark.parametrize("field", [{"scheduler": "ddim"}, {"thresholding": False}], ids=str)
def test_a_diffusion_field_without_dec_type_selects_the_official_decoder(field):
    wanted = ("dec_type", "scheduler", "prediction_type", "beta_schedule")
    config = {name: value for name, value in TINY.items() if name not in wanted}
    with torch.device("meta"):
        decoder = build_tokenizer(config | field).decoder
    assert decoder.size.base == 256


@pytest.mark.parametrize(
    ("tokens", "kwargs", "message"),
    [
        (torch.full((1, 2, 2), 5), {}, "tokens must be between"),
        (torch.zeros(1, 2, 2, dtype=torch.long), {"size": 40}, "multiples of 32"),
        (torch.zeros(1, 2, 2, dtype=torch.long), {"size": (32, 0)}, "must be >= 1"),
        (torch.zeros(1, 2, 2, dtype=torch.long), {"steps": 0}, "must be between 1 and 1000"),
        (torch.zeros(1, 2, 2, dtype=torch.long), {"steps": 1001}, "must be between 1 and 1000"),
    ],
)
def test_invalid_arguments(tokens, kwargs, message):
    with torch.no_grad(), pytest.raises(BadInput, match=message):
        build_tokenizer(TINY).decode_tokens(tokens, **kwargs)


def test_default_size_and_seed():
    torch.manual_seed(0)
    tokenizer = build_tokenizer(TINY).eval()
    tokens = torch.zeros(1, 2, 4, dtype=torch.long)

    def decoded(seed):
        return tokenizer.decode_tokens(
            tokens, steps=2, generator=torch.Generator().manual_seed(seed)
        )

    with torch.no_grad():
        assert decoded(0).shape == (1, 1, 32, 64)
        assert torch.equal(decoded(0), decoded(0))
        assert not torch.equal(decoded(0), decoded(1))


def test_options_out_of_range_are_refused_at_once():
    with pytest.raises(BadInput, match="diffusion steps must be >= 1, got 0"):
        DiffusionConfig(steps=0)
    with pytest.raises(BadInput, match="the size of images must be >= 1, got -32"):
        DiffusionConfig(size=-32)

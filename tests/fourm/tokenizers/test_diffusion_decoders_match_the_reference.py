"""Tokens and timesteps are exact, one pass is within 2e-4, a whole decoding within 1e-3."""

import pytest
import torch

from fourm.tokenizers.diffusion.divae import DiVAE
from fourm.tokenizers.loading import load_tokenizer
from tests.fourm.recorded import assert_close, model_folder, recorded

DDPM = "divae_edge_nano"
NAMES = ["divae_depth_nano", DDPM, "divae_normal_nano", "divae_rgb_nano"]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", params=NAMES)
def case(request, scratch):
    folder = model_folder(request.param, scratch)
    return load_tokenizer(folder), recorded(f"tok/{request.param}.safetensors")


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.no_grad():
        yield


def seeded():
    return torch.Generator().manual_seed(7)


def test_tokens(case):
    tokenizer, want = case
    assert isinstance(tokenizer, DiVAE)
    assert torch.equal(tokenizer.encode(want["x"]).int(), want["tokens"])
    assert_close(tokenizer.quantised(want["tokens"]), want["quant"])


def test_noise_schedule_and_timesteps(case):
    tokenizer, want = case
    schedule = tokenizer.sampler.schedule
    assert_close(schedule.kept, want["alphas_cumprod"], 1e-6)
    default = "leading" if tokenizer.sampler.scheduler == "ddpm" else "trailing"
    assert schedule.timesteps(5, default) == want["timesteps_5"].tolist()
    for spacing in ("leading", "linspace"):
        if f"timesteps_5_{spacing}" in want:
            assert schedule.timesteps(5, spacing) == want[f"timesteps_5_{spacing}"].tolist()


def test_one_pass_of_the_network(case):
    tokenizer, want = case
    assert_close(tokenizer.predict(want["noise"], 500, want["quant"]), want["unet_out_t500"])


def test_noise_is_drawn_on_the_cpu(case):
    _, want = case
    assert torch.equal(torch.randn(want["noise"].shape, generator=seeded()), want["noise"])


@pytest.mark.parametrize("steps", [4, 5])
@pytest.mark.parametrize("name", [name for name in NAMES if name != DDPM])
def test_ddim_decoding(scratch, name, steps):
    tokenizer = load_tokenizer(model_folder(name, scratch))
    want = recorded(f"tok/{name}.safetensors")
    assert tokenizer.sampler.scheduler == "ddim"
    decoded = tokenizer.decode_tokens(want["tokens"], 64, steps, seeded())
    assert_close(decoded, want[f"decoded_{steps}"], 1e-3)


@pytest.mark.parametrize("steps", [4, 5])
def test_ddpm_decoding(scratch, steps, monkeypatch):
    """The recorded image is the output of the network for a state within 1e-5 of ours.

    The output of the last pass is the image, and this network multiplies some differences of its
    input by 100. Rounding errors of 1e-5, which vary with the number of threads and the processor,
    become 1e-3 in the image, so that the image alone cannot be compared within 1e-3. Steepest
    descent finds the input of the last pass that explains the difference.
    """
    tokenizer = load_tokenizer(model_folder(DDPM, scratch)).double()
    want = recorded(f"tok/{DDPM}.safetensors")
    assert tokenizer.sampler.scheduler == "ddpm"
    predict, passes = tokenizer.predict, []

    def spy(*inputs):
        passes.append(inputs)
        return predict(*inputs)

    monkeypatch.setattr(tokenizer, "predict", spy)
    tokenizer.decode_tokens(want["tokens"], 64, steps, seeded())
    assert len(passes) == steps
    ours, *others = passes[-1]
    image = want[f"decoded_{steps}"].double()
    state = ours
    for _ in range(3):
        with torch.enable_grad():
            state = state.detach().requires_grad_()
            difference = image - predict(state, *others)
            (slope,) = torch.autograd.grad(-difference.square().sum() / 2, state)
        step = 1e-6 / slope.abs().max() * slope
        change = difference - (image - predict(state + step, *others))
        state = state + step * ((change * difference).sum() / change.square().sum())
    assert_close(predict(state, *others), image, 1e-3)
    assert_close(state, ours, 1e-5)


def test_the_noise_that_ddpm_adds_is_the_next_of_the_same_generator(scratch):
    want = recorded(f"tok/{DDPM}.safetensors")
    generator = seeded()
    torch.randn(want["noise"].shape, generator=generator)
    for noise in want["ddpm_step_noise"]:
        assert torch.equal(torch.randn(noise.shape, generator=generator), noise)


def test_tokenising_needs_no_decoder(scratch):
    want = recorded("tok/divae_rgb_nano.safetensors")
    half = load_tokenizer(model_folder("divae_rgb_nano", scratch), decode=False)
    assert not any(name.startswith("decoder") for name in half.state_dict())
    assert torch.equal(half.encode(want["x"]).int(), want["tokens"])

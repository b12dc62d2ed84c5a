"""Diffusion decoders of every config, against formulas written out (4M-21 reference, sec. 3.6).

Nothing of `fourm.tokenizers.diffusion` is used here but the weights by their names.
"""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fourm.tokenizers.diffusion.schedule import NoiseSchedule
from fourm.tokenizers.loading import build_tokenizer

T = 1000
SCHEDULES = ["linear", "scaled_linear", "squaredcos_cap_v2", "shifted_cosine:2.0"]
CONFIG = {
    "image_size": 32,
    "n_channels": 2,
    "enc_type": "vit_nano_enc",
    "dec_type": "unet_nano",
    "codebook_size": 7,
    "latent_dim": 5,
    "post_mlp": True,
}
COMBINATIONS = [
    {"scheduler": scheduler, "prediction_type": prediction, "beta_schedule": schedule, **rest}
    for scheduler in ("ddim", "ddpm")
    for prediction in ("sample", "v_prediction", "epsilon")
    for schedule, rest in (
        ("linear", {"zero_terminal_snr": False, "thresholding": False}),
        ("squaredcos_cap_v2", {"zero_terminal_snr": False, "thresholding": True}),
        ("scaled_linear", {"zero_terminal_snr": True, "thresholding": False, "clip_sample": True}),
        ("shifted_cosine:2.0", {"zero_terminal_snr": True, "thresholding": True}),
    )
]


def kept(name, zero):
    """alpha-bar of every step, in float64."""
    if name.startswith("shifted_cosine:"):
        shift = float(name.split(":")[1])
        values = []
        for time in np.linspace(0, 1, T):
            tangent = math.tan(math.pi * time / 2)
            snr = -2 * (math.log(tangent) + math.log(shift)) if tangent > 0 else math.inf
            values.append(1 / (1 + math.exp(-min(max(snr, -15.0), 15.0))))
        return np.array([*values[:-1], 0.0])
    if name == "linear":
        betas = np.linspace(1e-4, 0.02, T)
    elif name == "scaled_linear":
        betas = np.linspace(1e-4**0.5, 0.02**0.5, T) ** 2
    else:

        def bar(time):
            return math.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2

        betas = np.array([min(1 - bar((i + 1) / T) / bar(i / T), 0.999) for i in range(T)])
    product = np.cumprod(1 - betas)
    if zero:
        root = np.sqrt(product)
        product = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
    return product


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name, zero):
    got = NoiseSchedule.named(name, T, zero).kept.double().numpy()
    # Products of a thousand float32 factors, as the reference has them.
    np.testing.assert_allclose(got, kept(name, zero), atol=2e-5, rtol=0)


@pytest.mark.parametrize("count", [1, 3, 7, 30, 50, 300, 999, 1000])
def test_timesteps(count):
    schedule = NoiseSchedule.named("linear", T)
    stride = T // count
    # No noise is left unvisited where the count does not divide T: 334 steps instead of 300.
    trailing = [T - 1 - i * stride for i in range(math.ceil(T / stride))]
    leading = [(count - 1 - i) * stride for i in range(count)]
    spread = [round(float(v)) - 1 for v in np.linspace(T, 1, count)]
    assert schedule.timesteps(count, "trailing") == trailing
    assert schedule.timesteps(count, "leading") == leading
    assert schedule.timesteps(count, "linspace") == spread


class Network:
    """The UNet by the names of its weights."""

    def __init__(self, state, base=32, blocks=1, multipliers=(1, 2, 2, 2), attends=(2, 3)):
        self.state, self.base, self.blocks = state, base, blocks
        self.multipliers, self.attends = multipliers, attends

    def conv(self, name, x, stride=1):
        weight = self.state[f"decoder.{name}.weight"]
        size = weight.shape[-1]
        return F.conv2d(x, weight, self.state[f"decoder.{name}.bias"], stride, size // 2)

    def linear(self, name, x):
        return x @ self.state[f"decoder.{name}.weight"].T + self.state[f"decoder.{name}.bias"]

    def norm(self, name, x):
        grouped = x.reshape(len(x), 32, -1)
        mean = grouped.mean(-1, keepdim=True)
        spread = ((grouped - mean) ** 2).mean(-1, keepdim=True)
        x = ((grouped - mean) / (spread + 1e-5).sqrt()).reshape(x.shape)
        shape = (1, -1, *[1] * (x.dim() - 2))
        weight, bias = (self.state[f"decoder.{name}.{part}"] for part in ("weight", "bias"))
        return x * weight.reshape(shape) + bias.reshape(shape)

    def residual(self, name, x, embedding):
        h = self.conv(f"{name}.in_layers.2", silu(self.norm(f"{name}.in_layers.0", x)))
        h = h + self.linear(f"{name}.emb_layers.1", silu(embedding))[:, :, None, None]
        h = self.conv(f"{name}.out_layers.3", silu(self.norm(f"{name}.out_layers.0", h)))
        if f"decoder.{name}.skip_connection.weight" in self.state:
            x = self.conv(f"{name}.skip_connection", x)
        return x + h

    def attention(self, name, x):
        flat = x.flatten(2)
        channels = x.shape[1]
        normed = self.norm(f"{name}.norm", x).flatten(2)
        qkv = self.state[f"decoder.{name}.qkv.weight"][:, :, 0] @ normed
        qkv = qkv + self.state[f"decoder.{name}.qkv.bias"][:, None]
        q, k, v = (part * s for part, s in zip(qkv.chunk(3, 1), scales(channels), strict=True))
        weights = (q.transpose(1, 2) @ k).softmax(-1)
        mixed = v @ weights.transpose(1, 2)
        out = self.state[f"decoder.{name}.proj_out.weight"][:, :, 0] @ mixed
        return (flat + out + self.state[f"decoder.{name}.proj_out.bias"][:, None]).reshape(x.shape)

    def __call__(self, x, step, condition):
        half = self.base // 2
        angles = [step * 10000 ** (-i / half) for i in range(half)]
        features = [math.cos(angle) for angle in angles] + [math.sin(angle) for angle in angles]
        features = torch.tensor(features, dtype=x.dtype)[None].repeat(len(x), 1)
        embedding = self.linear("time_embed.2", silu(self.linear("time_embed.0", features)))
        patches = [x[:, :, row::4, column::4] for row in range(4) for column in range(4)]
        h = torch.stack(patches, dim=2).flatten(1, 2)
        height, width = h.shape[-2:]
        rows = torch.arange(height) * condition.shape[2] // height
        columns = torch.arange(width) * condition.shape[3] // width
        h = torch.cat([h, condition[:, :, rows][..., columns]], dim=1)
        h = self.conv("input_blocks.0.0", h)
        stack, place = [h], 1
        for level in range(len(self.multipliers)):
            for _ in range(self.blocks):
                h = self.residual(f"input_blocks.{place}.0", h, embedding)
                if level in self.attends:
                    h = self.attention(f"input_blocks.{place}.1", h)
                stack.append(h)
                place += 1
            if level + 1 < len(self.multipliers):
                h = self.conv(f"input_blocks.{place}.0.op", h, stride=2)
                stack.append(h)
                place += 1
        h = self.residual("middle_block.0", h, embedding)
        h = self.attention("middle_block.1", h)
        h = self.residual("middle_block.2", h, embedding)
        place = 0
        for level in reversed(range(len(self.multipliers))):
            for block in range(self.blocks + 1):
                name = f"output_blocks.{place}"
                h = self.residual(f"{name}.0", torch.cat([h, stack.pop()], 1), embedding)
                if level in self.attends:
                    h = self.attention(f"{name}.1", h)
                if level and block == self.blocks:
                    h = h.repeat_interleave(2, 2).repeat_interleave(2, 3)
                    h = self.conv(f"{name}.{2 if level in self.attends else 1}.conv", h)
                place += 1
        h = self.conv("out.2", silu(self.norm("out.0", h)))
        out = torch.zeros_like(x)
        parts = h.reshape(len(x), x.shape[1], 16, height, width)
        for number in range(16):
            out[:, :, number // 4 :: 4, number % 4 :: 4] = parts[:, :, number]
        return out


def scales(channels):
    return channels**-0.25, channels**-0.25, 1


def silu(x):
    return x / (1 + (-x).exp())


def tokenizer_of(changes):
    torch.manual_seed(2)
    tokenizer = build_tokenizer(CONFIG | changes).eval()
    with torch.no_grad():
        for name, value in tokenizer.named_parameters():
            if name.startswith("decoder."):
                value.normal_(mean=float("norm" in name or ".0.weight" in name), std=0.12)
    return tokenizer.double()


def denoised(network, condition, x, noises, steps, bars, config):
    """The formulas of the reference, one step after another."""
    stride = T // len(steps)
    for step in steps:
        out = network(x, step, condition)
        a = bars[step]
        p = bars[step - stride] if step >= stride else 1.0
        if config["prediction_type"] == "sample":
            x0, eps = out, (x - math.sqrt(a) * out) / math.sqrt(1 - a)
        elif config["prediction_type"] == "v_prediction":
            x0 = math.sqrt(a) * x - math.sqrt(1 - a) * out
            eps = math.sqrt(a) * out + math.sqrt(1 - a) * x
        else:
            x0, eps = (x - math.sqrt(1 - a) * out) / math.sqrt(a), out
        if config.get("thresholding", True) or config.get("clip_sample", False):
            x0 = x0.clamp(-1, 1)
        if config["scheduler"] == "ddim":
            x = math.sqrt(p) * x0 + math.sqrt(1 - p) * eps
            continue
        x = math.sqrt(p) * (1 - a / p) / (1 - a) * x0 + math.sqrt(a / p) * (1 - p) / (1 - a) * x
        if step > 0:
            x = x + next(noises) * math.sqrt(max((1 - p) / (1 - a) * (1 - a / p), 1e-20))
    return x


@pytest.mark.parametrize(
    "config", COMBINATIONS, ids=lambda config: "-".join(map(str, config.values()))
)
@torch.no_grad()
def test_decoding(config):
    """Two samples of 2 x 3 tokens, images of 32 x 64."""
    tokenizer = tokenizer_of(config)
    tokens = torch.arange(12).reshape(2, 2, 3) % 7
    condition = tokenizer.quantised(tokens)
    bars = tokenizer.sampler.schedule.kept.double().tolist()
    count = 4
    ddpm = config["scheduler"] == "ddpm"
    # Without signal, the image does not follow from the noise: 0 / 0.
    avoid = config["prediction_type"] == "epsilon" and bars[-1] == 0
    spacing = "leading" if ddpm or avoid else "trailing"
    steps = [i * (T // count) for i in reversed(range(count))]
    if spacing == "trailing":
        steps = [T - 1 - i * (T // count) for i in range(count)]
    got = tokenizer.decode_tokens(
        tokens, (32, 64), count, torch.Generator().manual_seed(9), spacing
    )
    stream = torch.Generator().manual_seed(9)
    drawn = (torch.randn(2, 2, 32, 64, generator=stream).double() for _ in range(count + 1))
    network = Network(tokenizer.state_dict())
    want = denoised(network, condition, next(drawn), drawn, steps, bars, config)
    assert want.isfinite().all() and want.std() > 0.05
    # Angles of time are float32: a late step's are 1e-5 off.
    torch.testing.assert_close(got, want, rtol=2e-4, atol=2e-4)


@torch.no_grad()
@pytest.mark.parametrize("step", [0, 500, 999])
def test_one_pass_of_the_network(step):
    tokenizer = tokenizer_of({"scheduler": "ddim"})
    torch.manual_seed(0)
    x = torch.randn(2, 2, 64, 32).double()
    condition = torch.randn(2, 5, 3, 2).double()
    want = Network(tokenizer.state_dict())(x, step, condition)
    torch.testing.assert_close(tokenizer.predict(x, step, condition), want, rtol=1e-4, atol=1e-4)

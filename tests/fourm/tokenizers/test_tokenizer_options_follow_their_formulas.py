"""Tokenizers of every config, against formulas written out (4M-21 reference, sec. 3.2 to 3.4).

Nothing of the encoders, quantizers and decoders is used here but the weights by their names.
"""

import math

import pytest
import torch
import torch.nn.functional as F

from fourm.tokenizers.loading import build_tokenizer

CONFIG = {
    "image_size": 64,
    "n_channels": 3,
    "enc_type": "vit_nano_enc",
    "dec_type": "vit_nano_dec",
    "patch_size": 8,
    "codebook_size": 30,
    "latent_dim": 6,
}
DIM, HEADS, DEPTH = 64, 4, 2
GRIDS = {
    "plain": {},
    "mlp at the ends": {"post_mlp": True},
    "feature maps": {"patch_proj": False, "post_mlp": True, "n_channels": 5},
    "classes": {"n_labels": 11, "n_channels": 4},
    "convolutions at the end": {"out_conv": True, "post_mlp": True},
    "nearest by distance": {"norm_codes": False},
    "nearest by distance, of unit length": {"norm_codes": False, "norm_latents": True},
    "of unit length anyway": {"norm_latents": True},
    "standardised images": {"undo_std": True},
    "another patch for the decoder": {"patch_size_dec": 4, "image_size_dec": 32},
    "another grid for the encoder": {"image_size_enc": 32},
}
SIZES = [(64, 64), (32, 48)]


def built(changes):
    torch.manual_seed(4)
    tokenizer = build_tokenizer(CONFIG | changes).eval()
    for name, value in tokenizer.named_parameters():
        if "pos_emb" not in name:
            torch.nn.init.normal_(value, mean=float("norm" in name), std=0.15)
    for name, value in tokenizer.quantize.named_buffers():
        if name.endswith("embed"):
            value.normal_()
    return tokenizer


class Formulas:
    """From a state dict, one sample at a time."""

    def __init__(self, tokenizer):
        self.state = tokenizer.state_dict()

    def linear(self, name, x):
        return x @ self.state[f"{name}.weight"].flatten(1).T + self.state[f"{name}.bias"]

    def norm(self, name, x, eps):
        mean = x.mean(-1, keepdim=True)
        spread = ((x - mean) ** 2).mean(-1, keepdim=True)
        scaled = (x - mean) / (spread + eps).sqrt()
        return scaled * self.state[f"{name}.weight"] + self.state[f"{name}.bias"]

    def attention(self, name, x):
        q, k, v = self.linear(f"{name}.qkv", x).reshape(len(x), 3, HEADS, -1).unbind(1)
        out = torch.zeros_like(q)
        for head in range(HEADS):
            scores = q[:, head] @ k[:, head].T / math.sqrt(DIM / HEADS)
            out[:, head] = scores.softmax(-1) @ v[:, head]
        return self.linear(f"{name}.proj", out.flatten(1))

    def trunk(self, end, x, height, width):
        positions = self.state[f"{end}.pos_emb"]
        if positions.shape[-2:] != (height, width):
            positions = F.interpolate(positions, (height, width), mode="bicubic")
        x = x + positions[0].flatten(1).T
        for i in range(DEPTH):
            name = f"{end}.blocks.{i}"
            x = x + self.attention(f"{name}.attn", self.norm(f"{name}.norm1", x, 1e-6))
            h = self.linear(f"{name}.mlp.fc1", self.norm(f"{name}.norm2", x, 1e-6))
            x = x + self.linear(f"{name}.mlp.fc2", gelu(h))
        if f"{end}.post_mlp.fc1.weight" in self.state:
            h = self.linear(f"{end}.post_mlp.fc1", self.norm(f"{end}.norm_mlp", x, 1e-6))
            x = x + self.linear(f"{end}.post_mlp.fc2", h.tanh())
        return x

    def latents(self, image, patch):
        """(C, H, W) -> (h, w, latent)."""
        height, width = image.shape[1] // patch, image.shape[2] // patch
        rows = [
            image[:, r * patch : (r + 1) * patch, c * patch : (c + 1) * patch].reshape(-1)
            for r in range(height)
            for c in range(width)
        ]
        x = self.linear("encoder.proj", torch.stack(rows))
        x = self.trunk("encoder", x, height, width)
        return self.linear("quant_proj", x).reshape(height, width, -1)

    def decoded(self, tokens, patch, channels):
        """(h, w) -> (C, H, W)."""
        height, width = tokens.shape
        values = self.state["quantize._codebook.embed"][tokens.flatten()]
        x = self.trunk("decoder", self.linear("post_quant_proj", values), height, width)
        squares = self.linear("decoder.out_proj", x).reshape(height, width, channels, patch, patch)
        out = torch.zeros(channels, height * patch, width * patch)
        for r in range(height):
            for c in range(width):
                rows = slice(r * patch, (r + 1) * patch)
                out[:, rows, c * patch : (c + 1) * patch] = squares[r, c]
        for i in range(2):
            if f"decoder.out_conv.{i}.gamma" in self.state:
                out = self.convolved(f"decoder.out_conv.{i}", out)
        return out

    def convolved(self, name, x):
        kernel, bias = self.state[f"{name}.dwconv.weight"], self.state[f"{name}.dwconv.bias"]
        padded = F.pad(x, (3, 3, 3, 3))
        h = bias[:, None, None].expand_as(x).clone()
        for row in range(7):
            for column in range(7):
                shifted = padded[:, row : row + x.shape[1], column : column + x.shape[2]]
                h += kernel[:, 0, row, column, None, None] * shifted
        h = self.norm(f"{name}.norm", h.movedim(0, -1), 1e-6)
        h = self.linear(f"{name}.pwconv2", gelu(self.linear(f"{name}.pwconv1", h)))
        return x + (self.state[f"{name}.gamma"] * h).movedim(-1, 0)


def gelu(x):
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def close(got, want):
    torch.testing.assert_close(got, want, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", GRIDS)
@torch.no_grad()
def test_grids(name, size):
    """Two samples, square and not, of the stored positions' size and another."""
    config = CONFIG | GRIDS[name]
    tokenizer = built(GRIDS[name])
    formulas = Formulas(tokenizer)
    patch = config["patch_size"] if config.get("patch_proj", True) else 1
    labels, channels = config.get("n_labels"), config["n_channels"]
    side = [edge if patch > 1 else edge // 8 for edge in size]
    if labels:
        x = torch.randint(labels, (2, *side))
        images = tokenizer.state_dict()["cls_emb.weight"][x].movedim(-1, 1)
    else:
        x = images = torch.randn(2, channels, *side)
    if config.get("undo_std", False):
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        images = 2 * (x * std[:, None, None] + mean[:, None, None]) - 1
    latents, tokens = tokenizer.latents(x), tokenizer.encode(x)
    quantised, decoded = tokenizer.quantised(tokens), tokenizer.decode_tokens(tokens)
    codes = formulas.state["quantize._codebook.embed"]
    for row, image in enumerate(images):
        want = formulas.latents(image, patch)
        close(latents[row].movedim(0, -1), want)
        if config.get("norm_codes", True):
            likeness = F.normalize(want, dim=-1) @ F.normalize(codes, dim=-1).T
        else:
            length = want.norm(dim=-1, keepdim=True) if config.get("norm_latents", False) else 1
            likeness = -(((want / length)[..., None, :] - codes) ** 2).sum(-1)
        assert torch.equal(tokens[row], likeness.argmax(-1))
        close(quantised[row].movedim(0, -1), codes[tokens[row]])
        out_patch = (config.get("patch_size_dec") or patch) if patch > 1 else 1
        close(decoded[row], formulas.decoded(tokens[row], out_patch, labels or channels))


@pytest.mark.parametrize(
    ("blocks", "expansion", "codebooks"), [(0, 4, 2), (2, 4, 1), (1, 2, 8)], ids=str
)
@torch.no_grad()
def test_vectors(blocks, expansion, codebooks):
    name = f"BottleneckMLP/B_{blocks}-Wi_12-E_{expansion}"
    changes = {
        "enc_type": name,
        "dec_type": name,
        "image_size": 1,
        "patch_size": 1,
        "patch_proj": False,
        "quant_type": "memcodes",
        "n_channels": 10,
        "latent_dim": 16,
        "num_codebooks": codebooks,
    }
    tokenizer = built(changes)
    formulas = Formulas(tokenizer)
    state = formulas.state

    def mlp(end, x):
        x = formulas.linear(f"{end}.linear_in", x)
        for i in range(blocks):
            h = formulas.norm(f"{end}.layernorms.{i}", x, 1e-5)
            h = gelu(formulas.linear(f"{end}.blocks.{i}.block.0", h))
            assert h.shape[-1] == expansion * 12
            x = x + formulas.linear(f"{end}.blocks.{i}.block.2", h)
        return formulas.linear(f"{end}.linear_out", x)

    x = torch.randn(3, 10)
    tokens = tokenizer.encode(x)
    width = 16 // codebooks
    latents = formulas.linear("quant_proj", mlp("encoder", x))
    values = torch.zeros(3, 16)
    for head in range(codebooks):
        part = slice(head * width, (head + 1) * width)
        codes = state["quantize.codes"][head]
        keys = codes @ state["quantize.to_k.weight"][head]
        assert torch.equal(tokens[:, head], (latents[:, part] @ keys.T).argmax(-1))
        values[:, part] = (codes @ state["quantize.to_v.weight"][head])[tokens[:, head]]
    close(tokenizer.quantised(tokens).flatten(1), values)
    decoded = mlp("decoder", formulas.linear("post_quant_proj", values))
    close(tokenizer.decode_tokens(tokens), decoded)

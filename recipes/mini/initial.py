"""Initialisation of mini: to first order, a linear map of the mean of its inputs.

From a random initialisation the 16 target positions, which share all weights, take many epochs to
read different things from the same context. Here each position owns a block of hidden units in the
last MLP: its position embedding turns them on and those of other positions off. Active units come
in pairs of opposite sign, which together are linear; their output lies in the subspace that the
logit head compares with the codebook. Attention starts uniform.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from fourm.transformer import FM
from recipes.mini.architecture import IMAGE, SEG, SEG_GRID, TARGET, TEXT, build, load_teacher

INPUT_NORM = 60.0
"""Norm of a token of text at the encoder's input. It is large compared with what the frozen blocks,
made for photos, add to it, so that the token remains recognisable."""

LANGUAGE_NORM = 8.0
"""Norm of the language model's output vectors."""

SWITCH = 3.0
"""Distance of a position's own hidden units above the bend of the GELU, and of others' below."""

LOGIT_GAIN = 0.08
"""Keeps the first distributions flat: gradients of soft decoding vanish where they are peaked."""


@torch.no_grad()
def start(config: dict[str, Any], teacher: dict[str, Tensor], codes: Tensor, seed: int) -> FM:
    """The model before training, its encoder copied from the teacher and frozen.

    Args:
        config: of the transformer.
        teacher: tensors of the encoder and its input of photos.
        codes: (CODES, CHUNK), the codebook that all positions share.
        seed: random seed.
    """
    torch.manual_seed(seed)
    model = build(config)
    weights = dict(model.named_parameters())
    _start_inputs(weights, teacher)
    _start_decoder(weights, codes, config["decoder_depth"])
    for name, weight in weights.items():
        if name.endswith("mod_emb"):
            torch.nn.init.zeros_(weight)
    load_teacher(model, teacher)
    weights[f"decoder_embeddings.{TARGET}.token_emb.weight"].requires_grad_(False)
    return model


def _start_inputs(weights: dict[str, nn.Parameter], teacher: dict[str, Tensor]) -> None:
    text, seg = f"encoder_embeddings.{TEXT}.", f"encoder_embeddings.{SEG}."
    projection = weights[text + "emb_proj.weight"]
    torch.nn.init.orthogonal_(projection, gain=INPUT_NORM / LANGUAGE_NORM)
    torch.nn.init.normal_(weights[text + "pos_emb"], std=0.02)
    torch.nn.init.orthogonal_(weights["decoder_proj_context.weight"])
    positions = teacher[f"encoder_embeddings.{IMAGE}.pos_emb"]
    side, width = int(positions.shape[1] ** 0.5), positions.shape[2]
    grid = positions.view(1, side, side, width).permute(0, 3, 1, 2)
    pooled = torch.nn.functional.adaptive_avg_pool2d(grid, SEG_GRID)
    weights[seg + "pos_emb"].copy_(pooled.permute(0, 2, 3, 1).flatten(1, 2))


def _start_decoder(weights: dict[str, nn.Parameter], codes: Tensor, depth: int) -> None:
    target = f"decoder_embeddings.{TARGET}."
    _, count, width = weights[target + "pos_emb"].shape
    chunk = codes.shape[1]
    basis = torch.linalg.qr(torch.randn(width, width))[0].T
    positions, frame, rest = basis[:count], basis[count : count + chunk], basis[count + chunk :]
    weights[target + "to_logits.weight"].copy_(codes @ frame * LOGIT_GAIN)
    weights[target + "token_emb.weight"].copy_(weights[target + "to_logits.weight"])
    torch.nn.init.zeros_(weights["mask_token"])
    weights[target + "pos_emb"].copy_(positions[None] * width**0.5 * 0.7)
    for block in (f"decoder.{i}." for i in range(depth)):
        weights[block + "cross_attn.q.weight"].mul_(0.3)
        torch.nn.init.normal_(weights[block + "self_attn.proj.weight"], std=0.002)
        torch.nn.init.normal_(weights[block + "mlp.fc2.weight"], std=0.002)
        # What is read from the context stays outside the subspaces of positions and codebook.
        into_rest = rest.T @ torch.linalg.qr(torch.randn(width, len(rest)))[0].T
        weights[block + "cross_attn.proj.weight"].copy_(into_rest * (width / len(rest)) ** 0.5)
        torch.nn.init.orthogonal_(weights[block + "cross_attn.kv.weight"][width:])
    _switched_mlp(weights, f"decoder.{depth - 1}.mlp.", positions, frame, rest)


def _switched_mlp(
    weights: dict[str, nn.Parameter], mlp: str, positions: Tensor, frame: Tensor, rest: Tensor
) -> None:
    into, out = weights[mlp + "fc1.weight"], weights[mlp + "fc2.weight"]
    hidden, width = into.shape
    units = hidden // len(positions) // 2
    into.zero_()
    weights[mlp + "fc1.bias"].fill_(-SWITCH)
    out.zero_()
    # Norm of a position embedding once it is normalised together with the content.
    seen = 0.7 * width**0.5 * 0.8
    for position, direction in enumerate(positions):
        reading = torch.randn(units, len(rest)) @ rest / len(rest) ** 0.5
        writing = frame.T @ torch.randn(len(frame), units) / units**0.5
        first = position * 2 * units
        for sign, begin in ((1.0, first), (-1.0, first + units)):
            rows = slice(begin, begin + units)
            into[rows] = sign * reading + direction * (2 * SWITCH / seen)
            out[:, rows] = sign * writing

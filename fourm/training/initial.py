"""Where training starts: a model that is, to first order, a linear map of what it was given.

From a random start the 16 places, which share all weights, take many epochs to read different
things out of the same context. Here each place owns a block of hidden units in the last MLP:
its position vector switches them on and everybody else's off. On units come in pairs of opposite
sign, so that together they are linear; their output lies in the subspace that the logit head
reads against the codebook. Attention starts uniform: the first guess is a linear map of the mean
of the context.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fourm.training.architecture import IMAGE, SEG, SEG_GRID, TARGET, TEXT, build, load_teacher
from fourm.transformer import FM

INPUT_NORM = 60.0
"""Length of a word vector at the encoder's input: large beside what the frozen blocks, made for
pictures, add to it, so that it passes them recognisably."""

LANGUAGE_NORM = 8.0
"""Length of the language model's output vectors."""

SWITCH = 3.0
"""How far a place's own hidden units are from the bend of the GELU, and the others' beyond it."""


LOGIT_GAIN = 0.08
"""Keeps the first distributions flat: where they are peaked, soft decoding hardly has a slope."""


@torch.no_grad()
def start(config: dict[str, Any], teacher: dict[str, Tensor], codes: Tensor, seed: int) -> FM:
    """The model before training, its image side copied from the teacher and frozen.

    Args:
        config: of the transformer.
        teacher: tensors of the frozen image side.
        codes: (CODES, CHUNK), the codebook that all places share.
        seed: of what is random.
    """
    torch.manual_seed(seed)
    model = build(config)
    _start_inputs(model, teacher)
    _start_decoder(model, codes)
    for module in (*model.encoder_embeddings.values(), *model.decoder_embeddings.values()):
        torch.nn.init.zeros_(module.mod_emb)
    load_teacher(model, teacher)
    model.target(TARGET).token_emb.weight.requires_grad_(False)
    return model


def _start_inputs(model: FM, teacher: dict[str, Tensor]) -> None:
    text, seg = model.encoder_embeddings[TEXT], model.encoder_embeddings[SEG]
    torch.nn.init.orthogonal_(text.emb_proj.weight, gain=INPUT_NORM / LANGUAGE_NORM)
    torch.nn.init.normal_(text.pos_emb, std=0.02)
    torch.nn.init.orthogonal_(model.decoder_proj_context.weight)
    places = teacher[f"encoder_embeddings.{IMAGE}.pos_emb"]
    side, width = int(places.shape[1] ** 0.5), places.shape[2]
    grid = places.view(1, side, side, width).permute(0, 3, 1, 2)
    pooled = torch.nn.functional.adaptive_avg_pool2d(grid, SEG_GRID)
    seg.pos_emb.copy_(pooled.permute(0, 2, 3, 1).flatten(1, 2))


def _start_decoder(model: FM, codes: Tensor) -> None:
    target, width, chunk = model.target(TARGET), model.config.dim, codes.shape[1]
    count = target.pos_emb.shape[1]
    basis = torch.linalg.qr(torch.randn(width, width))[0].T
    places, frame, rest = basis[:count], basis[count : count + chunk], basis[count + chunk :]
    target.to_logits.weight.copy_(codes @ frame * LOGIT_GAIN)
    target.token_emb.weight.copy_(target.to_logits.weight)
    torch.nn.init.zeros_(model.mask_token)
    target.pos_emb.copy_(places[None] * width**0.5 * 0.7)
    for block in model.decoder:
        block.cross_attn.q.weight.mul_(0.3)
        torch.nn.init.normal_(block.self_attn.proj.weight, std=0.002)
        torch.nn.init.normal_(block.mlp.fc2.weight, std=0.002)
        # What is read from the context stays out of the places' and the codebook's subspaces.
        into_rest = rest.T @ torch.linalg.qr(torch.randn(width, len(rest)))[0].T
        block.cross_attn.proj.weight.copy_(into_rest * (width / len(rest)) ** 0.5)
        torch.nn.init.orthogonal_(block.cross_attn.kv.weight[width:])
    _switched_mlp(model, places, frame, rest)


def _switched_mlp(model: FM, places: Tensor, frame: Tensor, rest: Tensor) -> None:
    mlp = model.decoder[-1].mlp
    hidden, width = mlp.fc1.weight.shape
    units = hidden // len(places) // 2
    mlp.fc1.weight.zero_()
    mlp.fc1.bias.fill_(-SWITCH)
    mlp.fc2.weight.zero_()
    # A position vector, normalised with the content beside it, has about this length.
    seen = 0.7 * width**0.5 * 0.8
    for place, direction in enumerate(places):
        reading = torch.randn(units, len(rest)) @ rest / len(rest) ** 0.5
        writing = frame.T @ torch.randn(len(frame), units) / units**0.5
        first = place * 2 * units
        for sign, begin in ((1.0, first), (-1.0, first + units)):
            rows = slice(begin, begin + units)
            mlp.fc1.weight[rows] = sign * reading + direction * (2 * SWITCH / seen)
            mlp.fc2.weight[:, rows] = sign * writing

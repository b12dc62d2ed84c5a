"""Initialisation of the decoder: an output in a grid begins by looking at its own place.

From a random initialisation, a decoder needs many thousand photos to learn where in the context
the patch of a target lies. Here the positions of a grid's queries, and two heads of each
cross-attention, are made for it: the positions of patches, whitened, are compared with themselves.
The projection of the context leaves these directions to the positions.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from fourm.transformer import FM
from fourm.transformer.blocks import DecoderBlock
from fourm.transformer.embeddings import InputEmbedding
from fourm.transformer.targets import TargetEmbedding
from recipes.mini.architecture import IMAGE
from recipes.mini.outputs import EDGES_OUT, SEG_OUT

PLACES = 48
"""Directions that positions are told apart in."""

SHARPNESS = 1.5
CONTEXT_NORM = 1.5
"""Norm of what the projection makes of a token; the position of a patch has 0.2."""

TOKEN_NORM = 42.0
"""Norm of an output of the encoder."""

QUERY_NORM = 6.0
"""Norm of the content, and of the position, of a query."""

LOGIT_GAIN = 0.06
PLACE_HEADS = 2


@torch.no_grad()
def start_decoder(model: FM, words: Tensor | None, seed: int) -> None:
    """Initialise the decoder in place.

    Args:
        model: with an encoder that is trained.
        words: (W, dim) vectors of the first W ids of texts, or None.
        seed: random seed.
    """
    torch.manual_seed(seed)
    dim = model.config.dim
    image = cast(InputEmbedding, model.encoder_embeddings[IMAGE])
    places = image.pos_emb[0] - image.pos_emb[0].mean(0)
    _, scale, axes = torch.linalg.svd(places, full_matrices=False)
    kept = min(PLACES, dim // 4, model.config.head_dim)
    axes, scale = axes[:kept], scale[:kept] / math.sqrt(len(places))
    whitened = places @ axes.T / scale
    _start_targets(model, whitened @ axes * (QUERY_NORM / kept**0.5), words)
    projection = model.decoder_proj_context
    beside = torch.eye(dim) - axes.T @ axes
    orthogonal = torch.linalg.qr(torch.randn(dim, dim))[0]
    projection.weight.copy_(beside @ orthogonal * (CONTEXT_NORM / TOKEN_NORM))
    assert projection.bias is not None
    projection.bias.copy_(-image.mod_emb[0, 0])
    seen = dim**0.5 / math.hypot(CONTEXT_NORM, 0.2)
    for layer in model.decoder:
        block = cast(DecoderBlock, layer)
        attention = block.cross_attn
        width = model.config.head_dim
        for head in range(PLACE_HEADS):
            rows = slice(head * width, head * width + kept)
            attention.q.weight[head * width : (head + 1) * width] = 0
            attention.kv.weight[head * width : (head + 1) * width] = 0
            attention.q.weight[rows] = axes * (SHARPNESS * kept**0.5 / dim**0.5)
            attention.kv.weight[rows] = axes / scale[:, None] / seen
        for part in (block.self_attn.proj, attention.proj, block.mlp.fc2):
            part.weight.mul_(0.2)
    model.decoder_norm.weight.fill_(LOGIT_GAIN)


def _start_targets(model: FM, places: Tensor, words: Tensor | None) -> None:
    dim = model.config.dim
    model.mask_token.zero_()
    for name, part in model.decoder_embeddings.items():
        module = cast(TargetEmbedding, part)
        nn.init.normal_(module.mod_emb, std=QUERY_NORM / 2 / dim**0.5)
        nn.init.normal_(module.pos_emb, std=QUERY_NORM / 2 / dim**0.5)
        nn.init.normal_(module.token_emb.weight, std=QUERY_NORM / dim**0.5)
        if name in (SEG_OUT, EDGES_OUT):
            module.pos_emb[0].copy_(places)
        elif module.spec.is_sequence:
            _start_words(module.token_emb.weight, words)
        module.to_logits.weight = module.token_emb.weight  # as 4M ties them


def _start_words(table: Tensor, words: Tensor | None) -> None:
    """Vectors of words from a language model; those of numbers change slowly with the number."""
    count, dim = table.shape
    first = 0
    if words is not None:
        first = len(words)
        table[:first] = words * (QUERY_NORM / words.norm(dim=1, keepdim=True).clamp_min(1e-6))
    numbers = 1000
    knots = torch.linspace(0, 1, 24)
    value = torch.linspace(0, 1, numbers)[:, None]
    bumps = (-0.5 * ((value - knots) * 23) ** 2).exp()
    for begin in range(first, count, numbers):
        mixed = bumps @ torch.randn(24, dim) + torch.randn(1, dim)
        mixed *= QUERY_NORM / mixed.norm(dim=1, keepdim=True)
        table[begin : begin + numbers] = mixed[: count - begin]

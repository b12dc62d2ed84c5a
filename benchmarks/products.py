"""The matrix products of one prediction of a photo's global tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fourm.tokenizers.vqvae import VQVAE
    from fourm.transformer import FM
    from fourm.transformer.attention import CrossAttention, SelfAttention
    from fourm.transformer.blocks import DecoderBlock, EncoderBlock
    from fourm.transformer.mlp import GatedMlp

PATCHES, TOKENS = 196, 16


def loop(
    model: FM, tokenizer: VQVAE, target: str, photos: int, few_queries: bool
) -> Callable[[], None]:
    """A torch loop over the products of `photos` photos with the model's own weights.

    It calls `linear`, `bmm` and `scaled_dot_product_attention` with the shapes that occur, on
    constant inputs, without sums, norms, activations and embeddings.

    Args:
        model: with the input `rgb@224`.
        tokenizer: of the target, whose decoder is a stack of linear layers.
        target: global tokens.
        photos: batch size.
        few_queries: whether cross-attention projects 16 queries instead of 196 vectors.
    """
    import torch
    from torch.nn.functional import linear, scaled_dot_product_attention

    dim, heads = model.config.dim, model.config.num_heads
    like = model.decoder_proj_context.weight
    seen = torch.randn(photos, PATCHES, dim, dtype=like.dtype, device=like.device)
    asked = seen[:, :TOKENS].contiguous()
    hidden = torch.randn(photos, PATCHES, model.config.hidden, dtype=like.dtype, device=like.device)
    patches = torch.randn(photos, PATCHES, 768, dtype=like.dtype, device=like.device)
    layers = [one for one in tokenizer.decoder.modules() if isinstance(one, torch.nn.Linear)]
    vectors = [torch.randn(photos, layer.in_features) for layer in layers]

    def attend(attention: SelfAttention, x: Tensor) -> None:
        qkv = linear(x, attention.qkv.weight).view(*x.shape[:2], 3, heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        scaled_dot_product_attention(q, k, v)
        linear(x, attention.proj.weight)

    def cross(attention: CrossAttention) -> None:
        q = linear(asked, attention.q.weight).view(photos, TOKENS, heads, -1)
        if few_queries:
            to_keys, to_values = attention.kv.weight.view(2, heads, -1, dim)
            wide = torch.bmm(q.flatten(0, 1).transpose(0, 1), to_keys)
            context = seen[:, None]
            scaled_dot_product_attention(wide.view(photos, 1, -1, dim), context, context)
            torch.bmm(wide, to_values.mT)
        else:
            kv = linear(seen, attention.kv.weight).view(photos, PATCHES, 2, heads, -1)
            k, v = kv.permute(2, 0, 3, 1, 4).unbind(0)
            scaled_dot_product_attention(q.transpose(1, 2), k, v)
        linear(asked, attention.proj.weight)

    def feed(mlp: GatedMlp, x: Tensor, wide: Tensor) -> None:
        linear(x, mlp.fc1.weight)
        linear(x, mlp.fc3.weight)
        linear(wide, mlp.fc2.weight)

    def run() -> None:
        linear(patches, cast("nn.Linear", model.encoder_embeddings["rgb@224"].proj).weight)
        for encoder in model.encoder:
            block = cast("EncoderBlock", encoder)
            attend(block.attn, seen)
            feed(cast("GatedMlp", block.mlp), seen, hidden)
        linear(seen, model.decoder_proj_context.weight)
        for decoder in model.decoder:
            layer = cast("DecoderBlock", decoder)
            attend(layer.self_attn, asked)
            cross(layer.cross_attn)
            feed(cast("GatedMlp", layer.mlp), asked, hidden[:, :TOKENS])
        linear(asked.float(), cast("nn.Linear", model.decoder_embeddings[target].to_logits).weight)
        for vector, one in zip(vectors, layers, strict=True):
            linear(vector, one.weight)

    return run


def operations(model: FM, vocabulary: int) -> float:
    """Floating-point operations of one photo's prediction, keys and values included."""
    config = model.config
    dim = config.dim
    mlp = (3 if config.gated_mlp else 2) * dim * config.hidden
    encoder = PATCHES * (4 * dim * dim + mlp + 2 * PATCHES * dim)
    own = TOKENS * (4 * dim * dim + 2 * dim * dim + mlp + 2 * (TOKENS + PATCHES) * dim)
    decoder = own + PATCHES * 2 * dim * dim
    edges = PATCHES * (768 * dim + dim * dim) + TOKENS * dim * vocabulary
    return 2.0 * (config.encoder_depth * encoder + config.decoder_depth * decoder + edges)

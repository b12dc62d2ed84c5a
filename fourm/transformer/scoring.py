"""Scoring given targets: the forward pass of training (4M-21 reference, sec. 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from fourm.transformer.embeddings import ModalityInput
from fourm.transformer.model import FM
from fourm.transformer.selection import take, visible_first
from fourm.transformer.targets import ImageTarget, SequenceTarget, TargetEmbedding


class TargetTokens(NamedTuple):
    """The tokens to predict of one modality.

    Attributes:
        ids: (B, n) int64. A sequence starts with the id it is predicted from.
        masked: (B, n) bool, True = not a target.
        spans: (B, n) int, by which the causal mask is made: a token attends to as many tokens as
            the sum of the spans up to it. The first target of an image has the number of its
            targets and the others 0 (all attend to all); every target of a sequence has 1.
    """

    ids: Tensor
    masked: Tensor
    spans: Tensor


class Scores(NamedTuple):
    """The decoder's output for M targets per sample.

    Attributes:
        y: (B, M, dim) after `decoder_norm`.
        ids: (B, M) the tokens to predict; 0 where masked.
        masked: (B, M) bool, True = padding.
        modality: (B, M) the index of each token's modality among the targets; -1 where masked.
        losses: modality -> mean cross-entropy of its tokens; 0 if none of them was kept.
        sizes: modality -> number of its logits, tokens times vocabulary.
    """

    y: Tensor
    ids: Tensor
    masked: Tensor
    modality: Tensor
    losses: dict[str, Tensor]
    sizes: dict[str, int]

    def mean(self) -> Tensor:
        """The mean over modalities of their losses (`mod` in the reference)."""
        return torch.stack(list(self.losses.values())).mean()

    def mean_by_size(self) -> Tensor:
        """The mean over modalities of their losses, weighted by `sizes` (`token`)."""
        weighted = [self.losses[name] * size for name, size in self.sizes.items()]
        return torch.stack(weighted).sum() / max(sum(self.sizes.values()), 1)


def score(
    model: FM,
    inputs: Mapping[str, ModalityInput],
    targets: Mapping[str, TargetTokens],
    keep_inputs: int | None = None,
    keep_targets: int | None = None,
) -> Scores:
    """Predict given targets of several modalities with teacher forcing.

    Args:
        model: the transformer.
        inputs: as `FM.encode`.
        targets: modality -> tokens to predict.
        keep_inputs, keep_targets: maximum number of tokens of a sample on each side (256 in
            training); default: all.
    """
    encoded = model.encode(inputs, keep_inputs)
    parts = [_queries(model, name, target) for name, target in targets.items()]
    order, masked = visible_first(torch.cat([part.masked for part in parts], dim=1), keep_targets)
    y = take(torch.cat([part.y for part in parts], dim=1), order)
    ids = take(torch.cat([part.ids for part in parts], dim=1), order)
    spans = take(torch.cat([part.spans for part in parts], dim=1), order)
    index = [torch.full_like(part.ids, number) for number, part in enumerate(parts)]
    modality = take(torch.cat(index, dim=1), order)
    if masked is None:
        masked = torch.zeros_like(ids, dtype=torch.bool)
    y = y.masked_fill(masked[..., None], 0)
    ids, spans = ids.masked_fill(masked, 0), spans.masked_fill(masked, 0)
    modality = modality.masked_fill(masked, -1)
    y = model.decode(y, encoded, _allowed(model, spans, modality))
    losses, sizes = {}, {}
    for number, name in enumerate(targets):
        chosen = modality == number
        logits = cast(TargetEmbedding, model.target(name)).to_logits(y[chosen]).float()
        sizes[name] = logits.numel()
        loss = nn.functional.cross_entropy(logits, ids[chosen], reduction="sum")
        losses[name] = loss / max(len(logits), 1)
    return Scores(y, ids, masked, modality, losses, sizes)


class _Part(NamedTuple):
    y: Tensor
    ids: Tensor
    masked: Tensor
    spans: Tensor


def _queries(model: FM, name: str, target: TargetTokens) -> _Part:
    module = cast("ImageTarget | SequenceTarget", model.target(name))
    ids, masked, spans = target
    if isinstance(module, ImageTarget):
        y = (model.mask_token + module.positions()).expand(len(ids), -1, -1)
        return _Part(y, ids, masked, spans)
    y = (module.token_emb(ids) + module.positions(masked))[:, :-1]
    # Each token is predicted from the one before it: the last is not an input, the first not a
    # target.
    return _Part(y, ids[:, 1:], masked[:, 1:] | masked[:, :-1], spans[:, :-1])


def _allowed(model: FM, spans: Tensor, modality: Tensor) -> Tensor:
    """(B, 1, M, M) bool, True = a query attends to a key."""
    positions = torch.arange(spans.shape[1], device=spans.device)
    if model.config.decoder_causal_mask:
        allowed = (positions[None, :] <= positions[:, None]).expand(len(spans), -1, -1)
    else:
        allowed = positions[None, None, :] < spans.cumsum(dim=1)[:, :, None]
    if model.config.decoder_sep_mask:
        allowed = allowed & (modality[:, :, None] == modality[:, None, :])
    # Padding may attend to nothing; its softmax must be finite, and its result is not used.
    return (allowed | ~allowed.any(dim=2, keepdim=True))[:, None]

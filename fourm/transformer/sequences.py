"""Autoregressive decoding of sequences (4M-21 reference, sec. 2.4 and 4.3)."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from fourm.errors import BadInput, UnknownModality
from fourm.transformer.attention import visible_keys
from fourm.transformer.blocks import DecoderBlock
from fourm.transformer.model import FM, EncoderOutput
from fourm.transformer.targets import SequenceTarget


class SequenceDecoder:
    """Decode a sequence token by token, with cached keys and values.

    The logits are those of `sequence_logits`.

    Args:
        model: the transformer.
        encoded: of a batch of B samples.
        target: an output that is a sequence.
        capacity: maximum number of calls of `next_logits`.

    Raises:
        UnknownModality: not an output of this model, or not a sequence.
    """

    def __init__(self, model: FM, encoded: EncoderOutput, target: str, capacity: int) -> None:
        self._target = sequence_target(model, target)
        self._norm = model.decoder_norm
        self._blocks = [cast(DecoderBlock, block) for block in model.decoder]
        self._caches = [block.cache(encoded.context, capacity) for block in self._blocks]
        self._allowed, self._fully_masked = visible_keys(encoded.mask)
        nothing_masked = torch.zeros(1, capacity, dtype=torch.bool, device=encoded.context.device)
        self._positions = self._target.positions(nothing_masked)
        self._length = 0

    def next_logits(self, ids: Tensor) -> Tensor:
        """Logits (B, vocabulary) of the next token, given the latest of each sample, (B,) int64.

        Raises:
            BadInput: called more than `capacity` times.
        """
        if self._length == self._positions.shape[1]:
            raise BadInput(f"the sequence is limited to {self._length} tokens")
        y = self._target.token_emb(ids[:, None]) + self._positions[:, self._length, None]
        self._length += 1
        for block, cache in zip(self._blocks, self._caches, strict=True):
            y = block.step(y, cache, self._allowed, self._fully_masked)
        return cast(Tensor, self._target.to_logits(self._norm(y[:, 0])))


def sequence_logits(model: FM, encoded: EncoderOutput, target: str, ids: Tensor) -> Tensor:
    """Logits of the token after each token of given sequences, in one pass with a causal mask.

    Args:
        model: the transformer.
        encoded: of a batch of B samples.
        target: an output that is a sequence.
        ids: (B, n) int64, starting with the id that the sequence is predicted from.

    Returns:
        (B, n, vocabulary).

    Raises:
        UnknownModality: not an output of this model, or not a sequence.
    """
    module = sequence_target(model, target)
    nothing_masked = torch.zeros(1, ids.shape[1], dtype=torch.bool, device=ids.device)
    y = module.token_emb(ids) + module.positions(nothing_masked)
    positions = torch.arange(ids.shape[1], device=ids.device)
    y = model.decode(y, encoded, positions[None, :] <= positions[:, None])
    return cast(Tensor, module.to_logits(y))


def sequence_target(model: FM, name: str) -> SequenceTarget:
    """The decoder module of an output that is a sequence.

    Raises:
        UnknownModality: not an output of this model, or not a sequence.
    """
    module = model.target(name)
    if not isinstance(module, SequenceTarget):
        raise UnknownModality(f"{name} is not a sequence")
    return module

"""Decoding a sequence: each token from those before it (4M-21 reference, sec. 2.4 and 4.3)."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from fourm.errors import BadInput, UnknownModality
from fourm.transformer.attention import visible_keys
from fourm.transformer.blocks import DecoderBlock
from fourm.transformer.embeddings import SequenceTarget
from fourm.transformer.model import FM, EncoderOutput


class SequenceDecoder:
    """Decodes a sequence token by token, at a cost that hardly grows with what came before.

    Keys and values of the context are computed once, those of each token when it comes. The
    logits are those of `sequence_logits`.

    Args:
        model: the transformer.
        encoded: of a batch of B samples.
        target: a sequence-kind output.
        most: the most tokens that will be given to `next_logits`.

    Raises:
        UnknownModality: not an output of this model, or not a sequence.
    """

    def __init__(self, model: FM, encoded: EncoderOutput, target: str, most: int) -> None:
        self._target = sequence_target(model, target)
        self._norm = model.decoder_norm
        self._blocks = [cast(DecoderBlock, block) for block in model.decoder]
        self._memory = [block.remember(encoded.context, most) for block in self._blocks]
        self._allowed, self._blind = visible_keys(encoded.mask)
        nothing_masked = torch.zeros(1, most, dtype=torch.bool, device=encoded.context.device)
        self._places = self._target.places(nothing_masked)
        self._length = 0

    def next_logits(self, ids: Tensor) -> Tensor:
        """What follows: the latest token of each sample, (B,) int64 -> logits (B, vocabulary).

        Raises:
            BadInput: called more than `most` times.
        """
        if self._length == self._places.shape[1]:
            raise BadInput(f"the sequence has no room for more than {self._length} tokens")
        y = self._target.token_emb(ids[:, None]) + self._places[:, self._length, None]
        self._length += 1
        for block, memory in zip(self._blocks, self._memory, strict=True):
            y = block.step(y, memory, self._allowed, self._blind)
        return cast(Tensor, self._target.to_logits(self._norm(y[:, 0])))


def sequence_logits(model: FM, encoded: EncoderOutput, target: str, ids: Tensor) -> Tensor:
    """What follows each token of given sequences, in one pass with a causal mask.

    Args:
        model: the transformer.
        encoded: of a batch of B samples.
        target: a sequence-kind output.
        ids: (B, n) int64, starting with the id that the sequence is predicted from.

    Returns:
        (B, n, vocabulary): logits of the token after each.

    Raises:
        UnknownModality: not an output of this model, or not a sequence.
    """
    module = sequence_target(model, target)
    nothing_masked = torch.zeros(1, ids.shape[1], dtype=torch.bool, device=ids.device)
    y = module.token_emb(ids) + module.places(nothing_masked)
    places = torch.arange(ids.shape[1], device=ids.device)
    y = model.decode(y, encoded, places[None, :] <= places[:, None])
    return cast(Tensor, module.to_logits(y))


def sequence_target(model: FM, name: str) -> SequenceTarget:
    """The decoder module of a sequence-kind output.

    Raises:
        UnknownModality: not an output of this model, or not a sequence.
    """
    module = model.target(name)
    if not isinstance(module, SequenceTarget):
        raise UnknownModality(f"{name} is not a sequence: it has no order to be predicted in")
    return module

"""The likeliest sequence, token by token."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from fourm.transformer.model import FM, EncoderOutput
from fourm.transformer.sequences import SequenceDecoder


def greedy_sequence(
    model: FM, encoded: EncoderOutput, target: str, start: int, ends: Collection[int], most: int
) -> list[list[int]]:
    """The likeliest ids after a start, of each sample of a batch.

    Nothing of the target is shown to the encoder (4M-21 reference, sec. 2.5: an input budget of 0),
    so that one encoding serves any number of targets.

    Args:
        model: the transformer.
        encoded: of a batch of B samples.
        target: a sequence-kind output.
        start: the id that the sequence is predicted from, `[S_1]`.
        ends: ids that end it; they are not part of the result.
        most: the most ids of a result, 1 or more.

    Raises:
        UnknownModality: not an output of this model, or not a sequence.
    """
    batch, device = len(encoded.context), encoded.context.device
    decoder = SequenceDecoder(model, encoded, target, most)
    latest = torch.full((batch,), start, device=device)
    stops = torch.tensor(sorted(ends), device=device)
    finished = torch.zeros(batch, dtype=torch.bool, device=device)
    drawn: list[Tensor] = []
    while len(drawn) < most and not bool(finished.all()):
        latest = decoder.next_logits(latest).argmax(dim=-1)
        drawn.append(latest)
        finished = finished | torch.isin(latest, stops)
    return [_until(row, ends) for row in torch.stack(drawn, dim=1).tolist()] if drawn else []


def _until(row: list[int], ends: Collection[int]) -> list[int]:
    return row[: next((place for place, id_ in enumerate(row) if id_ in ends), len(row))]

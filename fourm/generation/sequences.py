"""Generate a sequence token by token (4M-21 reference, sec. 4.3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor

from fourm.generation.guidance import Branches
from fourm.generation.sampling import TokenSampler
from fourm.generation.schedule import Step
from fourm.generation.states import ModalityState
from fourm.generation.texts import full_text, merge_spans, visible_ids
from fourm.tokenizers.wordpiece import SpecialIds
from fourm.transformer import FM, EncoderOutput, SequenceDecoder


def sequence_step(
    model: FM,
    branches: Branches,
    state: ModalityState,
    step: Step,
    sampler: TokenSampler,
    ids: SpecialIds,
    stop: int | None = None,
) -> ModalityState:
    """Predict the masked spans of a text, and insert them at their sentinels.

    The encoder runs once. The prediction of each sample starts from the first id of its target, and
    ends with the last one or at the length of the target or of the modality.

    Args:
        model: the transformer.
        branches: the passes.
        state: the text: what is visible of it, and the target.
        step: its temperature.
        sampler: after `begin` for this step.
        ids: special tokens.
        stop: id that ends the prediction; default: the last id of the target of each sample.

    Returns:
        The complete text, padded to the longest sample.
    """
    targets = _targets(state)
    start = [target[0] if target else ids.pad for target in targets]
    stops = [{target[-1] if stop is None else stop} if target else set() for target in targets]
    most = model.config.modalities[step.target].max_tokens
    limits = [min(len(target), most) for target in targets]
    predicted: list[list[int]] = [[] for _ in targets]
    if any(limits):
        decoders = [
            SequenceDecoder(model, encoded, step.target, max(limits))
            for encoded in branches.encode(model, step.target, state)
        ]

        def next_tokens(latest: Tensor) -> Tensor:
            logits = branches.combine([decoder.next_logits(latest) for decoder in decoders])
            return sampler.draw(logits[:, None], step.temperature).tokens[:, 0]

        predicted = decode_sequences(next_tokens, start, stops, limits, state.content.device)
    rows = []
    for visible, target, first, following in zip(
        visible_ids(state), targets, start, predicted, strict=True
    ):
        if target and first not in visible:  # without a sentinel, the span follows the text
            visible.append(first)
        rows.append(merge_spans(visible, [first, *following], ids) if target else visible)
    return full_text(rows, end=False, ids=ids, device=state.content.device)


def greedy_sequences(
    model: FM, encoded: EncoderOutput, target: str, start: int, stops: Collection[int], limit: int
) -> list[list[int]]:
    """The most likely ids of a sequence, for each sample of a batch.

    Nothing of the target is given to the encoder (4M-21 reference, sec. 2.5: an input budget of 0),
    so that one encoding serves any number of targets.

    Args:
        model: the transformer.
        encoded: of a batch of B samples.
        target: an output that is a sequence.
        start: id that the sequence is predicted from, `[S_1]`.
        stops: ids that end it; they are not part of the result.
        limit: maximum number of ids of a result.

    Raises:
        UnknownModality: not an output of this model, or not a sequence.
    """
    batch, device = len(encoded.context), encoded.context.device
    decoder = SequenceDecoder(model, encoded, target, limit)

    def next_tokens(latest: Tensor) -> Tensor:
        return decoder.next_logits(latest).argmax(dim=-1)

    rows = decode_sequences(next_tokens, [start] * batch, [stops] * batch, [limit] * batch, device)
    return [row[:-1] if row and row[-1] in stops else row for row in rows]


def decode_sequences(
    next_tokens: Callable[[Tensor], Tensor],
    start: Sequence[int],
    stops: Sequence[Collection[int]],
    limits: Sequence[int],
    device: torch.device,
) -> list[list[int]]:
    """Decode a batch of sequences until each has ended.

    Args:
        next_tokens: the latest token of each sample (B,) int64 -> the next ones (B,).
        start: id that each sequence is predicted from; not part of the result.
        stops: ids that end each sequence; the first one is the end of the result.
        limits: maximum number of ids of each sequence.
        device: of the tokens.
    """
    latest, most = torch.tensor(start, device=device), torch.tensor(limits, device=device)
    ends = _padded(stops, device)
    decoded: list[Tensor] = []
    finished = most == 0
    while not bool(finished.all()):
        latest = next_tokens(latest)
        decoded.append(latest)
        finished = finished | (latest[:, None] == ends).any(dim=1) | (most <= len(decoded))
    rows: list[list[int]] = torch.stack(decoded, dim=1).tolist() if decoded else [[] for _ in start]
    return [_until(row[:limit], ids) for row, limit, ids in zip(rows, limits, stops, strict=True)]


def _padded(stops: Sequence[Collection[int]], device: torch.device) -> Tensor:
    """(B, n) int64, -1 = no id."""
    longest = max((len(ids) for ids in stops), default=0)
    rows = [[*ids, *[-1] * (longest - len(ids))] for ids in stops]
    return torch.tensor(rows, dtype=torch.int64, device=device).reshape(len(rows), longest)


def _until(row: list[int], stops: Collection[int]) -> list[int]:
    length = next((at + 1 for at, value in enumerate(row) if value in stops), len(row))
    return row[:length]


def _targets(state: ModalityState) -> list[list[int]]:
    rows = zip(state.content.tolist(), state.target_mask.tolist(), strict=True)
    return [[value for value, ignored in zip(*row, strict=True) if not ignored] for row in rows]

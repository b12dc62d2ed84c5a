"""Generating a sequence, one token after another (4M-21 reference, sec. 4.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from fourm.generation.branches import Branches
from fourm.generation.parts import Part
from fourm.generation.randomness import Randomness
from fourm.generation.schedule import Step
from fourm.generation.text_ids import TextIds, merge_spans
from fourm.generation.texts import full_text, shown_ids
from fourm.transformer import FM, SequenceDecoder


def sequence_step(
    model: FM,
    branches: Branches,
    part: Part,
    step: Step,
    randomness: Randomness,
    ids: TextIds,
    last: int | None = None,
    top_k: int | float = 0,
    top_p: float = 0.0,
) -> Part:
    """Predict what is hidden of a text, and put it where it is missing.

    The encoder runs once. Each sample starts from the first id of its target and ends with the
    last one, or when it has as many tokens as the target has places or the modality may have.

    Args:
        model: the transformer.
        branches: what to condition on.
        part: the text: what is shown of it, and the places of what is to be predicted.
        step: its temperature.
        randomness: begun for this step.
        ids: special tokens.
        last: id that ends a text; default: each sample's own, the last of its target.
        top_k, top_p: see `keep_likely`.

    Returns:
        The text with nothing hidden, padded to the longest sample.
    """
    targets = _targets(part)
    start = [target[0] if target else ids.pad for target in targets]
    ends = [-1 if not target else target[-1] if last is None else last for target in targets]
    most = model.config.modalities[step.target].max_tokens
    limits = [min(len(target), most) for target in targets]
    predicted = predict_sequence(
        model, branches, part, step, randomness, (start, ends, limits), top_k, top_p
    )
    rows = []
    for shown, target, first, following in zip(
        shown_ids(part), targets, start, predicted, strict=True
    ):
        if target and first not in shown:  # nothing stands for the span: it follows what is shown
            shown.append(first)
        rows.append(merge_spans(shown, [first, *following], ids) if target else shown)
    return full_text(rows, end=False, ids=ids, device=part.content.device)


def predict_sequence(
    model: FM,
    branches: Branches,
    part: Part,
    step: Step,
    randomness: Randomness,
    bounds: tuple[Sequence[int], Sequence[int], Sequence[int]],
    top_k: int | float = 0,
    top_p: float = 0.0,
) -> list[list[int]]:
    """The ids that follow the start of each sample, its end included.

    Args:
        model, branches, part, step, randomness, top_k, top_p: as `sequence_step`.
        bounds: of each sample, the id it starts from, the id it ends with, and the most ids.
    """
    device = part.content.device
    latest, ends, limits = (torch.tensor(values, device=device) for values in bounds)
    most = int(limits.max()) if len(limits) else 0
    drawn: list[Tensor] = []
    if most:
        decoders = [
            SequenceDecoder(model, encoded, step.target, most)
            for encoded in branches.encode(model, step.target, part)
        ]
        finished = limits == 0
        while not bool(finished.all()):
            logits = branches.combine([decoder.next_logits(latest) for decoder in decoders])
            latest = randomness.draw(logits[:, None], step.temperature, top_k, top_p).tokens[:, 0]
            drawn.append(latest)
            finished = finished | (latest == ends) | (limits <= len(drawn))
    rows: list[list[int]] = torch.stack(drawn, dim=1).tolist() if drawn else [[] for _ in bounds[0]]
    return [
        _until(row[:limit], end) for row, end, limit in zip(rows, bounds[1], bounds[2], strict=True)
    ]


def _targets(part: Part) -> list[list[int]]:
    rows = zip(part.content.tolist(), part.target_mask.tolist(), strict=True)
    return [[value for value, ignored in zip(*row, strict=True) if not ignored] for row in rows]


def _until(row: list[int], end: int) -> list[int]:
    return row[: row.index(end) + 1] if end in row else row

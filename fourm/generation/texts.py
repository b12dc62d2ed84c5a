"""Texts as parts of a sample: complete ones, openings, and those with hidden spans."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from fourm.errors import BadInput
from fourm.generation.parts import Part
from fourm.generation.text_ids import OFFICIAL_IDS, TextIds


def full_text(
    texts: Sequence[Sequence[int]],
    *,
    end: bool = True,
    ids: TextIds = OFFICIAL_IDS,
    device: torch.device | str = "cpu",
) -> Part:
    """Texts that are conditions, padded to the longest; each ends where it ends.

    Args:
        texts: token ids of each sample; an empty one shows nothing (with `end`, just that).
        end: add `[EOS]` where it is missing: the text is complete, as those of training. Without
            it, what follows the text is left open.
        ids: special tokens of the text tokenizer.
        device: where.
    """
    rows = [[*text, ids.end] if end and ids.end not in text[-1:] else list(text) for text in texts]
    content = _padded(rows, ids.pad, device)
    masked = _beyond([len(row) for row in rows], content)
    return Part(content, masked, torch.ones_like(masked))


def up_to_end(content: Tensor, *, ids: TextIds = OFFICIAL_IDS) -> Part:
    """Rows of token ids (B, n), each shown up to its own first `[EOS]`; without one, all of it.

    (The reference cuts every row at the end of the first, and destroys rows that have none.)
    """
    ended = (content == ids.end).cumsum(dim=1)
    masked = (ended - (content == ids.end).to(ended.dtype)) > 0
    return Part(content, masked, torch.ones_like(masked))


def hidden_spans(
    texts: Sequence[Sequence[int]],
    budget: int,
    *,
    last: int | None = None,
    ids: TextIds = OFFICIAL_IDS,
    device: torch.device | str = "cpu",
) -> Part:
    """Texts with sentinels `[S_1]`, `[S_2]`, ..., whose hidden spans are to be predicted.

    What is predicted starts with the first sentinel of the text and ends with the one that follows
    its last: `[S_1] span [S_2] span [S_3]` for a text with two. A text without any is continued:
    it is shown followed by nothing, and predicted from `[S_1]` on.

    Args:
        texts: token ids of each sample.
        budget: the most ids predicted after the first sentinel, the last included; 2 or more.
        last: token that ends the prediction instead, e.g. `[EOS]`.
        ids: special tokens of the text tokenizer.
        device: where.

    Raises:
        BadInput: a budget below 2, or sentinels that do not count up one by one.
    """
    if budget < 2:
        raise BadInput(f"the budget of hidden spans is at least 2, not {budget}")
    shown = _padded([list(text) for text in texts], ids.pad, device)
    block = torch.full((len(texts), budget), ids.pad, dtype=torch.int64, device=device)
    for row, text in enumerate(texts):
        first, after = _sentinel_numbers(text, ids)
        block[row, 0] = ids.sentinel(first)
        block[row, -1] = ids.sentinel(after) if last is None else last
    masked = _beyond([len(text) for text in texts], shown)
    predicted = torch.zeros_like(block, dtype=torch.bool)
    return Part(
        torch.cat([shown, block], dim=1),
        torch.cat([masked, ~predicted], dim=1),
        torch.cat([torch.ones_like(masked), predicted], dim=1),
    )


def shown_ids(part: Part) -> list[list[int]]:
    """The ids of each sample that the model is shown."""
    rows = zip(part.content.tolist(), part.input_mask.tolist(), strict=True)
    return [[value for value, hidden in zip(*row, strict=True) if not hidden] for row in rows]


def _sentinel_numbers(text: Sequence[int], ids: TextIds) -> tuple[int, int]:
    places = {value: number for number, value in enumerate(ids.sentinels)}
    numbers = [places[value] for value in text if value in places]
    if not numbers:
        return 1, 2
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        listed = ", ".join(f"[S_{number}]" for number in numbers)
        raise BadInput(f"the sentinels of a text count up one by one, not {listed}")
    return numbers[0], numbers[-1] + 1


def _padded(rows: Sequence[Sequence[int]], pad: int, device: torch.device | str) -> Tensor:
    longest = max((len(row) for row in rows), default=0)
    filled = [[*row, *[pad] * (longest - len(row))] for row in rows]
    content = torch.tensor(filled, dtype=torch.int64, device=device)
    return content.reshape(len(rows), longest)


def _beyond(lengths: Sequence[int], content: Tensor) -> Tensor:
    """(B, n) bool, True from each row's length on."""
    places = torch.arange(content.shape[1], device=content.device)
    return places >= torch.tensor(lengths, device=content.device)[:, None]

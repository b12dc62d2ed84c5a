"""Texts of a sample: complete ones, and those with masked spans (4M-21 reference, sec. 2.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from fourm.errors import BadInput
from fourm.generation.states import ModalityState
from fourm.tokenizers.wordpiece import OFFICIAL_IDS, SpecialIds, TextTokenizer

SENTINEL = re.compile(r"\[S_\d+\]")
"""A sentinel in a text: words are to be filled in there."""

MAX_INFILLING_TOKENS = 64
"""Maximum number of word pieces filled into a text, sentinels included."""


def full_text(
    texts: Sequence[Sequence[int]],
    *,
    end: bool = True,
    ids: SpecialIds = OFFICIAL_IDS,
    device: torch.device | str = "cpu",
) -> ModalityState:
    """Texts that are conditions, padded to the longest.

    Args:
        texts: token ids of each sample; may be empty.
        end: append `[EOS]` where it is missing, as in training; without it, the text is incomplete.
        ids: special tokens of the text tokenizer.
        device: of the result.
    """
    rows = [[*text, ids.end] if end and ids.end not in text[-1:] else list(text) for text in texts]
    content = _padded(rows, ids.pad, device)
    masked = _padding([len(row) for row in rows], content)
    return ModalityState(content, masked, torch.ones_like(masked))


def up_to_end(content: Tensor, *, ids: SpecialIds = OFFICIAL_IDS) -> ModalityState:
    """Texts that are conditions: rows of ids (B, n), each up to its own first `[EOS]`, if any.

    (The reference cuts every row at the end of the first, and destroys rows that have none.)
    """
    ended = (content == ids.end).cumsum(dim=1)
    masked = (ended - (content == ids.end).to(ended.dtype)) > 0
    return ModalityState(content, masked, torch.ones_like(masked))


def masked_spans(
    texts: Sequence[Sequence[int]],
    length: int,
    *,
    stop: int | None = None,
    ids: SpecialIds = OFFICIAL_IDS,
    device: torch.device | str = "cpu",
) -> ModalityState:
    """Texts with sentinels `[S_1]`, `[S_2]`, ..., whose masked spans are to be predicted.

    The prediction starts with the first sentinel of the text and ends with the one after its last:
    `[S_1] span [S_2] span [S_3]` for a text with two. A text without sentinels is continued: it is
    an input, and the prediction starts from `[S_1]`.

    Args:
        texts: token ids of each sample.
        length: maximum number of ids of the prediction, the first and the last included; >= 2.
        stop: id that ends the prediction instead, e.g. `[EOS]`.
        ids: special tokens of the text tokenizer.
        device: of the result.

    Raises:
        BadInput: a length below 2, or sentinels that are not consecutive.
    """
    if length < 2:
        raise BadInput(f"length of masked spans must be >= 2, got {length}")
    visible = _padded([list(text) for text in texts], ids.pad, device)
    target = torch.full((len(texts), length), ids.pad, dtype=torch.int64, device=device)
    for row, text in enumerate(texts):
        first, after = _sentinel_numbers(text, ids)
        target[row, 0] = ids.sentinel(first)
        target[row, -1] = ids.sentinel(after) if stop is None else stop
    masked = _padding([len(text) for text in texts], visible)
    predicted = torch.zeros_like(target, dtype=torch.bool)
    return ModalityState(
        torch.cat([visible, target], dim=1),
        torch.cat([masked, ~predicted], dim=1),
        torch.cat([torch.ones_like(masked), predicted], dim=1),
    )


def infilling_text(text: str, tokenizer: TextTokenizer, device: torch.device) -> ModalityState:
    """A text with `[S_1]`, `[S_2]` ..., each of which stands for words to be filled in.

    Raises:
        BadInput: no sentinels, or sentinels that are not consecutive.
    """
    ids = tokenizer.encode(text)
    if not any(token in tokenizer.sentinels for token in ids):
        raise BadInput("the text has no [S_1] where words are to be filled in")
    # As in training, the end of a text belongs to the span at its end.
    ids += [] if ids[-1] in tokenizer.sentinels else [tokenizer.end]
    return masked_spans([ids], MAX_INFILLING_TOKENS, ids=tokenizer.special_ids, device=device)


def visible_ids(text: ModalityState) -> list[list[int]]:
    """The ids of each sample that are inputs."""
    rows = zip(text.content.tolist(), text.input_mask.tolist(), strict=True)
    return [[value for value, masked in zip(*row, strict=True) if not masked] for row in rows]


def merge_spans(visible: Iterable[int], predicted: Iterable[int], ids: SpecialIds) -> list[int]:
    """Insert predicted spans at their sentinels.

    `a [S_1] on the [S_2]` and `[S_1] dog [S_2] grass [S_3]` give `a dog on the grass`. As in the
    reference, a sentinel without a predicted span is dropped, and a span in pieces is joined.
    """
    sentinels = frozenset(ids.sentinels)
    spans: dict[int, list[int]] = {}
    span: list[int] = []
    for value in predicted:
        if value in sentinels:
            span = spans.setdefault(value, [])
        else:
            span.append(value)
    return [
        token
        for value in visible
        for token in (spans.get(value, []) if value in sentinels else [value])
    ]


def _sentinel_numbers(text: Sequence[int], ids: SpecialIds) -> tuple[int, int]:
    number_of = {value: number for number, value in enumerate(ids.sentinels)}
    numbers = [number_of[value] for value in text if value in number_of]
    if not numbers:
        return 1, 2
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        listed = ", ".join(f"[S_{number}]" for number in numbers)
        raise BadInput(f"the sentinels of a text must be consecutive, got {listed}")
    return numbers[0], numbers[-1] + 1


def _padded(rows: Sequence[Sequence[int]], pad: int, device: torch.device | str) -> Tensor:
    longest = max((len(row) for row in rows), default=0)
    filled = [[*row, *[pad] * (longest - len(row))] for row in rows]
    content = torch.tensor(filled, dtype=torch.int64, device=device)
    return content.reshape(len(rows), longest)


def _padding(lengths: Sequence[int], content: Tensor) -> Tensor:
    """(B, n) bool, True from each row's length on."""
    positions = torch.arange(content.shape[1], device=content.device)
    return positions >= torch.tensor(lengths, device=content.device)[:, None]

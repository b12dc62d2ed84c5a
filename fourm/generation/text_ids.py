"""Special tokens of the text tokenizer that generation goes by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fourm.errors import BadInput

if TYPE_CHECKING:
    from fourm.tokenizers.wordpiece import TextTokenizer


@dataclass(frozen=True)
class TextIds:
    """Ids of `[PAD]`, `[EOS]` and the sentinels `[S_0]`, `[S_1]`, ...

    The defaults are those of 4M-21's tokenizer (4M-21 reference, sec. 2.5).
    """

    pad: int = 0
    end: int = 3
    sentinels: Sequence[int] = range(4, 204)

    @classmethod
    def of(cls, tokenizer: TextTokenizer) -> TextIds:
        """Those of a tokenizer."""
        return cls(tokenizer.pad, tokenizer.end, tokenizer.sentinels)

    def sentinel(self, number: int) -> int:
        """Id of `[S_number]`.

        Raises:
            BadInput: there is none.
        """
        if not 0 <= number < len(self.sentinels):
            raise BadInput(f"there are {len(self.sentinels)} sentinels, so no [S_{number}]")
        return self.sentinels[number]


OFFICIAL_IDS = TextIds()


def merge_spans(shown: Iterable[int], predicted: Iterable[int], ids: TextIds) -> list[int]:
    """Put the predicted spans where their sentinels are.

    `a [S_1] on the [S_2]` and `[S_1] dog [S_2] grass [S_3]` give `a dog on the grass`. As in the
    reference, a sentinel whose span never came is gone, and a span that comes in pieces is joined.
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
        for value in shown
        for token in (spans.get(value, []) if value in sentinels else [value])
    ]

"""The tokenizer of a language model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fourm.checks import NOTHING_LEFT, unicode_text
from fourm.errors import BadInput, CheckpointError

TOKENIZER = "tokenizer.json"


class SentenceTokenizer:
    """Tokenizes a text, with the start and end tokens of the language model.

    Safe to call from several threads.

    Args:
        path: a `tokenizer.json` of the `tokenizers` library.
        max_tokens: maximum number of tokens, start and end token included; longer texts are
            truncated.
        vocabulary: number of token embeddings of the model.

    Raises:
        CheckpointError: the file does not exist, is not a tokenizer, or has more ids than the model
            has token embeddings.
    """

    def __init__(self, path: Path, max_tokens: int, vocabulary: int) -> None:
        from tokenizers import Tokenizer

        if not path.is_file():
            raise CheckpointError(f"{path} does not exist; a language model needs its tokenizer")
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise CheckpointError(f"{path} is not a tokenizer file ({error})") from None
        highest = max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)
        if not 0 <= highest < vocabulary:
            raise CheckpointError(
                f"{path} has ids up to {highest}, but the model has {vocabulary} token embeddings"
            )
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=max_tokens)
        self.max_tokens = max_tokens

    def __call__(self, text: str) -> list[int]:
        """Ids of one text, `2 .. max_tokens` of them.

        Raises:
            BadInput: not a string of Unicode text, white space alone, or nothing but characters
                that the tokenizer drops.
        """
        self.pieces(text)
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def pieces(self, text: str) -> list[str]:
        """All word pieces of a text, without start and end token, and not truncated.

        Raises:
            BadInput: as calling this.
        """
        if not unicode_text(text).strip():
            raise BadInput("the text is empty")
        whole = self._tokenizer.encode(text, add_special_tokens=False)
        pieces = [piece for part in (whole, *whole.overflowing) for piece in part.tokens]
        if not pieces:
            raise BadInput(NOTHING_LEFT)
        return pieces

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The token of each id."""
        return [str(self._tokenizer.id_to_token(value)) for value in ids]


def pad(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Pad texts of different lengths to one batch.

    Returns:
        ids (B, N) int64, padded with 0 on the right; mask (B, N) bool, True = padding.

    Raises:
        BadInput: no rows, or an empty one.
    """
    if not rows or not all(len(row) for row in rows):
        raise BadInput("every text of a batch needs at least one token")
    ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    mask = np.ones(ids.shape, np.bool_)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = False
    return ids, mask

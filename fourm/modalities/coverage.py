"""How much of a text a model knows.

A tokenizer splits a word that it does not know into pieces, down to single letters, and the model
gives a vector of those as of any other text. Models here were trained on English captions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CONTINUED = "##"
LETTERS_A_PIECE = 2
"""A word is known if its pieces have more letters than this on average: `frisbee` is `fr ##is
##bee`, `qwxz` is `q ##w ##x ##z`."""


@dataclass(frozen=True)
class TextCoverage:
    """What a model reads of a text.

    Attributes:
        words: number of words, and of marks between them.
        unknown: how many of them the model does not know: of another script, symbols and
            punctuation, and words that fall into single letters.
        tokens: number of word pieces, special tokens included.
        longest: maximum number of tokens; the rest of a text is cut off.
    """

    words: int
    unknown: int
    tokens: int
    longest: int

    @property
    def unknown_share(self) -> float:
        """Share of unknown words, 0 to 1."""
        return self.unknown / self.words

    @property
    def is_unknown(self) -> bool:
        """Whether the model knows no word."""
        return self.unknown == self.words

    @property
    def truncated(self) -> bool:
        """Whether the end of the text is cut off."""
        return self.tokens > self.longest

    @classmethod
    def of(cls, pieces: Sequence[str], special: int, longest: int) -> TextCoverage:
        """Count words and tokens.

        Args:
            pieces: at least one word piece of the whole text, without special tokens.
            special: number of special tokens beside them.
            longest: as the attribute.
        """
        words: list[list[str]] = []
        for piece in pieces:
            if piece.startswith(CONTINUED) and words:
                words[-1].append(piece.removeprefix(CONTINUED))
            else:
                words.append([piece])
        unknown = sum(not _is_known(word) for word in words)
        return cls(len(words), unknown, len(pieces) + special, longest)


def _is_known(word: Sequence[str]) -> bool:
    text = "".join(word)
    if text.isdecimal() and text.isascii():
        return True
    if text == "[UNK]" or not text.isascii() or not any(letter.isalpha() for letter in text):
        return False
    return len(word) == 1 or len(text) > LETTERS_A_PIECE * len(word)

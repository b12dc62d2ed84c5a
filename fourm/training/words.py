"""A text tokenizer of 4M-21's kind, with a small vocabulary of its own.

Word pieces come from a published tokenizer, as far as the training texts use them. The order of the
ids lets a modality's table end early: special tokens and class names, word pieces, then numbers,
axis by axis. A caption needs no number, a palette none of the last two axes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fourm.modalities.number_words import LARGEST
from fourm.tokenizers.wordpiece import AXES, END, PAD, START, UNKNOWN

SENTINELS = 10


def used_pieces(path: Path, texts: Iterable[str], least: int) -> list[str]:
    """Pieces that the texts use at least so often, most frequent first, and single characters.

    Args:
        path: `tokenizer.json` of a WordPiece tokenizer.
        texts: for training.
        least: a rarer word is spelled in the pieces that are kept.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(tokenizer.encode(text, add_special_tokens=False).tokens)
    frequent = [piece for piece, count in seen.most_common() if count >= least]
    letters = sorted(
        piece
        for piece in tokenizer.get_vocab()
        if len(piece.removeprefix("##")) == 1 and piece.removeprefix("##").isascii()
    )
    return list(dict.fromkeys([*frequent, *letters]))


@dataclass(frozen=True)
class WordTokenizer:
    """A text tokenizer in the official format.

    Attributes:
        json: the content of `tokenizer.json`.
        words: ids below are special tokens, class names and word pieces.
    """

    json: dict[str, Any]
    words: int

    def up_to_axis(self, count: int) -> int:
        """Ids below are words and the numbers of the first `count` axes."""
        return self.words + count * (LARGEST + 1)


def word_tokenizer(pieces: Sequence[str], classes: Sequence[str]) -> WordTokenizer:
    """A tokenizer of lower-case texts.

    Args:
        pieces: word pieces; those within a word begin with `##`.
        classes: names that are one token each, also where they have several words.
    """
    special = [PAD, UNKNOWN, START, END, *(f"[S_{number}]" for number in range(SENTINELS))]
    taken = {*special, *classes}
    words = [*special, *classes, *(piece for piece in pieces if piece not in taken)]
    numbers = [f"{axis}={value}" for axis in AXES for value in range(LARGEST + 1)]
    ids = {token: number for number, token in enumerate([*words, *numbers])}
    single = [*special[4:], *numbers, *classes]
    added = [
        _added(token, ids[token], single_word=False, normalized=False) for token in special[:4]
    ]
    added += [
        _added(token, ids[token], single_word=True, normalized=token in classes) for token in single
    ]
    normalizer = {"clean_text": True, "handle_chinese_chars": True, "strip_accents": None}
    return WordTokenizer(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": sorted(added, key=lambda token: token["id"]),
            "normalizer": {"type": "BertNormalizer", **normalizer, "lowercase": True},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": None,
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "model": {
                "type": "WordPiece",
                "unk_token": UNKNOWN,
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
                "vocab": ids,
            },
        },
        len(words),
    )


def _added(token: str, number: int, *, single_word: bool, normalized: bool) -> dict[str, Any]:
    return {
        "id": number,
        "content": token,
        "single_word": single_word,
        "lstrip": False,
        "rstrip": False,
        "normalized": normalized,
        "special": True,
    }

"""BLEU and CIDEr-D of captions, on lower-case words without punctuation."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

Words = Sequence[str]
LONGEST = 4
CIDER_WIDTH = 6.0
"""Standard deviation of the penalty for another length."""


def words_of(text: str) -> list[str]:
    """The words of a caption."""
    return re.findall(r"[a-z0-9']+", text.lower())


def bleu(written: Sequence[Words], references: Sequence[Sequence[Words]]) -> float:
    """BLEU-4 of a corpus (Papineni et al., 2002): 0 to 1.

    The reference whose length is nearest counts for the brevity penalty.
    """
    matched, total = [0] * LONGEST, [0] * LONGEST
    length = nearest = 0
    for words, others in zip(written, references, strict=True):
        length += len(words)
        nearest += min((abs(len(o) - len(words)), len(o)) for o in others)[1]
        for size in range(1, LONGEST + 1):
            most: Counter[Words] = Counter()
            for other in others:
                most |= _grams(other, size)
            grams = _grams(words, size)
            matched[size - 1] += (grams & most).total()
            total[size - 1] += grams.total()
    if not all(matched):
        return 0.0
    precision = sum(math.log(m / t) for m, t in zip(matched, total, strict=True)) / LONGEST
    return math.exp(precision + min(0.0, 1 - nearest / length))


def cider(written: Sequence[Words], references: Sequence[Sequence[Words]]) -> float:
    """CIDEr-D (Vedantam et al., 2015) with document frequencies of these references."""
    score = 0.0
    for size in range(1, LONGEST + 1):
        counted = [[_grams(other, size) for other in others] for others in references]
        documents: Counter[Words] = Counter()
        for others in counted:
            documents.update(set().union(*others))
        log_photos = math.log(len(references))
        weight = {gram: log_photos - math.log(count) for gram, count in documents.items()}
        for words, others, texts in zip(written, counted, references, strict=True):
            mine = _grams(words, size)
            for other, text in zip(others, texts, strict=True):
                near = math.exp(-((len(words) - len(text)) ** 2) / (2 * CIDER_WIDTH**2))
                score += near * _similar(mine, other, weight, log_photos) / len(others)
    return 10 * score / LONGEST / len(written)


def _similar(
    mine: Counter[Words], other: Counter[Words], weight: dict[Words, float], unseen: float
) -> float:
    """Cosine of weighted counts, those of `mine` clipped to those of `other`."""
    shared = sum(min(mine[g], other[g]) * other[g] * weight[g] ** 2 for g in mine.keys() & other)
    norms = [
        math.sqrt(sum((count * weight.get(gram, unseen)) ** 2 for gram, count in one.items()))
        for one in (mine, other)
    ]
    return shared / (norms[0] * norms[1]) if all(norms) else 0.0


def _grams(words: Words, size: int) -> Counter[Words]:
    return Counter(tuple(words[i : i + size]) for i in range(len(words) - size + 1))

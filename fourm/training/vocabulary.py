"""Pruning a WordPiece vocabulary: the language model in the box knows fewer words.

A word that is dropped is spelled in the pieces that stay: single characters and their
continuations always do, so that no text becomes unreadable.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fourm.errors import BadInput


def pruned(tokenizer: dict[str, Any], keep: set[int]) -> tuple[dict[str, Any], list[int]]:
    """A `tokenizer.json` with some of its entries, and the old id of each new id.

    Args:
        tokenizer: a WordPiece tokenizer as the `tokenizers` library writes it.
        keep: old ids to keep; special tokens and single characters are kept anyway.

    Raises:
        BadInput: not a WordPiece tokenizer.
    """
    if tokenizer.get("model", {}).get("type") != "WordPiece":
        raise BadInput("only WordPiece tokenizers can be pruned")
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    special = {entry["id"] for entry in tokenizer.get("added_tokens", [])}
    special |= {vocabulary[word] for word in _named(tokenizer) if word in vocabulary}
    kept = [
        (old, word)
        for word, old in vocabulary.items()
        if old in keep or old in special or len(word.removeprefix("##")) == 1
    ]
    kept.sort()
    new_of = {old: new for new, (old, _) in enumerate(kept)}
    out = json.loads(json.dumps(tokenizer))
    out["model"]["vocab"] = {word: new_of[old] for old, word in kept}
    out["added_tokens"] = [
        {**entry, "id": new_of[entry["id"]]} for entry in tokenizer.get("added_tokens", [])
    ]
    processor = out.get("post_processor") or {}
    for entry in processor.get("special_tokens", {}).values():
        entry["ids"] = [new_of[old] for old in entry["ids"]]
    for end in ("sep", "cls"):
        if end in processor:
            processor[end][1] = new_of[processor[end][1]]
    return out, [old for old, _ in kept]


def _named(tokenizer: dict[str, Any]) -> set[str]:
    """Tokens that the tokenizer's other parts ask for by name."""
    processor = tokenizer.get("post_processor") or {}
    ends = {processor[end][0] for end in ("sep", "cls") if end in processor}
    return {tokenizer["model"]["unk_token"], *processor.get("special_tokens", {}), *ends}


def frequent(path: Path, texts: Iterable[str], count: int) -> set[int]:
    """Ids to keep: all that occur in the texts, and the first whole words of the vocabulary.

    Published vocabularies are in order of frequency, so the first words are the usual ones.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    seen: Counter[int] = Counter()
    for text in texts:
        seen.update(tokenizer.encode(text).ids)
    keep = set(seen)
    for word, old in sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1]):
        if len(keep) >= count:
            break
        if not word.startswith("[unused"):
            keep.add(old)
    return keep

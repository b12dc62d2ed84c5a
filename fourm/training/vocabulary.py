"""Pruning the WordPiece vocabulary of a language model.

A word that is dropped is spelled in the pieces that remain: single characters and their
continuations always do, so that no text becomes unreadable.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fourm.errors import BadInput

WORD_TABLE = "embeddings.word_embeddings.weight"
"""The language model's tensor with a row for each entry of the vocabulary."""


def pruned_tokenizer(
    path: Path, texts: Iterable[str], count: int
) -> tuple[dict[str, Any], list[int]]:
    """A tokenizer with the entries that the texts use and the most frequent others.

    Args:
        path: `tokenizer.json` of a WordPiece tokenizer.
        texts: all their pieces are kept.
        count: entries to keep, besides special tokens and single characters.

    Returns:
        The new `tokenizer.json`, and the old id of each new id.

    Raises:
        BadInput: not a WordPiece tokenizer.
    """
    return pruned(json.loads(path.read_text(encoding="utf-8")), frequent_ids(path, texts, count))


def write_tokenizer(path: Path, tokenizer: dict[str, Any]) -> None:
    """Write `tokenizer.json`, without white space."""
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")


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
    """Tokens that other parts of the tokenizer refer to by name."""
    processor = tokenizer.get("post_processor") or {}
    ends = {processor[end][0] for end in ("sep", "cls") if end in processor}
    return {tokenizer["model"]["unk_token"], *processor.get("special_tokens", {}), *ends}


def frequent_ids(path: Path, texts: Iterable[str], count: int) -> set[int]:
    """Ids of all tokens that occur in the texts, and of the first words of the vocabulary.

    Published vocabularies are sorted by frequency, so the first words are the most frequent ones.
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

"""The text tokenizer that the reference's results were recorded with.

Its file is not carried here. Every recording names its tokens and their ids, though, and the rest
of the layout is specified (docs/4m21.md, section 2.5), so a tokenizer with these tokens at their
official ids reproduces every recorded sequence. Tests that need the whole vocabulary find the
official file where `fourm models pull tokenizer/text` puts it, or at $FOURM_TEXT_TOKENIZER.
"""

import json
import os
import string
from functools import cache
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from fourm.hub.cache import cache_folder
from fourm.hub.official import TEXT_TOKENIZER
from fourm.modalities.seg import panoptic_classes
from tests.fourm.recorded import recorded_path

SIZE = 30_000
OFFICIAL = Path(os.environ.get("FOURM_TEXT_TOKENIZER", cache_folder() / TEXT_TOKENIZER))
SPECIAL = ["[PAD]", "[UNK]", "[SOS]", "[EOS]", *(f"[S_{i}]" for i in range(200))]
NUMBERS = [f"v{axis}={value}" for axis in range(4) for value in range(1000)]
CLASSES = sorted(row.name for row in panoptic_classes() if row.is_thing)


@cache
def text_recordings():
    """The contents of text.json."""
    return json.loads(recorded_path("text.json").read_text(encoding="utf-8"))


def recorded_strings():
    """(modality, recording) of every string with its ids."""
    text = text_recordings()
    cases = {name: text[name] for name in ("det", "metadata", "color_palette")}
    cases["human_poses"] = text["human_poses"]["cases"]
    cases["sam_instance"] = [text["sam_instance"]]
    return [(name, case) for name, listed in cases.items() for case in listed]


def official_text_tokenizer():
    """Path of the official file; skips the test where it has not been pulled."""
    if not OFFICIAL.is_file():
        pytest.skip(
            "needs the official text tokenizer: run `fourm models pull tokenizer/text`, "
            f"or set FOURM_TEXT_TOKENIZER to the path of {TEXT_TOKENIZER}"
        )
    return OFFICIAL


def save_recorded_tokenizer(path):
    """Write a tokenizer with all recorded tokens at their official ids; `path`."""
    fixed = [*SPECIAL, *NUMBERS, *CLASSES]
    vocabulary = {token: i for i, token in enumerate(fixed)}
    for probe in text_recordings()["tokenizer"]:
        vocabulary |= dict(zip(probe["tokens"], probe["ids"], strict=True))
    for _, case in recorded_strings():
        words = case["string"].split()
        if len(words) == len(case["ids"]):
            vocabulary |= dict(zip(words, case["ids"], strict=True))
    letters = string.ascii_lowercase + string.digits
    others = [piece for letter in letters for piece in (letter, f"##{letter}")]
    others = [piece for piece in others if piece not in vocabulary]
    free = sorted(set(range(SIZE)) - set(vocabulary.values()), reverse=True)
    placeholders = [*others, *(f"[unused_{i}]" for i in range(len(free) - len(others)))]
    vocabulary |= dict(zip(placeholders, free, strict=True))
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=True)
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.add_special_tokens([AddedToken(n, single_word=True) for n in NUMBERS])
    tokenizer.add_special_tokens(
        [AddedToken(name, single_word=True, normalized=True) for name in CLASSES]
    )
    tokenizer.save(str(path))
    return path

"""The shape of a modality's tokens in a model.

4M-21 reference: a modality is pixels, a grid of image tokens, a word-piece sequence or a sequence
of embeddings. A config may describe further ones, or change those of 4M-21, under `modality_info`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from fourm.checkpoints.config import Fields
from fourm.errors import ConfigError, UnknownModality

TokenKind = Literal["pixels", "img", "seq", "seq_emb"]
Positions = Literal["sincos1d", "sincos2d", "learned"]
Decode = Literal["argmax", "soft", "sample"]
"""How predicted tokens become codes: the most likely, the expectation, or drawn ones."""

TOKEN_KINDS = ("pixels", "img", "seq", "seq_emb")
POSITIONS = ("sincos1d", "sincos2d", "learned")

# 4M-21 reference: one-dimensional positions have 512 rows whatever the modality's longest sequence.
SEQUENCE_ROWS = 512
WORD_PIECES = 30_000


@dataclass(frozen=True)
class TokenSpec:
    """The tokens of one modality of a model.

    Attributes:
        name: as in the config, e.g. `tok_semseg@224`.
        kind: `pixels` (a normalised image), `img` (a fixed number of token ids), `seq` (word
            pieces) or `seq_emb` (vectors of a language model).
        max_tokens: exactly this many for `pixels` and `img`; for sequences the most in training.
        positions: how the rows of `pos_emb` are made; only learned ones are parameters.
        position_rows: rows of `pos_emb`.
        vocabulary: number of token ids (`img`, `seq`).
        patch_size: side of a patch in pixels (`pixels`).
        channels: channels of the image (`pixels`).
        width: length of one embedding (`seq_emb`).
        decoder_rows: ranks from here on fall back to row 0 in the decoder (`seq`).
    """

    name: str
    kind: TokenKind
    max_tokens: int
    positions: Positions
    position_rows: int
    vocabulary: int = 0
    patch_size: int = 16
    channels: int = 3
    width: int = 0
    decoder_rows: int = 0

    @property
    def is_sequence(self) -> bool:
        """Whether positions follow the rank among visible tokens instead of a grid."""
        return self.kind in ("seq", "seq_emb")

    @property
    def is_predictable(self) -> bool:
        """Whether it is made of token ids, which a model can predict."""
        return self.kind in ("img", "seq")

    @property
    def grid(self) -> int:
        """Side of the square grid of `pixels` and two-dimensional `img` tokens."""
        return math.isqrt(self.max_tokens)


OFFICIAL: dict[str, TokenSpec] = {}
"""The modalities of 4M-21, by their names in its checkpoints; `fourm.modalities` fills it."""


def grid_tokens(name: str, vocabulary: int, side: int = 14) -> TokenSpec:
    """A square of image tokens, `side` of them in each row."""
    return TokenSpec(name, "img", side * side, "sincos2d", side * side, vocabulary)


def vector_tokens(name: str, count: int = 16, vocabulary: int = 8192) -> TokenSpec:
    """The tokens of a single vector, one from each codebook."""
    return TokenSpec(name, "img", count, "learned", count, vocabulary)


def text_tokens(name: str, most: int, decoder_rows: int | None = None) -> TokenSpec:
    """At most so many word pieces of 4M-21's text tokenizer."""
    return TokenSpec(
        name,
        "seq",
        most,
        "sincos1d",
        SEQUENCE_ROWS,
        WORD_PIECES,
        decoder_rows=decoder_rows or most,
    )


def describe(
    names: Iterable[str], overrides: Mapping[str, Any], where: object
) -> dict[str, TokenSpec]:
    """The modalities of a config, by name, in the order of `names`.

    Args:
        names: what the config's domain lists name.
        overrides: its `modality_info`: name -> fields of `TokenSpec` that differ from the table
            (all that matter, for a modality the table does not have).
        where: the config's file, for messages.

    Raises:
        UnknownModality: a name is in neither table.
        ConfigError: an override is not an object of known fields with possible values.
    """
    described = {}
    for name in names:
        base, changes = OFFICIAL.get(name), overrides.get(name)
        if base is None and changes is None:
            raise UnknownModality(
                f"{name!r} is not a modality of 4M-21, nor described by modality_info", where=where
            )
        described[name] = base if changes is None else _changed(name, base, changes, where)
    return cast("dict[str, TokenSpec]", described)


def _changed(name: str, base: TokenSpec | None, changes: Any, where: object) -> TokenSpec:
    where = f"{where}: modality_info of {name}"
    known = set(TokenSpec.__dataclass_fields__) - {"name"}
    if not isinstance(changes, dict) or not set(changes) <= known:
        raise ConfigError(f"{where} must be an object with fields of {sorted(known)}")
    fields = Fields(changes, where)
    kind = fields.text("kind", base.kind if base else None)
    if kind not in TOKEN_KINDS:
        raise fields.error("kind", f"one of {TOKEN_KINDS}", kind)
    most = fields.integer("max_tokens", base.max_tokens if base else None, 1, 1 << 16)
    sequence = kind in ("seq", "seq_emb")
    positions = fields.text(
        "positions", base.positions if base else ("sincos1d" if sequence else "sincos2d")
    )
    if positions not in POSITIONS:
        raise fields.error("positions", f"one of {POSITIONS}", positions)
    if not sequence and positions == "sincos2d" and math.isqrt(most) ** 2 != most:
        raise fields.error("max_tokens", "a square number", most)
    rows = fields.integer("position_rows", SEQUENCE_ROWS if sequence else most, 1, 1 << 16)
    if not sequence and rows != most:
        raise fields.error("position_rows", f"max_tokens ({most})", rows)
    start = base or TokenSpec(name, cast(TokenKind, kind), most, cast(Positions, positions), rows)
    return replace(
        start,
        kind=cast(TokenKind, kind),
        max_tokens=most,
        positions=cast(Positions, positions),
        position_rows=rows,
        vocabulary=fields.integer("vocabulary", start.vocabulary, int(kind in ("img", "seq"))),
        patch_size=fields.integer("patch_size", start.patch_size, 1, 1024),
        channels=fields.integer("channels", start.channels, 1, 64),
        width=fields.integer("width", start.width, int(kind == "seq_emb"), 1 << 16),
        decoder_rows=fields.integer("decoder_rows", min(start.decoder_rows or most, rows), 1, rows),
    )

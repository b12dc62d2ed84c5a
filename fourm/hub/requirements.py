"""Which repositories a purpose needs: only the tokenizers of what shall be read and predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fourm.errors import BadInput
from fourm.hub.names import Entry
from fourm.hub.official import OWNER, SPACES, TEXT, TOKENIZERS, WRITTEN
from fourm.modalities.kinds import KINDS
from fourm.tokens import OFFICIAL

USUAL = ("image", "text", "seg", "dinov2")
"""What a model is pulled for unless something else is asked for."""

EVERYTHING = "all"


class Needs(NamedTuple):
    """What has to be there.

    Attributes:
        repositories: on the hub, the model first.
        words: whether the text tokenizer is needed.
    """

    repositories: tuple[str, ...]
    words: bool


def needed(entry: Entry, wanted: Sequence[str] = ()) -> Needs:
    """What a model needs to read and predict what is wanted; a tokenizer needs itself alone.

    Args:
        entry: with a repository.
        wanted: kinds of input or output (`depth`, `sam-edges`), spaces (`imagebind`), modalities of
            4M-21 (`tok_rgb@224`), or `all`; `USUAL` by default. A space is always among what is
            fetched.

    Raises:
        BadInput: something wanted is none of these, or a tokenizer was asked for a purpose.
    """
    assert entry.repository is not None
    if entry.kind == "tokenizer":
        if wanted:
            raise BadInput(f"{entry.name} is pulled alone: say what for with a model")
        return Needs((), True) if entry.name == TEXT else Needs((entry.repository,), False)
    modalities = [name for one in wanted or USUAL for name in _modalities(one)]
    if not any(space.modality in modalities for space in SPACES.values()):
        modalities += _modalities(next(iter(SPACES)))
    tokenizers = [f"{OWNER}/{TOKENIZERS[name]}" for name in modalities if name in TOKENIZERS]
    return Needs(
        tuple(dict.fromkeys([entry.repository, *tokenizers])),
        any(name in WRITTEN for name in modalities),
    )


def _modalities(wanted: str) -> list[str]:
    name = wanted if wanted in OFFICIAL else wanted.lower().replace("-", "_")
    if name == EVERYTHING:
        return list(OFFICIAL)
    if name in KINDS:
        return [KINDS[name]]
    if name in SPACES:
        return [SPACES[name].modality]
    if name in OFFICIAL:
        return [name]
    known = ", ".join([*KINDS, *SPACES, *OFFICIAL, EVERYTHING])
    raise BadInput(f"a model cannot be pulled for {wanted!r}; it can for {known}")

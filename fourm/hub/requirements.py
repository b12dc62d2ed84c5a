"""What has to be pulled so that a model reads and predicts what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fourm.errors import BadInput
from fourm.hub.names import Entry
from fourm.hub.official import OWNER, TEXT, spaces, tokenizer_repositories, written_as_text
from fourm.modalities import MODALITIES
from fourm.tokens import OFFICIAL

USUAL = ("image", "text", "seg", "dinov2")
"""What a model is pulled for by default."""

EVERYTHING = "all"


class Requirements(NamedTuple):
    """What has to be on this disk.

    Attributes:
        repositories: on the hub, the model first.
        text_tokenizer: whether the text tokenizer is required.
    """

    repositories: tuple[str, ...]
    text_tokenizer: bool


def requirements(entry: Entry, wanted: Sequence[str] = ()) -> Requirements:
    """What a model requires to read and predict what is wanted; a tokenizer requires itself alone.

    Args:
        entry: with a repository.
        wanted: modalities (`depth`, `sam-edges`), spaces (`imagebind`), names in official
            checkpoints (`tok_rgb@224`), or `all`; default: `USUAL`. At least one space is always
            included.

    Raises:
        BadInput: something wanted is none of these, or the entry is a tokenizer.
    """
    assert entry.repository is not None
    if entry.kind == "tokenizer":
        if wanted:
            raise BadInput(f"{entry.name} is a tokenizer; name modalities with a model only")
        if entry.name == TEXT:
            return Requirements((), True)
        return Requirements((entry.repository,), False)
    names = [name for one in wanted or USUAL for name in _names_in_checkpoints(one)]
    known = spaces()
    if not any(space.modality in names for space in known.values()):
        names += _names_in_checkpoints(next(iter(known)))
    made = tokenizer_repositories()
    tokenizers = [f"{OWNER}/{made[name]}" for name in names if name in made]
    return Requirements(
        tuple(dict.fromkeys([entry.repository, *tokenizers])),
        not set(names).isdisjoint(written_as_text()),
    )


def _names_in_checkpoints(wanted: str) -> list[str]:
    name = wanted if wanted in OFFICIAL else wanted.lower().replace("-", "_")
    if name == EVERYTHING:
        return list(OFFICIAL)
    if name in MODALITIES:
        return [MODALITIES[name].tokens.name]
    if name in spaces():
        return [spaces()[name].modality]
    if name in OFFICIAL:
        return [name]
    known = ", ".join([*MODALITIES, *spaces(), *OFFICIAL, EVERYTHING])
    raise BadInput(f"{wanted!r} is not a modality or a space; there are {known}")

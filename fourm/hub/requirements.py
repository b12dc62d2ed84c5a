"""Which repositories a purpose needs: only the tokenizers of what shall be read and predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fourm.errors import BadInput
from fourm.hub.names import Entry
from fourm.hub.official import OWNER, TEXT, spaces, tokenizer_repositories, written
from fourm.modalities import MODALITIES
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
        wanted: modalities (`depth`, `sam-edges`), spaces (`imagebind`), names in official
            checkpoints (`tok_rgb@224`), or `all`; default: `USUAL`. At least one space is always
            among what is fetched.

    Raises:
        BadInput: something wanted is none of these, or a tokenizer was asked for a purpose.
    """
    assert entry.repository is not None
    if entry.kind == "tokenizer":
        if wanted:
            raise BadInput(f"{entry.name} is pulled alone: say what for with a model")
        return Needs((), True) if entry.name == TEXT else Needs((entry.repository,), False)
    modalities = [name for one in wanted or USUAL for name in _modalities(one)]
    known = spaces()
    if not any(space.modality in modalities for space in known.values()):
        modalities += _modalities(next(iter(known)))
    made = tokenizer_repositories()
    tokenizers = [f"{OWNER}/{made[name]}" for name in modalities if name in made]
    return Needs(
        tuple(dict.fromkeys([entry.repository, *tokenizers])),
        any(name in written() for name in modalities),
    )


def _modalities(wanted: str) -> list[str]:
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

"""Which tokenizers a model needs, which of them are on this disk, and how to get the others."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from fourm.checkpoints.files import TENSORS
from fourm.errors import BadInput, ModelNotFound
from fourm.hub.cache import cache_folder
from fourm.hub.names import Entry
from fourm.hub.official import (
    MODELS,
    OWNER,
    TEXT_TOKENIZER,
    TEXT_TOKENIZER_NAME,
    spaces,
    tokenizer_repositories,
    tokenizers,
    written_as_text,
)
from fourm.hub.sources import is_snapshot, local_snapshot, repository_of
from fourm.modalities import MODALITIES
from fourm.tokens import OFFICIAL

USUAL = ("image", "text", "seg", "dinov2")
"""What a model is pulled for by default."""

EVERYTHING = "all"

MODEL = "model"
"""The part that is the transformer. Wherever its folder lies, its vectors are the same."""


class MissingTokenizer(NamedTuple):
    """What a modality or a space needs that is not on this disk.

    Attributes:
        needs: repositories of tokenizers without their owner, and the file of the text tokenizer.
        pull: the command that fetches them to where they will be found.
    """

    needs: tuple[str, ...]
    pull: str

    def __str__(self) -> str:
        return f"it needs {' and '.join(self.needs)}, not on this disk: `{self.pull}`"


def missing_tokenizers(folder: Path, uses: Mapping[str, str]) -> dict[str, MissingTokenizer]:
    """The modalities and spaces of a model whose tokenizers are not on this disk.

    Args:
        folder: of the model.
        uses: modality or space -> the modality's name in the model's config.
    """
    has_text = find_text_tokenizer(folder) is not None
    made, texts = tokenizer_repositories(), written_as_text()
    absent = {name for name in made.values() if find_tokenizer(folder, name) is None}
    found = {}
    for what, modality in uses.items():
        needs = [TEXT_TOKENIZER] if modality in texts and not has_text else []
        needs += [made[modality]] if made.get(modality) in absent else []
        if needs:
            found[what] = MissingTokenizer(tuple(needs), _pull_command(folder, what, needs))
    return found


def find_tokenizer(folder: Path, name: str) -> Path | None:
    """A tokenizer next to a model's folder, or in the hub's cache; None: nowhere.

    Next to it is next to the folder as it was named, and, for a symbolic link, next to its target.
    A folder without its tensors does not count: its download is not complete.
    """
    for parent in _parents(folder):
        for place in (parent / name, parent / OWNER / name):
            if (place / TENSORS).is_file():
                return place
    return local_snapshot(f"{OWNER}/{name}")


def find_text_tokenizer(folder: Path) -> Path | None:
    """The text tokenizer in a model's folder, next to it or in the user's cache folder."""
    for place in (folder, *_parents(folder), cache_folder()):
        if (place / TEXT_TOKENIZER).is_file():
            return place / TEXT_TOKENIZER
    return None


def _parents(folder: Path) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((folder.absolute().parent, folder.resolve().parent)))


def _pull_command(folder: Path, what: str, needs: list[str]) -> str:
    """The command that fetches what a modality or a space of a model needs."""
    name = repository_of(folder)
    if name in MODELS:
        command = f"fourm models pull {name} --for {what}"
    else:
        names = [
            TEXT_TOKENIZER_NAME if need == TEXT_TOKENIZER else tokenizers()[need].short_name
            for need in needs
        ]
        command = "; ".join(f"fourm models pull {short}" for short in names)
    if is_snapshot(folder):
        return command
    return f"{command} --to {shlex.quote(str(folder.absolute().parent))}"


def locate_part(folder: Path, part: str) -> Path:
    """The folder or file of a part of an official model, as its manifest names it.

    It is the model's folder, or a tokenizer next to it or in the caches; does not use the network.

    Raises:
        ModelNotFound: it is not there (any more).
    """
    if part == MODEL:
        return folder
    name = part.removeprefix(f"{OWNER}/")
    if part == TEXT_TOKENIZER:
        found, short = find_text_tokenizer(folder), TEXT_TOKENIZER_NAME
    else:
        found, short = find_tokenizer(folder, name), tokenizers()[name].short_name
    if found is None:
        raise ModelNotFound(f"{part} is not on this disk: `fourm models pull {short}` fetches it")
    return found


class Requirements(NamedTuple):
    """Files that have to be on this disk.

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
        BadInput: an unknown name, or the entry is a tokenizer.
    """
    assert entry.repository is not None
    if entry.kind == "tokenizer":
        if wanted:
            raise BadInput(f"{entry.name} is a tokenizer; name modalities with a model only")
        if entry.name == TEXT_TOKENIZER_NAME:
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
    raise BadInput(f"{wanted!r} is not a modality or a space; known: {known}")

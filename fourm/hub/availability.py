"""Which tokenizers are on this disk, what is missing without them, and how to get them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from fourm.checkpoints.files import TENSORS
from fourm.errors import ModelNotFound
from fourm.hub.cache import cache_folder
from fourm.hub.official import (
    MODELS,
    OWNER,
    TEXT,
    WORDS,
    tokenizer_repositories,
    tokenizers,
    written_as_text,
)
from fourm.hub.sources import is_snapshot, local_snapshot, repository_of

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
        needs = [WORDS] if modality in texts and not has_text else []
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
        if (place / WORDS).is_file():
            return place / WORDS
    return None


def _parents(folder: Path) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((folder.absolute().parent, folder.resolve().parent)))


def _pull_command(folder: Path, what: str, needs: list[str]) -> str:
    """The command that fetches what a modality or a space of a model needs."""
    name = repository_of(folder)
    if name in MODELS:
        command = f"fourm models pull {name} --for {what}"
    else:
        names = [TEXT if need == WORDS else tokenizers()[need].short_name for need in needs]
        command = "; ".join(f"fourm models pull {short}" for short in names)
    if is_snapshot(folder):
        return command
    return f"{command} --to {shlex.quote(str(folder.absolute().parent))}"


class OfficialParts:
    """Where the parts of a model in the official format are: its folder, next to it, the caches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def locate(self, part: str) -> Path:
        """The folder or file of a part, as `Manifest` names it; asks no network.

        Raises:
            ModelNotFound: it is not there (any more).
        """
        if part == MODEL:
            return self.folder
        name = part.removeprefix(f"{OWNER}/")
        if part == WORDS:
            found, short = find_text_tokenizer(self.folder), TEXT
        else:
            found, short = find_tokenizer(self.folder, name), tokenizers()[name].short_name
        if found is None:
            raise ModelNotFound(f"{part} is not on this disk: `fourm models pull {short}` gets it")
        return found

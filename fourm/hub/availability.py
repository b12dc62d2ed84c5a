"""Which tokenizers are on this disk, who lacks one, and the command that fetches it."""

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
    written,
)
from fourm.hub.sources import is_snapshot, local_snapshot, repository_of

MODEL = "model"
"""The part that is the transformer. Wherever its folder lies, its vectors are the same."""


class Lack(NamedTuple):
    """What a kind or a space needs, and where it comes from.

    Attributes:
        needs: repositories of tokenizers without their owner, and the file of the text tokenizer.
        pull: the command that fetches them to where they will be found.
    """

    needs: tuple[str, ...]
    pull: str

    @property
    def said(self) -> str:
        """What is missing, and the way out."""
        needs = " and ".join(self.needs)
        return f"it needs {needs}, not on this disk: `{self.pull}`"


def lacking(folder: Path, uses: Mapping[str, str]) -> dict[str, Lack]:
    """The kinds and spaces of a model whose tokenizers are neither beside it nor in the caches.

    Args:
        folder: of the model.
        uses: kind or space -> modality.
    """
    words = words_at_hand(folder) is not None
    made, texts = tokenizer_repositories(), written()
    lost = {name for name in made.values() if tokenizer_at_hand(folder, name) is None}
    found = {}
    for what, modality in uses.items():
        needs = [WORDS] if modality in texts and not words else []
        needs += [made[modality]] if made.get(modality) in lost else []
        if needs:
            found[what] = Lack(tuple(needs), pull_command(folder, what, needs))
    return found


def tokenizer_at_hand(folder: Path, name: str) -> Path | None:
    """A tokenizer beside a model's folder, or in the hub's cache; None: nowhere.

    A folder whose tensors have not come yet is none.
    """
    beside = folder.resolve().parent
    for place in (beside / name, beside / OWNER / name):
        if (place / TENSORS).is_file():
            return place
    return local_snapshot(f"{OWNER}/{name}")


def words_at_hand(folder: Path) -> Path | None:
    """The text tokenizer in a model's folder, beside it or in the user's cache folder."""
    for place in (folder, folder.resolve().parent, cache_folder()):
        if (place / WORDS).is_file():
            return place / WORDS
    return None


def pull_command(folder: Path, what: str, needs: list[str]) -> str:
    """The command that fetches what a kind or a space of a model needs."""
    name = repository_of(folder)
    if name in MODELS:
        command = f"fourm models pull {name} --for {what}"
    else:
        names = [TEXT if need == WORDS else tokenizers()[need].short_name for need in needs]
        command = "; ".join(f"fourm models pull {short}" for short in names)
    if is_snapshot(folder):
        return command
    return f"{command} --to {shlex.quote(str(folder.absolute().parent))}"


class Parts:
    """Where the parts of a model in the official format are: its folder, beside it, the caches."""

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
            found, short = words_at_hand(self.folder), TEXT
        else:
            found, short = tokenizer_at_hand(self.folder, name), tokenizers()[name].short_name
        if found is None:
            raise ModelNotFound(f"{part} is not on this disk: `fourm models pull {short}` gets it")
        return found

"""From the name or the folder of a model to its manifest."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path

from fourm.checkpoints import Checkpoint
from fourm.checkpoints.files import TENSORS
from fourm.errors import CheckpointError, ConfigError, ModelNotFound
from fourm.hub.availability import MODEL, locate_part, missing_tokenizers
from fourm.hub.manifest import MANIFEST_FILE, Manifest
from fourm.hub.names import bundled
from fourm.hub.official import (
    COUNTED,
    MODELS,
    OWNER,
    TEXT_TOKENIZER,
    is_tokenizer,
    official_name,
    spaces,
    tokenizer_repositories,
    written_as_text,
)
from fourm.hub.sources import local_snapshot, repository_of, resolve_source
from fourm.hub.teachers import TEACHERS
from fourm.modalities import MODALITIES


def find_manifest(source: str) -> Manifest:
    """The parts of a model.

    Args:
        source: a bundled name (`mini`), an official one that was pulled (`4M-21_B`,
            `EPFL-VILAB/4M-21_B`), a folder with a `bundle.json` or with a model in the official
            format, or the name of such a repository on the hub, which is downloaded.

    Raises:
        ModelNotFound: nothing of that name; the message says what there is, or how to get it.
        CheckpointError: as `folder_manifest`.
    """
    if not source:
        raise ModelNotFound(f"the name of the model is empty; {_known()}")
    if source in (folders := bundled()):
        return Manifest.read(folders[source])
    if not Path(source).is_dir():
        if name := official_name(source):
            return _pulled_manifest(name)
        if is_tokenizer(source):
            raise ModelNotFound(f"{source} is a tokenizer; {_known()}")
    try:
        folder = resolve_source(source)
    except ModelNotFound as error:
        raise ModelNotFound(f"{error}; {_known()}") from None
    if (folder / MANIFEST_FILE).is_file():
        return Manifest.read(folder)
    if folder.name == TENSORS:  # the config and the tokenizers are looked for as from its folder
        folder = folder.parent
    inner = [name for name in MODELS if (folder / name / TENSORS).is_file()]
    if inner and not (folder / TENSORS).is_file():
        raise ModelNotFound(
            f"{folder} is a folder of models, not one itself: give {folder / inner[0]}"
        )
    return folder_manifest(folder)


def _pulled_manifest(name: str) -> Manifest:
    folder = local_snapshot(f"{OWNER}/{name}")
    if folder is None:
        raise ModelNotFound(f"{name} is not on this disk: `fourm models pull {name}` fetches it")
    return folder_manifest(folder)


def _known() -> str:
    return f"known models: {', '.join([*bundled(), *MODELS, *TEACHERS])}"


def folder_manifest(folder: Path) -> Manifest:
    """The manifest of a folder with a model in the official format.

    Its tokenizers are looked for next to it, under their official names, and in the hub's cache.
    Modalities and spaces whose tokenizers are not found are `missing`.

    Raises:
        CheckpointError: not such a folder, a model without known inputs or spaces, or none of the
            tokenizers of its spaces.
    """
    fields = Checkpoint.open(folder).fields
    try:
        domains_in, domains_out = fields.names("domains_in"), fields.names("domains_out")
    except ConfigError as error:
        raise CheckpointError(f"{folder} is not a 4M model: {error}") from None
    predicted = {name: one for name, one in spaces().items() if one.modality in domains_out}
    names = {name: one.tokens.name for name, one in MODALITIES.items()}
    inputs = {name: domain for name, domain in names.items() if domain in domains_in}
    if not inputs or not predicted:
        raise CheckpointError(
            f"{folder} cannot be searched with: it reads none of {', '.join(names.values())} or "
            f"predicts none of {', '.join(space.modality for space in spaces().values())}"
        )
    uses = used(domains_in, domains_out)
    missing = missing_tokenizers(folder, uses)
    here = {space: entry for space, entry in predicted.items() if space not in missing}
    if not here:
        command = missing[next(iter(predicted))].pull
        raise CheckpointError(
            f"{folder} has no tokenizer of {' or '.join(predicted)} next to it: "
            f"`{command}` fetches one"
        )
    name = repository_of(folder)
    present = {modality for what, modality in uses.items() if what not in missing}
    return Manifest(
        name=name,
        title=MODELS.get(name, name),
        model=MODEL,
        inputs={name: domain for name, domain in inputs.items() if name not in missing},
        tokenizers={k: f"{OWNER}/{v}" for k, v in tokenizer_repositories().items() if k in present},
        language_models={},
        text_tokenizers={name: TEXT_TOKENIZER for name in written_as_text() if name in present},
        spaces=here,
        locate=partial(locate_part, folder),
        counted=COUNTED,
        missing=missing,
    )


def used(domains_in: Collection[str], domains_out: Collection[str]) -> dict[str, str]:
    """Modality or space -> the modality's name in the config: all that a model reads or
    predicts."""
    domains = {*domains_in, *domains_out}
    names = {name: one.tokens.name for name, one in MODALITIES.items()}
    found = {name: tokens for name, tokens in names.items() if tokens in domains}
    found |= {n: one.modality for n, one in spaces().items() if one.modality in domains_out}
    return found

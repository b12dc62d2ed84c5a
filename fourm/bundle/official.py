"""The official 4M-21 models and their tokenizers, by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from fourm.bundle.kinds import FIRST, KINDS
from fourm.bundle.manifest import Manifest, SpaceEntry
from fourm.checkpoints import Checkpoint, resolve_source
from fourm.checkpoints.cache import cache_folder
from fourm.checkpoints.sources import local_snapshot
from fourm.errors import CheckpointError, ConfigError

OWNER = "EPFL-VILAB"

MODELS: Mapping[str, str] = {
    "4M-21_B": "4M-21 B, 198 M parameters",
    "4M-21_L": "4M-21 L, 705 M parameters",
    "4M-21_XL": "4M-21 XL, 2.8 B parameters",
}

TOKENIZERS: Mapping[str, str] = {
    "tok_semseg@224": "4M_tokenizers_semseg_4k_224-448",
    "tok_rgb@224": "4M_tokenizers_rgb_16k_224-448",
    "tok_depth@224": "4M_tokenizers_depth_8k_224-448",
    "tok_normal@224": "4M_tokenizers_normal_8k_224-448",
    "tok_canny_edge@224": "4M_tokenizers_edge_8k_224-512",
    "tok_sam_edge@224": "4M_tokenizers_edge_8k_224-512",
    "tok_clip@224": "4M_tokenizers_CLIP-B16_8k_224-448",
    "tok_dinov2@224": "4M_tokenizers_DINOv2-B14_8k_224-448",
    "tok_imagebind@224": "4M_tokenizers_ImageBind-H14_8k_224-448",
    "human_poses": "4M_tokenizers_human-poses_1k_8",
    "sam_instance": "4M_tokenizers_sam-instance_1k_64",
    "tok_dinov2_global": "4M_tokenizers_DINOv2-B14-global_8k_16_224",
    "tok_imagebind_global": "4M_tokenizers_ImageBind-H14-global_8k_16_224",
}

SPACES: Mapping[str, SpaceEntry] = {
    "dinov2": SpaceEntry(
        "tok_dinov2_global", title="DINOv2 ViT-B/14, global", teacher="dinov2-b14"
    ),
    "imagebind": SpaceEntry(
        "tok_imagebind_global",
        title="ImageBind ViT-H/14: CLS of its vision trunk (1280), not the joint space of its head",
    ),
    "clip": SpaceEntry(
        "tok_clip@224",
        title="CLIP ViT-B/16: mean of its projected patch tokens",
        pool="mean",
        teacher="clip-b16",
    ),
}

WORDS = "text_tokenizer_4m_wordpiece_30k.json"

WRITTEN = ("caption", "det", "metadata", "color_palette", "human_poses", "sam_instance")
"""Modalities that are made of its word pieces."""


def official_name(source: str) -> str | None:
    """`4M-21_B` for `4M-21_B` and `EPFL-VILAB/4M-21_B`; None if it is no official model."""
    name = source.removeprefix(f"{OWNER}/")
    return name if name in MODELS else None


def known_manifest(name: str) -> Manifest:
    """The manifest of an official model, whose parts are looked up or downloaded when needed.

    A model that was downloaded has the spaces whose tokenizers were, too: a model takes those of
    all its spaces at once, those of the kinds of input only when they are used.
    """
    spaces = SPACES
    if local_snapshot(f"{OWNER}/{name}") is not None:
        _, spaces = usable(KINDS, SPACES, at_hand(None))
    return _manifest(name, MODELS[name], KINDS, spaces, Parts(f"{OWNER}/{name}", None))


def folder_manifest(folder: Path) -> Manifest:
    """The manifest of a folder with a model in the official format.

    Its tokenizers are looked for beside it, under their official names, and in the hub's cache; if
    there are none of its spaces, on the hub.

    Raises:
        CheckpointError: not such a folder, or a model that has no input or output of ours.
    """
    fields = Checkpoint.open(folder).fields
    try:
        domains_in, domains_out = fields.names("domains_in"), fields.names("domains_out")
    except ConfigError as error:
        raise CheckpointError(f"{folder} is not a 4M model: {error}") from None
    predicted = {name: space for name, space in SPACES.items() if space.modality in domains_out}
    read = {kind: name for kind, name in KINDS.items() if name in domains_in}
    kinds, spaces = usable(read, predicted, at_hand(folder))
    if not kinds or not spaces:
        raise CheckpointError(
            f"{folder} cannot be searched with: it reads none of {', '.join(KINDS.values())} or "
            f"predicts none of {', '.join(space.modality for space in SPACES.values())}"
        )
    name = folder.resolve().name
    return _manifest(name, MODELS.get(name, name), kinds, spaces, Parts(str(folder), folder))


def at_hand(folder: Path | None) -> set[str]:
    """The modalities whose tokenizers are on this disk: beside a model's folder, or in the hub's
    cache."""
    beside = folder.resolve().parent if folder is not None else None
    return {modality for modality, name in TOKENIZERS.items() if _is_here(name, beside)}


def tokenizer_at_hand(model: str, part: str) -> bool:
    """Whether a tokenizer lies beside its official model, or in the hub's cache.

    Args:
        model: folder or hub name of the model.
        part: as `Manifest.tokenizers` names it. What is no hub name of ours is part of a bundle.
    """
    if not part.startswith(f"{OWNER}/"):
        return True
    return _is_here(part.removeprefix(f"{OWNER}/"), Path(model).resolve().parent)


def _is_here(tokenizer: str, beside: Path | None) -> bool:
    places = (beside / tokenizer, beside / OWNER / tokenizer) if beside is not None else ()
    return any(place.is_dir() for place in places) or (
        local_snapshot(f"{OWNER}/{tokenizer}") is not None
    )


def words_at_hand(folder: Path) -> Path | None:
    """The text tokenizer in a model's folder, beside it or in the user's cache folder."""
    for place in (folder, folder.resolve().parent, cache_folder()):
        if (place / WORDS).is_file():
            return place / WORDS
    return None


def usable(
    kinds: Mapping[str, str], spaces: Mapping[str, SpaceEntry], tokenizers: Collection[str]
) -> tuple[Mapping[str, str], Mapping[str, SpaceEntry]]:
    """The kinds and spaces that need no other tokenizers; without one of a space all of them, whose
    tokenizers are worth a download.

    The first kinds are always kept: theirs are fetched when they are used.
    """
    here = {name: space for name, space in spaces.items() if space.modality in tokenizers}
    if not here:
        return kinds, spaces
    read = {
        kind: name
        for kind, name in kinds.items()
        if kind in FIRST or name in tokenizers or name not in TOKENIZERS
    }
    return read, here


def _manifest(
    name: str,
    title: str,
    kinds: Mapping[str, str],
    spaces: Mapping[str, SpaceEntry],
    parts: Parts,
) -> Manifest:
    used = {*kinds.values(), *(space.modality for space in spaces.values())}
    return Manifest(
        name=name,
        title=title,
        model=parts.model,
        kinds=kinds,
        tokenizers={k: f"{OWNER}/{v}" for k, v in TOKENIZERS.items() if k in used},
        language_models={},
        words={name: WORDS for name in WRITTEN if name in used},
        spaces=spaces,
        locate=parts.locate,
    )


class Parts:
    """Where the parts of an official model are: its folder, beside it, or the hub."""

    def __init__(self, model: str, folder: Path | None) -> None:
        self.model, self.folder = model, folder

    def locate(self, part: str) -> Path:
        """The folder or file of a part.

        Raises:
            ModelNotFound: nowhere, and the hub cannot be reached.
            CheckpointError: the text tokenizer is not in the model's folder, beside it or in the
                user's cache folder.
        """
        if part == self.model:
            return self.folder or resolve_source(part)
        folder = self.folder or resolve_source(self.model)
        if part != WORDS:
            return resolve_source(part, folder.resolve().parent)
        if (found := words_at_hand(folder)) is not None:
            return found
        raise CheckpointError(
            f"{folder} has no {WORDS}: to search by words, boxes, colours and the like, run "
            "`fourm models pull tokenizer/text`, or put that file of the 4M code repository "
            "(fourm/utils/tokenizer/trained) into this folder or beside it"
        )

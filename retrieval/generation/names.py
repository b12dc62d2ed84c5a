"""What users call the kinds that are generated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fourm.modalities import MODALITIES
from retrieval.errors import UsageError

ALIASES: Mapping[str, str] = {
    "image": "image_tokens",
    "rgb": "image_tokens",
    "caption": "text",
    "words": "text",
    "normal": "normals",
    "semseg": "seg",
    "segmentation": "seg",
    "canny": "edges",
    "sam_edge": "sam_edges",
    "det": "boxes",
    "colours": "palette",
    "colors": "palette",
    "facts": "metadata",
    "instances": "sam",
    "humans": "poses",
    "clip": "clip_features",
    **{modality.tokens.name: name for name, modality in MODALITIES.items()},
}
"""Other names of kinds, among them those of 4M-21's modalities."""

EVERYTHING = "all"


def kinds_named(names: str | Iterable[str], predicted: Sequence[str]) -> list[str]:
    """Kinds by their names, each once.

    Args:
        names: lists with commas between, e.g. `depth,normals`; `all` is all that is predicted.
        predicted: what the model predicts; only `all` depends on it.

    Raises:
        UsageError: no name, or one that no kind has.
    """
    found: list[str] = []
    for name in _listed(names):
        found += predicted if name.lower() == EVERYTHING else [kind_named(name)]
    if not found:
        raise UsageError("name at least one kind, for example depth,normals,seg,text", where="to")
    return list(dict.fromkeys(found))


def asks_for_all(names: str | Iterable[str]) -> bool:
    """Whether `all` is among names; they are as for `kinds_named`."""
    return EVERYTHING in (name.lower() for name in _listed(names))


def _listed(names: str | Iterable[str]) -> list[str]:
    joined = names if isinstance(names, str) else ",".join(names)
    return joined.replace(",", " ").split()


def kind_named(name: str) -> str:
    """The kind of a name that something to be generated may have.

    Raises:
        UsageError: none has it.
    """
    asked = name.strip().lower().replace("-", "_")
    kind = ALIASES.get(asked, asked)
    if kind not in MODALITIES:
        known = [name for name, one in MODALITIES.items() if one.generation is not None]
        raise UsageError(f"unknown kind {name!r}; there are {', '.join(known)}")
    return kind


def shown_name(kind: str) -> str:
    """What files of a kind are called: its name, but `rgb` for pictures."""
    return "rgb" if kind == "image_tokens" else kind

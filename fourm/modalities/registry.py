"""The registry of modalities."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from fourm.errors import UnknownModality
from fourm.modalities.modality import GenerationDefaults, Modality
from fourm.tokens import OFFICIAL

_registered: dict[str, Modality] = {}

MODALITIES: Mapping[str, Modality] = MappingProxyType(_registered)
"""Name -> modality, in the order in which the inputs of a sample are given to the model."""


def register(modality: Modality) -> None:
    """Add a modality; models then read, predict and decode it.

    Raises:
        ValueError: its name, or that of its tokens, is registered already.
    """
    for known in _registered.values():
        if modality.name == known.name or modality.tokens.name == known.tokens.name:
            raise ValueError(f"modality {known.name!r} ({known.tokens.name}) is registered already")
    _registered[modality.name] = modality
    if modality.official:
        OFFICIAL[modality.tokens.name] = modality.tokens


def unregister(name: str) -> None:
    """Remove a modality that `register` added.

    Raises:
        UnknownModality: no modality has this name.
    """
    modality = _registered.pop(find_modality(name).name)
    if modality.official:
        del OFFICIAL[modality.tokens.name]


def find_modality(name: str) -> Modality:
    """The modality of a name, or of its name in official checkpoints.

    Raises:
        UnknownModality: no modality has this name.
    """
    for modality in _registered.values():
        if name in (modality.name, modality.tokens.name):
            return modality
    raise UnknownModality(f"{name!r} is not a modality; known: {', '.join(_registered)}")


def image_modalities() -> list[str]:
    """Names of the modalities that show the model the whole image."""
    return [name for name, modality in _registered.items() if modality.shows_image]


def generation_order() -> list[str]:
    """Names of the modalities that can be generated, in the order in which all of them are."""
    generated = [one for one in _registered.values() if one.generation is not None]
    return [one.name for one in sorted(generated, key=lambda one: one.generation_order)]


def generation_defaults(name: str, given: Collection[str]) -> GenerationDefaults:
    """How a modality is generated when others are given completely.

    An image that is inpainted is not given completely.

    Raises:
        UnknownModality: it is never generated.
    """
    modality = _registered.get(name)
    if modality is None or modality.generation is None:
        raise UnknownModality(f"{name!r} cannot be generated")
    beside_image = any(image in given for image in image_modalities())
    return (modality.generation_given_image if beside_image else None) or modality.generation

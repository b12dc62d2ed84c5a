"""The names of modalities and of their options, none of which may stand for two things."""

from __future__ import annotations

import keyword
from collections.abc import Collection

from retrieval.modalities.modality import Modality, Option

_PYTHON = """
k spaces fusion modalities where offset min_score cut gallery queries batch_size progress model to
out config inpaint device dtype use_only negative_text weights combine
"""
_COMMAND_LINE = """
index photo query_file from space modality format as_json json print0 html sheet show_query
teachers teacher text_encoder steps scheme temperature top_k top_p guidance seed weight not
diffusion_steps image_size help
"""
_QUERY_FILES = "relevant take"
_LATER = "like unlike unique group_by exact batch all"  # kept free

RESERVED = frozenset(" ".join((_PYTHON, _COMMAND_LINE, _QUERY_FILES, _LATER)).split())
"""Names that no option of a modality may have."""


def check_names(modality: Modality, registered: Collection[Modality]) -> None:
    """Check the names of a modality, of its options and of their modifiers.

    Raises:
        ValueError: one is no name, is reserved, or stands for something else.
    """
    for alias in modality.aliases:
        if any(alias in (one.name, *one.aliases) for one in registered):
            raise ValueError(f"modality {modality.name}: the alias {alias!r} is taken")
    own = _options(modality)
    for option in own:
        for name in (option.name, option.key):
            if not name.isidentifier() or keyword.iskeyword(name):
                raise ValueError(f"modality {modality.name}: {name!r} is not a valid keyword")
        for name in _names(option):
            if name in RESERVED:
                raise ValueError(f"modality {modality.name}: the option name {name!r} is reserved")
    known = [option for one in registered for option in _options(one)]
    for number, option in enumerate(own):
        for other in (*known, *own[:number]):
            if option is not other and (both := _names(option) & _names(other)):
                raise ValueError(
                    f"modality {modality.name}: the option name {min(both)!r} is taken"
                )


def _options(modality: Modality) -> list[Option]:
    """Its sources, and their modifiers once each."""
    found: list[Option] = list(modality.sources)
    for source in modality.sources:
        found += [one for one in source.modifiers if not any(one is other for other in found)]
    return found


def _names(option: Option) -> set[str]:
    return {option.name, option.key, option.flag.removeprefix("--").replace("-", "_")}

"""The user's cache folder, for what is no file of a hub repository."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "FOURM_CACHE"


def cache_folder() -> Path:
    """`$FOURM_CACHE`; else `fourm-retrieval` in `$XDG_CACHE_HOME`, or in `~/.cache`.

    It holds the text tokenizer, `pulled.json` and downloads that were interrupted; it may not exist
    yet. Weights lie in the hub's own cache.
    """
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "fourm-retrieval"

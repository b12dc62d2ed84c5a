"""One input of a query: what kind it is, and the value that the model takes in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.errors import QueryError


@dataclass(frozen=True, eq=False)
class Input:
    """`value` is what the model takes for this `kind`; `name` is the file it came from, if any."""

    kind: str
    value: Any
    name: str | None = None


def existing_file(source: str | os.PathLike[str], what: str) -> Path:
    """The path of a file that is there.

    Raises:
        QueryError: nothing is there, or it is a folder.
    """
    path = Path(source)
    try:
        if path.is_dir():
            raise QueryError(f"{path}: is a folder, expected {what}")
        if not path.exists():
            raise QueryError(f"{path}: no such file")
    except (OSError, ValueError) as error:  # a NUL in the name, a name too long
        raise QueryError(f"{path}: cannot be read ({error})") from None
    return path

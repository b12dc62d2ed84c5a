"""One input of a query: what kind it is, and the value that the model takes in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from retrieval.errors import QueryError

Origin = Literal["given", "computed", "predicted"]


@dataclass(frozen=True, eq=False)
class Input:
    """One input.

    Attributes:
        kind: as the model calls it, e.g. `edges`.
        value: what the model takes for this kind; of a predicted one the photo that it is
            predicted from.
        name: the file it came from, if any.
        origin: whether the user gave it, it was computed from a photo, or the model is to predict
            it from one.
        weight: how much it counts where inputs are weighed; below 0 it pushes away.
    """

    kind: str
    value: Any
    name: str | None = None
    origin: Origin = "given"
    weight: float = 1.0


def existing_file(source: str | os.PathLike[str], what: str) -> Path:
    """The path of a file that is there.

    Raises:
        QueryError: nothing is there, or it is a folder or a device.
    """
    path = Path(source)
    try:
        if path.is_dir():
            raise QueryError(f"is a folder, expected {what}", where=path)
        if not path.exists():
            raise QueryError("no such file", where=path)
        if path.is_char_device() or path.is_block_device() or path.is_socket():
            raise QueryError(f"is a device, expected {what}", where=path)  # may be without end
    except (OSError, ValueError) as error:  # a NUL in the name, a name too long
        raise QueryError(f"cannot be read ({error})", where=path) from None
    return path

"""Files that results are written to: checked before the work, so that none of it is lost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from retrieval.errors import UsageError


def check_output(output: Path | None, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse an output that cannot be written, or that would replace an input of the query.

    Raises:
        UsageError: it is a folder, its folder does not exist, or it is one of the inputs.
    """
    if output is None:
        return
    if output.is_dir():
        raise UsageError(f"{output}: is a folder; give the name of a file")
    if not output.parent.is_dir():
        raise UsageError(f"{output}: the folder {output.parent} does not exist")
    for entry in inputs:
        if entry is not None and output.exists() and entry.exists() and entry.samefile(output):
            raise UsageError(f"{output}: is an input of this query and would be replaced")

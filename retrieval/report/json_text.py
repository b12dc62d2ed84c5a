"""JSON for programs: ASCII only, so that every file name comes through every pipe."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def json_array(objects: Iterable[Mapping[str, Any]]) -> str:
    """An array with one object a line."""
    lines = ",\n ".join(json.dumps(entry, allow_nan=False) for entry in objects)
    return f"[{lines}]"


def json_object(entry: Mapping[str, Any]) -> str:
    """One object, indented."""
    return json.dumps(entry, indent=2, allow_nan=False)

"""Config values: from `config.json`, or from the strings of a safetensors header."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

from fourm.errors import ConfigError

LONGEST_VALUE = 10_000


def parse_value(text: str) -> Any:
    """The value that `str(value)` gave: None, bool, int, float, list or dict; else the text itself.

    4M-21 reference: header metadata holds `str(python_value)`, e.g. `'768'`, `'1e-5'`, `'None'`,
    `"['caption', 'det']"`, `'SiLU'`. Only literals are read; nothing is ever evaluated.
    """
    if len(text) >= LONGEST_VALUE:
        return text
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
    return _plain(value, text)


def parse_metadata(metadata: Mapping[str, str]) -> dict[str, Any]:
    """A whole header's `__metadata__` as a config dictionary."""
    return {key: parse_value(value) for key, value in metadata.items()}


def _plain(value: Any, text: str) -> Any:
    """The value if it is made of JSON's types alone (tuples become lists), else the text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        items = [_plain(item, text) for item in value]
        return text if any(item is text for item in items) else items
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        fields = {key: _plain(item, text) for key, item in value.items()}
        return text if any(item is text for item in fields.values()) else fields
    return text


class Fields:
    """Typed reading of a config; each method raises `ConfigError` naming the file and the field.

    Args:
        values: the config.
        where: the file it came from, for messages.
    """

    def __init__(self, values: Mapping[str, Any], where: object = "config") -> None:
        self.values, self.where = values, where

    def integer(
        self, name: str, default: int | None = None, low: int = 0, high: int = 2**31
    ) -> int:
        """An integer with `low <= value <= high`."""
        value = self._get(name, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(name, "an integer", value)
        if not low <= value <= high:
            raise self.error(name, f"between {low} and {high}", value)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number; the string `'1e-5'` counts as one."""
        value = self._get(name, default)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise self.error(name, "a number", value) from None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(name, "a number", value)
        if not abs(value) < float("inf"):
            raise self.error(name, "a finite number", value)
        return float(value)

    def flag(self, name: str, default: bool | None = None) -> bool:
        """A bool; the strings `'True'`, `'true'`, `'False'`, `'false'` count as one."""
        value = self._get(name, default)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            value = value.lower() == "true"
        if not isinstance(value, bool):
            raise self.error(name, "true or false", value)
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """A string."""
        value = self._get(name, default)
        if not isinstance(value, str):
            raise self.error(name, "a string", value)
        return value

    def names(self, name: str) -> tuple[str, ...]:
        """A list of distinct, non-empty strings."""
        value = self._get(name, None)
        good = isinstance(value, list) and all(isinstance(v, str) and v for v in value)
        if not good or len(set(value)) != len(value):
            raise self.error(name, "a list of distinct names", value)
        return tuple(value)

    def mapping(self, name: str) -> dict[str, Any]:
        """An object with string keys; empty when the field is absent or null."""
        value = self.values.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.error(name, "an object", value)
        return value

    def error(self, name: str, wanted: str, value: Any) -> ConfigError:
        """The error for a field that is not what was wanted."""
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return ConfigError(f"{name} must be {wanted}, got {shown}", where=self.where)

    def _get(self, name: str, default: Any) -> Any:
        value = self.values.get(name, default)
        if value is None and default is not None:
            return default
        if name not in self.values and default is None:
            raise ConfigError(f"the field {name} is missing", where=self.where)
        return value

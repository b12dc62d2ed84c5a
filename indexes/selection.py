"""Conditions as expressions on the tables of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy import not_ as negated
from sqlalchemy.orm import Session, aliased

from indexes.conditions import (
    FIELDS,
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Known,
    Like,
    Near,
    Not,
    OneOf,
    Value,
    check_condition,
)
from indexes.detail_rows import has_details
from indexes.migration import version as format_of
from indexes.records import IdArray
from indexes.tables import DetailsRow, GalleryRow, ItemRow, TagRow
from indexes.text_keys import text_key

_LARGEST = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

Expression = ColumnElement[Any]


def select_ids(
    session: Session, condition: Condition, galleries: Collection[int] | None = None
) -> IdArray:
    """Ids of the indexed items that a condition holds for, int64 (n,), ascending.

    Items whose files are missing are left out, and those of other galleries than these, by id.

    Raises:
        BadSearch: see `check_condition`.
    """
    check_condition(condition)
    compiler = _Compiler(format_of(session.connection()), has_details(session))
    wanted = compiler.statement().where(ItemRow.state == "indexed", compiler.of(condition))
    if compiler.version >= 3:
        wanted = wanted.where(ItemRow.missing_since.is_(None))
    if galleries is not None:
        wanted = wanted.where(ItemRow.gallery_id.in_(galleries))
    rows = session.connection().execute(wanted.order_by(ItemRow.id))
    return np.fromiter((row[0] for row in rows), dtype=np.int64)


class _Compiler:
    """Makes an expression of a condition, for a catalogue with or without certain columns."""

    def __init__(self, version: int, has_details: bool) -> None:
        self.version = version
        self._has_details = has_details

    def statement(self) -> Select[Any]:
        """The ids of all items, with the tables that the expressions name."""
        found = select(ItemRow.id).join(GalleryRow)
        if self._has_details:
            found = found.outerjoin(DetailsRow, DetailsRow.item_id == ItemRow.id)
        return found

    def of(self, node: Condition) -> Expression:
        if isinstance(node, Not):
            return negated(self.of(node.condition))
        if isinstance(node, AllOf):
            return and_(*map(self.of, node.conditions))
        if isinstance(node, AnyOf):
            return or_(*map(self.of, node.conditions))
        if isinstance(node, Near):
            return _or_false(self._near(node))
        if node.field == "tag":
            return self._tag(node)
        return _or_false(_leaf(node, self._column(node.field)))

    def _column(self, field: str) -> Expression:
        path, width, height = ItemRow.path, ItemRow.width, ItemRow.height
        columns: dict[str, Callable[[], Any]] = {
            "path": lambda: func.fourm_key(path),
            "folder": lambda: func.fourm_folder(path),
            "name": lambda: func.fourm_name(path),
            "suffix": lambda: func.fourm_suffix(path),
            "modality": lambda: GalleryRow.modality,
            "orientation": lambda: case(
                (width > height, "landscape"),
                (width < height, "portrait"),
                (width == height, "square"),
            ),
            "width": lambda: width,
            "height": lambda: height,
            "size": lambda: ItemRow.size,
            "taken": lambda: ItemRow.exif_date,
            "modified": lambda: ItemRow.mtime_ns,
            "frames": lambda: ItemRow.frames if self.version >= 3 else null(),
        }
        if field in columns:
            found: Expression = columns[field]()
            return found
        if not self._has_details:
            return null()
        stored = getattr(DetailsRow, field)
        return func.fourm_key(stored) if FIELDS[field] == "text" else stored

    def _near(self, node: Near) -> Expression:
        if not self._has_details:
            return null()
        latitude = DetailsRow.latitude
        # A degree of latitude is 111 km: most places need no sine.
        reach = node.metres / 110_000
        return and_(
            latitude.between(node.latitude - reach, node.latitude + reach),
            func.fourm_metres(latitude, DetailsRow.longitude, node.latitude, node.longitude)
            <= node.metres,
        )

    def _tag(self, node: Compare | OneOf | Like | Known) -> Expression:
        """Some tag of the item, which the user has not removed."""
        if not self._has_details:
            return literal(False)
        removed = aliased(TagRow)
        return exists().where(
            TagRow.item_id == ItemRow.id,
            TagRow.origin != "removed",
            _leaf(node, TagRow.key),
            ~exists().where(
                removed.item_id == TagRow.item_id,
                removed.key == TagRow.key,
                removed.origin == "removed",
            ),
        )


def _leaf(node: Compare | OneOf | Like | Known, column: Any) -> Expression:
    comparison: Expression = _comparison(node, column)
    return comparison


def _comparison(node: Compare | OneOf | Like | Known, column: Any) -> Any:
    if isinstance(node, Known):
        return column.is_not(None)
    if isinstance(node, Like):
        return func.fourm_like(column, text_key(node.pattern))
    if isinstance(node, OneOf):
        return column.in_([_stored(node.field, value) for value in node.values])
    value = _stored(node.field, node.value)
    return {
        "=": column == value,
        "<": column < value,
        "<=": column <= value,
        ">": column > value,
        ">=": column >= value,
    }[node.operator]


def _stored(field: str, value: Value) -> Any:
    """A value as the column of a field has it."""
    if isinstance(value, str):
        return text_key(value)
    if isinstance(value, datetime) and field == "modified":
        nanoseconds = (value - _EPOCH) // timedelta(microseconds=1) * 1000
        return max(-_LARGEST, min(nanoseconds, _LARGEST))
    return value


def _or_false(expression: Expression) -> Expression:
    """False where a field has no value, so that negation is that of two-valued logic."""
    return func.coalesce(expression, literal(False))

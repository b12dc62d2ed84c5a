"""Contenders measured in turns, so that a machine that slows down slows all of them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


def seconds(work: Callable[[], Any]) -> float:
    """Wall-clock seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call each contender once a round and collect what it returns.

    The order is reversed in every second round: none is always the one that comes first.
    """
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds):
        names = list(contenders)
        for name in names if turn % 2 == 0 else reversed(names):
            measured[name].append(contenders[name]())
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return measured


@dataclass(frozen=True)
class Row:
    """A measured number, its floor, and what is asked of it.

    Attributes:
        what: what was measured.
        value: median over the rounds.
        unit: of value and floor.
        floor: median of what it is compared with; None if it stands alone.
        floor_is: what that is.
        ratio: median over the rounds of value / floor of the same round.
        target: what is asked, in words; "" if nothing is.
        reached: whether it was.
    """

    what: str
    value: float
    unit: str
    floor: float | None = None
    floor_is: str = ""
    ratio: float | None = None
    target: str = ""
    reached: bool | None = None


def beside(
    what: str,
    values: list[float],
    unit: str,
    floor_is: str,
    floors: list[float],
    *,
    target: str = "",
    least: float | None = None,
    most: float | None = None,
) -> Row:
    """A row from the values of all rounds and those of the floor.

    Args:
        what, values, unit, floor_is, floors: as in `Row`, a value for each round.
        target: what is asked of the ratio, in words.
        least, most: the same as a number, one of them.
    """
    ratio = statistics.median(value / floor for value, floor in zip(values, floors, strict=True))
    reached = None
    if least is not None:
        reached = ratio >= least
    elif most is not None:
        reached = ratio <= most
    return Row(
        what=what,
        value=statistics.median(values),
        unit=unit,
        floor=statistics.median(floors),
        floor_is=floor_is,
        ratio=ratio,
        target=target,
        reached=reached,
    )


def report(name: str, setting: Mapping[str, Any], rows: list[Row]) -> None:
    """A table and, as the last line, the same as JSON, on stdout."""
    setting = {**setting, **machine()}
    print(f"\n{name}: " + ", ".join(f"{key} {value}" for key, value in setting.items()))
    header = ("measured", "value", "floor", "ratio", "asked")
    lines = [header, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())
    rounded = [asdict(row) for row in rows]
    print(json.dumps({"benchmark": name, "setting": setting, "rows": rounded}), flush=True)


def machine() -> dict[str, Any]:
    """What the numbers depend on besides this repository."""
    import faiss
    import torch

    available = getattr(os, "sched_getaffinity", None)
    return {
        "cores": len(available(0)) if available else os.cpu_count(),
        "torch": torch.__version__,
        "torch threads": torch.get_num_threads(),
        "faiss": faiss.__version__,
        "python": platform.python_version(),
    }


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    floor = "" if row.floor is None else f"{_short(row.floor)} {row.unit} ({row.floor_is})"
    ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
    asked = row.target
    if row.reached is not None:
        asked += ": yes" if row.reached else ": NO"
    return row.what, f"{_short(row.value)} {row.unit}", floor, ratio, asked


def _short(value: float) -> str:
    """Three digits, or all those before the point."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"

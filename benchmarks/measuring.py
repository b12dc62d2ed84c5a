"""Measure contenders in turns, so that a machine that slows down slows all of them."""

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
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def processor_seconds(work: Callable[[], Any]) -> float:
    """Seconds of this process on the processors in one call; others on the machine do not count."""
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call each contender once per round and collect its results.

    Every other round runs in reverse order, so that none always comes first.
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
    """A measured number, its baseline and its target.

    Attributes:
        what: what was measured.
        value: median over the rounds.
        unit: of value and baseline.
        baseline: median of the baseline; None if there is none.
        baseline_name: what it is.
        ratio: median over the rounds of value / baseline of the same round.
        target: what is asked of the ratio or value, as text; "" if nothing is.
        reached: whether the target was met.
    """

    what: str
    value: float
    unit: str
    baseline: float | None = None
    baseline_name: str = ""
    ratio: float | None = None
    target: str = ""
    reached: bool | None = None


def compared(
    what: str,
    values: list[float],
    unit: str,
    baseline_name: str,
    baselines: list[float],
    *,
    target: str = "",
    least: float | None = None,
    most: float | None = None,
) -> Row:
    """A row from the values of all rounds and those of the baseline.

    Args:
        what, values, unit, baseline_name, baselines: as in `Row`, a value for each round.
        target: what is asked of the ratio, as text.
        least, most: the same as a number, one of the two.
    """
    ratio = statistics.median(value / base for value, base in zip(values, baselines, strict=True))
    reached = None
    if least is not None:
        reached = ratio >= least
    elif most is not None:
        reached = ratio <= most
    return Row(
        what=what,
        value=statistics.median(values),
        unit=unit,
        baseline=statistics.median(baselines),
        baseline_name=baseline_name,
        ratio=ratio,
        target=target,
        reached=reached,
    )


def report(name: str, setting: Mapping[str, Any], rows: list[Row]) -> None:
    """Print a table and, as the last line, the same as JSON."""
    setting = {**setting, **machine()}
    print(f"\n{name}: " + ", ".join(f"{key} {value}" for key, value in setting.items()))
    header = ("measured", "value", "baseline", "ratio", "target")
    lines = [header, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())
    rounded = [asdict(row) for row in rows]
    print(json.dumps({"benchmark": name, "setting": setting, "rows": rounded}), flush=True)


def machine() -> dict[str, Any]:
    """Hardware and versions that the numbers depend on."""
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
    baseline = ""
    if row.baseline is not None:
        baseline = f"{_short(row.baseline)} {row.unit} ({row.baseline_name})"
    ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
    target = row.target
    if row.reached is not None:
        target += ": yes" if row.reached else ": NO"
    return row.what, f"{_short(row.value)} {row.unit}", baseline, ratio, target


def _short(value: float) -> str:
    """Three significant digits, or all integer digits."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"

"""What `fourm models` prints for people, and the keys of its JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from retrieval.report.printable import printable
from retrieval.report.table import facts, table

if TYPE_CHECKING:
    from fourm.hub.listing import ModelCard
    from fourm.hub.pulling import Fetched
    from fourm.hub.verifying import Verified

_UNITS = ("kB", "MB", "GB", "TB")


def listed_table(entries: Iterable[ModelCard]) -> str:
    """Models and tokenizers by name."""
    rows = [
        (
            entry.name,
            "no" if not entry.available else "yes" if entry.size is None else size(entry.size),
            entry.title,
            ", ".join(entry.spaces),
            entry.note,
        )
        for entry in entries
    ]
    return table(rows, ("name", "here", "what it is", "spaces", "note"), ("left", "right"))


def listed_facts(entry: ModelCard) -> dict[str, Any]:
    """A model or tokenizer with the keys of `fourm models list --json`."""
    return {
        "name": entry.name,
        "kind": entry.kind,
        "title": entry.title,
        "inputs": list(entry.inputs),
        "spaces": list(entry.spaces),
        "where": entry.where,
        "available": entry.available,
        "bytes": entry.size,
        "note": entry.note,
    }


def pulled_line(fetched: Fetched) -> str:
    """What is here of one repository, and where."""
    said = f"{fetched.repository} at {fetched.revision[:12]}: {fetched.note}"
    return printable(f"{said}, {size(fetched.size)} in {fetched.path}")


def verified_text(found: Verified) -> str:
    """One line if all is well; else one a difference."""
    if found.differences:
        lines = [f"{found.path}: {len(found.differences)} differences"]
        lines += [f"  {difference}" for difference in found.differences]
        return "\n".join(printable(line) for line in lines)
    parts = []
    if found.tensors:
        stored = ", ".join(f"{count} {dtype}" for dtype, count in (found.dtypes or {}).items())
        parts.append(f"{found.tensors} tensors ({stored}), {found.values:,} values")
    parts.append(size(found.size))
    if found.official:
        parts.append(f"as in {found.official}")
    if found.hashed:
        parts.append(f"{found.hashed} hashes as recorded")
    return printable(f"{found.path}: OK, {found.kind}, {', '.join(parts)}")


def described_text(entries: Mapping[str, Any]) -> str:
    """The facts of `fourm models info --json` for people."""
    rows: list[tuple[str, object]] = []
    for name, value in entries.items():
        if name == "missing":
            rows += [
                (
                    "missing" if number == 0 else "",
                    f"{entry['for']}: needs {', '.join(entry['needs'])}; {entry['pull']}",
                )
                for number, entry in enumerate(value)
            ]
        else:
            rows.append((name.replace("_", " "), _shown(name, value)))
    return facts(rows)


def size(count: int) -> str:
    """A number of bytes, e.g. `3.4 GB`; units of 1000."""
    if count < 1000:
        return f"{count} bytes"
    number = float(count)
    for unit in _UNITS:
        number /= 1000
        if number < 999.5 or unit == _UNITS[-1]:
            break
    return f"{number:.1f} {unit}"


def _shown(name: str, value: Any) -> str:
    if name == "bytes":
        return size(value)
    if name == "parameters":
        return ", ".join(f"{part} {count / 1e6:.1f} M" for part, count in value.items())
    if name == "depth":
        return " + ".join(str(blocks) for blocks in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {what}" for what, count in value.items())
    if isinstance(value, list):
        return ", ".join(value) if value else "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return str(value)

"""Write the parts of the docs that the code knows: tables of options, and the public names.

    python -m docs.generate            # rewrite what stands between the markers
    python -m docs.generate --check    # exit code 1 if a page is out of date

A page holds `<!-- options: COMMAND -->` or `<!-- names: PACKAGE -->`, and `<!-- end -->` after it.
"""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
PACKAGES = ("retrieval", "fourm", "indexes")
MARKED = re.compile(r"<!-- (options|names): ([a-z ]+) -->\n.*?<!-- end -->", re.DOTALL)


def generated(text: str) -> str:
    """`text` of a page with everything between markers written anew."""
    write = {"options": options_tables, "names": public_names}

    def replaced(found: re.Match[str]) -> str:
        what, name = found.groups()
        body = write[what](name)
        return f"<!-- {what}: {name} -->\n{body}\n<!-- end -->"

    return MARKED.sub(replaced, text)


def pages() -> list[Path]:
    """The pages of the docs that have markers."""
    return [path for path in sorted(DOCS.glob("*.md")) if MARKED.search(_read(path))]


def commands() -> dict[str, Any]:
    """Every command of `fourm` by name, those of a group after it: `models`, `models list`."""
    import typer.main

    import cli

    def walk(group: Any, before: str) -> dict[str, Any]:
        found = {}
        for name, command in group.commands.items():
            found[before + name] = command
            if hasattr(command, "commands"):
                found |= walk(command, f"{before}{name} ")
        return found

    return walk(typer.main.get_command(cli.app), "")


def options_tables(name: str) -> str:
    """The options of a command as Markdown tables, one a panel of its help."""
    panels: dict[str, list[str]] = {}
    for parameter in commands()[name].params:
        if parameter.param_type_name != "argument":
            panel = getattr(parameter, "rich_help_panel", None) or "Options"
            panels.setdefault(panel, []).append(_option_row(parameter))
    tables = []
    for panel, rows in panels.items():
        title = f"**{panel}**\n\n" if len(panels) > 1 else ""
        tables.append("\n".join([f"{title}| option | value | meaning |", "|---|---|---|", *rows]))
    return "\n" + "\n\n".join(tables) + "\n"


def _option_row(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    value = "" if parameter.is_flag else f"`{_metavar(parameter)}`"
    default = parameter.default
    if not parameter.is_flag and isinstance(default, str | int | float):
        value += f", default `{default}`"
    meaning = " ".join((parameter.help or "").split())
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (names, value, meaning)) + " |"


def _metavar(parameter: Any) -> str:
    if parameter.metavar:
        return str(parameter.metavar)
    choices = getattr(parameter.type, "choices", None)
    return "|".join(map(str, choices)) if choices else str(parameter.type.name).upper()


def public_names(package: str) -> str:
    """The public names of a package: a table of them, and what mkdocstrings fills in."""
    module = import_module(package)
    rows, entries = [], []
    for name in sorted(module.__all__, key=str.lower):
        value = inspect.unwrap(getattr(module, name))
        summary = _summary(value).replace("|", "\\|")
        rows.append(f"| [`{name}`](#{package}.{name}) | {summary} |")
        entries.append(f'<a id="{package}.{name}"></a>\n\n::: {_defined(module, name, value)}')
    return "\n".join(["", "| name | what it is |", "|---|---|", *rows, "", *entries, ""])


def _summary(value: Any) -> str:
    """The first sentence of a docstring; of a constant, its value."""
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return f"`{value!r}`"
    text = " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[.:]) (?=[A-Z`(])", text)[0]


def _defined(module: Any, name: str, value: Any) -> str:
    """Where a name is defined, for tools that read the source without importing it."""
    if inspect.isclass(value) or inspect.isfunction(value):
        return f"{value.__module__}.{value.__qualname__}"
    return f"{module.__name__}.{name}"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the pages, or check them; the exit code."""
    stale = [path for path in pages() if generated(_read(path)) != _read(path)]
    for path in stale:
        if "--check" in arguments:
            print(f"{path.name} is out of date: run python -m docs.generate", file=sys.stderr)
        else:
            path.write_text(generated(_read(path)), encoding="utf-8")
            print(f"wrote {path.name}")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

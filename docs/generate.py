"""Write the parts of the docs that the code knows: tables of options, and the public names.

    python -m docs.generate            # rewrite what stands between the markers
    python -m docs.generate --check    # exit code 1 if a page is out of date

A page holds `<!-- options: COMMAND -->`, `<!-- names: PACKAGE -->`, `<!-- modalities: items -->` or
`<!-- modalities: outputs -->`, and `<!-- end -->` after it.
"""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from typer.models import OptionInfo

DOCS = Path(__file__).resolve().parent
PACKAGES = ("retrieval", "fourm", "indexes")
MARKED = re.compile(r"<!-- (options|names|modalities): ([a-z ]+) -->\n.*?<!-- end -->", re.DOTALL)


def generated(text: str) -> str:
    """`text` of a page with everything between markers regenerated."""
    write = {"options": options_tables, "names": public_names, "modalities": modalities_table}

    def replaced(found: re.Match[str]) -> str:
        what, name = found.groups()
        body = write[what](name)
        return f"<!-- {what}: {name} -->\n{body}\n<!-- end -->"

    return MARKED.sub(replaced, text)


def pages() -> list[Path]:
    """The pages of the docs that have markers."""
    return [path for path in sorted(DOCS.glob("*.md")) if MARKED.search(_read(path))]


def commands() -> dict[str, Any]:
    """The function of every command of `fourm` by its name; of a group, `models list`."""
    import cli

    def walk(app: Any, before: str) -> dict[str, Any]:
        found = {}
        for command in app.registered_commands:
            name = command.name or command.callback.__name__.replace("_", "-")
            found[before + name] = command.callback
        for group in app.registered_groups:
            callback = group.typer_instance.registered_callback
            found[before + group.name] = callback and callback.callback
            found |= walk(group.typer_instance, f"{before}{group.name} ")
        return found

    return walk(cli.app, "")


def options_tables(name: str) -> str:
    """The options of a command as Markdown tables, one a panel of its help."""
    panels: dict[str, list[str]] = {}
    for parameter in inspect.signature(commands()[name], eval_str=True).parameters.values():
        value, *notes = get_args(parameter.annotation) or (parameter.annotation,)
        for option in (note for note in notes if isinstance(note, OptionInfo)):
            row = _option_row(parameter, value, option)
            panels.setdefault(option.rich_help_panel or "Options", []).append(row)
    if sum(map(len, panels.values())) < 6:
        panels = {"": [row for rows in panels.values() for row in rows]}
    tables = []
    for panel, rows in panels.items():
        title = f"**{panel}**\n\n" if panel else ""
        tables.append("\n".join([f"{title}| option | value | meaning |", "|---|---|---|", *rows]))
    return "\n" + "\n\n".join(tables) + "\n"


def _option_row(parameter: inspect.Parameter, value: Any, option: OptionInfo) -> str:
    # Within Annotated, the first name is passed as what is the default elsewhere.
    names = [one for one in (option.default, *(option.param_decls or ())) if isinstance(one, str)]
    names = names or [f"--{parameter.name.replace('_', '-')}"]
    default = parameter.default
    cells = [", ".join(f"`{name}`" for name in names), _placeholder(value, option)]
    if isinstance(default, str | int | float) and value is not bool:
        cells[1] += f", default `{default}`"
    cells.append(" ".join((option.help or "").split()))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _placeholder(value: Any, option: OptionInfo) -> str:
    """What stands for an option's value; nothing for a flag."""
    while get_origin(value) in (list, Union, UnionType):
        value = next(one for one in get_args(value) if one is not NoneType)
    if value is bool:
        return ""
    if option.metavar:
        return f"`{option.metavar}`"
    choices = get_args(value)
    return " or ".join(f"`{choice}`" for choice in choices) or f"`{value.__name__.upper()}`"


def modalities_table(what: str) -> str:
    """The items of galleries, or the files that are generated, by modality."""
    from retrieval.modalities import MODALITIES, sources

    if what == "items":
        head = "| `--as` | items | files |\n|---|---|---|"
        rows = [
            f"| `{source.name}` | {source.items.what} | {_files(source.items)} |"
            for source in sources().values()
        ]
    else:
        head = "| modality | other names | files |\n|---|---|---|"
        rows = []
        for name, modality in MODALITIES.items():
            if modality.output is not None:
                stem = modality.output.stem or name
                files = ", ".join(f"`{stem}{ending}`" for ending in modality.output.files)
                aliases = ", ".join(f"`{alias}`" for alias in modality.aliases)
                rows.append(f"| `{name}` | {aliases} | {files} |")
    return "\n".join(["", head, *rows, ""])


def _files(items: Any) -> str:
    from retrieval.suffixes import IMAGE_SUFFIXES, RAW_SUFFIXES

    names = ["images"] if items.suffixes >= IMAGE_SUFFIXES else []
    names += ["camera RAW"] if items.suffixes >= RAW_SUFFIXES else []
    others = items.suffixes - IMAGE_SUFFIXES - RAW_SUFFIXES if names else items.suffixes
    names += [f"`{suffix}`" for suffix in sorted(others, reverse=True)]
    return ("lines of " if items.lines else "") + ", ".join(names)


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

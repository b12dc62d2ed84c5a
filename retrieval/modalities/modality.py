"""What a person does with a modality: how it is given to a query.

Light to import: `fourm --help` reads the options.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """Something a user can say of a query: on the command line, in a query file or in Python.

    Attributes:
        name: keyword in Python, e.g. `sam_edges`.
        metavar: placeholder of the value in the help.
        help: help text.
        typed: a string is the value itself, not the path of a file.
        repeated: may be given several times.
        forms: what its value may be in a query file: "string", "list", "object".
        option: name of the command line's option, without dashes; None: `name` with `-` for `_`.
        file_key: key in query files; None: `name`.
        panel: heading of the help that lists it.
        python_only: for values that only Python has; neither an option nor a key.
    """

    name: str
    metavar: str
    help: str
    typed: bool = False
    repeated: bool = False
    forms: tuple[str, ...] = ("string",)
    option: str | None = None
    file_key: str | None = None
    panel: str = "Query"
    python_only: bool = False

    @property
    def flag(self) -> str:
        """The option, e.g. `--sam-edges`."""
        return f"--{self.option or self.name.replace('_', '-')}"

    @property
    def key(self) -> str:
        """The key in query files."""
        return self.file_key or self.name


@dataclass(frozen=True)
class Source(Option):
    """An option that gives the model an input.

    Attributes:
        of: name of the modality that it gives; None: the modality is named like the option.
    """

    of: str | None = None

    @property
    def modality(self) -> str:
        """Name of the modality that it gives."""
        return self.of or self.name


@dataclass(frozen=True)
class Modifier(Option):
    """An option that says how sources are read, e.g. `depth_near`.

    Attributes:
        choices: possible values, the default first.
    """

    choices: tuple[object, ...] = ()


@dataclass(frozen=True)
class Modality:
    """One modality.

    Attributes:
        name: as in `fourm.modalities`.
        title: heading of its panels.
        sources: options that give it as an input; the first has the modality's own name.
        modifiers: options that say how its sources are read.
    """

    name: str
    title: str
    sources: tuple[Source, ...]
    modifiers: tuple[Modifier, ...] = ()

"""What a user does with a modality: give it, read it, draw it, write it.

A module of a modality makes one `Modality`. It is light to import, since `fourm --help` reads its
options: NumPy, Pillow and `fourm` are imported by the functions that need them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from retrieval.drawing.panel import Panel
from retrieval.errors import QueryError
from retrieval.inputs import Input, path_like

if TYPE_CHECKING:
    from PIL import Image

    from fourm.modalities import Decoded
    from indexes.records import Box
    from retrieval.images import ImageInfo
    from retrieval.inputs.images import Photo


@dataclass(frozen=True)
class Option:
    """An option of a query: on the command line, in a query file and in Python.

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
        python_only: neither an option nor a key, since only Python has such values.
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
class Modifier(Option):
    """An option that says how sources are read, e.g. `depth_near`.

    Attributes:
        choices: possible values, the default first.
        formerly: what an index that does not record it was made with; None: the default.
    """

    choices: tuple[object, ...] = ()
    formerly: object = None

    def checked(self, value: object) -> object:
        """The value, if it is one of the choices.

        Raises:
            QueryError: it is not.
        """
        if not any(value is choice or value == choice for choice in self.choices):
            expected = " or ".join(map(str, self.choices))
            raise QueryError(f"expected {expected}, got {value!r:.60}", where=self.name)
        return value


class Summary(Protocol):
    """Sums up how items were read. Used by several threads."""

    def add(self, entry: Input) -> None:
        """Count an item that was read."""

    def lines(self) -> list[str]:
        """What to tell the user, one line each."""


@dataclass(frozen=True)
class Items:
    """Which files or lines of a folder are items of a gallery.

    Attributes:
        what: the items in the plural, e.g. "depth maps".
        suffixes: of the files, in lower case.
        lines: each line of a file is an item; otherwise, each file is.
        decode: from a file's content and path to the input; None: the source reads the path.
        boxes: from width and height to the parts that are embedded besides the whole.
        part: from the input to the one in that box; None: only wholes are embedded.
        summary: makes what sums up how the items of one build were read; None: nothing does.
    """

    what: str
    suffixes: frozenset[str]
    lines: bool = False
    decode: Callable[[bytes, str], tuple[Input, ImageInfo]] | None = None
    boxes: Callable[[int, int], Sequence[Box]] = lambda width, height: ()
    part: Callable[[Input, Box], Input] | None = None
    summary: Callable[[], Summary] | None = None


@dataclass(frozen=True)
class Source(Option):
    """An option that gives the model an input, and a gallery to make of such inputs.

    Attributes:
        read: from what the user gave, and its modifiers as keywords, to the input; raises
            `QueryError`.
        items: of a gallery that is read by it.
        modifiers: options that it understands.
        of: name of the modality that it gives; None: its own name.
        file_suffixes: a typed string that ends so is the path of a file all the same.
        named_files: may be files with names, NAME=FILE or an object of them in a query file.
    """

    read: Callable[..., Input] = field(kw_only=True)
    items: Items = field(kw_only=True)
    modifiers: tuple[Modifier, ...] = ()
    of: str | None = None
    file_suffixes: tuple[str, ...] = ()
    named_files: bool = False

    @property
    def modality(self) -> str:
        """Name of the modality that it gives."""
        return self.of or self.name

    @property
    def former_modifiers(self) -> dict[str, object]:
        """Modifiers of files and indexes that could not record them, as they were read then."""
        return {one.name: one.formerly for one in self.modifiers if one.formerly is not None}

    def names_file(self, value: object) -> bool:
        """Whether a value is the path of a file, rather than the value itself."""
        if not self.typed:
            return isinstance(value, (str, os.PathLike))
        return path_like(value, self.file_suffixes)

    def file_of(self, value: str | os.PathLike[str]) -> Path:
        """The file that a value names; of `dog=mask.png`, `mask.png`."""
        if self.named_files and not os.path.lexists(value):
            return Path(os.fspath(value).rpartition("=")[2])
        return Path(value)


@dataclass(frozen=True)
class Output:
    """How a generated value is written and shown.

    Attributes:
        files: endings of its files, e.g. `.png`, `_colours.png`. A query reads the first.
        write: their contents, from what was decoded and its panel; None: no such file this time.
        draw: its panel, from what was decoded, the title and the photo that it belongs to, if
            there is one; None: it is drawn as an input is.
        summary: the value in a few words.
        details: further entries of the record of a run.
        title: heading of the panel; None: that of the modality.
        stem: name of its files without the ending; None: the modality's name.
        preview: `fourm query --show-query` generates it, in this order; None: it does not.
    """

    files: tuple[str, ...]
    write: Callable[[Decoded, Panel], Sequence[Any]]
    draw: Callable[[Decoded, str, Image.Image | None], Panel] | None = None
    summary: Callable[[Any], str] = lambda value: str(len(value))
    details: Callable[[Any], Mapping[str, Any]] = lambda value: {}
    title: str | None = None
    stem: str | None = None
    preview: int | None = None


@dataclass(frozen=True)
class Modality:
    """One modality.

    Attributes:
        name: as in `fourm.modalities`.
        title: heading of its panels.
        sources: options that give it as an input; the first has the modality's own name.
        draw: panel of an input under a title.
        output: how it is written when a model generates it; None: it is not.
        compute: from a photo, without a model; None: only a model predicts it.
        part_of_photo: `use_only` can name it.
        is_photo: its value is the photo itself, which boxes and masks are drawn over.
        plain: its value can be written as JSON as it is.
        aliases: other names of it, besides those of the official models.
        generated_as: name of the modality that a model generates in its place.
    """

    name: str
    title: str
    sources: tuple[Source, ...]
    draw: Callable[[Input, str], Panel]
    output: Output | None = None
    compute: Callable[[Photo], Input] | None = None
    part_of_photo: bool = True
    is_photo: bool = False
    plain: bool = False
    aliases: tuple[str, ...] = ()
    generated_as: str | None = None

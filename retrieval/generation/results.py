"""The outputs of a generation: decoded, written when they are finished, recorded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.modalities import Decoded
from fourm.modalities.pixels import square_pixels
from retrieval.drawing.blocks import draw_panels
from retrieval.errors import UsageError
from retrieval.images.contact_sheets import contact_sheet_tag
from retrieval.inputs import Input
from retrieval.modalities import MODALITIES, Modality, Output
from retrieval.queries import Query
from retrieval.report.outputs import check_output
from retrieval.report.panels import generated_panel, panels
from retrieval.written import WrittenFiles

_LONGEST = 60
RECORD, SHEET = "generated.json", "sheet.png"


class Generation:
    """What a model generated from inputs.

    Attributes:
        query: the inputs.
        outputs: what was decoded, in the order of generation.
        files: modality -> names of its files in the folder.
        warnings: about a text that the model does not know, or of which it reads the beginning.
        left_out: modalities of `all` that were not generated, since their tokenizers are missing.
    """

    def __init__(
        self, query: Query, about: Mapping[str, Any], folder: WrittenFiles | None = None
    ) -> None:
        self.query = query
        self.outputs: list[Decoded] = []
        self.files: dict[str, list[str]] = {}
        self.left_out: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self._about = dict(about)
        self._folder = folder
        self._ground = _square_photo(query)

    def __getitem__(self, modality: str) -> Decoded:
        """What was generated of a modality; KeyError: nothing was."""
        for decoded in self.outputs:
            if decoded.modality == modality:
                return decoded
        raise KeyError(modality)

    def start(self, schedule: Iterable[Mapping[str, Any]]) -> None:
        """Record the schedule before the first step."""
        self._about["schedule"] = list(schedule)
        self.write_record()

    def add(self, decoded: Decoded) -> None:
        """Add a finished output, and write its files if there is a folder."""
        self.outputs.append(decoded)
        if self._ground is None and MODALITIES[decoded.modality].is_photo:
            self._ground = Image.fromarray(decoded.value)
        if self._folder is not None:
            self.files[decoded.modality] = write_files(decoded, self._folder, self._ground)
            self.write_record()

    def write_record(self) -> None:
        """Write or rewrite `generated.json`."""
        if self._folder is not None:
            text = json.dumps(self.as_dict(), indent=2, allow_nan=False)
            write_file(self._folder, RECORD, text + "\n")

    def write_sheet(self) -> None:
        """Write `sheet.png` of the inputs and the outputs."""
        if self._folder is not None:
            write_file(self._folder, SHEET, self.sheet())
            self._about["sheet"] = SHEET
            self.write_record()

    def sheet(self) -> Image.Image:
        """The contact sheet."""
        made = [generated_panel(decoded, self._ground) for decoded in self.outputs]
        return draw_panels([("given", panels(self.query)), ("generated", made)])

    def as_dict(self) -> dict[str, Any]:
        """The record as values that JSON has."""
        return {
            **self._about,
            "inputs": [_recorded(entry) for entry in self.query.inputs],
            "outputs": [self._output(decoded) for decoded in self.outputs],
        }

    def summary(self) -> list[tuple[str, list[str], str]]:
        """Modality, names of the files and a short description of each output."""
        return [
            (decoded.modality, self.files.get(decoded.modality, []), _summary(decoded))
            for decoded in self.outputs
        ]

    def _output(self, decoded: Decoded) -> dict[str, Any]:
        about: dict[str, Any] = {
            "modality": decoded.modality,
            "files": self.files.get(decoded.modality, []),
            "tokens": decoded.tokens.tolist(),
        }
        if decoded.text is not None:
            about["text"] = decoded.text
        return {**about, **output_of(decoded.modality)[1].details(decoded.value)}


def output_of(name: str) -> tuple[Modality, Output]:
    """A modality, and how what is generated of it is written.

    Raises:
        UsageError: it cannot be written.
    """
    modality = MODALITIES.get(name)
    if modality is None or modality.output is None:
        raise UsageError(f"the modality {name!r} cannot be written to files")
    return modality, modality.output


def file_names(name: str) -> tuple[str, ...]:
    """Names of the files of a modality; some are not written if nothing was decoded."""
    modality, output = output_of(name)
    return tuple((output.stem or modality.name) + ending for ending in output.files)


def write_files(
    decoded: Decoded, folder: WrittenFiles, ground: Image.Image | None, inner: str = ""
) -> list[str]:
    """Write all files of something decoded; their names.

    Args:
        decoded: of any modality.
        folder: exists.
        ground: the photo that boxes, masks and people are drawn over.
        inner: a folder in it, with a slash.

    Raises:
        UsageError: a file cannot be written.
    """
    contents = output_of(decoded.modality)[1].write(decoded, generated_panel(decoded, ground))
    written = []
    for name, content in zip(file_names(decoded.modality), contents, strict=True):
        if content is not None:
            write_file(folder, inner + name, content)
            written.append(inner + name)
        else:  # one of an earlier run would look like this run's
            folder.remove(inner + name)
    return written


def write_file(folder: WrittenFiles, name: str, content: Image.Image | str | NDArray[Any]) -> None:
    """Write an image, a text or an array.

    Raises:
        UsageError: it cannot be written.
    """

    def save(file: BinaryIO) -> None:
        if isinstance(content, Image.Image):
            tag = contact_sheet_tag() if name == SHEET else None
            content.save(file, "PNG", pnginfo=tag)
        elif isinstance(content, str):
            file.write(content.encode())
        else:
            np.save(file, content, allow_pickle=False)

    folder.write(name, save)


def _summary(decoded: Decoded) -> str:
    text = output_of(decoded.modality)[1].summary(decoded.value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _recorded(entry: Input) -> dict[str, Any]:
    about: dict[str, Any] = {"modality": entry.modality}
    if entry.name is not None:
        about["file"] = entry.name
    if MODALITIES[entry.modality].plain:
        about["value"] = entry.value
    return about


def prepared_folder(
    folder: Path, modalities: Sequence[str], inputs: Iterable[Path], others: Sequence[str]
) -> WrittenFiles:
    """The folder of the files, created if it does not exist.

    Raises:
        UsageError: it cannot be created; a file of this run would replace an input, or a file that
            this program did not write.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot be created ({error.strerror})", where=folder) from None
    given = [path for path in inputs if path.exists()]
    names = [name for modality in modalities for name in file_names(modality)]
    for name in (*names, *others):
        check_output(folder / name, given)
    written = WrittenFiles(folder)
    written.check((*names, *others))
    return written


def _square_photo(query: Query) -> Image.Image | None:
    """The central square of the photo among the inputs, as the model sees it but larger."""
    for entry in query.inputs:
        if MODALITIES[entry.modality].is_photo:
            return Image.fromarray(square_pixels(entry.value, 480).transpose(1, 2, 0))
    return None

"""What was generated: decoded, written as it comes, and recorded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fourm.modalities import MODALITIES, Decoded
from fourm.modalities.pixels import square_pixels
from retrieval.errors import UsageError
from retrieval.generation.drawing import panel_of
from retrieval.generation.files import file_names, write_file, write_files
from retrieval.queries import Query
from retrieval.report.outputs import check_output
from retrieval.report.panels import panels
from retrieval.report.sheet import draw_panels

_LONGEST = 60
RECORD, SHEET = "generated.json", "sheet.png"
_RAW = "as the tokenizer decodes it, not of unit length; its direction is what counts"


class Generation:
    """What a model made of inputs.

    Attributes:
        query: the inputs.
        outputs: what was decoded, in the order in which it was made.
        files: kind -> names of its files in the folder.
        left_out: kinds that `all` would have had with their tokenizers, which are not here.
    """

    def __init__(self, query: Query, about: Mapping[str, Any], folder: Path | None = None) -> None:
        self.query = query
        self.outputs: list[Decoded] = []
        self.files: dict[str, list[str]] = {}
        self.left_out: tuple[str, ...] = ()
        self._about = dict(about)
        self._folder = folder
        self._ground = _square_photo(query)

    def __getitem__(self, kind: str) -> Decoded:
        """What was made of a kind; KeyError: nothing was."""
        for decoded in self.outputs:
            if decoded.modality == kind:
                return decoded
        raise KeyError(kind)

    def start(self, schedule: Iterable[Mapping[str, Any]]) -> None:
        """Record the steps that will be taken."""
        self._about["schedule"] = list(schedule)
        self.write_record()

    def add(self, decoded: Decoded) -> None:
        """Take something that is finished, and write it if there is a folder."""
        self.outputs.append(decoded)
        if self._ground is None and decoded.modality == "image_tokens":
            self._ground = Image.fromarray(decoded.value)
        if self._folder is not None:
            self.files[decoded.modality] = write_files(decoded, self._folder, self._ground)
            self.write_record()

    def write_record(self) -> None:
        """Write or rewrite `generated.json`."""
        if self._folder is not None:
            text = json.dumps(self.as_dict(), indent=2, allow_nan=False)
            write_file(self._folder / RECORD, text + "\n")

    def write_sheet(self) -> None:
        """Write `sheet.png`: what was given, and all that was made of it."""
        if self._folder is not None:
            write_file(self._folder / SHEET, self.sheet())
            self._about["sheet"] = SHEET
            self.write_record()

    def sheet(self) -> Image.Image:
        """The contact sheet."""
        made = [panel_of(decoded, self._ground) for decoded in self.outputs]
        return draw_panels([("given", panels(self.query)), ("generated", made)])

    def as_dict(self) -> dict[str, Any]:
        """The record, as JSON knows it."""
        return {
            **self._about,
            "inputs": [_input(entry.kind, entry.name, entry.value) for entry in self.query.inputs],
            "outputs": [self._output(decoded) for decoded in self.outputs],
        }

    def summary(self) -> list[tuple[str, list[str], str]]:
        """Modality, names of the files and a short description of each output."""
        return [
            (decoded.modality, self.files.get(decoded.modality, []), _shortly(decoded))
            for decoded in self.outputs
        ]

    def _output(self, decoded: Decoded) -> dict[str, Any]:
        about: dict[str, Any] = {
            "kind": decoded.modality,
            "files": self.files.get(decoded.modality, []),
            "tokens": decoded.tokens.tolist(),
        }
        if decoded.text is not None:
            about["text"] = decoded.text
        if decoded.modality.endswith(("_features", "_embedding")):
            about |= {"shape": list(np.shape(decoded.value)), "scale": _RAW}
        return about


def _shortly(decoded: Decoded) -> str:
    value = decoded.value
    if isinstance(value, str):
        text = value
    elif isinstance(value, dict):
        text = " ".join(f"{key}={number:g}" for key, number in value.items())
    elif hasattr(value, "shape"):
        text = " x ".join(map(str, value.shape))
    else:
        text = str(len(getattr(value, "people", value)))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _input(kind: str, name: str | None, value: Any) -> dict[str, Any]:
    about: dict[str, Any] = {"kind": kind}
    if name is not None:
        about["file"] = name
    if kind in ("text", "metadata", "palette"):
        about["value"] = value
    return about


def prepared_folder(
    out: str | Path, kinds: Sequence[str], inputs: Iterable[Path], others: Sequence[str]
) -> Path:
    """The folder that files go to, made if need be.

    Raises:
        UsageError: it cannot be made, or a file of this run would replace an input.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot be made ({error.strerror})", where=folder) from None
    given = [path for path in inputs if path.exists()]
    names = [name for kind in kinds if kind in MODALITIES for name in file_names(kind)]
    for name in (*names, *others):
        check_output(folder / name, given)
    return folder


def _square_photo(query: Query) -> Image.Image | None:
    """The central square of the photo among the inputs, as the model sees it but larger."""
    for entry in query.inputs:
        if entry.kind in ("image", "image_tokens"):
            return Image.fromarray(square_pixels(entry.value, 480).transpose(1, 2, 0))
    return None

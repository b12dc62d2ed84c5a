"""Who embeds a gallery's pictures: the model, or the networks that it learned from, its teachers.

An index remembers in `encoder.json` how to load them again: the folder of a model that is not found
by its name alone; where teachers' weights lie, and which model predicts what these cannot read. How
vectors were made stands in the catalogue: this file may
be lost, and says nothing of what may be compared.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from indexes import Index
from indexes.recipe import MODEL
from retrieval.errors import RetrievalError, UsageError

if TYPE_CHECKING:
    from retrieval.model import Model

TEACHER = "teacher"
NOTE = "encoder.json"
WORDS = ("tower", "model")
PIXELS = ("imagenet", "clip")


@dataclass(frozen=True)
class Teachers:
    """How the teachers of a model are loaded and used.

    Attributes:
        sources: teacher (`clip-b16` or `clip`, `dinov2-b14` or `dinov2`) -> file, folder or hub
            name of its weights; those that are not named come from the hub.
        words: what reads a text alone in CLIP's space: its text `tower`, or the `model`.
        clip_pixels: mean and deviation of CLIP's pixels: `imagenet`, as 4M-21 learned it, or
            `clip`, its own; None: as the index remembers, `imagenet` for a new one.

    Raises:
        UsageError: an unknown teacher, or another word for one of the two.
    """

    sources: Mapping[str, str | os.PathLike[str]] = field(default_factory=dict)
    words: str = WORDS[0]
    clip_pixels: str | None = None

    def __post_init__(self) -> None:
        if self.words not in WORDS:
            raise UsageError(f"words: {' or '.join(WORDS)}, not {self.words!r}")
        if self.clip_pixels not in (None, *PIXELS):
            raise UsageError(f"clip pixels: {' or '.join(PIXELS)}, not {self.clip_pixels!r}")
        object.__setattr__(self, "sources", _full_names(self.sources))

    def over(self, remembered: Teachers) -> Teachers:
        """These, and where they say nothing what is remembered."""
        return replace(
            self,
            sources={**remembered.sources, **self.sources},
            clip_pixels=self.clip_pixels or remembered.clip_pixels,
        )

    def with_model(self, model: Model, device: str, dtype: str) -> Model:
        """The model with its teachers, or a model that is a teacher itself, with this source.

        Raises:
            UsageError: teachers for a model that is a teacher itself.
            fourm.FourmError: a model that has no such teachers.
        """
        from fourm.teachers import Taught, TeacherModel, make_teacher, teacher_names

        pixels = self.clip_pixels or PIXELS[0]
        if isinstance(model, TeacherModel):
            own = model.teacher
            if self.words != WORDS[0] or set(self.sources) - {own.name}:
                raise UsageError(
                    f"{model.name} is a teacher itself: give --model a 4M-21 to have others"
                )
            source = self.sources.get(own.name, own.source)
            alone = TeacherModel(make_teacher(own.name, source, device, dtype, pixels=pixels))
            return cast("Model", alone)
        teachers = [
            make_teacher(name, self.sources.get(name), device, dtype, pixels=pixels)
            for name in teacher_names()
        ]
        return cast("Model", Taught(cast(Any, model), teachers, words=self.words))


def read_teachers(given: Iterable[str]) -> dict[str, str]:
    """`clip=PATH` and the like, as the command line has them: teacher -> source.

    Raises:
        UsageError: no such form, an unknown teacher, or one twice.
    """
    sources: dict[str, str] = {}
    for entry in given:
        name, equals, source = entry.partition("=")
        if not equals or not name or not source:
            raise UsageError(f"--teacher: NAME=PATH, e.g. clip=weights/, not {entry!r}")
        (full,) = _full_names({name: source})
        if full in sources:
            raise UsageError(f"--teacher: {name} is given twice")
        sources[full] = source
    return sources


def read_encoder(
    encoder: str | None, sources: Iterable[str] = (), clip_pixels: str | None = None
) -> str | Teachers | None:
    """What the options of `fourm index` ask for, as `Gallery.build` takes it.

    Raises:
        UsageError: another encoder, or what belongs to teachers without them.
    """
    teachers = Teachers(read_teachers(sources), clip_pixels=clip_pixels)
    if encoder == TEACHER:
        return teachers
    if encoder not in (None, MODEL):
        raise UsageError(f"encoder: {MODEL} or {TEACHER}, not {encoder!r}")
    if not teachers.sources and clip_pixels is None:
        return encoder
    if encoder == MODEL:
        raise UsageError(f"--teacher and --clip-pixels go with --encoder {TEACHER}")
    return teachers


def read_query_teachers(sources: Iterable[str], words: str) -> Teachers | None:
    """What the options of `fourm query` say of teachers, as `Gallery.open` takes it.

    Raises:
        UsageError: as `read_teachers`; another word for `words`.
    """
    teachers = Teachers(read_teachers(sources), words)
    return None if teachers == Teachers() else teachers


def choose(
    index: Index | None, wanted: Any, encoder: str | Teachers | None
) -> tuple[Any, Teachers | None]:
    """What to load for an index: the model, or None for the index's own, and its teachers.

    Args:
        index: None: a new one.
        wanted: the model that was asked for, or None.
        encoder: `model`, `teacher`, teachers with their sources, or None: as the index was made.

    Raises:
        UsageError: teachers for an index that a model made itself.
        RetrievalError: the index's note is damaged.
    """
    if isinstance(encoder, str):
        encoder = read_encoder(encoder)
    asked = encoder if isinstance(encoder, Teachers) else None
    if index is None:
        return wanted, asked
    if index.recipe.encoder == MODEL:
        if asked is not None:
            raise UsageError(
                f"{index.folder}: the model {index.recipe.model} itself made this index's vectors; "
                "teachers' vectors want an index of their own: give another folder"
            )
        return _noted_folder(index.folder) if wanted is None else wanted, None
    if encoder == MODEL:
        return wanted, None
    model, remembered = _read_note(index.folder)
    return wanted or model, (asked or Teachers()).over(remembered)


def remember(index: Index, wanted: Any, model: Model, teachers: Teachers | None) -> None:
    """Write down how to load again what made this index, if a model's name does not say it."""
    if index.recipe.encoder == MODEL:
        folder = _folder_of(wanted)
        with suppress(OSError):  # a convenience: --model says it, too
            if folder is not None:
                _write_note(index.folder, {"model": folder})
        return
    chosen = teachers or Teachers()
    note = {
        "model": _absolute(wanted) if isinstance(wanted, (str, os.PathLike)) else model.name,
        "teachers": {name: _absolute(source) for name, source in chosen.sources.items()},
        "clip_pixels": chosen.clip_pixels or PIXELS[0],
    }
    _write_note(index.folder, note)


def _write_note(folder: Path, note: Mapping[str, Any]) -> None:
    text = json.dumps(note, indent=2)
    path = folder / NOTE
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _noted_folder(folder: Path) -> str | None:
    """Where the model of an index lay, if it still lies there; else its name may find it."""
    try:
        noted = json.loads((folder / NOTE).read_text(encoding="utf-8"))["model"]
        return noted if Path(noted).is_dir() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _folder_of(wanted: Any) -> str | None:
    """The folder that a model was asked for by; None for names, and for loaded models."""
    from fourm.bundle.library import bundled

    if not isinstance(wanted, (str, os.PathLike)) or os.fspath(wanted) in bundled():
        return None
    return _absolute(wanted) if Path(wanted).expanduser().is_dir() else None


def _read_note(folder: Path) -> tuple[str | None, Teachers]:
    """The model and the teachers that an index remembers; nothing where there is no note."""
    path = folder / NOTE
    if not path.is_file():
        return None, Teachers()
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        model, sources, pixels = (note[key] for key in ("model", "teachers", "clip_pixels"))
        if not isinstance(model, str) or not all(isinstance(s, str) for s in sources.values()):
            raise TypeError("a model and sources are names")
        return model, Teachers(sources, clip_pixels=pixels)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise RetrievalError(
            f"{path}: cannot be read ({error}); delete it, and give --model and --teacher"
        ) from None


def _absolute(source: str | os.PathLike[str]) -> str:
    """A path as an absolute one, also after `clip-b16=`; a name as it is."""
    text = os.fspath(source)
    name, equals, path = text.partition("=")
    if equals and Path(path).expanduser().exists():
        return f"{name}={Path(path).expanduser().absolute()}"
    expanded = Path(text).expanduser()
    return str(expanded.absolute()) if expanded.exists() else text


def _full_names(
    sources: Mapping[str, str | os.PathLike[str]],
) -> dict[str, str | os.PathLike[str]]:
    if not sources:
        return {}
    from fourm.teachers.known import KNOWN

    names = {short: kind.name for kind in KNOWN.values() for short in (kind.name, kind.predicted)}
    for name in sources:
        if name not in names:
            raise UsageError(f"no teacher {name!r}; known: {', '.join(names)}")
    return {names[name]: source for name, source in sources.items()}

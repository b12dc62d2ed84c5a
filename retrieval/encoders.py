"""The encoder of a gallery's images: the model, or the teachers that it learned from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from fourm.embedder import Embedder
from indexes.recipe import MODEL
from retrieval.assignments import read_assignments
from retrieval.errors import UsageError

TEACHER = "teacher"
TEXT_ENCODERS = ("clip", "4m")
PIXELS = ("imagenet", "clip")


@dataclass(frozen=True)
class Teachers:
    """How the teachers of a model are loaded and used.

    Attributes:
        sources: teacher (`clip-b16` or `clip`, `dinov2-b14` or `dinov2`) -> file, folder or hub
            name of its weights; those that are not named come from the hub.
        text_encoder: what embeds a text alone in CLIP's space: `clip`, its text tower, or `4m`, the
            model.
        clip_pixels: mean and deviation of CLIP's pixels: `imagenet`, as 4M-21 learned it, or
            `clip`, its own; None: as the index remembers, `imagenet` for a new one.

    Raises:
        UsageError: an unknown teacher, text encoder or normalisation.
    """

    sources: Mapping[str, str | os.PathLike[str]] = field(default_factory=dict)
    text_encoder: str = TEXT_ENCODERS[0]
    clip_pixels: str | None = None

    def __post_init__(self) -> None:
        if self.text_encoder not in TEXT_ENCODERS:
            raise UsageError(
                f"must be {' or '.join(TEXT_ENCODERS)}, got {self.text_encoder!r}",
                where="text encoder",
            )
        if self.clip_pixels not in (None, *PIXELS):
            raise UsageError(
                f"must be {' or '.join(PIXELS)}, got {self.clip_pixels!r}", where="clip pixels"
            )
        object.__setattr__(self, "sources", _full_names(self.sources))

    def over(self, remembered: Teachers) -> Teachers:
        """These options; where one is not given, the remembered one."""
        return replace(
            self,
            sources={**remembered.sources, **self.sources},
            clip_pixels=self.clip_pixels or remembered.clip_pixels,
        )

    def with_model(self, model: Embedder, device: str, dtype: str) -> Embedder:
        """The model with its teachers, or a model that is a teacher itself, with this source.

        Raises:
            UsageError: teachers for a model that is a teacher itself.
            fourm.FourmError: a model that has no such teachers.
        """
        from fourm.hub.teachers import TEACHERS
        from fourm.model import Model
        from fourm.teachers import ModelWithTeachers, TeacherModel, make_teacher

        pixels = self.clip_pixels or PIXELS[0]
        if isinstance(model, TeacherModel):
            own = model.teacher
            if self.text_encoder != TEXT_ENCODERS[0] or set(self.sources) - {own.name}:
                raise UsageError(
                    f"{model.name} is a teacher itself; choose a 4M-21 as the model to use others"
                )
            source = self.sources.get(own.name, own.source)
            return TeacherModel(make_teacher(own.name, source, device, dtype, pixels=pixels))
        if not isinstance(model, Model):
            raise UsageError(f"{model.name} has no teachers; choose a 4M-21 as the model")
        teachers = [
            make_teacher(name, self.sources.get(name), device, dtype, pixels=pixels)
            for name in TEACHERS
        ]
        return ModelWithTeachers(model, teachers, text_encoder=self.text_encoder)


def read_teachers(given: Iterable[str]) -> dict[str, str]:
    """`clip=PATH` and the like, as the command line has them: teacher -> source.

    Raises:
        UsageError: no such form, an unknown teacher, or one twice.
    """
    sources: dict[str, str] = {}
    for name, source in read_assignments(given, "--teacher", "clip=weights/clip").items():
        (full,) = _full_names({name: source})
        if full in sources:
            raise UsageError(f"{name} is given twice", where="--teacher")
        sources[full] = source
    return sources


def read_encoder(
    encoder: str | None = None,
    teachers: Iterable[str] = (),
    clip_pixels: str | None = None,
    text_encoder: str = TEXT_ENCODERS[0],
) -> str | Teachers | None:
    """What `Gallery.build` and `Gallery.open` take as `encoder`, from the options of a command.

    Args:
        encoder: "model" or "teacher"; None: as the index was made, or the model.
        teachers: weights of teachers, e.g. `clip=PATH`.
        clip_pixels, text_encoder: see `Teachers`.

    Raises:
        UsageError: an unknown name, or options of teachers for an index of the model.
    """
    asked = Teachers(read_teachers(teachers), text_encoder, clip_pixels)
    if encoder not in (None, MODEL, TEACHER):
        raise UsageError(f"must be {MODEL} or {TEACHER}, got {encoder!r}", where="encoder")
    if encoder != TEACHER and asked == Teachers():
        return encoder
    if encoder == MODEL:
        raise UsageError(f"--teacher and --clip-pixels require --encoder {TEACHER}")
    return asked


def _full_names(
    sources: Mapping[str, str | os.PathLike[str]],
) -> dict[str, str | os.PathLike[str]]:
    if not sources:
        return {}
    from fourm.hub.teachers import TEACHERS

    names = {
        short: card.name for card in TEACHERS.values() for short in (card.name, card.predicted)
    }
    for name in sources:
        if name not in names:
            raise UsageError(f"{name!r} is not a teacher; known: {', '.join(names)}")
    return {names[name]: source for name, source in sources.items()}

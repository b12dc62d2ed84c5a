"""Choosing the model and teachers of an index, and loading them when needed.

An index remembers in `encoder.json` how to load them again: the folder of a model that is not found
by its name alone; where the weights of teachers lie, and which model predicts what they cannot
read. How vectors were made is in the catalogue: which vectors can be compared does not depend on
this file, and it may be deleted.
"""

from __future__ import annotations

import json
import os
import shlex
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from fourm.embedder import Embedder
from fourm.messages import shown
from fourm.regular_files import read_regular
from indexes import Index
from indexes.recipe import MODEL
from retrieval.encoders import PIXELS, Teachers, read_encoder
from retrieval.errors import ModelUnavailable, RetrievalError, UsageError
from retrieval.forking import reset_after_fork
from retrieval.model import ModelLike
from retrieval.written import replace as replace_file

DEFAULT_MODEL = "mini"
NOTE = "encoder.json"
_MOST = 1 << 20


class LazyModel:
    """Loads the model when it is first asked for, once, whichever thread asks first.

    `remembered_by` is the index whose own model this is: its name alone may not be enough to find
    a model that lay in some folder. `teachers` embed the images in its place.

    Usable in forked children, on one CPU core each. Can be pickled unless it was given a loaded
    model; the copy loads the model again.
    """

    def __init__(
        self,
        wanted: ModelLike,
        device: str = "auto",
        dtype: str = "auto",
        *,
        remembered_by: Path | None = None,
        teachers: Teachers | None = None,
    ) -> None:
        self._wanted = wanted
        self._teachers = teachers
        self._remembered_by = remembered_by
        self._device = device
        self._dtype = dtype
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._model: Embedder | None = None
        self._on_gpu_of_parent = False
        reset_after_fork(self)

    def get(self) -> Embedder:
        """The model; loading it may raise `fourm.FourmError` or `ModelUnavailable`.

        Raises:
            RetrievalError: in a forked child whose parent had loaded it on a GPU.
        """
        if self._on_gpu_of_parent:
            raise RetrievalError(
                "a model on a GPU cannot be used in a forked process; start processes with the "
                "method spawn, or open the gallery with device='cpu'"
            )
        with self._lock:
            if self._model is None:
                model = self._load()
                if self._teachers is not None:
                    model = self._teachers.with_model(model, self._device, self._dtype)
                self._model = model
            return self._model

    def after_fork(self, cuda: bool) -> None:
        """See `retrieval.forking`."""
        self._lock = threading.Lock()
        self._on_gpu_of_parent = cuda and self._model is not None and self._device != "cpu"

    def __getstate__(self) -> dict[str, Any]:
        if not isinstance(self._wanted, (str, os.PathLike)):
            raise UsageError(
                "cannot be pickled with a loaded model; open the gallery with the model's name or "
                "folder",
                where="gallery",
            )
        state = vars(self).copy()
        del state["_lock"], state["_model"], state["_on_gpu_of_parent"]
        state["_wanted"] = _absolute(self._wanted)
        if self._teachers is not None:
            sources = {name: _absolute(path) for name, path in self._teachers.sources.items()}
            state["_teachers"] = replace(self._teachers, sources=sources)
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)
        self._start()

    def remember(self, index: Index) -> None:
        """Write to an index how to load this model and its teachers again."""
        _remember(index, self._wanted, self.get(), self._teachers)

    def _load(self) -> Embedder:
        if not isinstance(self._wanted, (str, os.PathLike)):
            return self._wanted
        from fourm import ModelNotFound, load_model

        name = os.fspath(self._wanted)
        if self._remembered_by is not None and not on_this_disk(name):
            raise ModelUnavailable(
                f"made with the model {shown(name)}, which is not on this disk; if you trust it, "
                f"give it as the model (--model {shlex.quote(name)}), which downloads it",
                where=self._remembered_by,
            )
        try:
            return load_model(name, device=self._device, dtype=self._dtype)
        except ModelNotFound as error:
            if self._remembered_by is None:
                raise
            raise ModelUnavailable(
                f"made with the model {name!r}, which is not found by that "
                f"name ({error}); give its folder or hub name as the model (--model)",
                where=self._remembered_by,
            ) from error


def lazy_model(
    index: Index | None,
    wanted: ModelLike | None,
    encoder: str | Teachers | None,
    device: str,
    dtype: str,
) -> LazyModel:
    """The model of an index and of its queries; nothing is loaded yet.

    Args:
        index: None: a new one.
        wanted: the model that was asked for; None: the index's own, or `DEFAULT_MODEL`.
        encoder: `model`, `teacher`, teachers with their sources, or None: as the index was made.
        device, dtype: as `fourm.load_model`; `auto` is the precision that the index was made in,
            where that matters.

    Raises:
        UsageError: teachers for an index that a model made itself; no model.
        RetrievalError: the index's note is damaged.
    """
    named = wanted is None or isinstance(wanted, (str, os.PathLike))
    if not named and not hasattr(wanted, "embed_spaces"):
        raise UsageError(f"expected a name, a folder or a model, got {wanted!r}", where="model")
    chosen, teachers = _chosen(index, wanted, encoder)
    if chosen is None:
        chosen = DEFAULT_MODEL if index is None else index.recipe.model
    own = index.folder if index is not None and wanted is None else None
    if index is not None and dtype == "auto":
        dtype = index.recipe.precision or dtype
    return LazyModel(chosen, device, dtype, remembered_by=own, teachers=teachers)


def _chosen(
    index: Index | None, wanted: ModelLike | None, encoder: str | Teachers | None
) -> tuple[ModelLike | None, Teachers | None]:
    """The model to load, None for the index's own, and its teachers."""
    if encoder is not None and not isinstance(encoder, Teachers):
        encoder = read_encoder(encoder)
    asked = encoder if isinstance(encoder, Teachers) else None
    if index is None:
        return wanted, asked
    if index.recipe.encoder == MODEL:
        if asked is not None:
            raise UsageError(
                f"the model {index.recipe.model} itself made this index's vectors; "
                "teachers' vectors need an index of their own: give another folder",
                where=index.folder,
            )
        return _noted_folder(index.folder) if wanted is None else wanted, None
    if encoder == MODEL:
        return wanted, None
    model, remembered = _read_note(index.folder)
    for name, source in remembered.sources.items():
        if name not in (asked or Teachers()).sources and not on_this_disk(os.fspath(source)):
            raise ModelUnavailable(
                f"made with the teacher {name} from {shown(source)}, which is not on this disk; if "
                f"you trust it, give --teacher {shlex.quote(f'{name}={source}')}",
                where=index.folder,
            )
    return model if wanted is None else wanted, (asked or Teachers()).over(remembered)


def _remember(index: Index, wanted: ModelLike, model: Embedder, teachers: Teachers | None) -> None:
    """Record how to load the model of this index, if its name is not enough."""
    if index.recipe.encoder == MODEL:
        folder = _folder_of(wanted)
        with suppress(UsageError):  # a convenience: --model says it, too
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
    with suppress(OSError, ValueError):
        if not path.is_symlink() and read_regular(path, _MOST).decode() == text:
            return
    replace_file(path, lambda file: file.write(text.encode()))


def _noted_folder(folder: Path) -> str | None:
    """The folder of the model of an index, if it still exists; else the name is looked up."""
    try:
        noted = json.loads(read_regular(folder / NOTE, _MOST))["model"]
        return noted if Path(noted).is_dir() else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _folder_of(wanted: ModelLike) -> str | None:
    """The folder given as a model; None for names and loaded models."""
    from fourm.hub.names import bundled

    if not isinstance(wanted, (str, os.PathLike)) or os.fspath(wanted) in bundled():
        return None
    return _absolute(wanted) if Path(wanted).expanduser().is_dir() else None


def on_this_disk(source: str) -> bool:
    """Whether a model or a teacher can be had without the network, or is none at all.

    What an index names is not downloaded: the index may come from somebody else.
    """
    from fourm.hub.sources import is_hub_name

    name, equals, path = source.partition("=")
    source = path if equals else name
    return not is_hub_name(source) or Path(source).exists() or _in_cache(source)


def _in_cache(repository: str) -> bool:
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        return any(one.repo_id == repository for one in scan_cache_dir().repos)
    except (CacheNotFound, ValueError, OSError):
        return False


def _read_note(folder: Path) -> tuple[str | None, Teachers]:
    """The model and the teachers that an index remembers; none without the file."""
    path = folder / NOTE
    if not os.path.lexists(path):
        return None, Teachers()
    try:
        note = json.loads(read_regular(path, _MOST))
        model, sources, pixels = (note[key] for key in ("model", "teachers", "clip_pixels"))
        if not isinstance(model, str) or not all(isinstance(s, str) for s in sources.values()):
            raise TypeError("a model and sources are names")
        return model, Teachers(sources, clip_pixels=pixels)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        UsageError,
    ) as error:
        raise RetrievalError(
            f"cannot be read ({error}); delete it, and give --model and --teacher", where=path
        ) from None


def _absolute(source: str | os.PathLike[str]) -> str:
    """A path as an absolute one, also after `clip-b16=`; a name as it is."""
    from fourm.hub.names import bundled

    text = os.fspath(source)
    if text in bundled():
        return text
    name, equals, path = text.partition("=")
    if equals and Path(path).expanduser().exists():
        return f"{name}={Path(path).expanduser().absolute()}"
    expanded = Path(text).expanduser()
    return str(expanded.absolute()) if expanded.exists() else text

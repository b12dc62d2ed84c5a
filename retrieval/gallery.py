"""A gallery: a folder of pictures with its index, to be built, opened and searched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from indexes import Index, NotAnIndex
from retrieval.building import DEFAULT_BATCH_SIZE, BuildOptions, BuildReport, build
from retrieval.errors import UsageError
from retrieval.model import DEFAULT_MODEL, LazyModel, Model, ModelLike, Vectors, recipe_of
from retrieval.pictures import Listing, find_pictures
from retrieval.queries import Query, prepare

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Hit:
    """A found picture.

    Attributes:
        rank: 1 is the best.
        score: cosine of the query's and the picture's vectors, in [-1, 1].
        path: relative to the gallery's root, with `/` between its parts.
        id: the picture's number in the index; it stays when the file is renamed.
        space: the embedding space of the vectors.
    """

    rank: int
    score: float
    path: str
    id: int
    space: str

    def as_dict(self) -> dict[str, Any]:
        """The hit as JSON knows it: rank, score, path, id, space."""
        return asdict(self)


class Gallery:
    """Pictures of one folder that can be found by words, a picture, a segmentation map.

    Made by `Gallery.build` or `Gallery.open`; a context manager that closes the index. Searching
    is safe from several threads. `report` says what the build did, None after `open`.
    """

    def __init__(self, index: Index, model: LazyModel, report: BuildReport | None = None) -> None:
        self.index = index
        self.report = report
        self._lazy = model
        self._checked: Model | None = None

    @classmethod
    def build(
        cls,
        folder: PathLike,
        to: PathLike,
        model: ModelLike | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = DEFAULT_BATCH_SIZE,
        workers: int | None = None,
        retry: bool = False,
        progress: bool = False,
    ) -> Gallery:
        """Index a folder of pictures, or bring its index up to date.

        New and changed pictures are embedded, deleted ones forgotten, moved ones recognised by
        their content. What cannot be read is skipped, with the reason in the index. A build that
        was stopped, however, goes on where it was.

        Args:
            folder: the gallery's root; all folders below it belong to it.
            to: the folder of the index; made if it does not exist.
            model: name, folder, hub name or loaded model; None: the index's own, or "mini".
            device: "auto", "cpu", "cuda" or "mps".
            dtype: "auto", "float32", "bfloat16" or "float16".
            batch_size: pictures in one forward pass and one transaction.
            workers: threads that read and decode; None: one a core.
            retry: try files again that were skipped and have not changed.
            progress: show a progress bar on stderr when that is a terminal.

        Raises:
            UsageError: no such folder, or no pictures in it; an index of another folder.
            BuildInterrupted: by Ctrl-C; what is finished is kept.
            fourm.FourmError: the model cannot be loaded.
            indexes.IndexesError: `to` is taken, damaged, or made with another model.
        """
        options = BuildOptions(batch_size, workers, retry, progress)
        root, target = Path(folder), Path(to)
        if root.exists() and target.exists() and root.samefile(target):
            raise UsageError(f"{target}: is the gallery itself; an index wants its own folder")
        listing = find_pictures(root, exclude=[target])
        if not listing.pictures and not listing.unreadable:
            raise UsageError(f"{root}: no pictures in this folder; the index is left as it was")
        existing = _open_if_there(target)
        lazy = _lazy_model(existing, model, device, dtype)
        try:
            recipe = recipe_of(lazy.get())
            if existing is not None:
                existing.require(recipe)
                _require_root(existing, root, listing)
            index = existing or Index.create(target, root=root, recipe=recipe)
        except BaseException:
            if existing is not None:
                existing.close()
            raise
        try:
            report = build(index, listing, lazy.get(), options)
        except BaseException:
            index.close()
            raise
        return cls(index, lazy, report)

    @classmethod
    def open(
        cls,
        folder: PathLike,
        model: ModelLike | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
    ) -> Gallery:
        """Open an index. The model is loaded by the first search.

        Args:
            folder: the index's folder.
            model: name, folder, hub name or loaded model; None: the one that the index names.
            device: "auto", "cpu", "cuda" or "mps".
            dtype: "auto", "float32", "bfloat16" or "float16".

        Raises:
            UsageError: nothing is there.
            indexes.IndexesError: not an index, damaged, or of a newer version.
        """
        if not Path(folder).exists():
            raise UsageError(f"{Path(folder)}: no such index; `fourm index` makes one")
        index = Index.open(Path(folder))
        return cls(index, _lazy_model(index, model, device, dtype))

    @property
    def root(self) -> Path:
        """The folder of the pictures: `gallery.root / hit.path` is a hit's file."""
        return self.index.root

    @property
    def model(self) -> Model:
        """The model, loaded now if it was not yet.

        Raises:
            fourm.FourmError: it cannot be loaded.
            ModelUnavailable: the index's own model cannot be loaded by its name.
            indexes.RecipeMismatch: the index was made with another one.
        """
        if self._checked is None:
            model = self._lazy.get()
            space = self.index.recipe.space
            self.index.require(recipe_of(model, space if space in model.spaces else None))
            self._checked = model
        return self._checked

    def search(
        self,
        *,
        text: object = None,
        image: object = None,
        seg: object = None,
        k: int = 10,
        **others: object,
    ) -> list[Hit]:
        """The pictures nearest to a query, best first.

        All inputs go into one forward pass, unless they are weighed.

        Args:
            text: words.
            image: path, Pillow picture, or uint8 array (H, W, 3).
            seg: path or integer array (H, W) of COCO panoptic category ids, 0 = nothing.
            k: how many, at least 1; fewer come when the gallery is smaller.
            others: for models that take in more: `depth` (with `depth_near`, "low" or "high"),
                `normals`, `edges`, `canny`, `sam_edges`, `boxes`, `palette`, `palette_of`,
                `metadata`, `sam`, `poses`, `t5`, `clip_features`, `dinov2_features`,
                `imagebind_features`, `dinov2_embedding`, `imagebind_embedding`, `image_tokens`:
                paths as for the command line, or what these files hold. How they are read and
                combined: `take` (parts of `image` that are used in its place), `not_text` (a text
                or a list of them to push away from), `weights` (e.g. `{"text": 2, "not": 0.5}`) and
                `combine` ("together", "guided" or "late"); see `Query.read`.

        Raises:
            UsageError: no input, an input that cannot be read, k < 1.
            fourm.FourmError: the model cannot be loaded or does not take in such an input.
            indexes.IndexesError: the index is damaged, or made with another model.
        """
        check_k(k)
        return self.search_batch([Query.read(text=text, image=image, seg=seg, **others)], k)[0]

    def search_batch(self, queries: Sequence[Query], k: int = 10) -> list[list[Hit]]:
        """The hits of each query; all queries go into one forward pass of the model.

        Raises:
            As `search`.
        """
        check_k(k)
        if not queries:
            return []
        scores, ids = self.index.search(self.embed(queries), k)
        pictures = self.index.pictures(np.unique(ids))
        space = self.index.recipe.space
        return [
            [
                Hit(rank, float(score), pictures[int(number)].path, int(number), space)
                for rank, (score, number) in enumerate(zip(row, numbers, strict=True), start=1)
            ]
            for row, numbers in zip(scores, ids, strict=True)
        ]

    def embed(self, queries: Sequence[Query]) -> Vectors:
        """Vectors of queries in the index's space, float32 (len(queries), dim), unit rows."""
        model = self.model
        prepared = [prepare(query, model) for query in queries]
        return model.embed(prepared, space=self.index.recipe.space)

    def close(self) -> None:
        """Close the index."""
        self.index.close()

    def __enter__(self) -> Gallery:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def check_k(k: object) -> None:
    """Refuse a number of hits that is not a whole number of at least 1.

    Raises:
        UsageError: it is not.
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise UsageError(f"k: a whole number of at least 1, not {k!r}")


def _lazy_model(
    index: Index | None, wanted: ModelLike | None, device: str, dtype: str
) -> LazyModel:
    if wanted is not None:
        return LazyModel(wanted, device, dtype)
    if index is None:
        return LazyModel(DEFAULT_MODEL, device, dtype)
    return LazyModel(index.recipe.model, device, dtype, remembered_by=index.folder)


def _open_if_there(folder: Path) -> Index | None:
    try:
        return Index.open(folder)
    except NotAnIndex:
        return None  # creating one there says what is wrong with the folder, if anything is


def _require_root(index: Index, root: Path, listing: Listing) -> None:
    """Refuse to make the index of one gallery that of another; follow a gallery that moved."""
    if index.root == root.absolute() or (index.root.exists() and index.root.samefile(root)):
        return
    known = index.known()
    moved = not index.root.exists() and any(
        found.path in known
        and (known[found.path].size, known[found.path].mtime_ns) == (found.size, found.mtime_ns)
        for found in listing.pictures
    )
    if not moved:
        raise UsageError(
            f"{index.folder}: this index is of the folder {index.root}, not of {root}; give "
            "another --to for another folder"
        )
    index.relocate(root)

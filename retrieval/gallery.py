"""A gallery: a folder of pictures with its index, to be built, opened and searched."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from indexes import Index
from retrieval.building import (
    DEFAULT_BATCH_SIZE,
    BuildOptions,
    BuildReport,
    Wanted,
    build,
    open_for_building,
    open_if_there,
    require_model,
)
from retrieval.encoders import Teachers
from retrieval.errors import PictureError, UsageError
from retrieval.hits import Hit
from retrieval.items import IMAGE, find_items, item_kind, options_of, read_item, reader_of
from retrieval.loading import LazyModel, lazy_model
from retrieval.model import Model, ModelLike, Vectors
from retrieval.queries import Input, Query, prepare
from retrieval.scope import Scope, Spaces

__all__ = ["Gallery", "Hit", "check_k"]

PathLike = str | os.PathLike[str]


class Gallery:
    """Pictures of one folder that can be found by words, a picture, a segmentation map.

    Its index may hold items of other kinds, too, one folder a kind.

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
        encoder: str | Teachers | None = None,
        kind: str = IMAGE,
        depth_near: str | None = None,
        spaces: str | Sequence[str] | None = None,
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
            folder: the gallery's root; all folders below it belong to it. For `text`, `palette`
                and `metadata`, whose items are lines, it may be one .txt or .jsonl file.
            to: the folder of the index; made if it does not exist.
            model: name, folder, hub name or loaded model; None: the index's own, or "mini".
            encoder: who embeds pictures: the "model", its "teacher"s, or `Teachers` with their
                weights; None: as the index was made, or the model.
            kind: what the items are: "image", or another of `retrieval.items.ITEM_KINDS`. An index
                has one gallery of a kind; one more is added where it has none.
            depth_near: which values of depth maps are near, "low" or "high"; None: as before, or
                "low".
            spaces: embedding spaces of the model, or "all". All that the index has and these; None:
                those that it has, or the model's default for a new one. A picture's vectors in all
                of them come from one pass. A space that is added is filled from the pictures, and
                can be searched when none lacks it.
            device: "auto", "cpu", "cuda" or "mps".
            dtype: "auto", "float32", "bfloat16" or "float16".
            batch_size: pictures in one forward pass and one transaction.
            workers: threads that read and decode; None: one a core.
            retry: try files again that were skipped and have not changed.
            progress: show a progress bar on stderr when that is a terminal.

        Raises:
            UsageError: no such folder, or no pictures in it; an index of another folder; an
                unknown kind or space.
            BuildInterrupted: by Ctrl-C; what is finished is kept.
            fourm.FourmError: the model cannot be loaded, or does not read this kind.
            indexes.IndexesError: `to` is taken, damaged, or made with another model; items of
                this kind were read in another way.
        """
        what = item_kind(kind)
        options_of(what, depth_near)
        options = BuildOptions(batch_size, workers, retry, progress)
        root, target = Path(folder), Path(to)
        if root.exists() and target.exists() and root.samefile(target):
            raise UsageError("is the gallery itself; an index wants its own folder", where=target)
        listing = find_items(root, what, exclude=[target])
        if not listing.pictures and not listing.unreadable:
            raise UsageError(
                f"no {what.what} in this folder; the index is left as it was", where=root
            )
        existing = open_if_there(target)
        index = existing
        try:
            lazy = lazy_model(existing, model, encoder, device, dtype)
            wanted = Wanted(root, what, depth_near, spaces)
            index = open_for_building(existing, target, lazy.get(), wanted, listing)
            lazy.remember(index)
            reader = reader_of(root, what, index.readings[what.name].options)
            report = build(index, listing, lazy.get(), reader, options)
        except BaseException:
            if index is not None:
                index.close()
            raise
        return cls(index, lazy, report)

    @classmethod
    def open(
        cls,
        folder: PathLike,
        model: ModelLike | None = None,
        *,
        encoder: str | Teachers | None = None,
        device: str = "auto",
        dtype: str = "auto",
    ) -> Gallery:
        """Open an index. The model is loaded by the first search.

        Args:
            folder: the index's folder.
            model: name, folder, hub name or loaded model; None: the one that the index names.
            encoder: for an index that teachers made: `Teachers` with other places of their weights,
                or another way to read words; None: as the index remembers.
            device: "auto", "cpu", "cuda" or "mps".
            dtype: "auto", "float32", "bfloat16" or "float16".

        Raises:
            UsageError: nothing is there; teachers for an index that a model made itself.
            indexes.IndexesError: not an index, damaged, or of a newer version.
        """
        if not Path(folder).exists():
            raise UsageError("no such index; `fourm index` makes one", where=Path(folder))
        index = Index.open(Path(folder))
        try:
            return cls(index, lazy_model(index, model, encoder, device, dtype))
        except BaseException:
            index.close()
            raise

    @property
    def root(self) -> Path:
        """The folder of the pictures, or of the first kind of items that was indexed.

        `gallery.root / hit.path` is the file of a hit of that kind; `file_of` knows all.
        """
        return self.index.root

    def file_of(self, hit: Hit) -> Path:
        """Where a hit lies; for a line, the name of its file with the line after it.

        Raises:
            PictureError: it is of a kind that this index does not have.
        """
        root = self._root_of(hit)
        return root.parent / hit.path if root.is_file() else root / hit.path

    def read(self, hit: Hit) -> Input:
        """A hit's item, read again: `value` is the picture, the map, the words ...

        Raises:
            PictureError: it is gone, cannot be read any more, or is of another index.
        """
        root = self._root_of(hit)
        reading = self.index.readings[hit.kind]
        return read_item(root, item_kind(hit.kind), reading.options, hit.path)

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
            require_model(self.index, model)
            self._checked = model
        return self._checked

    def search(
        self,
        *,
        text: object = None,
        image: object = None,
        seg: object = None,
        k: int = 10,
        spaces: Spaces | None = None,
        fusion: str = "rrf",
        kinds: str | Collection[str] | None = None,
        **others: object,
    ) -> list[Hit]:
        """The pictures nearest to a query, best first.

        All inputs go into one forward pass, unless they are weighed.

        Args:
            text: words.
            image: path, Pillow picture, or uint8 array (H, W, 3).
            seg: path or integer array (H, W) of COCO panoptic category ids, 0 = nothing.
            k: how many, at least 1; fewer come when the gallery is smaller.
            spaces: embedding spaces of the index: None: its first; a name, several names, or
                {name: weight}; "all". Several are fused.
            fusion: how: "rrf", by the ranks in each space, or "scores", by the cosines.
            kinds: of items to find, "depth" or several; None: all that the index holds.
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
        query = Query.read(text=text, image=image, seg=seg, **others)
        return self.search_batch([query], k, spaces=spaces, fusion=fusion, kinds=kinds)[0]

    def search_batch(
        self,
        queries: Sequence[Query],
        k: int = 10,
        *,
        spaces: Spaces | None = None,
        fusion: str = "rrf",
        kinds: str | Collection[str] | None = None,
    ) -> list[list[Hit]]:
        """The hits of each query; all queries go into one forward pass of the model.

        Raises:
            As `search`.
        """
        check_k(k)
        scope = Scope.of(self.index, spaces, fusion, kinds)
        if not queries:
            return []
        found = scope.search(self.index, self.embed(queries, scope.spaces), k)
        places = self.index.places(np.unique(found.ids))
        return [
            [
                Hit(
                    rank + 1,
                    float(found.scores[row, rank]),
                    places[int(number)].path,
                    int(number),
                    scope.name,
                    places[int(number)].kind,
                    {space: float(cosines[row, rank]) for space, cosines in found.cosines.items()},
                )
                for rank, number in enumerate(ids)
            ]
            for row, ids in enumerate(found.ids)
        ]

    def embed(
        self, queries: Sequence[Query], spaces: Sequence[str] | None = None
    ) -> dict[str, Vectors]:
        """Vectors of queries, from one pass: space -> float32 (len(queries), dim), unit rows.

        `spaces` are some of the index's; None: its first.
        """
        model = self.model
        prepared = [prepare(query, model) for query in queries]
        wanted = [self.index.recipe.space] if spaces is None else spaces
        return dict(model.embed_spaces(prepared, spaces=wanted))

    def _root_of(self, hit: Hit) -> Path:
        if hit.kind not in self.index.roots:
            raise PictureError(f"this index has no gallery of the kind {hit.kind!r}")
        return self.index.roots[hit.kind]

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
        raise UsageError(f"a whole number of at least 1, not {k!r}", where="k")

"""A gallery: a folder of images with its index, to be built, opened and searched."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fourm.embedder import Embedder, Vectors
from indexes import Index, UnknownItem
from retrieval.building import (
    DEFAULT_BATCH_SIZE,
    BuildOptions,
    BuildReport,
    Wanted,
    build,
    discard_if_empty,
    open_for_building,
    open_if_there,
    patterns_for,
    require_model,
    require_reader,
)
from retrieval.description import LeftOutFile, SkippedItem, describe, left_out, skipped
from retrieval.encoders import Teachers
from retrieval.errors import BuildInterrupted, ItemError, UsageError
from retrieval.hits import Hit, hits_of
from retrieval.inputs import Input
from retrieval.items import ItemReader, file_of_item, find_items, options_of, read_item
from retrieval.loading import LazyModel, lazy_model
from retrieval.modalities import Source, source_named
from retrieval.model import ModelLike, embed_spaces, space_of
from retrieval.paths import read_folder
from retrieval.queries import Query, prepare
from retrieval.queries.checks import check_queries, refuse_positional
from retrieval.queries.coverage import text_warnings, unknown_share
from retrieval.ranks import Ranks
from retrieval.scope import Scope, Spaces, by_scope

if TYPE_CHECKING:
    from typing_extensions import Never, Unpack

    from retrieval.query_inputs import QueryInputs

__all__ = ["Gallery"]

PathLike = str | os.PathLike[str]


class Gallery:
    """Images of a folder that can be searched by text, by image or by any other modality.

    An index can hold items of other modalities as well, one folder for each.

    Made by `Gallery.build` or `Gallery.open`; a context manager that closes the index. Safe to
    search from several threads and, once opened, from forked processes. Can be pickled if it was
    opened with a model's name or folder: it is then opened anew.

    Attributes:
        index: the `indexes.Index`.
        report: what `build` did; None after `open`.
    """

    def __init__(self, index: Index, model: LazyModel, report: BuildReport | None = None) -> None:
        self.index = index
        self.report = report
        self._lazy = model
        self._checked = False
        self._checked_galleries: set[str] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.index.folder)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.index, self._lazy, self.report)

    @classmethod
    def build(
        cls,
        folder: PathLike,
        to: PathLike | None = None,
        model: ModelLike | None = None,
        *,
        encoder: str | Teachers | None = None,
        modality: str = "image",
        depth_near: str | None = None,
        seg_format: str | None = None,
        spaces: str | Sequence[str] | None = None,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = DEFAULT_BATCH_SIZE,
        workers: int | None = None,
        retry: bool = False,
        max_pixels: int | None = None,
        allow_truncated: bool = False,
        check_content: bool = False,
        exclude: Sequence[str] | None = None,
        moved: bool = False,
        prune: bool = False,
        progress: bool = False,
    ) -> Gallery:
        """Index a folder of images, or bring its index up to date.

        New and changed images are embedded, deleted ones removed, moved ones recognised by their
        content. Files that cannot be read are skipped, and the index keeps the reason. A build
        that was interrupted continues where it stopped.

        Args:
            folder: root of the gallery, searched recursively. For `text`, `palette` and
                `metadata`, whose items are lines, it can be a single .txt or .jsonl file.
            to: the folder of the index; created if it does not exist.
            model: name, folder, hub name or loaded model; None: the index's own, or "mini".
            encoder: what embeds the images: "model", "teacher", or `Teachers` with the paths of
                their weights; None: as the index was made, or the model.
            modality: what the items are. An index holds one gallery of each modality; one that is
                missing is added.
            depth_near: which values of depth maps are near, "low" or "high"; None: as before, or
                "low".
            seg_format: format of segmentation maps, e.g. "ade20k"; None: as before, or "auto".
            spaces: embedding spaces to add to those of the index; "all": all of the model's; None:
                for a new index, or one that a former version of the model made, those that the
                model searches in by default, else none. All vectors of an item come from one
                forward pass. A new space is filled from the files and can be searched once every
                item has a vector in it.
            device: "auto", "cpu", "cuda" or "mps".
            dtype: "auto", "float32", "bfloat16" or "float16".
            batch_size: items in one forward pass and one transaction.
            workers: threads that read and decode; None: one per core, at most 8.
            retry: retry files that were skipped and have not changed. Those for which a decoder
                was missing are retried anyway once it is installed.
            max_pixels: largest image that is decoded, in pixels; a JPEG counts as what is unpacked
                of it. None: as much as a quarter of the free memory holds.
            allow_truncated: read truncated images as far as they go.
            check_content: read all files, also those whose size, times and inode are unchanged.
            exclude: patterns of names to leave out, as in `.gitignore`, which the index remembers;
                None: those that it remembers. A file `.fourmignore` in the gallery names more.
            moved: the gallery was moved or copied to `folder`, and its old folder still exists.
            prune: delete the items of folders that are empty or gone. They are kept otherwise,
                hidden from searches, since a disk may not be mounted.
            progress: show a progress bar on stderr if it is a terminal.

        Raises:
            UsageError: no such folder, or no items in it; an index of another folder; an unknown
                modality or space.
            BuildInterrupted: by Ctrl-C; what was finished is kept.
            fourm.FourmError: the model cannot be loaded, or does not read this modality.
            indexes.IndexesError: `to` is taken, damaged, or made with another model; items of
                this modality were read with other options.
        """
        source = source_named(modality)
        options_of(source, {"depth_near": depth_near, "seg_format": seg_format})
        options = BuildOptions(
            batch_size,
            workers,
            retry,
            progress,
            max_pixels,
            allow_truncated,
            check_content=check_content,
            prune=prune,
        )
        root, target = read_folder(folder, "folder"), read_folder(to, "to")
        if root.exists() and target.exists() and root.samefile(target):
            raise UsageError("is the gallery; the index needs a folder of its own", where=target)
        existing = index = open_if_there(target)
        try:
            patterns = patterns_for(existing, source.name, exclude)
            listing = find_items(root, source, skip=[target], exclude=patterns)
            nothing = not listing.items and not listing.unreadable
            if nothing and (existing is None or source.name not in existing.readings):
                raise UsageError(
                    f"no {source.items.what} found. If the folder is on a disk that is not "
                    "mounted, mount it.",
                    where=root,
                )
            lazy = lazy_model(existing, model, encoder, device, dtype)
            wanted = Wanted(root, source, depth_near, spaces, seg_format, moved)
            index = open_for_building(existing, target, lazy.get(), wanted, listing)
            lazy.remember(index)
            if patterns != index.exclude[source.name]:
                index.set_exclude(patterns, modality=source.name)
            reader = ItemReader(root, source, index.readings[source.name].options, options.decoding)
            report = build(index, listing, lazy.get(), reader, options)
        except BaseException as error:
            if index is not None:
                if existing is None and not isinstance(error, BuildInterrupted):
                    discard_if_empty(index)
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
            encoder: for an index that teachers made: `Teachers` with other paths of their weights,
                or another text encoder; None: as the index remembers.
            device: "auto", "cpu", "cuda" or "mps".
            dtype: "auto", "float32", "bfloat16" or "float16".

        Raises:
            UsageError: no such folder; teachers for an index that a model made.
            indexes.IndexesError: not an index, damaged, or of a newer version.
        """
        path = read_folder(folder, "folder")
        if not path.exists():
            raise UsageError("no such index; `fourm index` makes one", where=path)
        index = Index.open(path)
        try:
            return cls(index, lazy_model(index, model, encoder, device, dtype))
        except BaseException:
            index.close()
            raise

    @property
    def root(self) -> Path:
        """The folder of the images, or of the modality that was indexed first."""
        return self.index.root

    def read(self, hit: Hit) -> Input:
        """Read a hit's item again; `value` of the result is the image, the map, the text ...

        Raises:
            ItemError: it is missing, cannot be read, or belongs to another index.
        """
        root, source = self._gallery_of(hit)
        options, digest = self.index.readings[hit.modality].options, None
        if source.items.lines:
            try:
                digest = self.index.items([hit.id])[hit.id].content_hash
            except UnknownItem:
                raise ItemError("the item is no longer in the index") from None
        return read_item(root, source, options, hit.path, digest)

    def held_space(self, name: str) -> str | None:
        """The name that the index has for a space of the model, if it was renamed since.

        Raises:
            fourm.FourmError: as `model`.
        """
        model = self.model
        return next((held for held in self.index.recipes if space_of(model, held) == name), None)

    def file(self, hit: Hit) -> Path:
        """The absolute path of the file that a hit's item is, or is a line of.

        Raises:
            ItemError: the item belongs to another index.
        """
        root, source = self._gallery_of(hit)
        return file_of_item(root, source, hit.path)

    def _gallery_of(self, hit: Hit) -> tuple[Path, Source]:
        root = self.index.roots.get(hit.modality)
        if root is None:
            raise ItemError(f"this index has no gallery of the modality {hit.modality!r}")
        return root, source_named(hit.modality)

    def describe(self) -> dict[str, Any]:
        """Describe the index: the keys of `fourm info --json`."""
        return describe(self.index)

    def skipped(self) -> list[SkippedItem]:
        """The files and lines that could not be indexed, with the reasons."""
        return skipped(self.index)

    def left_out(self) -> list[LeftOutFile]:
        """The files and folders of the galleries that do not belong to them, with the reasons.

        The folders are listed anew; the model is not needed.

        Raises:
            UsageError: a folder cannot be listed.
        """
        return left_out(self.index)

    @property
    def model(self) -> Embedder:
        """The model, loaded now if it was not yet.

        Raises:
            fourm.FourmError: it cannot be loaded.
            ModelUnavailable: the index's own model cannot be loaded by its name.
            indexes.RecipeMismatch: the index was made with another one.
        """
        model = self._lazy.get()
        if not self._checked:
            require_model(self.index, model)
            self._checked = True
        return model

    def model_for(self, scope: Scope) -> Embedder:
        """The model, checked against the galleries of a search.

        Raises:
            As `model`.
            indexes.ReadingMismatch: it reads one of them otherwise than when it was embedded.
        """
        model = self.model
        for modality in scope.modalities or self.index.readings:
            if modality not in self._checked_galleries:
                require_reader(self.index, model, modality)
                self._checked_galleries.add(modality)
        return model

    def search(
        self,
        *positional: Never,
        k: int = 10,
        spaces: Spaces | None = None,
        fusion: str | None = None,
        modalities: str | Collection[str] | None = None,
        where: str | None = None,
        offset: int = 0,
        min_score: float | None = None,
        cut: float | None = None,
        **inputs: Unpack[QueryInputs],
    ) -> list[Hit]:
        """Return the items nearest to a query, best first.

            gallery.search(text="a dog", k=5)
            gallery.search(image="beach.jpg", seg="layout.png", modalities="image")
            gallery.search(text="a dog", where="taken >= 2024 and folder = 'trips'")

        All inputs are embedded together, unless they are weighted.

        Args:
            k: number of hits, >= 1; fewer are returned if the gallery is smaller.
            spaces: embedding spaces of the index: a name, several names, "name=weight",
                {name: weight}; "all"; "auto" or None: those in which the model finds most for such
                inputs, or the index's first where the model does not say. Several are fused.
            fusion: "rrf", by the ranks in each space: the sum of weight / (60 + rank); or
                "scores", by the weighted mean of the cosines; None: "rrf", or as the model says.
            modalities: of the items to search, e.g. "depth"; None: all in the index.
            where: filter, see docs/filters.md. Only the items that it holds for are ranked, all of
                them exactly.
            offset: number of the best hits to leave out, >= 0. Ranks count from the best hit.
            min_score: lowest score of a hit; None: any.
            cut: lowest score as a share of the best one, 0 to 1; None: any.
            inputs: the query, e.g. `text`, `image`, `seg`; see `QueryInputs`.

        Raises:
            UsageError: no input, an input that cannot be read, a number out of range.
            FilterError: `where` cannot be read; names the column.
            fourm.FourmError: the model cannot be loaded or does not accept such an input.
            indexes.IndexesError: the index is damaged, or made with another model.
        """
        if positional:
            refuse_positional(positional[0])
        query = Query.read(**inputs)
        return self.search_batch(
            [query],
            k,
            spaces=spaces,
            fusion=fusion,
            modalities=modalities,
            where=where,
            offset=offset,
            min_score=min_score,
            cut=cut,
        )[0]

    def search_batch(
        self,
        queries: Sequence[Query],
        k: int = 10,
        *,
        spaces: Spaces | None = None,
        fusion: str | None = None,
        modalities: str | Collection[str] | None = None,
        where: str | None = None,
        offset: int = 0,
        min_score: float | None = None,
        cut: float | None = None,
    ) -> list[list[Hit]]:
        """Return the hits of each query, from one forward pass over all of them.

        Raises:
            As `search`.
        """
        wanted = Ranks(k, offset, min_score, cut)
        check_queries(queries)
        if self._closed:
            raise UsageError("this gallery is closed; open it again", where=self.index.folder)
        scope = Scope.of(self.index, spaces, fusion, modalities, self.held_space, where)
        if not queries:
            return []
        model = self.model_for(scope)
        scopes = [scope.for_inputs(self.index, model, query.weighted) for query in queries]
        spaces = list(dict.fromkeys(name for one in scopes for name in one.spaces))
        vectors = self.embed(queries, spaces)
        hits: dict[int, list[Hit]] = {}
        for one, rows in by_scope(scopes):
            found = one.search(self.index, {s: vectors[s][rows] for s in one.spaces}, wanted.last)
            shares = [unknown_share(queries[row], model) for row in rows]
            ranked = hits_of(found, wanted, one.name, self.index.roots, shares)
            hits |= zip(rows, ranked, strict=True)
        return [hits[number] for number in range(len(queries))]

    def count(
        self, where: str | None = None, *, modalities: str | Collection[str] | None = None
    ) -> int:
        """Number of items that a filter holds for; without one, of all that are searched.

        Raises:
            FilterError: `where` cannot be read; names the column.
            UsageError: a modality that the index does not hold.
        """
        return Scope.of(self.index, modalities=modalities, where=where).count(self.index)

    def warnings(
        self,
        query: Query,
        spaces: Spaces | None = None,
        modalities: str | Collection[str] | None = None,
    ) -> list[str]:
        """Warnings about a search, one line each.

        A text of which the model knows no word still has nearest items; the end of a long one is
        cut off. The index may lack the space in which the model finds most for such a query.

        Args:
            query, spaces, modalities: as `search_batch`.

        Raises:
            fourm.FourmError: as `search`.
        """
        scope = Scope.of(self.index, spaces, modalities=modalities, held=self.held_space)
        lacking = scope.lacking(self.index, self.model, query.weighted)
        told = [
            f"{self.model.name} finds most for such a query in the space {name}, of which this "
            "index lacks vectors; `fourm index` adds them"
            for name in lacking
        ]
        return [*text_warnings(query, self.model), *told]

    def embed(
        self, queries: Sequence[Query], spaces: Sequence[str] | None = None
    ) -> dict[str, Vectors]:
        """Vectors of queries, from one pass: space -> float32 (len(queries), dim), unit rows.

        `spaces` are some of the index's; None: its first.
        """
        model = self.model
        prepared = [prepare(query, model) for query in queries]
        wanted = [self.index.recipe.space] if spaces is None else spaces
        return embed_spaces(model, prepared, wanted)

    def close(self) -> None:
        """Close the index; the gallery cannot be searched any more."""
        self._closed = True
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

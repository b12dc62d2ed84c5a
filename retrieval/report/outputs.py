"""The files of results, checked before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import UsageError
from retrieval.paths import read_file_path, read_folder
from retrieval.written import WrittenFiles, keep_foreign

if TYPE_CHECKING:
    from indexes import Index
    from retrieval.gallery import Gallery
    from retrieval.hits import Hit
    from retrieval.queries import Query


@dataclass(frozen=True)
class ResultFiles:
    """The files that a query and its hits are written to; None: not written.

    Attributes:
        page: an HTML page.
        sheet: a contact sheet (PNG).
        query: a folder for what the model understands of the query.
    """

    page: Path | None = None
    sheet: Path | None = None
    query: Path | None = None

    def __post_init__(self) -> None:
        for name in ("page", "sheet"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, read_file_path(getattr(self, name), name))
        if self.query is not None:
            object.__setattr__(self, "query", read_folder(self.query, "query"))

    def check(self, gallery: Gallery, query: Query) -> None:
        """Refuse files that cannot be written or would replace something; call before a search.

        Raises:
            UsageError: a file without a folder, one that is written twice, an input of the query,
                a file of the index, an item of its galleries, or any other file that this program
                did not write; a folder in a gallery.
        """
        for output in (self.page, self.sheet):
            check_output(output, query.files)
        check_folder(self.query, query.files)
        check_apart((self.page, self.sheet))
        for output in (self.page, self.sheet, self.query):
            keep_stored(output, gallery.index)
        for output in (self.page, self.sheet):
            keep_foreign(output)
        if self.query is not None:
            from retrieval.generation.showing import files_of_query

            keep_out(self.query, gallery.index)
            WrittenFiles(self.query).check(files_of_query(query))

    def write(
        self,
        gallery: Gallery,
        query: Query,
        hits: Sequence[Hit],
        modalities: str | Collection[str] | None = None,
    ) -> list[str]:
        """Write the files.

        Args:
            gallery: the gallery that was searched.
            query: the query.
            hits: what it found.
            modalities: those that were searched; None: all.

        Returns:
            What was written, one line each.

        Raises:
            UsageError: a file cannot be written; a model that cannot show what it understands.
            fourm.FourmError: the model does not read an input.
        """
        from retrieval.generation import show_query
        from retrieval.report.page import write_page
        from retrieval.report.results import Results
        from retrieval.report.sheet import save_sheet

        written = []
        if self.query is not None:
            files = show_query(gallery.model, query, self.query, progress=True)
            written.append(f"{self.query}: {len(files)} files")
        if self.page is None and self.sheet is None:
            return written
        results = Results.of(gallery, query, hits, modalities)
        if self.page is not None:
            write_page(results, self.page)
            written.append(str(self.page))
        if self.sheet is not None:
            save_sheet(results, self.sheet)
            written.append(str(self.sheet))
        return written


def check_output(output: Path | None, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse a file that cannot be written, or that would replace an input of the query.

    Raises:
        UsageError: it is a folder, its folder does not exist, or it is one of the inputs.
    """
    if output is None:
        return
    if output.is_dir():
        raise UsageError("is a folder; give the name of a file", where=output)
    if not output.parent.is_dir():
        raise UsageError(f"the folder {output.parent} does not exist", where=output)
    for entry in inputs:
        if entry is not None and output.exists() and entry.exists() and entry.samefile(output):
            raise UsageError("is an input of this query and would be replaced", where=output)


def check_folder(folder: Path | None, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse an output folder that is a file, or that holds an input which would be replaced.

    Raises:
        UsageError: it is a file, or an input would be replaced.
    """
    if folder is None or not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError("is a file; give the name of a folder", where=folder)
    given = [entry for entry in inputs if entry is not None and entry.exists()]
    for output in _top_files(folder):
        check_output(output, given)


def check_apart(outputs: Iterable[Path | None]) -> None:
    """Refuse outputs of which one would replace another.

    Raises:
        UsageError: two of them are the same file.
    """
    seen: set[Path] = set()
    for output in outputs:
        if output is None:
            continue
        if output.resolve() in seen:
            raise UsageError("would be written twice; give two names", where=output)
        seen.add(output.resolve())


def keep_stored(output: Path | None, index: Index) -> None:
    """Refuse an output that would damage an index, or replace an item of its galleries.

    Raises:
        UsageError: it is in the folder of the index, or is one of the items.
    """
    if output is None:
        return
    if output.resolve().is_relative_to(index.folder.resolve()):
        raise UsageError("is in the folder of the index; choose another folder", where=output)
    if output.is_dir():
        for file in _top_files(output):
            keep_stored(file, index)
    if not output.is_file():
        return
    for modality, root in index.roots.items():
        top = root.parent if root.is_file() else root
        names = {
            _below(Path(os.path.abspath(output)), top),
            _below(output.resolve(), top.resolve()),
        }
        if any(
            path == name or path.startswith((f"{name}:", f"{name}#"))
            for name in names - {None}
            for path in index.snapshot(modality=modality)
        ):
            raise UsageError("is in the gallery of this index and would be replaced", where=output)


def keep_out(folder: Path, index: Index) -> None:
    """Refuse a folder of images in a gallery: the next update would index them.

    Raises:
        UsageError: it is, or is in, the folder of one of the galleries.
    """
    for root in index.roots.values():
        if root.is_dir() and folder.resolve().is_relative_to(root.resolve()):
            raise UsageError(
                f"is in the gallery {root}, whose next update would index the images that are "
                "written there; choose another folder",
                where=folder,
            )


def _top_files(folder: Path) -> list[Path]:
    """What `show_query` writes outside its subfolders."""
    return [folder / "sheet.png", folder / "word_pieces.json"]


def _below(path: Path, top: Path) -> str | None:
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else None

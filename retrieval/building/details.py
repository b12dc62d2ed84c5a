"""What an index stores of the metadata of image files, read when they are indexed or later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import islice

from indexes import Details, Index
from retrieval.errors import ItemError
from retrieval.images import FoundItem, ImageInfo
from retrieval.images.formats import open_image
from retrieval.images.info import DETAILS_READER, read_image_info
from retrieval.items import ItemReader
from retrieval.pipeline import prefetch
from retrieval.progress import Progress

_BATCH = 256


def details_of(info: ImageInfo) -> Details:
    """The details of an image file that was read."""
    latitude, longitude = info.place or (None, None)
    return Details(
        reader=DETAILS_READER,
        camera=info.camera,
        lens=info.lens,
        latitude=latitude,
        longitude=longitude,
        rating=info.rating,
        tags=info.tags,
    )


def read_missing_details(
    index: Index, reader: ItemReader, *, workers: int, progress: bool = False
) -> None:
    """Read the metadata of indexed images of which the index has none, e.g. since it is older.

    No pixels are unpacked and nothing is embedded. Images that are not there are left for later.

    Args:
        index: the index.
        reader: of the gallery; nothing is done if its items are not image files.
        workers: threads that read.
        progress: show a progress bar on stderr if it is a terminal.
    """
    modality = reader.source.name
    if reader.source.items.decode is None:
        return
    paths = sorted(index.details.unread(DETAILS_READER, modality=modality))
    if not paths:
        return
    bar = Progress(len(paths), "reading metadata", "images", shown=progress)
    found = prefetch(partial(_read, reader), paths, workers=workers, limit=2 * workers)
    with bar, closing(found):
        for batch in _batches(found):
            told = {path: details for path, details in batch if details is not None}
            index.details.write(told, modality=modality)
            bar.update(len(batch))


def _batches(
    found: Iterator[tuple[str, Details | None]],
) -> Iterator[list[tuple[str, Details | None]]]:
    while batch := list(islice(found, _BATCH)):
        yield batch


def _read(reader: ItemReader, path: str) -> tuple[str, Details | None]:
    """A path and its details; None: the file cannot be read now."""
    try:
        content = reader.content(FoundItem(path, 0, 0)).content
    except ItemError:
        return path, None
    try:
        with open_image(content, path) as image:
            return path, details_of(read_image_info(image))
    except Exception:  # decoders raise OSError, SyntaxError, struct.error, ValueError
        return path, Details(reader=DETAILS_READER)

"""Made tests/fixtures/index_format_1, with the program as it was when that format was current.

Six images and one that was skipped, by `tests.retrieval.fake_model`. Run again by a later
program it makes an index of that program's format.
"""

import os
import shutil
import sys
from pathlib import Path

from retrieval import Gallery
from tests.retrieval.conftest import numbered
from tests.retrieval.fake_model import FakeModel
from tests.retrieval.files import write

COUNT = 6
MTIME_NS = 1_600_000_000_000_000_000


def make_photos(folder: Path) -> Path:
    """The images of that index, bytes and times alike."""
    for number in range(COUNT):
        write(folder / f"{number}.bmp", numbered(number), "BMP")
    (folder / "bad.jpg").write_bytes(b"bad")
    for path in folder.iterdir():
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
    return folder


if __name__ == "__main__":
    target = Path(sys.argv[1])
    photos = make_photos(target.parent / "photos")
    with Gallery.build(photos, target, FakeModel()) as gallery:
        gallery.index.relocate("/photos")
    (target / "write.lock").unlink(missing_ok=True)
    shutil.rmtree(photos)

"""Made tests/fixtures/index_format_2, with the program as it was when that format was current.

The photos of `make_format_1` in two spaces, a gallery of two depth maps, and a JPEG XL file that
was skipped for want of a decoder. Run again by a later program it makes an index of that program's
format.
"""

import os
import shutil
import sys
from pathlib import Path

from PIL import Image

from indexes import Record
from retrieval import Gallery
from tests.indexes.make_format_1 import MTIME_NS, make_photos
from tests.retrieval.fake_model import HUE, LAYOUT, FakeModel

NEEDS_JXL = "JPEG XL needs the package pillow-jxl-plugin: `pip install pillow-jxl-plugin`"


def two_spaces() -> FakeModel:
    """The model of that index."""
    return FakeModel(inputs=("image", "depth"), spaces={"layout": LAYOUT, "hue": HUE})


def make_maps(folder: Path) -> Path:
    """The depth maps of that index, bytes and times alike."""
    folder.mkdir(parents=True)
    for number in range(2):
        path = folder / f"{number}.png"
        Image.linear_gradient("L").rotate(90 * number).save(path)
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
    return folder


if __name__ == "__main__":
    target = Path(sys.argv[1])
    photos, maps = (
        make_photos(target.parent / "photos"),
        make_maps(target.parent / "maps"),
    )
    Gallery.build(photos, target, two_spaces(), spaces="all").close()
    with Gallery.build(maps, target, two_spaces(), modality="depth", spaces="all") as gallery:
        new = Record(
            path="new.jxl",
            size=3,
            mtime_ns=MTIME_NS,
            content_hash="9dc1",
            error=NEEDS_JXL,
        )
        gallery.index.write([new], modality="image")
        gallery.index.relocate("/photos")
        gallery.index.relocate("/maps", modality="depth")
        gallery.index.publish()
    (target / "write.lock").unlink(missing_ok=True)
    shutil.rmtree(photos)
    shutil.rmtree(maps)

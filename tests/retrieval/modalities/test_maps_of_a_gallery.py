"""`fourm index --as seg` says once as what all maps were read."""

import numpy as np
import pytest
from PIL import Image

from cli_tables import build_summary
from retrieval import Gallery
from tests.retrieval.fake_model import FakeModel
from tests.retrieval.files import write

SKY, GRASS = 187, 193  # COCO's ids of panoptic categories


def ids(*columns):
    return Image.fromarray(np.tile(np.repeat(np.array(columns, np.uint8), 5), (20, 1)))


@pytest.fixture
def maps(tmp_path):
    write(tmp_path / "maps/a.png", ids(SKY, SKY, SKY, GRASS))
    write(tmp_path / "maps/b.png", ids(SKY, GRASS, GRASS, 0))
    return tmp_path / "maps"


def index(maps, **options):
    options.setdefault("seg_format", "coco")
    return Gallery.build(maps, maps.parent / "i", FakeModel(), modality="seg", **options).report


def test_the_shares_are_those_of_all_maps(maps):
    (line,) = index(maps).notes
    assert line == "2 maps read as: sky 50 %, grass 38 %, nothing 12 % (coco)"


def test_maps_that_are_not_read_are_not_counted(maps):
    index(maps)
    assert index(maps).notes == ()
    write(maps / "c.png", ids(GRASS))
    (maps / "d.png").write_bytes(b"no map")
    assert index(maps).notes == ("1 map read as: grass 100 % (coco)",)


def test_images_have_no_such_line(tmp_path):
    write(tmp_path / "photos/a.png", Image.new("RGB", (9, 9)))
    with Gallery.build(tmp_path / "photos", tmp_path / "i", FakeModel()) as gallery:
        assert gallery.report.notes == ()
        assert "read as" not in build_summary(gallery.report, "i")

"""Line drawings: the same lines however they were drawn, and none is an error."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from retrieval.errors import QueryError
from retrieval.queries import Query


def drawn(mode, ground, stroke):
    image = Image.new(mode, (200, 200), ground)
    ImageDraw.Draw(image).line([20, 20, 180, 120, 60, 180], fill=stroke, width=5)
    return image


@pytest.mark.parametrize("modality", ["edges", "sam_edges"])
@pytest.mark.parametrize(
    ("mode", "ground", "stroke"),
    [
        ("RGBA", (0, 0, 0, 0), (255, 255, 255, 255)),
        ("RGBA", (255, 255, 255, 0), (255, 255, 255, 255)),
        ("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)),
        ("LA", (255, 0), (255, 255)),
        ("RGB", (255, 255, 255), (0, 0, 0)),
        ("L", 255, 0),
        ("1", 0, 1),
    ],
)
def test_strokes_are_the_same_edges_on_every_ground(tmp_path, modality, mode, ground, stroke):
    path = tmp_path / "lines.png"
    drawn(mode, ground, stroke).save(path)
    expected = np.asarray(drawn("RGB", (0, 0, 0), (255, 255, 255)))
    for source in (path, drawn(mode, ground, stroke)):
        found = Query.read(**{modality: source}).values[modality]
        assert np.array_equal(np.asarray(found.convert("RGB")), expected)


@pytest.mark.parametrize("modality", ["edges", "sam_edges"])
@pytest.mark.parametrize("grey", [0, 255, 90])
def test_a_drawing_without_a_line_is_refused(tmp_path, modality, grey):
    path = tmp_path / "empty.png"
    Image.new("L", (64, 64), grey).save(path)
    with pytest.raises(QueryError, match=r"empty\.png: there is no line"):
        Query.read(**{modality: path})
    with pytest.raises(QueryError, match=f"{modality}: there is no line"):
        Query.read(**{modality: Image.new("RGBA", (9, 9), (0, 0, 0, 0))})


def test_an_image_without_an_edge_is_refused():
    with pytest.raises(QueryError, match="no edge"):
        Query.read(canny=Image.new("RGB", (300, 300), (90, 90, 90)))

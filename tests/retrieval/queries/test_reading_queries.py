import io

import numpy as np
import pytest
from PIL import Image

from fourm.modalities.seg import panoptic_classes
from retrieval.errors import QueryError, UsageError
from retrieval.modalities.panoptic import ClassTable, coco_panoptic
from retrieval.queries import Query
from tests.retrieval.files import encoded, striped, write

COLOURS = {entry.id: entry.colour for entry in panoptic_classes()}
MAP = np.zeros((12, 16), np.uint8)
MAP[:6, :8], MAP[6:, :8], MAP[:6, 8:] = 1, 18, 200


def seg(source):
    return Query.read(seg=source).values["seg"]


def test_text_is_stripped():
    assert Query.read(text="  two dogs \n").values == {"text": "two dogs"}


def test_a_query_keeps_all_of_its_inputs():
    query = Query.read(seg=MAP, text="snow", image=striped((1, 2, 3)))
    assert query.modalities == ("text", "image", "seg")


@pytest.mark.parametrize("sources", [{}, {"text": None, "seg": None}])
def test_nothing_to_search_for_is_refused(sources):
    with pytest.raises(UsageError, match="nothing to search for"):
        Query.read(**sources)


@pytest.mark.parametrize("words", ["", "  \t", 3])
def test_empty_text_is_refused(words):
    with pytest.raises(QueryError, match="text"):
        Query.read(text=words, seg=MAP)


def test_unknown_inputs_are_named_with_the_known_ones():
    with pytest.raises(UsageError, match=r"smell'; known: text, image, seg"):
        Query.read(smell="roses")


def test_a_photo_is_the_same_from_a_file_an_image_and_an_array(tmp_path):
    photo = striped((9, 120, 200), (1000, 950))
    path = write(tmp_path / "a.png", photo)
    pixels = [
        np.asarray(Query.read(image=source).values["image"])
        for source in (path, str(path), photo, np.asarray(photo))
    ]
    assert pixels[0].shape == (950, 1000, 3)
    assert all(np.array_equal(pixels[0], other) for other in pixels)
    assert Query.read(image=path).inputs[0].name == "a.png"


@pytest.mark.parametrize("modality", ["image", "seg"])
def test_a_file_that_is_missing_or_not_an_image_is_named(tmp_path, modality):
    (tmp_path / "bad.png").write_bytes(b"nope")
    (tmp_path / "cut.png").write_bytes(encoded(striped((1, 2, 3)))[:60])
    (tmp_path / "folder.png").mkdir()
    for name in ("gone.png", "bad.png", "cut.png", "folder.png", "nul\0.png", "x" * 300):
        with pytest.raises(QueryError) as caught:
            Query.read(**{modality: tmp_path / name})
        assert name in str(caught.value)
    with pytest.raises(QueryError):
        Query.read(**{modality: object()})


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.int64])
def test_ids_come_back_from_arrays_of_every_integer_type(dtype):
    ids = seg(MAP.astype(dtype))
    assert ids.dtype == np.int32 and np.array_equal(ids, MAP)


def test_ids_come_back_from_every_form_of_file(tmp_path):
    grey = Image.fromarray(MAP)
    colours = Image.fromarray(coco_panoptic().paint(MAP))
    by_colour = colours.quantize(16, dither=Image.Dither.NONE)
    by_index = Image.fromarray(MAP).convert("P")
    by_index.putpalette([value for entry in range(256) for value in (entry, 255 - entry, 77)])
    see_through = np.dstack([coco_panoptic().paint(MAP), np.where(MAP == 0, 0, 255)])
    see_through[MAP == 0, :3] = 99
    forms = {
        "grey.png": grey,
        "sixteen.png": Image.fromarray(MAP.astype(np.uint16)),
        "long.tif": Image.fromarray(MAP.astype(np.int32)),
        "colours.png": colours,
        "colours.bmp": colours,
        "by_colour.png": by_colour,
        "by_index.png": by_index,
        "alpha.png": Image.fromarray(see_through.astype(np.uint8)),
        "grey_alpha.png": Image.merge("LA", (grey, Image.new("L", grey.size, 255))),
    }
    for name, image in forms.items():
        path = tmp_path / name
        image.save(path)
        assert np.array_equal(seg(path), MAP), name
        with Image.open(io.BytesIO(path.read_bytes())) as opened:
            assert np.array_equal(seg(opened), MAP), name
    np.save(tmp_path / "map.npy", MAP.astype(np.int64))
    assert np.array_equal(seg(tmp_path / "map.npy"), MAP)
    assert np.array_equal(seg(np.asarray(colours)), MAP)


def test_sixteen_bit_and_palette_files_are_really_stored_so(tmp_path):
    Image.fromarray(MAP.astype(np.uint16)).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as opened:
        assert opened.mode == "I;16"


def test_an_unknown_id_is_named_with_its_pixel_count(tmp_path):
    wrong = MAP.copy()
    wrong[0, :3], wrong[1, 0] = 254, 12
    write(tmp_path / "layout.png", Image.fromarray(wrong))
    with pytest.raises(QueryError) as caught:
        seg(tmp_path / "layout.png")
    message = str(caught.value)
    assert "layout.png: id 254 (3 pixels), id 12 (1 pixel)" in message
    assert "fourm classes" in message
    with pytest.raises(QueryError, match=r"id -2 \(192 pixels\)"):
        seg(np.full((12, 16), -2))


def test_many_unknown_ids_are_summed_up():
    with pytest.raises(QueryError, match=r"and 5 more"):
        seg(np.arange(201, 209).reshape(2, 4))


def test_an_unknown_colour_is_named_with_its_pixel_count():
    pixels = coco_panoptic().paint(MAP)
    pixels[0, :2] = (1, 2, 3)
    with pytest.raises(QueryError, match=r"colour #010203 \(2 pixels\).*fourm classes"):
        seg(Image.fromarray(pixels))
    with pytest.raises(QueryError, match="grey PNG"):
        seg(Image.fromarray(np.dstack([MAP + 7] * 3)))


def test_a_palette_of_neither_colours_nor_ids_is_refused():
    odd = Image.fromarray(np.full((4, 4), 255, np.uint8)).convert("P")
    odd.putpalette([1, 2, 3] * 256)
    with pytest.raises(QueryError, match=r"#010203 \(16 pixels\).*indices"):
        seg(odd)


def test_a_lossy_map_is_refused(tmp_path):
    path = write(tmp_path / "a.jpg", Image.fromarray(MAP), "JPEG")
    with pytest.raises(QueryError, match="save it as PNG"):
        seg(path)


@pytest.mark.parametrize(
    "wrong",
    [
        MAP.astype(np.float32),
        MAP[None],
        MAP.reshape(-1),
        np.zeros((0, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.array([[None, {}]], dtype=object),
        "no-such-file.png",
    ],
)
def test_arrays_that_are_not_maps_are_refused(wrong):
    with pytest.raises(QueryError):
        seg(wrong)


def test_pickled_arrays_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(QueryError, match=r"not a readable \.npy"):
        seg(tmp_path / "a.npy")


def test_every_class_survives_the_way_through_its_colour():
    ids = np.array([[0, *COLOURS]])
    painted = coco_panoptic().paint(ids)
    assert np.array_equal(seg(painted), ids)
    assert len(ids[0]) == 134 and len({tuple(c) for c in painted[0]}) == 134


def test_a_table_of_other_classes_finds_its_own():
    table = ClassTable({0: "nothing", 3: "x"}, {0: (0, 0, 0), 3: (9, 9, 9)})
    assert table.unknown_ids(np.array([0, 3, 4, 4])) == [(4, 2)]

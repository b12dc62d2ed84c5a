"""What is written can be given to a query again, and says the same."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from fourm.modalities import Decoded
from fourm.modalities.boxes import Box, boxes_text
from fourm.modalities.depth import square_depth
from fourm.modalities.metadata import KEYS, metadata_text
from fourm.modalities.poses import People, Person, poses_text
from fourm.modalities.sam import Mask
from retrieval.drawing.painting import depth_colours, main_components, masks_over
from retrieval.errors import UsageError
from retrieval.generation.results import file_names, write_file, write_files
from retrieval.modalities.object_masks import read_masks, run_lengths
from retrieval.queries import Query
from retrieval.written import LIST, WrittenFiles

RNG = np.random.default_rng(0)
DISC = (np.hypot(*np.mgrid[-100:124, -80:144]) < 30).astype(np.uint8)
PERSON = Person(
    (20, 10, 90, 95), (1, 2, 3, 4, 5, 6, 700, 1023), (1, 0, 0) * 3, (0, 0, 5), (0,) * 10
)


def decoded(modality, value, **more):
    return Decoded(modality, value, np.zeros(4, np.int64), **more)


def written(folder, modality, value, **more):
    names = write_files(decoded(modality, value, **more), WrittenFiles(folder), None)
    assert names and set(names) <= set(file_names(modality))
    assert all((folder / name).stat().st_size for name in names)
    return folder / names[0]


def read(**sources):
    (entry,) = Query.read(**sources).inputs
    return entry.value


@pytest.mark.parametrize("modality", ["normals", "edges", "sam_edges", "image_tokens"])
def test_images(tmp_path, modality):
    shape = (32, 32) if "edges" in modality else (32, 32, 3)
    pixels = RNG.integers(0, 256, shape, np.uint8)
    again = np.asarray(read(**{modality: written(tmp_path, modality, pixels)}))
    want = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
    np.testing.assert_array_equal(again, want)


def test_images_are_called_rgb(tmp_path):
    pixels = np.zeros((32, 32, 3), np.uint8)
    assert written(tmp_path, "image_tokens", pixels).name == "rgb.png"


def test_depth_keeps_its_near_end(tmp_path):
    depth = RNG.standard_normal((64, 64)).astype(np.float32)
    file = written(tmp_path, "depth", depth)
    assert np.array(Image.open(file)).dtype == np.uint16
    np.testing.assert_allclose(
        square_depth(read(depth=file), 64), square_depth(depth, 64), atol=1e-3
    )


@pytest.mark.parametrize("photo", [0, 1])
def test_segmentation_maps_as_ids_and_in_colours(tmp_path, photo):
    ids = np.array([[0, 1, 90], [200, 184, 1]], np.uint8)
    written(tmp_path, "seg", ids)
    np.testing.assert_array_equal(read(seg=tmp_path / file_names("seg")[photo]), ids)
    assert (tmp_path / "seg_legend.png").exists()


def test_text(tmp_path):
    assert written(tmp_path, "text", "Ein Hund läuft").read_text("utf-8") == "Ein Hund läuft\n"


@given(st.lists(st.tuples(*[st.integers(0, 999)] * 4), max_size=6))
def test_boxes(tmp_path_factory, edges):
    boxes = [
        Box(a / 999, b / 999, c / 999, d / 999, "sports ball")
        for a, b, c, d in edges
        if a < c and b < d
    ]
    file = written(tmp_path_factory.mktemp("boxes"), "boxes", boxes)
    if boxes:
        assert boxes_text(read(boxes=file)) == boxes_text(boxes)


def test_colours(tmp_path):
    colours = [(30, 144, 255), (255, 255, 255)]
    file = written(tmp_path, "palette", colours)
    assert read(palette=json.loads(file.read_text())) == colours
    assert read(palette=(tmp_path / "palette.txt").read_text()) == colours


@pytest.mark.parametrize("number", [0, 1, 17, 49, 999])
def test_metadata(tmp_path, number):
    facts = {name: key.value_of(number) for name, key in KEYS.items()}
    file = written(tmp_path, "metadata", facts)
    assert (tmp_path / "metadata.png").exists()
    for again in (json.loads(file.read_text()), (tmp_path / "metadata.txt").read_text()):
        assert metadata_text(read(metadata=again)) == metadata_text(facts)


def test_objects(tmp_path):
    masks = [Mask(DISC, (80.0, 100.0)), Mask(np.roll(DISC, 60, axis=0))]
    again = read(sam=written(tmp_path, "sam", masks))
    for one, want in zip(again, masks, strict=True):
        np.testing.assert_array_equal(one.pixels, want.pixels)
        assert one.point == want.point


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_run_lengths_are_those_that_are_read(mask):
    mask[0, 0] = True  # what shows nothing cannot be read
    entry = {"segmentation": {"size": list(mask.shape), "counts": run_lengths(mask)}}
    try:
        (again,) = read_masks([entry]).value
    except UsageError as error:
        assert "central square" in str(error)
    else:
        np.testing.assert_array_equal(again.pixels, mask)


def test_people(tmp_path):
    people = People((224, 224), (PERSON,), (None,))
    file = written(tmp_path, "poses", people, rotations=np.ones((1, 23, 3, 3), np.float32))
    again = read(poses=file)
    assert poses_text(again.people, again.size) == poses_text(people.people, people.size)
    assert np.shape(json.loads(file.read_text())["people"][0]["rotations"]) == (23, 3, 3)


@pytest.mark.parametrize("modality", ["clip_features", "dinov2_embedding"])
def test_features(tmp_path, modality):
    shape = (512, 14, 14) if "features" in modality else (768,)
    values = RNG.standard_normal(shape).astype(np.float32)
    np.testing.assert_array_equal(read(**{modality: written(tmp_path, modality, values)}), values)


@pytest.mark.parametrize(
    ("modality", "value"), [("boxes", []), ("palette", []), ("metadata", {}), ("sam", [])]
)
def test_an_empty_list_has_no_image(tmp_path, modality, value):
    names = write_files(decoded(modality, value), WrittenFiles(tmp_path), None)
    assert f"{modality}.json" in names and f"{modality}.png" not in names
    assert not json.loads((tmp_path / f"{modality}.json").read_text()) or modality == "boxes"


def test_no_people(tmp_path):
    none = np.zeros((0, 23, 3, 3), np.float32)
    names = write_files(
        decoded("poses", People((224, 224)), rotations=none), WrittenFiles(tmp_path), None
    )
    assert names == ["poses.json"]


def test_images_of_an_earlier_run_are_removed(tmp_path):
    write_files(decoded("boxes", [Box(0.4, 0.4, 0.6, 0.6, "dog")]), WrittenFiles(tmp_path), None)
    assert (tmp_path / "boxes.png").exists()
    assert write_files(decoded("boxes", []), WrittenFiles(tmp_path), None) == ["boxes.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [LIST, "boxes.json"]


def test_boxes_are_drawn_over_the_image(tmp_path):
    ground = Image.new("RGB", (50, 50), "#204060")
    write_files(decoded("boxes", [Box(0.4, 0.4, 0.6, 0.6, "dog")]), WrittenFiles(tmp_path), ground)
    photo = Image.open(tmp_path / "boxes.png")
    assert photo.getpixel((20, photo.height - 20)) == (0x20, 0x40, 0x60)


def test_files_that_cannot_be_written(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        write_file(WrittenFiles(tmp_path / "nowhere"), "a.txt", "a")


class TestViews:
    def test_near_is_yellow_and_far_is_violet(self):
        photo = depth_colours(np.linspace(0, 1, 100).reshape(10, 10))
        assert photo.getpixel((0, 0)) == (253, 231, 37)
        assert photo.getpixel((9, 9)) == (68, 1, 84)

    def test_a_flat_depth_map_has_one_colour(self):
        assert len(depth_colours(np.ones((4, 4))).getcolors()) == 1

    def test_the_first_component_is_what_differs_most(self):
        features = RNG.standard_normal((8, 4, 4)) * 0.01
        features[:, :, 2:] += np.arange(8)[:, None, None]
        red = np.asarray(main_components(features))[..., 0].astype(int)
        assert red.shape == (224, 224)
        assert red[:, :112].max() < 20 and red[:, 112:].min() > 230

    @pytest.mark.parametrize("shape", [(2, 1, 1), (1, 2, 2), (3, 1, 2)])
    def test_few_positions_or_channels(self, shape):
        assert main_components(np.ones(shape)).mode == "RGB"

    def test_objects_have_colours_of_their_own(self):
        masks = [DISC, np.roll(DISC, 100, axis=0)]
        photo = masks_over(masks, None)
        assert len(photo.getcolors()) == 3
        over = masks_over(masks, Image.new("RGB", (10, 10), "white"))
        assert over.getpixel((0, 0)) == (153, 153, 153)

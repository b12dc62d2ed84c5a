"""Maps in the formats of data sets: every id and colour, what is certain, and what is asked."""

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fourm.modalities.seg import panoptic_classes
from retrieval.errors import ItemError, QueryError
from retrieval.images import FoundItem
from retrieval.items.reading import ItemReader, options_of
from retrieval.modalities import source_named
from retrieval.modalities.panoptic import coco_panoptic
from retrieval.modalities.segmentation.formats import formats
from retrieval.modalities.segmentation.names import class_named
from retrieval.queries import Query

MERGED = {
    "tree": "branch tree bush leaves",
    "fence": "cage fence railing",
    "ceiling": "ceiling-tile ceiling-other",
    "sky-other": "clouds sky-other fog",
    "cabinet": "cupboard cabinet",
    "table": "desk-stuff table",
    "floor-other": "floor-marble floor-other floor-tile",
    "pavement": "floor-stone pavement",
    "mountain": "hill mountain",
    "grass": "moss grass straw",
    "dirt": "mud dirt",
    "paper": "napkin paper",
    "food-other": "salad vegetable food-other",
    "building-other": "skyscraper building-other",
    "rock": "stone rock",
    "wall-other": "wall-concrete wall-other wall-panel",
    "rug": "mat rug carpet",
}
"""Stuff of COCO panoptic that several stuff classes were merged into, by its own definition."""

WITHOUT_CLASS = {
    *("furniture-other", "metal", "plastic", "solid-other", "structural-other", "waterdrops"),
    *("textile-other", "cloth", "clothes", "plant-other", "wood", "ground-other"),
}


def read(source, seg_format=None):
    return Query.read(seg=source, seg_format=seg_format)


def ids(source, seg_format=None):
    return read(source, seg_format).values["seg"]


def names(values):
    return {coco_panoptic().names[number] for number in np.unique(values).tolist()}


def voc_palette():
    """The palette of Pascal VOC: the bits of the index, from the highest bit of each channel on."""
    palette = np.zeros((256, 3), int)
    for index in range(256):
        for bit in range(8):
            for channel in range(3):
                palette[index, channel] |= (index >> (3 * bit + channel) & 1) << (7 - bit)
    return palette


def test_coco_stuff_follows_the_definition_of_the_panoptic_classes():
    entry, by_name = formats()["coco-stuff"], {row.name: row.id for row in panoptic_classes()}
    merged = {part: f"{name}-merged" for name, parts in MERGED.items() for part in parts.split()}
    assert set(entry.categories) == set(entry.names) and len(entry.names) == 171
    for index, name in entry.names.items():
        if index < 91:
            expected = index + 1
            assert coco_panoptic().names[expected] == name
        elif name in WITHOUT_CLASS:
            expected = 0
        else:
            expected = by_name[merged.get(name, name)]
        assert entry.categories[index] == expected, name
    stuff = [name for index, name in entry.names.items() if index >= 91]
    assert stuff == sorted(stuff) and len(stuff) == 91


def test_the_contiguous_ids_are_the_panoptic_order():
    entry = formats()["coco-contiguous"]
    assert list(entry.categories.items()) == [
        (index, row.id) for index, row in enumerate(panoptic_classes())
    ]


@pytest.mark.parametrize(
    ("name", "count", "known"),
    [
        ("ade20k", 151, {3: "sky-other-merged", 10: "grass-merged", 13: "person", 150: "banner"}),
        ("cityscapes", 34, {7: "road", 23: "sky-other-merged", 24: "person", 4: "nothing"}),
        ("voc", 21, {15: "person", 12: "dog", 18: "couch", 20: "tv", 0: "nothing"}),
        ("cityscapes trainIds", 19, {0: "road", 10: "sky-other-merged", 18: "bicycle"}),
    ],
)
def test_every_class_of_a_data_set_has_a_panoptic_class_or_none(name, count, known):
    entry = formats()[name]
    low = min(entry.categories)
    assert list(entry.categories) == list(range(low, low + count))
    assert set(entry.categories.values()) <= set(coco_panoptic().names)
    assert {number: coco_panoptic().names[entry.categories[number]] for number in known} == known
    same = {row.name for row in panoptic_classes()}
    for number, own in entry.names.items():  # what has the same name is the same class
        if own in same:
            assert coco_panoptic().names[entry.categories[number]] == own


@pytest.mark.parametrize("name", ["coco-stuff", "coco-contiguous", "ade20k", "cityscapes", "voc"])
def test_a_map_of_every_id_is_read_by_its_format(name):
    entry = formats()[name]
    values = np.array([[*entry.categories, 255]])
    expected = [[*entry.categories.values(), 0]]
    assert ids(values.astype(np.uint8), name).tolist() == expected
    values[0, -1] = -1
    assert ids(values.astype(np.int64), name).tolist() == expected
    with pytest.raises(QueryError, match=r"id 250 \(1 pixel\)"):
        ids(np.array([[250, 1]]), name)


def test_the_palette_of_voc_is_its_own():
    palette = voc_palette()
    colours = formats()["voc"].colours
    for number, category in formats()["voc"].categories.items():
        assert colours[tuple(palette[number].tolist())] == category
    assert colours[tuple(palette[255].tolist())] == 0


@pytest.mark.parametrize("name", ["ade20k", "cityscapes", "voc"])
def test_a_map_in_the_colours_of_a_data_set_is_read(name):
    colours = formats()[name].colours
    painted = np.array([list(colours)], np.uint8)
    assert ids(painted, name).tolist() == [list(colours.values())]
    assert ids(painted).tolist() == [list(colours.values())]  # no other palette has all of them


def test_a_palette_of_voc_is_not_read_by_its_indices():
    values = np.zeros((8, 8), np.uint8)
    values[2:4] = 15
    image = Image.fromarray(values).convert("P")
    image.putpalette(voc_palette().reshape(-1).tolist())
    assert names(ids(image)) == {"nothing", "person"}
    assert read(image).notes == ("seg: read as: person 25 %, nothing 75 % (voc)",)


@pytest.mark.parametrize(
    ("values", "looks_like"),
    [
        ([156, 123, 0, 255], "coco-stuff"),
        ([119, 125, 0], "coco-contiguous"),
        ([3, 10, 13], "ade20k"),
        ([1, 4, 6, 20], "ade20k"),
        ([23, 7, 24, 26], "cityscapes"),
    ],
)
def test_ids_that_may_be_of_another_format_are_asked_for(tmp_path, values, looks_like):
    grid = np.repeat(np.array([values], np.uint8), 4, axis=0)
    path = tmp_path / "map.png"
    Image.fromarray(grid).save(path)
    with pytest.raises(QueryError, match=f"looks? like {looks_like} .*--seg-format {looks_like}"):
        ids(path)
    said = read(path, looks_like).notes[0]
    assert said.startswith("map.png: read as: ") and said.endswith(f"({looks_like})")


def test_coco_ids_that_no_other_format_has_are_certain():
    grid = np.array([[187, 193, 1, 255]], np.uint8)
    assert ids(grid).tolist() == [[187, 193, 1, 0]]
    assert read(grid).notes == (
        "seg: read as: person 25 %, sky 25 %, grass 25 %, nothing 25 % (coco)",
    )


def test_cityscapes_says_its_format_by_the_name_of_the_file(tmp_path):
    path = tmp_path / "a_gtFine_labelIds.png"
    Image.fromarray(np.array([[7, 23, 11]], np.uint8)).save(path)
    assert names(ids(path)) == {"road", "sky-other-merged", "building-other-merged"}


def test_train_ids_of_cityscapes_are_those_with_255():
    assert names(ids(np.array([[0, 10, 255]]), "cityscapes")) == {
        "road",
        "sky-other-merged",
        "nothing",
    }


class TestPanopticPng:
    SEGMENTS = ({"id": 3937500, "category_id": 187}, {"id": 5069153, "category_id": 193})

    def png(self, path, numbers=(3937500, 5069153, 0)):
        grid = np.array([numbers])
        rgb = np.stack([grid % 256, grid // 256 % 256, grid // 65536], -1).astype(np.uint8)
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rgb).save(path)
        return path

    def content(self, name):
        return json.dumps({"annotations": [{"file_name": name, "segments_info": self.SEGMENTS}]})

    @pytest.mark.parametrize("json_name", ["val/a.json", "val.json"])
    @pytest.mark.parametrize("seg_format", [None, "coco-panoptic"])
    def test_it_is_read_with_its_json(self, tmp_path, json_name, seg_format):
        path = self.png(tmp_path / "val" / "a.png")
        (tmp_path / json_name).write_text(self.content("a.png"))
        assert ids(path, seg_format).tolist() == [[187, 193, 0]]

    def test_without_one_it_is_refused(self, tmp_path):
        path = self.png(tmp_path / "a.png")
        with pytest.raises(QueryError, match="no JSON"):
            ids(path, "coco-panoptic")
        with pytest.raises(QueryError, match="belongs to no class"):
            ids(path)

    def test_a_segment_that_is_not_listed_is_named(self, tmp_path):
        path = self.png(tmp_path / "a.png", (77, 3937500))
        (tmp_path / "a.json").write_text(self.content("a.png"))
        with pytest.raises(QueryError, match=r"segment 77 \(1 pixel\)"):
            ids(path)

    def test_the_result_of_a_panoptic_post_processing_is_read(self):
        made = {
            "segmentation": np.array([[1, 2, 0]]),
            "segments_info": [{"id": 1, "label_id": 119}, {"id": 2, "label_id": 125}],
        }
        assert ids(made, "coco-contiguous").tolist() == [[187, 193, 0]]


class TestMasks:
    MASK = np.zeros((6, 8), np.uint8)
    MASK[2:4, 1:5] = 255

    @pytest.mark.parametrize("values", [MASK, MASK // 255, MASK > 0])
    def test_without_a_name_it_is_asked_for(self, tmp_path, values):
        path = tmp_path / "mask.png"
        Image.fromarray(values).save(path)
        for source in (path, values):
            with pytest.raises(QueryError, match=r"binary mask.*--seg dog="):
                ids(source)

    @pytest.mark.parametrize("form", [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("JPEG", "L")])
    def test_it_is_known_in_every_form_of_file(self, tmp_path, form):
        large = Image.fromarray(self.MASK).resize((64, 48), Image.Resampling.NEAREST)
        large.convert(form[1]).save(tmp_path / "mask", form[0])
        with pytest.raises(QueryError, match="binary mask"):
            ids(tmp_path / "mask")
        found = ids([f"dog={tmp_path / 'mask'}"])
        assert np.array_equal(found == 18, np.asarray(large) > 0)

    def test_masks_with_names_are_one_map(self, tmp_path):
        for name, mask in (("a", self.MASK), ("b", np.roll(self.MASK, 2, axis=0))):
            Image.fromarray(mask).save(tmp_path / f"{name}.png")
        found = ids([f"dog={tmp_path / 'a.png'}", f"Sofa={tmp_path / 'b.png'}"])
        assert names(found) == {"nothing", "dog", "couch"} and found[2, 1] == 18
        given = {"dog": self.MASK, "couch": np.roll(self.MASK, 2, axis=0) > 0}
        assert np.array_equal(ids(given), found)

    def test_a_query_file_names_them_in_an_object(self, tmp_path):
        from retrieval import read_query

        Image.fromarray(self.MASK).save(tmp_path / "a.png")
        (tmp_path / "q.json").write_text('{"seg": {"dog": "a.png"}}')
        query = read_query(tmp_path / "q.json")
        assert names(query.values["seg"]) == {"nothing", "dog"}
        assert tmp_path / "a.png" in query.files

    @pytest.mark.parametrize(
        ("masks", "reason"),
        [
            ({"dgo": MASK}, "'dgo' is not one of .*did you mean dog"),
            ({"dog": MASK * 0}, "is empty"),
            ({"dog": MASK, "cat": MASK[:3]}, "8 x 3 pixels"),
            ({"dog": "gone.png"}, "no such file"),
        ],
    )
    def test_a_mask_that_cannot_be_is_refused(self, masks, reason):
        with pytest.raises(QueryError, match=reason):
            ids(masks)

    def test_two_maps_are_refused(self):
        with pytest.raises(QueryError, match="dog=mask"):
            ids(["a.png", "b.png"])


@pytest.mark.parametrize(
    "empty",
    [np.zeros((4, 4), np.uint8), np.full((4, 4), -1), np.full((4, 4), 255, np.uint8)],
)
def test_an_empty_map_is_refused(empty):
    with pytest.raises(QueryError, match="the map is empty"):
        ids(empty)


class TestSoftEdges:
    def drawing(self, classes=("sky", "grass", "dog"), blur=True):
        first, second, third = (coco_panoptic().colours[class_named(c, "").id] for c in classes)
        image = Image.new("RGB", (512, 512), first)
        draw = ImageDraw.Draw(image)
        draw.rectangle((0, 320, 512, 512), fill=second)
        draw.ellipse((150, 180, 360, 420), fill=third)
        return image.resize((128, 128), Image.Resampling.LANCZOS if blur else 0)

    @pytest.mark.parametrize("options", [("PNG", {}), ("JPEG", {"quality": 90})])
    @pytest.mark.parametrize(
        "classes", [("sky", "grass", "dog"), ("person", "road", "sky"), ("wall", "rug", "cat")]
    )
    def test_each_pixel_takes_a_class_beside_it(self, tmp_path, options, classes):
        path = tmp_path / "drawing"
        self.drawing(classes).save(path, options[0], **options[1])
        exact = ids(self.drawing(classes, blur=False))
        found = ids(path)
        assert set(np.unique(found)) == set(np.unique(exact))
        assert (found == exact).mean() > 0.97
        assert any("soft" in said for said in read(path).notes)

    def test_far_colours_are_named(self):
        pixels = np.array(self.drawing())
        pixels[5:9, 5:9] = (255, 0, 255)
        assert any("#ff00ff (16 pixels)" in said for said in read(Image.fromarray(pixels)).notes)
        pixels[:40, :60] = (255, 0, 255)
        with pytest.raises(QueryError, match=r"#ff00ff \(2400 pixels\)"):
            ids(Image.fromarray(pixels))

    def test_a_photo_is_no_map(self):
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        photo = Image.fromarray(noise).resize((256, 256), Image.Resampling.BICUBIC)
        with pytest.raises(QueryError, match="belongs to no class"):
            ids(photo)


class TestGalleries:
    def found(self, folder, options):
        Image.fromarray(np.array([[0, 1, 13]], np.uint8)).save(folder / "a.png")
        reader = ItemReader(folder, source_named("seg"), options)
        item = FoundItem("a.png", 0, 0)
        return names(reader.value(item, reader.content(item).content)[0].value)

    def test_an_index_without_a_format_holds_coco_ids(self, tmp_path):
        assert self.found(tmp_path, "") == {"nothing", "person", "stop sign"}

    def test_maps_are_read_in_the_format_of_the_index(self, tmp_path):
        assert options_of(source_named("seg"), {"seg_format": "ade20k"}) == "seg_format=ade20k"
        wall = self.found(tmp_path, "seg_format=ade20k")
        assert wall == {"nothing", "wall-other-merged", "person"}
        with pytest.raises(ItemError, match=r"--seg-format"):
            self.found(tmp_path, options_of(source_named("seg"), {}))

"""Files of boxes as tools write them, and the names of their classes."""

import json

import pytest
from PIL import Image

from retrieval.errors import QueryError
from retrieval.modalities.box_classes import names_of_yaml
from retrieval.queries import Query

LINE = "0 0.5 0.5 0.2 0.4\n"


def boxes(source):
    return Query.read(boxes=source).values["boxes"]


def edges(box):
    return pytest.approx((box.xmin, box.ymin, box.xmax, box.ymax))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Person", "person"),
        ("bike", "bicycle"),
        ("sofa", "couch"),
        ("tvmonitor", "tv"),
        ("aeroplane", "airplane"),
        ("cellphone", "cell phone"),
        ("motorbike", "motorcycle"),
        ("diningtable", "dining table"),
        ("PottedPlant", "potted plant"),
        ("traffic_light", "traffic light"),
        ("dogs", "dog"),
    ],
)
def test_other_names_of_a_class_are_accepted(name, expected):
    assert boxes(f"{name}:0.1,0.2,0.4,0.9")[0].name == expected


def test_the_nearest_name_is_offered():
    with pytest.raises(QueryError, match=r"'giraf' is not one of .*did you mean giraffe\?"):
        boxes("giraf:0.1,0.2,0.4,0.9")
    with pytest.raises(QueryError, match=r"as things$"):
        boxes("helmet:0.1,0.2,0.4,0.9")


class TestYolo:
    def test_a_list_of_classes_beside_it_counts(self, tmp_path):
        (tmp_path / "a.txt").write_text(LINE)
        (tmp_path / "classes.txt").write_text("Sofa\nperson\n")
        query = Query.read(boxes=tmp_path / "a.txt")
        assert query.values["boxes"][0].name == "couch"
        assert query.notes == (
            "a.txt: read as: 1 couch",
            "a.txt: its classes are those of classes.txt",
        )

    def test_settings_of_the_data_set_count(self, tmp_path):
        folder = tmp_path / "labels" / "train"
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text(LINE)
        (tmp_path / "data.yaml").write_text("nc: 2\nnames: ['dog', 'cat']\n")
        assert boxes(folder / "a.txt")[0].name == "dog"

    def test_a_class_that_coco_does_not_have_is_named(self, tmp_path):
        (tmp_path / "a.txt").write_text(LINE)
        (tmp_path / "classes.txt").write_text("helmet\nperson\n")
        with pytest.raises(QueryError, match=r"a\.txt:1: class 0: 'helmet' is not one of"):
            boxes(tmp_path / "a.txt")

    def test_a_polygon_is_its_box(self, tmp_path):
        (tmp_path / "a.txt").write_text("16 0.1 0.2 0.5 0.3 0.4 0.9 0.2 0.7\n")
        (box,) = boxes(tmp_path / "a.txt")
        assert box.name == "dog" and edges(box) == (0.1, 0.2, 0.5, 0.9)

    @pytest.mark.parametrize(
        "text",
        [
            "names: [dog, 'big cat']\nnc: 2\n",
            "path: x\nnames:\n- dog\n- big cat\n",
            "names:\n  0: dog  # the first\n  1: big cat\ntrain: y\n",
            'names: {0: dog, 1: "big cat"}\n',
            "names: [\n  dog,\n  big cat,\n]\n",
        ],
    )
    def test_names_are_read_in_every_style_of_yaml(self, text):
        assert names_of_yaml(text) == {0: "dog", 1: "big cat"}

    @pytest.mark.parametrize("text", ["", "nc: 2\n", "other: [a]\n"])
    def test_settings_without_names_have_none(self, text):
        assert names_of_yaml(text) == {}


class TestJson:
    RESULTS = ({"image_id": 7, "category_id": 18, "bbox": [10, 20, 30, 40], "score": 0.9},)

    def write(self, path, content):
        path.write_text(json.dumps(content))
        return path

    def test_results_are_read_beside_their_image(self, tmp_path):
        path = self.write(tmp_path / "a.json", self.RESULTS)
        Image.new("RGB", (100, 100), (9, 200, 40)).save(tmp_path / "a.png")
        (box,) = boxes(path)
        assert (box.name, box.score) == ("dog", 0.9) and edges(box) == (0.1, 0.2, 0.4, 0.6)

    def test_results_without_an_image_say_what_is_missing(self, tmp_path):
        path = self.write(tmp_path / "a.json", self.RESULTS)
        with pytest.raises(QueryError, match="size of the image"):
            boxes(path)
        several = [*self.RESULTS, {**self.RESULTS[0], "image_id": 8}]
        with pytest.raises(QueryError, match="2 images"):
            boxes(self.write(path, several))

    def test_category_ids_that_count_from_0_are_recognised(self, tmp_path):
        annotations = [{"category_id": number, "bbox": [0, 0, 50, 50]} for number in (0, 16)]
        content = {"width": 100, "height": 100, "annotations": annotations}
        query = Query.read(boxes=self.write(tmp_path / "a.json", content))
        assert [box.name for box in query.values["boxes"]] == ["person", "dog"]
        assert "a.json: its category ids count from 0" in query.notes

    def test_labelme_is_read(self, tmp_path):
        shapes = [
            {"label": "Bike", "points": [[40, 60], [10, 20]], "shape_type": "rectangle"},
            {"label": "dog", "points": [[0, 0], [50, 10], [20, 90]], "shape_type": "polygon"},
        ]
        content = {"shapes": shapes, "imageWidth": 100, "imageHeight": 100}
        first, second = boxes(self.write(tmp_path / "a.json", content))
        assert (first.name, second.name) == ("bicycle", "dog")
        assert edges(first) == (0.1, 0.2, 0.4, 0.6) and edges(second) == (0, 0, 0.5, 0.9)

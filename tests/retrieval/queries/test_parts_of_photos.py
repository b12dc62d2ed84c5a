"""`take`: only parts of a photo are used, computed here or predicted by the model."""

import numpy as np
import pytest
from PIL import Image

from fourm.modalities.edges import canny_edges
from fourm.modalities.metadata import COMPUTABLE
from fourm.modalities.palette import palette_of
from retrieval import Query, QueryError, UsageError
from retrieval.modalities import MODALITIES, parts_of_photos
from retrieval.queries import prepare
from retrieval.report.panels import panels
from retrieval.report.results import Results
from retrieval.report.sheet import draw_sheet
from tests.retrieval.fake_model import FakeModel
from tests.retrieval.files import striped, write

COMPUTED = [name for name, modality in MODALITIES.items() if modality.compute is not None]

PHOTO = striped((200, 120, 10), (320, 240))


@pytest.fixture
def able():
    """A model that predicts depth, text and colours, and reads edges."""
    return FakeModel(
        inputs=("image", "text", "seg", "edges"), predictable=("depth", "text", "palette")
    )


class Recorder:
    """Keeps what the model was given."""

    name, inputs, predictable = (
        "recorder",
        ("text", "image", "depth", "edges", "palette"),
        ("depth",),
    )
    metadata_keys = ()

    def prepare(self, values, *, predict=()):
        return (dict(values), tuple(predict))

    def fuse(self, parts, method):
        return (method, list(parts))


def test_computable_parts_are_computed():
    query = Query.read(image=PHOTO, use_only=["edges", "palette", "metadata", "image_tokens"])
    assert query.modalities == ("edges", "palette", "metadata", "image_tokens")
    assert {entry.origin for entry in query.inputs} == {"computed"}
    values = query.values
    assert np.array_equal(np.asarray(values["edges"]), canny_edges(PHOTO)[0])
    assert values["palette"] == palette_of(PHOTO)
    assert list(values["metadata"]) == list(COMPUTABLE)
    assert np.array_equal(np.asarray(values["image_tokens"]), np.asarray(PHOTO))


def test_computed_metadata_is_limited_to_what_the_model_reads():
    class ReadsLight(Recorder):
        metadata_keys = ("brightness", "n_humans")
        inputs = ("metadata",)

    values, _ = prepare(Query.read(image=PHOTO, use_only="metadata"), ReadsLight())
    assert list(values["metadata"]) == ["brightness"]
    typed = {"brightness": 3.0, "original_width": 64.0}
    values, _ = prepare(Query.read(metadata=typed), ReadsLight())
    assert values["metadata"] == typed


def test_mini_uses_all_parts_that_it_lists():
    import fourm

    model = fourm.load_model("mini")
    for part in ("edges", "palette", "metadata"):
        assert len(prepare(Query.read(image=PHOTO, use_only=part), model).contents) == 1


def test_the_size_is_that_of_the_file(tmp_path):
    big = write(tmp_path / "big.png", Image.new("RGB", (2000, 1000), "red"))
    for source in (big, Image.new("RGB", (2000, 1000)), np.zeros((1000, 2000, 3), np.uint8)):
        facts = Query.read(image=source, use_only="metadata").values["metadata"]
        assert (facts["original_width"], facts["original_height"]) == (2000, 1000)


def test_other_parts_are_predicted_from_the_photo():
    query = Query.read(image=PHOTO, use_only="depth,edges", text="a lake")
    values, take = prepare(query, Recorder())
    assert take == ("depth",) and set(values) == {"text", "edges", "image"}
    assert values["image"].size == PHOTO.size and values["text"] == "a lake"


def test_without_anything_to_predict_the_photo_is_not_given():
    values, take = prepare(Query.read(image=PHOTO, use_only="edges"), Recorder())
    assert take == () and set(values) == {"edges"}


def test_weighted_parts_are_separate_conditions():
    query = Query.read(
        image=PHOTO, use_only="depth,edges", text="a lake", weights={"depth": 2, "text": -1}
    )
    how, parts = prepare(query, Recorder())
    assert how == "guided"
    assert [(sorted(values), take, weight) for (values, take), weight in parts] == [
        (["text"], (), -1.0),
        (["image"], ("depth",), 2.0),
        (["edges"], (), 1.0),
    ]
    with pytest.raises(
        QueryError, match="'image' is not among the inputs of this query: text, edg"
    ):
        Query.read(image=PHOTO, use_only="edges", text="a lake", weights={"image": 2})


@pytest.mark.parametrize("take", ["sam-edges", ["sam_edges"], " sam_edges, "])
def test_parts_are_named_like_options(take):
    assert Query.read(image=PHOTO, use_only=take).use_only == ("sam_edges",)
    assert Query.read(image=PHOTO, use_only="canny,palette-of").modalities == ("edges", "palette")


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ({"use_only": "edges"}, "give one (image)"),
        ({"use_only": "edges", "text": "x"}, "give one (image)"),
        ({"use_only": "", "image": PHOTO}, "at least one part; known: text, seg, depth"),
        ({"use_only": [], "image": PHOTO}, "at least one part"),
        ({"use_only": "smell", "image": PHOTO}, "'smell' is not a part of an image; known:"),
        ({"use_only": "image", "image": PHOTO}, "for the image itself"),
        ({"use_only": "t5", "image": PHOTO}, "'t5' is not a part"),
        ({"use_only": "edges,canny", "image": PHOTO}, "edges is given twice"),
        ({"use_only": 3, "image": PHOTO}, "expected parts like depth,edges"),
        ({"use_only": [3], "image": PHOTO}, "expected parts like depth,edges"),
        ({"use_only": "edges", "image": PHOTO, "canny": PHOTO}, "edges: given twice"),
        ({"use_only": "edges", "image": "gone.jpg"}, "gone.jpg: no such file"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.get("use_only")),
)
def test_bad_parts_are_refused(sources, words):
    with pytest.raises(UsageError) as caught:
        Query.read(**sources)
    assert words in str(caught.value)


@pytest.mark.parametrize("modality", ["normals", "palette", "boxes"])
def test_a_model_uses_what_it_reads_or_predicts(able, modality):
    for weights in (None, {modality: 2}):
        query = Query.read(image=PHOTO, use_only=["edges", modality], weights=weights)
        with pytest.raises(QueryError) as caught:
            prepare(query, able)
        assert f"cannot use {modality} of an image; it can use text, depth, edges" in str(
            caught.value
        )


def test_a_model_without_usable_parts_says_so(model):
    with pytest.raises(QueryError, match=r"fake cannot use edges .*no part"):
        prepare(Query.read(image=PHOTO, use_only="edges"), model)


def test_every_part_is_drawn_or_named(tmp_path):
    path = write(tmp_path / "a <b>.png", PHOTO)
    for modality in parts_of_photos():
        query = Query.read(image=path, use_only=modality, t5=np.ones((3, 4096)))
        (panel,) = [panel for panel in panels(query) if panel.title != "T5 embeddings"]
        assert ("computed from" in panel.note) == (modality in COMPUTED)
        assert ("predicted by the model" in panel.note) == (modality not in COMPUTED)
        assert panel.image is not None or panel.rows
        assert panel.name is None or panel.name == "a <b>.png"
        draw_sheet(Results(panels(query), (), 0, "gallery", "model", "space"))

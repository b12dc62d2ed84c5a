"""One index holds several embedding spaces; a search names one, or fuses several."""

import numpy as np
import pytest
from PIL import Image

from indexes import IncompleteSpace, Index, RecipeMismatch
from retrieval import BuildInterrupted, Gallery, Query, UsageError
from retrieval.evaluation import JudgedQuery, evaluate

from .conftest import numbered
from .fake_model import FakeModel, three_spaces
from .files import write

THREE = ("layout", "hue", "light")


@pytest.fixture
def model():
    return FakeModel(spaces=three_spaces())


def build(photos, model, **options):
    options.setdefault("batch_size", 8)
    return Gallery.build(photos, photos.parent / "photos.index", model, **options)


@pytest.fixture
def gallery(photos, model):
    with build(photos, model, spaces="all") as built:
        model.batches.clear(), model.passes.clear()
        yield built


def assert_sound(gallery, spaces):
    """Every photo has its own vector in each space."""
    gallery.index.verify()
    assert tuple(gallery.index.recipes) == spaces
    for path, known in gallery.index.snapshot().items():
        with Image.open(gallery.root / path) as opened:
            prepared = gallery.model.prepare({"image": opened.convert("RGB")})
        expected = gallery.model.embed_spaces([prepared], spaces=spaces)
        for space in spaces:
            stored = gallery.index.vectors([known.id], space=space)
            assert np.allclose(stored, expected[space], atol=1e-6), (path, space)


def test_all_spaces_of_an_image_come_from_one_pass(photos, model):
    with build(photos, model, spaces=["layout", "hue", "light"]) as gallery:
        assert model.batches == [8] * 5 and model.passes == [THREE] * 5
        assert_sound(gallery, THREE)


def test_the_default_is_the_models_default_space(photos, model):
    model.default_space = "hue"
    with build(photos, model) as gallery:
        assert list(gallery.index.recipes) == ["hue"]
        assert gallery.search(image=numbered(3))[0].space == "hue"


def test_an_update_keeps_all_spaces_of_the_index(photos, model):
    with build(photos, model, spaces=["hue", "light"]):
        pass
    model.passes.clear()
    write(photos / "new.png", numbered(99))
    with build(photos, model) as gallery:
        assert model.passes == [("hue", "light")]
        assert gallery.report.indexed == 1 and gallery.report.unchanged == 40
        assert_sound(gallery, ("hue", "light"))
    with build(photos, model, spaces="hue") as gallery:
        assert list(gallery.index.recipes) == ["hue", "light"]


def test_a_space_that_is_missing_is_added_and_only_it_is_made(photos, model):
    with build(photos, model):
        pass
    write(photos / "new.png", numbered(99))
    model.batches.clear(), model.passes.clear()
    with build(photos, model, spaces=["layout", "light"]) as gallery:
        report = gallery.report
        assert (report.completed, report.indexed, report.unchanged) == (40, 1, 0)
        assert set(model.passes) == {("light",), ("layout", "light")}
        assert sum(model.batches) == 41 and report.incomplete == {}
        assert_sound(gallery, ("layout", "light"))
        assert gallery.search(image=numbered(99), spaces="light")[0].path == "new.png"
    model.batches.clear()
    with build(photos, model) as gallery:
        assert model.batches == [] and gallery.report.unchanged == 41


def test_adding_a_space_may_be_stopped_and_goes_on(photos, model):
    with build(photos, model):
        pass
    model.batches.clear(), model.passes.clear()

    def interrupt(batch):
        if batch == 3:
            raise KeyboardInterrupt

    model.before_embed = interrupt
    with pytest.raises(BuildInterrupted, match="24 of 40"):
        build(photos, model, spaces="all")
    model.before_embed = None
    with Gallery.open(photos.parent / "photos.index", model) as gallery:
        gallery.index.verify()
        assert len(gallery.search(text="red", k=99)) == 40  # as before, in the space that is there
        for spaces in ("hue", ["layout", "light"], "all"):
            with pytest.raises(IncompleteSpace, match="add the missing vectors"):
                gallery.search(text="red", spaces=spaces)
    model.batches.clear(), model.passes.clear()
    with build(photos, model) as gallery:
        assert model.passes == [("hue", "light")] * 2
        assert gallery.report.completed == 16 and gallery.report.unchanged == 24
        assert_sound(gallery, THREE)


def test_what_changes_while_a_space_is_added_is_read_again(photos, model):
    with build(photos, model) as gallery:
        ids = {path: known.id for path, known in gallery.index.snapshot().items()}
    write(photos / "a/01.bmp", numbered(101), "BMP")
    (photos / "b/02.tif").rename(photos / "moved.tif")
    (photos / "b/00.png").write_bytes(b"bad")
    with build(photos, model, spaces=["hue"]) as gallery:
        report = gallery.report
        assert (report.indexed, report.moved, report.skipped) == (1, 1, 1)
        assert report.completed == 37
        known = gallery.index.snapshot()
        assert known["moved.tif"].id == ids["b/02.tif"]
        assert known["a/01.bmp"].id == ids["a/01.bmp"]
        (photos / "b/00.png").unlink()
    with build(photos, model) as gallery:
        assert_sound(gallery, ("layout", "hue"))


def test_an_image_that_cannot_be_reached_keeps_a_space_incomplete(photos, model, monkeypatch):
    import os

    from retrieval.images import finding

    with build(photos, model):
        pass
    scandir = os.scandir

    def closed(path):
        if os.fspath(path).endswith("b/"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    with monkeypatch.context() as patch:
        patch.setattr(finding.os, "scandir", lambda path: closed(os.path.join(path, "")))
        with build(photos, model, spaces="hue") as gallery:
            assert gallery.report.incomplete == {"hue": 20} and gallery.report.completed == 20
            with pytest.raises(IncompleteSpace):
                gallery.search(text="red", spaces="hue")
    with build(photos, model) as gallery:
        assert gallery.report.incomplete == {} and gallery.report.completed == 20
        assert_sound(gallery, ("layout", "hue"))


def test_a_vector_that_says_nothing_in_one_space_skips_the_image(photos, model):
    honest = model.embed_spaces

    def embed_spaces(prepared, *, spaces):
        vectors = honest(prepared, spaces=spaces)
        vectors["hue"][1] = np.nan
        return vectors

    model.embed_spaces = embed_spaces
    with build(photos, model, batch_size=20, spaces="all") as gallery:
        assert gallery.report.indexed == 38 and gallery.report.skipped == 2
        gallery.index.verify()


def test_one_space_gives_its_cosines(gallery):
    for space in THREE:
        hits = gallery.search(image=numbered(7), k=40, spaces=space)
        assert hits[0].path == "a/07.bmp" and hits[0].score == pytest.approx(1, abs=1e-5)
        assert all(hit.space == space and hit.scores == {space: hit.score} for hit in hits)
    assert gallery.search(image=numbered(7))[0].space == "layout"


@pytest.mark.parametrize("fusion", ["rrf", "scores"])
def test_several_spaces_are_fused_with_the_score_of_each_in_the_hit(gallery, fusion, model):
    weights = {"layout": 1, "light": 0.5}
    hits = gallery.search(text="the blue", k=40, spaces=weights, fusion=fusion)
    assert model.batches == [1] and model.passes == [("layout", "light")]
    alone = {space: gallery.search(text="the blue", k=40, spaces=space) for space in weights}
    ranks = {space: {hit.id: hit.rank for hit in found} for space, found in alone.items()}
    cosines = {space: {hit.id: hit.score for hit in found} for space, found in alone.items()}
    for hit in hits:
        assert hit.space == "layout+light" and list(hit.scores) == ["layout", "light"]
        for space in weights:
            assert hit.scores[space] == pytest.approx(cosines[space][hit.id], abs=1e-5)
        if fusion == "rrf":
            expected = sum(w / (60 + ranks[space][hit.id]) for space, w in weights.items())
        else:
            expected = sum(w * hit.scores[space] for space, w in weights.items()) / 1.5
        assert hit.score == pytest.approx(expected, abs=1e-6)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_batch_is_each_alone(gallery):
    queries = [Query.read(image=numbered(3)), Query.read(text="red"), Query.read(text="blue")]
    together = gallery.search_batch(queries, 5, spaces="all")
    alone = [gallery.search_batch([query], 5, spaces=list(THREE))[0] for query in queries]
    assert together == alone


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"spaces": "sound"}, "no space 'sound'; it has layout, hue, light"),
        ({"spaces": []}, "at least one"),
        ({"spaces": {}}, "at least one"),
        ({"spaces": ["hue", "hue"]}, "hue is given twice"),
        ({"spaces": ["hue", "all"]}, "all: cannot be combined with other spaces"),
        ({"spaces": {"hue": 0}}, "weight must be > 0, got 0"),
        ({"spaces": {"hue": -1}}, "weight must be > 0"),
        ({"spaces": {"hue": float("nan")}}, "weight must be > 0"),
        (
            {"spaces": {"hue": 1e308, "light": 1e308}},
            "hue: weight must be <= 1e\\+06, got 1e\\+308",
        ),
        ({"spaces": {"hue": "much"}}, "must be numbers"),
        ({"fusion": "sum"}, "must be one of rrf, scores, got 'sum'"),
        ({"modalities": "sound"}, "no gallery of the modality 'sound'; it has image"),
        *(({"spaces": odd}, "spaces: expected a name or a list") for odd in (5, [[]], b"hue")),
        *(({"modalities": odd}, "modalities: expected a name") for odd in (5, [None], b"image")),
    ],
)
def test_what_cannot_be_searched_is_named_before_the_model_runs(gallery, model, options, words):
    with pytest.raises(UsageError, match=words):
        gallery.search(text="red", **options)
    assert model.batches == []


def test_an_unknown_space_makes_no_index(photos, model):
    with pytest.raises(UsageError, match=r"no space 'sound'; it has layout, hue, light"):
        build(photos, model, spaces=["layout", "sound"])
    with pytest.raises(UsageError, match=r"spaces: expected a name or a list of names, got 5"):
        build(photos, model, spaces=5)
    assert not (photos.parent / "photos.index").exists()


def test_another_model_is_refused_in_whichever_space(gallery, photos):
    other = FakeModel(spaces=three_spaces())
    other.space_fingerprint = lambda space: "beef" if space == "light" else "f00d"
    with pytest.raises(RecipeMismatch, match="'light'"):
        build(photos, other)
    with (
        Gallery.open(photos.parent / "photos.index", other) as opened,
        pytest.raises(RecipeMismatch, match="'light'"),
    ):
        opened.search(text="red")
    with (
        Gallery.open(photos.parent / "photos.index", FakeModel()) as opened,
        pytest.raises(RecipeMismatch, match="hue"),
    ):
        opened.search(text="red")


def test_evaluation_ranks_by_the_spaces_that_are_asked_for(gallery):
    queries = [
        JudgedQuery({"image": numbered(number)}, (path,))
        for number, path in enumerate(["b/00.png", "a/01.bmp", "b/02.tif"])
    ]
    for spaces in (None, "hue", ["layout", "hue"], {"light": 2, "hue": 1}):
        for fusion in ("rrf", "scores"):
            result = evaluate(gallery, queries, spaces=spaces, fusion=fusion, batch_size=2)
            assert result.recall[1] == 1 and result.items == 40
    words = [JudgedQuery({"text": "red"}, ("a/01.bmp",))]
    first = [hit.path for hit in gallery.search(text="red", k=40, spaces="all")].index("a/01.bmp")
    assert evaluate(gallery, words, spaces="all").median_rank == first + 1
    with pytest.raises(UsageError, match="sound"):
        evaluate(gallery, words, spaces="sound")


def test_an_index_of_several_spaces_opens_with_a_model_by_its_name(gallery, photos, monkeypatch):
    import fourm

    loaded = FakeModel(spaces=three_spaces())
    monkeypatch.setitem(vars(fourm), "load_model", lambda name, **options: loaded)
    with Gallery.open(photos.parent / "photos.index") as opened:
        assert opened.search(image=numbered(5), spaces="all")[0].path == "a/05.tif"
    with Index.open(photos.parent / "photos.index") as index:
        assert len(index.recipes) == 3

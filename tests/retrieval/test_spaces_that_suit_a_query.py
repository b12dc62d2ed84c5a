"""A model may say in which of its spaces a query of some inputs finds most: `auto`."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

import fourm
from fourm.embedder import Route
from indexes import Index, Reading, ReadingMismatch, RecipeMismatch, Record
from retrieval import Gallery, Query, UsageError, evaluate
from retrieval.evaluation import JudgedQuery
from retrieval.model import recipe_of
from tests.fourm.two_spaces import FORMER, make_two_spaces

from .conftest import numbered
from .fake_model import FakeModel, three_spaces

ROUTES = (
    Route(frozenset({"image"}), False, {"layout": 1.0}),
    Route(frozenset({"image"}), True, {"light": 1.0, "layout": 0.5}, "scores"),
    Route(frozenset(), True, {"hue": 1.0}),
)


@pytest.fixture
def model():
    return FakeModel(spaces=three_spaces(), routes=ROUTES)


def build(photos, model, **options):
    return Gallery.build(photos, photos.parent / "photos.index", model, **options)


@pytest.fixture
def gallery(photos, model):
    with build(photos, model) as built:
        model.passes.clear()
        yield built


def test_an_index_has_the_spaces_that_are_searched_by_default(gallery, photos, tmp_path):
    assert list(gallery.index.recipes) == ["layout", "hue", "light"]
    fewer = FakeModel(spaces=three_spaces(), routes=ROUTES[2:])
    with Gallery.build(photos, tmp_path / "fewer.index", fewer) as other:
        assert list(other.index.recipes) == ["hue"]
    with Gallery.build(photos, tmp_path / "one.index", fewer, spaces="light") as other:
        assert list(other.index.recipes) == ["light"]


@pytest.mark.parametrize("spaces", [None, "auto", ["auto"]])
def test_each_query_is_searched_where_it_finds_most(gallery, model, spaces):
    queries = [
        Query.read(text="the red"),
        Query.read(image=numbered(3)),
        Query.read(image=numbered(3), text="red"),
        Query.read(text="the blue"),
    ]
    found = gallery.search_batch(queries, 40, spaces=spaces)
    assert len(model.passes) == 1
    assert [hits[0].space for hits in found] == ["hue", "layout", "light+layout", "hue"]
    named = ("hue", "layout", {"light": 1, "layout": 0.5}, "hue")
    for hits, query, names in zip(found, queries, named, strict=True):
        fusion = "scores" if isinstance(names, dict) else "rrf"
        assert hits == gallery.search_batch([query], 40, spaces=names, fusion=fusion)[0]


def test_only_the_spaces_of_a_query_are_embedded(gallery, model):
    gallery.search(text="red")
    gallery.search(image=numbered(1), text="red", fusion="rrf")
    assert model.passes == [("hue",), ("light", "layout")]


def test_a_fusion_that_is_asked_for_counts(gallery):
    inputs = {"image": numbered(4), "text": "red"}
    hits = gallery.search(**inputs, fusion="rrf")
    assert hits == gallery.search(**inputs, spaces={"light": 1, "layout": 0.5})


def test_inputs_of_weight_0_do_not_count(gallery):
    hits = gallery.search(image=numbered(1), text="red", weights={"text": 0})
    assert hits[0].space == "layout"


def test_spaces_that_are_named_are_kept(gallery):
    assert gallery.search(text="red", spaces="light")[0].space == "light"
    for odd in (["auto", "hue"], ["auto=2", "hue"]):
        with pytest.raises(UsageError, match="auto: cannot be combined"):
            gallery.search(text="red", spaces=odd)


def test_judged_queries_are_searched_the_same_way(gallery):
    judged = [
        JudgedQuery({"image": numbered(3)}, ["a/03.bmp"]),
        JudgedQuery({"text": "the red"}, ["a/03.bmp"]),
    ]
    by_batch = evaluate(gallery, judged, batch_size=2)
    alone = [
        evaluate(gallery, [one], spaces=space).median_rank
        for one, space in zip(judged, ("layout", "hue"), strict=True)
    ]
    assert by_batch.median_rank == pytest.approx(np.median(alone))


def test_an_index_without_the_space_is_searched_in_what_it_has(photos, model):
    with build(photos, model, spaces=["layout", "light"]) as gallery:
        query = Query.read(text="red")
        assert gallery.search_batch([query])[0][0].space == "layout"
        (told,) = gallery.warnings(query)
        assert "fake finds most for such a query in the space hue" in told
        assert gallery.warnings(query, "light") == gallery.warnings(Query.read(image=numbered(1)))
        assert gallery.warnings(query, "light") == []
    with build(photos, model) as gallery:  # what was chosen stays
        assert list(gallery.index.recipes) == ["layout", "light"]


def test_a_space_is_used_once_it_is_complete(photos, model):
    with build(photos, model, spaces="layout") as gallery:
        with gallery.index.lock():
            gallery.index.add_space(recipe_of(model, "hue"))
        assert gallery.search(text="red")[0].space == "layout"
        assert len(gallery.warnings(Query.read(text="red"))) == 1
    with build(photos, model) as gallery:
        assert gallery.search(text="red")[0].space == "hue"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_two_spaces(tmp_path_factory.mktemp("bundle") / "two")


class TestFormerModels:
    """With a model of random weights, whose manifest says which former one it succeeds."""

    @pytest.fixture
    def two(self, folder):
        return fourm.load_model(folder, device="cpu", dtype="float32")

    @pytest.fixture
    def old(self, few, two, tmp_path):
        """An index that the former model made: one space, of its fingerprint and its name."""
        former = replace(
            recipe_of(two, "photos"), fingerprint=FORMER, space="dinov2", preprocessing="as then"
        )
        with Gallery.build(few, tmp_path / "new.index", two, spaces="photos") as made:
            records = [
                _record(path, known, {"dinov2": made.index.vectors([known.id])[0]})
                for path, known in made.index.snapshot().items()
            ]
        with Index.create(tmp_path / "old.index", root=few, recipe=former) as index:
            with index.lock():
                index.write(records)
            index.publish()
        return tmp_path / "old.index"

    @pytest.fixture
    def few(self, photos):
        for path in photos.glob("b/*"):
            path.unlink()
        return photos

    def test_their_indexes_are_searched(self, old, two):
        with Gallery.open(old, two) as gallery:
            hits = gallery.search(image=numbered(3))
            assert (hits[0].space, hits[0].path) == ("dinov2", "a/03.png")
            assert hits[0].score == pytest.approx(1, abs=1e-4)
            query = Query.read(text="a dog")
            assert gallery.search_batch([query])[0][0].space == "dinov2"
            assert "in the space joint" in gallery.warnings(query)[0]

    def test_the_next_build_adds_the_new_space_and_keeps_the_vectors(self, old, few, two):
        with Gallery.build(few, old, two) as gallery:
            assert (gallery.report.completed, gallery.report.indexed) == (20, 0)
            first, second = gallery.index.recipes.values()
            assert (first.space, first.fingerprint) == ("dinov2", FORMER)
            assert second.space == "joint"
            assert gallery.search(image=numbered(3))[0].space == "dinov2"
            assert gallery.search(text="a dog")[0].space == "joint"
            assert gallery.search(image=numbered(3), text="dog")[0].space == "dinov2+joint"
        with Gallery.build(few, old, two) as gallery:
            assert gallery.report.unchanged == 20

    def test_a_space_that_is_named_is_all_that_is_asked_for(self, old, few, two):
        with Gallery.build(few, old, two, spaces="dinov2") as gallery:
            assert list(gallery.index.recipes) == ["dinov2"]

    def test_a_further_gallery_is_embedded_by_the_present_model(self, old, two, tmp_path):
        (tmp_path / "captions.txt").write_text("a dog\nthe sea at sunset\n")
        with Gallery.build(tmp_path / "captions.txt", old, two, modality="text") as gallery:
            assert gallery.search(text="a dog", modalities="text")[0].path == "captions.txt:1"

    def test_galleries_of_texts_that_they_made_are_refused(self, old, two, tmp_path):
        with Index.open(old) as index, index.lock():
            index.add_gallery(Reading("text"), tmp_path)
        with Gallery.open(old, two) as gallery:
            with pytest.raises(ReadingMismatch, match="reads text"):
                gallery.search(image=numbered(3))
            assert gallery.search(image=numbered(3), modalities="image")[0].path == "a/03.png"

    def test_other_models_are_refused(self, old, folder, tmp_path):
        copy = shutil.copytree(folder, tmp_path / "copy")
        bundle = (copy / "bundle.json").read_text()
        (copy / "bundle.json").write_text(bundle.replace(FORMER, "0" * 64))
        other = fourm.load_model(copy, device="cpu", dtype="float32")
        with Gallery.open(old, other) as gallery, pytest.raises(RecipeMismatch):
            gallery.search(text="a dog")


def _record(path, known, vectors):
    return Record(
        path=path,
        size=known.size,
        mtime_ns=known.mtime_ns,
        content_hash=known.content_hash,
        width=8,
        height=8,
        vectors=vectors,
    )

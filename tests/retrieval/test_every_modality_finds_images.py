"""Queries of every modality against a small model with all parts."""

import numpy as np
import pytest

from fourm import UnknownModality, load_model
from retrieval import Gallery, QueryError
from retrieval.modalities import MODALITIES, parts_of_photos

from .conftest import numbered
from .examples import SOURCES
from .files import striped, write

COMPUTED = [name for name, modality in MODALITIES.items() if modality.compute is not None]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory, recorded_shelf):
    folder = tmp_path_factory.mktemp("gallery")
    for number in range(3):
        write(folder / f"photos/{number}.png", numbered(number))
    model = load_model(recorded_shelf / "4M-21_B", device="cpu", dtype="float32")
    with Gallery.build(folder / "photos", folder / "index", model) as built:
        yield built


@pytest.mark.parametrize("modality", SOURCES)
def test_each_modality_alone_and_with_text(gallery, modality):
    if modality in ("dinov2_features", "imagebind_features"):  # no small tokenizers of these
        with pytest.raises(UnknownModality, match="it reads image, text, seg, depth"):
            gallery.search(**{modality: SOURCES[modality]})
        return
    alone = gallery.search(**{modality: SOURCES[modality]})
    both = gallery.search(text="a lake", **{modality: SOURCES[modality]})
    assert len(alone) == len(both) == 3
    scores = np.array([[hit.score for hit in hits] for hits in (alone, both)])
    assert np.isfinite(scores).all() and np.abs(scores[0] - scores[1]).max() > 1e-6


def scores(gallery, **query):
    return np.array([hit.score for hit in sorted(gallery.search(**query), key=lambda hit: hit.id)])


@pytest.mark.parametrize("way", ["guided", "late"])
def test_weights_bend_the_result_and_none_bends_nothing(gallery, way):
    modalities = {"text": "a lake", "metadata": "brightness=200"}
    alone = scores(gallery, text="a lake")
    without = scores(gallery, **modalities, weights={"metadata": 0}, combine=way)
    np.testing.assert_allclose(without, alone, atol=1e-5)
    for weights in ({"metadata": 1}, {"metadata": -1}, {"text": 3}):
        bent = scores(gallery, **modalities, weights=weights, combine=way)
        assert np.isfinite(bent).all() and np.abs(bent - alone).max() > 1e-5
    away = scores(gallery, text="a lake", negative_text="a dog", combine=way)
    assert np.abs(away - alone).max() > 1e-5


def test_parts_of_a_photo_are_computed_or_predicted(gallery):
    photo = striped((200, 90, 10))
    model = gallery.model
    assert "depth" in model.predictable and "edges" in model.inputs
    found = [
        scores(gallery, image=photo, use_only=part)
        for part in ("edges", "palette", "depth", "depth,edges,palette", "text", "boxes,normals")
    ]
    for number, one in enumerate(found):
        assert np.isfinite(one).all()
        assert all(np.abs(one - other).max() > 1e-6 for other in found[:number])
    edges = scores(gallery, canny=photo)
    np.testing.assert_allclose(found[0], edges, atol=1e-6)
    mixed = scores(
        gallery, image=photo, use_only=["depth", "palette"], text="snow", weights={"depth": 2}
    )
    assert np.isfinite(mixed).all()


def test_a_part_that_cannot_be_used_is_refused_with_those_that_can(gallery):
    assert "dinov2_features" not in gallery.model.inputs  # its tokens can be predicted all the same
    assert np.isfinite(scores(gallery, image=striped((1, 2, 3)), use_only="dinov2_features")).all()
    refused = [
        modality
        for modality in parts_of_photos()
        if modality not in (*gallery.model.predictable, *COMPUTED)
    ]
    assert refused
    for modality in refused:
        with pytest.raises(
            QueryError, match=f"cannot use {modality} .*it can use text, seg, depth"
        ):
            gallery.search(image=striped((1, 2, 3)), use_only=modality)

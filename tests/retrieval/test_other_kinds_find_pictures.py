"""Queries of every kind against a real model that has everything, at its smallest."""

import shutil

import numpy as np
import pytest

from fourm import UnknownModality, load_model
from fourm.bundle.official import TOKENIZERS, WORDS
from retrieval import Gallery
from tests.fourm.recorded import model_folder, recorded_path
from tests.fourm.test_every_kind_embeds import NANO

from .conftest import numbered
from .files import write
from .test_other_kinds import SOURCES


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    folder, scratch = tmp_path_factory.mktemp("gallery"), tmp_path_factory.mktemp("scratch")
    shutil.copytree(model_folder("fm_mod21_d64", scratch), folder / "4M-21_B")
    for modality, name in NANO.items():
        shutil.copytree(model_folder(name, scratch), folder / TOKENIZERS[modality])
    shutil.copy(recorded_path(WORDS), folder / WORDS)
    for number in range(3):
        write(folder / f"photos/{number}.png", numbered(number))
    model = load_model(folder / "4M-21_B", device="cpu", dtype="float32")
    with Gallery.build(folder / "photos", folder / "index", model) as built:
        yield built


@pytest.mark.parametrize("kind", SOURCES)
def test_each_kind_alone_and_with_words(gallery, kind):
    if kind in ("dinov2_features", "imagebind_features"):  # no small tokenizers of these
        with pytest.raises(UnknownModality, match="it reads image, text, seg, depth"):
            gallery.search(**{kind: SOURCES[kind]})
        return
    alone = gallery.search(**{kind: SOURCES[kind]})
    both = gallery.search(text="a lake", **{kind: SOURCES[kind]})
    assert len(alone) == len(both) == 3
    scores = np.array([[hit.score for hit in hits] for hits in (alone, both)])
    assert np.isfinite(scores).all() and np.abs(scores[0] - scores[1]).max() > 1e-6

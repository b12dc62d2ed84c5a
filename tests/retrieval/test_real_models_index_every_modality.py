"""One index of every modality that a small model reads, and in several spaces."""

import json

import numpy as np
import pytest
from PIL import Image

from fourm import UnknownModality, load_model
from retrieval import Gallery, Query
from retrieval.modalities import sources
from retrieval.report.page import write_page
from retrieval.report.results import Results
from retrieval.report.sheet import save_sheet
from tests.fourm.three_spaces import SPACES, make_three_spaces

from .conftest import numbered
from .examples import SOURCES
from .files import write


@pytest.fixture(scope="module")
def model(recorded_shelf):
    return load_model(recorded_shelf / "4M-21_B", device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for each modality, with one item: what a query of that modality is tested with."""
    top = tmp_path_factory.mktemp("items")
    for modality in sources():
        place = top / modality
        place.mkdir()
        source = SOURCES.get(modality)
        if modality == "seg":
            write(place / "item.png", Image.fromarray(np.full((8, 8), 18, np.uint8)))
        elif modality == "boxes":
            (place / "item.txt").write_text("0 0.25 0.5 0.3 0.7\n")
        elif modality == "text":
            (place / "item.txt").write_text("a lake\n\na dog in snow\n")
        elif sources()[modality].items.lines:
            (place / "item.jsonl").write_text(json.dumps({modality: source, "id": "one"}))
        elif modality in ("sam", "poses"):
            (place / "item.json").write_text(json.dumps(source))
        elif isinstance(source, np.ndarray):
            np.save(place / "item.npy", source)
        else:
            write(place / "item.png", numbered(1))
    return top


def test_every_modality_that_the_model_reads_is_a_gallery_of_one_index(model, folder, tmp_path):
    held = []
    for modality, what in sources().items():
        build = {
            "folder": folder / modality,
            "to": tmp_path / "i",
            "model": model,
            "modality": modality,
        }
        if what.modality not in model.inputs:
            with pytest.raises(UnknownModality, match=f"does not read '{what.modality}'"):
                Gallery.build(**build)
            continue
        with Gallery.build(**build) as gallery:
            assert gallery.report.skipped == 0, gallery.index.skipped(modality=modality)
            assert gallery.report.indexed == (2 if modality == "text" else 1)
            reading = gallery.index.readings[modality]
            assert bool(reading.reader) == (modality != "image")
        with Gallery.build(**build) as gallery:
            assert gallery.report.indexed == 0 and gallery.report.skipped == 0
        held.append(modality)
    assert len(held) > 15
    with Gallery.open(tmp_path / "i", model) as gallery:
        assert list(gallery.index.readings) == held
        gallery.index.verify()
        query = Query.read(image=numbered(1))
        (hits,) = gallery.search_batch([query], 99)
        assert {hit.modality for hit in hits} == set(held) and len(hits) == len(held) + 1
        for modality in held:
            item = gallery.read(next(hit for hit in hits if hit.modality == modality))
            ((first, *_),) = gallery.search_batch([Query((item,))], modalities=modality)
            assert first.modality == modality and first.score == pytest.approx(1, abs=1e-4)
        results = Results.of(gallery, query, hits)
        assert [tile.note for tile in results.tiles if tile.note] == []
        write_page(results, tmp_path / "p.html")
        save_sheet(results, tmp_path / "s.png")


def test_three_spaces_of_a_real_model_come_together_and_are_fused(tmp_path):
    model = load_model(make_three_spaces(tmp_path / "three"), device="cpu", dtype="float32")
    for number in range(6):
        write(tmp_path / f"photos/{number}.png", numbered(number))
    with Gallery.build(
        tmp_path / "photos", tmp_path / "i", model, spaces="all", batch_size=4
    ) as gallery:
        assert tuple(gallery.index.recipes) == SPACES
        gallery.index.verify()
        for number in range(6):
            photo = tmp_path / f"photos/{number}.png"
            for spaces in (*SPACES, SPACES, {"clip": 2, "dinov2": 1}):
                # Random weights may see two pictures alike, so others may come first.
                hits = gallery.search(image=photo, k=6, spaces=spaces)
                own = next(hit for hit in hits if hit.path == photo.name)
                assert all(cosine > 0.999 for cosine in own.scores.values()), spaces
                assert len(hits) == 6 and hits[0].space == own.space
        assert len(gallery.search(text="a dog", spaces="all", fusion="scores")) == 6
    with Gallery.build(tmp_path / "photos", tmp_path / "later", model) as gallery:
        assert list(gallery.index.recipes) == ["dinov2"]
    with Gallery.build(tmp_path / "photos", tmp_path / "later", model, spaces="all") as gallery:
        assert gallery.report.completed == 6
        for space in SPACES:
            hits = gallery.search(image=tmp_path / "photos/3.png", k=6, spaces=space)
            assert next(hit for hit in hits if hit.path == "3.png").score > 0.999

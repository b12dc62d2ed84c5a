"""One index has galleries of several modalities, and a search covers some of them or all."""

import dataclasses

import numpy as np
import pytest

from indexes import (
    BadRecipe,
    BadSearch,
    FolderTaken,
    IncompleteSpace,
    Index,
    Reading,
    ReadingMismatch,
    Recipe,
)

from .conftest import unit_vector

DEPTH = Reading("depth", "depth_near=low", "abc")


@pytest.fixture
def mixed(filled, tmp_path, make_record):
    """Twenty images (ids 1 to 20) and ten depth maps (21 to 30), whose paths repeat."""
    filled.add_gallery(DEPTH, tmp_path / "maps")
    filled.write([make_record(n, vector=unit_vector(n + 50)) for n in range(10)], modality="depth")
    return filled


def test_roots_and_readings_are_read_back(mixed, folder, tmp_path):
    with Index.open(folder) as opened:
        assert opened.readings == {"image": Reading("image"), "depth": DEPTH}
        assert opened.roots == {"image": tmp_path / "photos", "depth": tmp_path / "maps"}
        assert opened.root == tmp_path / "photos"
        opened.verify()


def test_galleries_may_have_the_same_paths(mixed, make_file_info):
    assert mixed.snapshot()["album/3.jpg"].id == 4
    assert mixed.snapshot(modality="depth")["album/3.jpg"].id == 24
    assert {p.modality for p in mixed.items([4, 24]).values()} == {"image", "depth"}
    assert mixed.counts().indexed == 20 and mixed.counts(modality="depth").indexed == 10
    mixed.delete(["album/3.jpg"], modality="depth")
    assert "album/3.jpg" in mixed.snapshot() and "album/3.jpg" not in mixed.snapshot(
        modality="depth"
    )
    mixed.rename({"album/4.jpg": "elsewhere.png"}, modality="depth")
    mixed.update_files([make_file_info(3, path="elsewhere.png", mtime_ns=42)], modality="depth")
    assert mixed.snapshot(modality="depth")["elsewhere.png"].mtime_ns == 42
    assert "album/4.jpg" in mixed.snapshot()


@pytest.mark.parametrize("published", [True, False])
def test_a_search_in_some_modalities_is_exact(mixed, folder, published):
    if published:
        mixed.publish()
    query = unit_vector(999)[None]
    stored = {"image": range(1, 21), "depth": range(21, 31)}
    with Index.open(folder) as opened:
        for modalities in (["image"], ["depth"], ["depth", "image"], None):
            ids = [id_ for modality in modalities or stored for id_ in stored[modality]]
            cosines = opened.vectors(ids) @ query[0]
            expected = [ids[place] for place in np.argsort(-cosines, kind="stable")]
            scores, found, *_ = opened.search(query, 7, modalities=modalities)
            assert found[0].tolist() == expected[:7]
            np.testing.assert_allclose(scores[0], np.sort(cosines)[::-1][:7], atol=1e-6)
            assert opened.search(query, 99, modalities=modalities)[1].shape == (1, len(ids))
            fused = opened.search_fused(
                {"dinov2": query}, 7, fusion="scores", modalities=modalities
            )
            assert fused.ids[0].tolist() == expected[:7]


def test_ranks_count_among_the_modalities_that_are_searched(mixed):
    fused = mixed.search_fused({"dinov2": unit_vector(999)[None]}, 3, modalities=["depth"])
    np.testing.assert_allclose(fused.scores[0], [1 / 61, 1 / 62, 1 / 63])


def test_a_gallery_without_items_has_no_hits(mixed, tmp_path):
    mixed.add_gallery(Reading("text"), tmp_path / "captions.txt")
    assert mixed.search(unit_vector(1)[None], 5, modalities=["text"])[1].shape == (1, 0)
    assert (
        mixed.search_fused({"dinov2": unit_vector(1)[None]}, 5, modalities=["text"]).ids.size == 0
    )


def test_an_unknown_modality_is_named(mixed):
    with pytest.raises(BadSearch, match=r"modality 'sound'; this index has image, depth"):
        mixed.search(unit_vector(1)[None], 1, modalities=["sound"])
    with pytest.raises(BadSearch, match="sound"):
        mixed.snapshot(modality="sound")


def test_each_modality_has_one_gallery(mixed, tmp_path):
    with pytest.raises(FolderTaken, match=r"already has a gallery of modality depth, of .*maps"):
        mixed.add_gallery(DEPTH, tmp_path / "other")


def test_a_gallery_that_another_process_adds_is_found(mixed, folder, tmp_path, make_record):
    with Index.open(folder) as reader:
        reader.search(unit_vector(1)[None], 1)
        mixed.add_gallery(Reading("text"), tmp_path)
        mixed.write([make_record(77)], modality="text")
        _, ids, *_ = reader.search(unit_vector(77)[None], 1)
        assert [p.modality for p in reader.items(ids[0]).values()] == ["text"]


def test_a_gallery_moves_alone(mixed, folder, tmp_path):
    mixed.relocate(tmp_path / "new", modality="depth")
    with Index.open(folder) as opened:
        assert opened.roots == {"image": tmp_path / "photos", "depth": tmp_path / "new"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": "depth_near=high"}, "read with depth_near=low, got depth_near=high"),
        ({"options": ""}, "no options"),
        ({"reader": "def"}, "with other tokenizers"),
    ],
)
def test_items_that_were_read_differently_are_not_mixed(mixed, change, message):
    mixed.require_reading(DEPTH)
    mixed.require_reading(Reading("image"))
    with pytest.raises(ReadingMismatch, match=message):
        mixed.require_reading(dataclasses.replace(DEPTH, **change))


@pytest.mark.parametrize("parts", [("",), (None,), ("depth", None), ("depth", "", 3)])
def test_an_impossible_reading_is_refused(parts):
    with pytest.raises(BadRecipe, match="reading"):
        Reading(*parts)


def test_a_space_is_completed_gallery_by_gallery(mixed):
    clip = Recipe(model="tiny", fingerprint="f", space="clip", dim=8, preprocessing="none")
    mixed.add_space(clip)
    query = unit_vector(3, 8)[None]
    mixed.add_vectors(
        {f"album/{n}.jpg": {"clip": unit_vector(n, 8)} for n in range(10)}, modality="depth"
    )
    assert mixed.mark_complete(modality="depth") == {} and mixed.mark_complete() == {"clip": 20}
    assert mixed.search(query, 1, space="clip", modalities=["depth"])[1].tolist() == [[24]]
    for modalities in (None, ["image"], ["image", "depth"]):
        with pytest.raises(IncompleteSpace, match=r"photos \(image\)"):
            mixed.search(query, 1, space="clip", modalities=modalities)
    mixed.add_vectors({f"album/{n}.jpg": {"clip": unit_vector(n + 90, 8)} for n in range(20)})
    assert mixed.mark_complete() == {}
    assert mixed.search(query, 99, space="clip")[1].shape == (1, 30)
    mixed.verify()

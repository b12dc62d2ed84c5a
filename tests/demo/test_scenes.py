"""A scene's image, map and caption come from one seed and agree with each other."""

import re

import numpy as np
import pytest

from demo.scenes import KINDS, RenderedScene, labels, render_scene
from fourm.modalities.seg import panoptic_classes

KNOWN = {value for name, value in vars(labels).items() if name.isupper() and isinstance(value, int)}
THINGS = {label for label in KNOWN if label <= 90}
SEEDS = range(3 * len(KINDS))
SIZE = (160, 120)


@pytest.fixture(scope="module")
def scenes() -> list[RenderedScene]:
    return [render_scene(seed, SIZE) for seed in SEEDS]


def test_the_same_seed_gives_the_same_scene(scenes: list[RenderedScene]) -> None:
    for seed, first in enumerate(scenes[: len(KINDS)]):
        second = render_scene(seed, SIZE)
        assert first.image.tobytes() == second.image.tobytes()
        assert np.array_equal(first.mask, second.mask)
        assert first.caption == second.caption


def test_another_seed_gives_another_scene(scenes: list[RenderedScene]) -> None:
    for first, second in zip(scenes, scenes[len(KINDS) :], strict=False):
        assert first.kind == second.kind
        assert first.image.tobytes() != second.image.tobytes()


def test_consecutive_seeds_cover_every_kind(scenes: list[RenderedScene]) -> None:
    assert {scene.kind for scene in scenes[: len(KINDS)]} == set(KINDS)


def test_image_and_mask_have_the_requested_size() -> None:
    scene = render_scene(3, (200, 120))
    assert scene.image.size == (200, 120)
    assert scene.mask.shape == (120, 200)
    assert scene.mask.dtype == np.uint8


def test_masks_hold_known_classes_only(scenes: list[RenderedScene]) -> None:
    for scene in scenes:
        assert set(np.unique(scene.mask).tolist()) <= KNOWN, scene.kind


def test_the_classes_are_those_of_coco_panoptic() -> None:
    names = {entry.id: entry.name for entry in panoptic_classes()}
    for name, label in vars(labels).items():
        if name.isupper() and isinstance(label, int):
            assert label in names, name
    assert names[labels.SKY].startswith("sky")
    assert names[labels.SEA] == "sea"
    assert names[labels.TREE].startswith("tree")
    assert names[labels.UMBRELLA] == "umbrella"


def test_objects_in_a_caption_are_in_the_map(scenes: list[RenderedScene]) -> None:
    for scene in scenes:
        words = set(re.findall(r"[a-z]+", scene.caption))
        for label, names in labels.WORDS.items():
            if words & set(names):
                assert (scene.mask == label).sum() >= 10, f"{scene.caption}: {names[0]}"


def test_large_things_are_in_the_caption(scenes: list[RenderedScene]) -> None:
    for scene in scenes:
        words = set(re.findall(r"[a-z]+", scene.caption))
        for label in THINGS:
            if (scene.mask == label).mean() > 0.003:
                assert words & set(labels.WORDS[label]), f"{scene.caption}: {label}"


def test_captions_differ_between_scenes(scenes: list[RenderedScene]) -> None:
    captions = {scene.caption for scene in scenes}
    assert len(captions) > 0.6 * len(scenes)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="volcano"):
        render_scene(0, kind="volcano")

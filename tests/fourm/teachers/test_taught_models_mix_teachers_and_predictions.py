"""A model with teachers: who embeds what."""

import json

import numpy as np
import pytest
import torch

import fourm
from fourm.teachers import ClipTeacher, Dinov2Teacher, ModelWithTeachers
from tests.fourm.teachers.small_teachers import (
    CLIP_CONFIG,
    as_arrays,
    noise,
    save_clip,
    save_dinov2,
    small_clip,
    small_dinov2,
)
from tests.fourm.tiny_bundle import BUNDLE, DIM, make_tiny_bundle

CLIP = {**CLIP_CONFIG, "embed_dim": DIM}
PLAIN = {"modality": "tok_dinov2_global"}
LAYOUT = np.repeat(np.arange(2) * 187, 32)[:, None].repeat(64, 1)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return tmp_path_factory.mktemp("shelf")


def bundle(folder, seed=0):
    """A tiny model whose spaces name teachers, with a third space that does not."""
    make_tiny_bundle(folder, seed)
    spaces = {
        "dinov2": {**PLAIN, "teacher": "dinov2-b14"},
        "clip": {**PLAIN, "decode": "soft", "teacher": "clip-b16"},
        "own": PLAIN,
    }
    (folder / "bundle.json").write_text(json.dumps({**BUNDLE, "spaces": spaces}))
    return folder


@pytest.fixture(scope="module")
def model(shelf):
    return fourm.load_model(bundle(shelf / "model"), dtype="float32")


@pytest.fixture(scope="module")
def clip(shelf):
    folder = save_clip(shelf / "clip", small_clip(**CLIP), CLIP)
    return ClipTeacher(folder, dtype="float32")


@pytest.fixture(scope="module")
def dinov2(shelf):
    return Dinov2Teacher(save_dinov2(shelf / "dinov2"), dtype="float32")


@pytest.fixture(scope="module")
def taught(model, clip, dinov2):
    return ModelWithTeachers(model, [clip, dinov2])


def units(vectors):
    return torch.nn.functional.normalize(vectors, dim=1).numpy()


def test_it_offers_the_spaces_of_its_teachers(taught, model):
    assert list(taught.spaces) == ["dinov2", "clip"]
    assert taught.default_space == "dinov2"
    assert taught.name == model.name
    assert taught.inputs == ("image", "text", "seg")
    assert "class token" in taught.spaces["dinov2"].preprocessing
    assert "patch tokens" in taught.spaces["clip"].preprocessing
    assert taught.spaces["clip"].dim == model.spaces["clip"].dim


def test_each_sample_is_embedded_by_whom_it_should(taught, model, clip, dinov2):
    arrays, exact = as_arrays(noise(2))
    samples = [
        {"image": arrays[0]},
        {"text": "two dogs"},
        {"seg": LAYOUT},
        {"image": arrays[1]},
        {"image": arrays[1], "text": "a red bicycle"},
    ]
    prepared = [taught.prepare(sample) for sample in samples]
    by_model = [model.prepare(sample) for sample in samples]
    words = units(clip.embed_texts(["two dogs"]))[0]
    for space, teacher in (("dinov2", dinov2), ("clip", clip)):
        vectors = taught.embed(prepared, space=space)
        expected = model.embed(by_model, space=space)
        expected[[0, 3]] = units(teacher.embed_pixels(exact))
        if space == "clip":
            expected[1] = words
        np.testing.assert_allclose(vectors, expected, atol=1e-5)
    both = taught.embed_spaces(prepared, spaces=("clip", "dinov2"))
    assert list(both) == ["clip", "dinov2"]
    np.testing.assert_array_equal(both["dinov2"], taught.embed(prepared))
    assert taught.embed([]).shape == (0, DIM)


def test_words_may_be_predicted_instead(model, clip, taught):
    predicted = ModelWithTeachers(model, [clip], text_encoder="4m")
    sample = predicted.prepare({"text": "two dogs"})
    expected = model.embed([model.prepare({"text": "two dogs"})], space="clip")
    np.testing.assert_allclose(predicted.embed([sample]), expected, atol=1e-6)
    tower = taught.embed([taught.prepare({"text": "two dogs"})], space="clip")
    assert not np.allclose(tower, expected, atol=1e-2)


def test_what_pictures_look_like_does_not_depend_on_the_model(shelf, taught, clip, dinov2):
    other = ModelWithTeachers(fourm.load_model(bundle(shelf / "other", seed=5)), [clip, dinov2])
    for space in ("clip", "dinov2"):
        assert other.space_fingerprint(space) == taught.space_fingerprint(space)
        assert taught.space_fingerprint(space) != taught.model.fingerprint
    assert other.fingerprint == taught.fingerprint


def test_other_weights_are_other_vectors(shelf, model, taught):
    folder = save_dinov2(shelf / "another", small_dinov2(seed=3))
    other = ModelWithTeachers(model, [Dinov2Teacher(folder)])
    assert other.space_fingerprint("dinov2") != taught.space_fingerprint("dinov2")


def test_one_teacher_is_enough(model, dinov2):
    taught = ModelWithTeachers(model, [dinov2])
    assert list(taught.spaces) == ["dinov2"]
    text = {"text": "two dogs"}
    np.testing.assert_allclose(
        taught.embed([taught.prepare(text)]), model.embed([model.prepare(text)]), atol=1e-6
    )
    with pytest.raises(fourm.UnknownSpace, match="no space 'clip'"):
        taught.embed([taught.prepare(text)], space="clip")


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ({}, fourm.BadInput),
        ({"text": " "}, fourm.BadInput),
        ({"text": None}, fourm.BadInput),
        ({"image": "a.jpg"}, fourm.BadInput),
        ({"depth": np.zeros((8, 8))}, fourm.UnknownModality),
    ],
)
def test_bad_inputs_are_refused_when_they_are_prepared(taught, inputs, error):
    with pytest.raises(error):
        taught.prepare(inputs)


def test_a_teacher_of_another_length(shelf, model):
    taught = ModelWithTeachers(model, [ClipTeacher(save_clip(shelf / "short"))])
    sample = taught.prepare({"image": as_arrays(noise(1))[0][0]})
    with pytest.raises(fourm.ConfigError, match="makes vectors of 24, tiny predicts 32 in clip"):
        taught.embed([sample])


def test_mini_has_no_need_of_teachers(clip, dinov2):
    with pytest.raises(fourm.UnknownSpace, match=r"mini: .*whose image vectors it gives itself"):
        ModelWithTeachers(fourm.load_model("mini"), [clip, dinov2])


def test_words_are_read_by_the_tower_or_the_model(model, clip):
    with pytest.raises(fourm.BadInput, match="clip, 4m"):
        ModelWithTeachers(model, [clip], text_encoder="both")


def test_a_space_with_a_transform_is_not_its_teachers(shelf):
    folder = make_tiny_bundle(shelf / "transformed")
    spaces = {"dinov2": {**BUNDLE["spaces"]["dinov2"], "teacher": "dinov2-b14"}}
    (folder / "bundle.json").write_text(json.dumps({**BUNDLE, "spaces": spaces}))
    with pytest.raises(fourm.ConfigError, match="transform"):
        fourm.load_model(folder)


def test_naming_a_teacher_changes_no_fingerprint(shelf):
    folder = bundle(shelf / "named")
    named = fourm.load_model(folder).fingerprint
    text = json.loads((folder / "bundle.json").read_text())
    for space in text["spaces"].values():
        space.pop("teacher", None)
    (folder / "bundle.json").write_text(json.dumps(text))
    assert fourm.load_model(folder).fingerprint == named


def test_official_models_name_their_teachers():
    from fourm.hub.official import spaces

    named = {name: entry.teacher for name, entry in spaces().items()}
    assert named == {"dinov2": "dinov2-b14", "clip": "clip-b16", "imagebind": None}


def test_a_late_blend_sums_what_the_parts_have_alone(taught):
    photo = taught.prepare({"image": as_arrays(noise(1))[0][0]})
    words, layout = taught.prepare({"text": "two dogs"}), taught.prepare({"seg": LAYOUT})
    blend = taught.fuse([(photo, 1.0), (words, -0.5), (layout, 2)], method="late")
    alone = taught.embed_spaces([photo, words, layout], spaces=("dinov2", "clip"))
    blended = taught.embed_spaces([words, blend], spaces=("dinov2", "clip"))
    for space, rows in alone.items():
        total = rows[0] - 0.5 * rows[1] + 2 * rows[2]
        expected = np.stack([rows[1], total / np.linalg.norm(total)])
        np.testing.assert_allclose(blended[space], expected, atol=1e-5)


def test_a_guided_blend_is_the_models(taught, model):
    array = as_arrays(noise(1, seed=4))[0][0]
    samples = [{"image": array}, {"text": "two dogs"}]
    blend = taught.fuse([(taught.prepare(s), w) for s, w in zip(samples, (2, -0.5), strict=True)])
    expected = model.fuse([(model.prepare(s), w) for s, w in zip(samples, (2, -0.5), strict=True)])
    np.testing.assert_allclose(taught.embed([blend]), model.embed([expected]), atol=1e-5)


def test_more_seeds_are_the_models(taught, model):
    samples = [{"seg": LAYOUT}, {"image": as_arrays(noise(1))[0][0]}]
    several = taught.embed([taught.prepare(s) for s in samples], seeds=3)
    expected = model.embed([model.prepare(samples[0])], seeds=3)
    np.testing.assert_allclose(several[:1], expected, atol=1e-6)
    np.testing.assert_array_equal(several[1:], taught.embed([taught.prepare(samples[1])]))


def test_other_kinds_depend_on_the_model(shelf, taught, clip, dinov2):
    other = ModelWithTeachers(fourm.load_model(bundle(shelf / "reseeded", seed=7)), [clip, dinov2])
    assert taught.input_fingerprint("image") == other.input_fingerprint("image") == ""
    for kind in ("seg", "text"):
        assert taught.input_fingerprint(kind) != other.input_fingerprint(kind)
    by_model = ModelWithTeachers(taught.model, [clip], text_encoder="4m")
    assert by_model.input_fingerprint("text") != taught.input_fingerprint("text")

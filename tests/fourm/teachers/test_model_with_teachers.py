"""A model with teachers: which network embeds which input."""

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
from tests.fourm.tiny_model import DIM, MANIFEST, make_tiny_model

CLIP = {**CLIP_CONFIG, "embed_dim": DIM}
PLAIN = {"modality": "tok_dinov2_global"}
LAYOUT = np.repeat(np.arange(2) * 187, 32)[:, None].repeat(64, 1)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return tmp_path_factory.mktemp("shelf")


def bundle(folder, seed=0):
    """A tiny model whose spaces name teachers, with a third space that does not."""
    make_tiny_model(folder, seed)
    spaces = {
        "dinov2": {**PLAIN, "teacher": "dinov2-b14"},
        "clip": {**PLAIN, "decode": "soft", "teacher": "clip-b16"},
        "own": PLAIN,
    }
    (folder / "bundle.json").write_text(json.dumps({**MANIFEST, "spaces": spaces}))
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
def combined(model, clip, dinov2):
    return ModelWithTeachers(model, [clip, dinov2])


def units(vectors):
    return torch.nn.functional.normalize(vectors, dim=1).numpy()


def test_it_offers_the_spaces_of_its_teachers(combined, model):
    assert list(combined.spaces) == ["dinov2", "clip"]
    assert combined.default_space == "dinov2"
    assert combined.name == model.name
    assert combined.inputs == ("image", "text", "seg")
    assert "class token" in combined.spaces["dinov2"].preprocessing
    assert "patch tokens" in combined.spaces["clip"].preprocessing
    assert combined.spaces["clip"].dim == model.spaces["clip"].dim


def test_each_sample_is_embedded_by_the_right_network(combined, model, clip, dinov2):
    arrays, exact = as_arrays(noise(2))
    samples = [
        {"image": arrays[0]},
        {"text": "two dogs"},
        {"seg": LAYOUT},
        {"image": arrays[1]},
        {"image": arrays[1], "text": "a red bicycle"},
    ]
    prepared = [combined.prepare(sample) for sample in samples]
    by_model = [model.prepare(sample) for sample in samples]
    words = units(clip.embed_texts(["two dogs"]))[0]
    for space, teacher in (("dinov2", dinov2), ("clip", clip)):
        vectors = combined.embed(prepared, space=space)
        expected = model.embed(by_model, space=space)
        expected[[0, 3]] = units(teacher.embed_pixels(exact))
        if space == "clip":
            expected[1] = words
        np.testing.assert_allclose(vectors, expected, atol=1e-5)
    together = combined.embed_spaces(prepared, spaces=("clip", "dinov2"))
    assert list(together) == ["clip", "dinov2"]
    np.testing.assert_array_equal(together["dinov2"], combined.embed(prepared))
    assert combined.embed([]).shape == (0, DIM)


def test_texts_may_be_predicted_instead(model, clip, combined):
    predicted = ModelWithTeachers(model, [clip], text_encoder="4m")
    sample = predicted.prepare({"text": "two dogs"})
    expected = model.embed([model.prepare({"text": "two dogs"})], space="clip")
    np.testing.assert_allclose(predicted.embed([sample]), expected, atol=1e-6)
    tower = combined.embed([combined.prepare({"text": "two dogs"})], space="clip")
    assert not np.allclose(tower, expected, atol=1e-2)


def test_vectors_of_images_do_not_depend_on_the_model(shelf, combined, clip, dinov2):
    other = ModelWithTeachers(fourm.load_model(bundle(shelf / "other", seed=5)), [clip, dinov2])
    for space in ("clip", "dinov2"):
        assert other.space_fingerprint(space) == combined.space_fingerprint(space)
        assert combined.space_fingerprint(space) != combined.model.fingerprint
    assert other.fingerprint == combined.fingerprint


def test_other_weights_are_other_vectors(shelf, model, combined):
    folder = save_dinov2(shelf / "another", small_dinov2(seed=3))
    other = ModelWithTeachers(model, [Dinov2Teacher(folder)])
    assert other.space_fingerprint("dinov2") != combined.space_fingerprint("dinov2")


def test_one_teacher_is_enough(model, dinov2):
    combined = ModelWithTeachers(model, [dinov2])
    assert list(combined.spaces) == ["dinov2"]
    text = {"text": "two dogs"}
    np.testing.assert_allclose(
        combined.embed([combined.prepare(text)]), model.embed([model.prepare(text)]), atol=1e-6
    )
    with pytest.raises(fourm.UnknownSpace, match="no space 'clip'"):
        combined.embed([combined.prepare(text)], space="clip")


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
def test_bad_inputs_are_refused_when_they_are_prepared(combined, inputs, error):
    with pytest.raises(error):
        combined.prepare(inputs)


def test_a_teacher_of_another_length(shelf, model):
    combined = ModelWithTeachers(model, [ClipTeacher(save_clip(shelf / "short"))])
    sample = combined.prepare({"image": as_arrays(noise(1))[0][0]})
    with pytest.raises(fourm.ConfigError, match="makes vectors of 24, tiny predicts 32 in clip"):
        combined.embed([sample])


def test_mini_takes_no_teachers(clip, dinov2):
    with pytest.raises(fourm.UnknownSpace, match=r"mini: .*it embeds images itself"):
        ModelWithTeachers(fourm.load_model("mini"), [clip, dinov2])


def test_an_unknown_text_encoder(model, clip):
    with pytest.raises(fourm.BadInput, match="clip, 4m"):
        ModelWithTeachers(model, [clip], text_encoder="both")


def test_a_space_with_a_transform_is_not_its_teachers(shelf):
    folder = make_tiny_model(shelf / "transformed")
    spaces = {"dinov2": {**MANIFEST["spaces"]["dinov2"], "teacher": "dinov2-b14"}}
    (folder / "bundle.json").write_text(json.dumps({**MANIFEST, "spaces": spaces}))
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


def test_late_fusion_sums_what_the_parts_have_alone(combined):
    photo = combined.prepare({"image": as_arrays(noise(1))[0][0]})
    words, layout = combined.prepare({"text": "two dogs"}), combined.prepare({"seg": LAYOUT})
    fused = combined.fuse([(photo, 1.0), (words, -0.5), (layout, 2)], method="late")
    alone = combined.embed_spaces([photo, words, layout], spaces=("dinov2", "clip"))
    fused_too = combined.embed_spaces([words, fused], spaces=("dinov2", "clip"))
    for space, rows in alone.items():
        total = rows[0] - 0.5 * rows[1] + 2 * rows[2]
        expected = np.stack([rows[1], total / np.linalg.norm(total)])
        np.testing.assert_allclose(fused_too[space], expected, atol=1e-5)


def test_guided_fusion_is_that_of_the_model(combined, model):
    array = as_arrays(noise(1, seed=4))[0][0]
    samples = [{"image": array}, {"text": "two dogs"}]
    fused = combined.fuse(
        [(combined.prepare(s), w) for s, w in zip(samples, (2, -0.5), strict=True)]
    )
    expected = model.fuse([(model.prepare(s), w) for s, w in zip(samples, (2, -0.5), strict=True)])
    np.testing.assert_allclose(combined.embed([fused]), model.embed([expected]), atol=1e-5)


def test_more_seeds_are_the_models(combined, model):
    samples = [{"seg": LAYOUT}, {"image": as_arrays(noise(1))[0][0]}]
    several = combined.embed([combined.prepare(s) for s in samples], seeds=3)
    expected = model.embed([model.prepare(samples[0])], seeds=3)
    np.testing.assert_allclose(several[:1], expected, atol=1e-6)
    np.testing.assert_array_equal(several[1:], combined.embed([combined.prepare(samples[1])]))


def test_other_modalities_depend_on_the_model(shelf, combined, clip, dinov2):
    other = ModelWithTeachers(fourm.load_model(bundle(shelf / "reseeded", seed=7)), [clip, dinov2])
    assert combined.input_fingerprint("image") == other.input_fingerprint("image") == ""
    for modality in ("seg", "text"):
        assert combined.input_fingerprint(modality) != other.input_fingerprint(modality)
    by_model = ModelWithTeachers(combined.model, [clip], text_encoder="4m")
    assert by_model.input_fingerprint("text") != combined.input_fingerprint("text")

import json

import numpy as np
import pytest
import torch
from PIL import Image

import fourm
from fourm.teachers import ClipTeacher, Dinov2Teacher, TeacherModel
from tests.fourm.teachers.small_teachers import as_arrays, noise, save_clip, save_dinov2


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    return save_clip(tmp_path_factory.mktemp("clip") / "weights")


@pytest.fixture(scope="module")
def dinov2_folder(tmp_path_factory):
    return save_dinov2(tmp_path_factory.mktemp("dinov2") / "weights")


@pytest.fixture(scope="module")
def clip(clip_folder):
    return fourm.load_model(f"clip-b16={clip_folder}", dtype="float32")


def units(vectors):
    return torch.nn.functional.normalize(vectors, dim=1).numpy()


def test_it_is_loaded_by_name_and_path(clip, dinov2_folder):
    assert isinstance(clip, TeacherModel)
    assert (clip.name, clip.inputs, clip.default_space) == (
        "clip-b16",
        ("image", "text"),
        "clip_joint",
    )
    dinov2 = fourm.load_model(f"dinov2-b14={dinov2_folder}")
    assert (dinov2.inputs, dinov2.default_space) == (("image",), "dinov2")
    assert dinov2.spaces["dinov2"].dim == 32


def test_images_and_texts_in_one_batch(clip, clip_folder):
    arrays, exact = as_arrays(noise(2))
    samples = [{"image": arrays[0]}, {"text": "a dog"}, {"image": Image.fromarray(arrays[1])}]
    prepared = [clip.prepare(sample) for sample in samples]
    teacher = ClipTeacher(clip_folder, dtype="float32")
    text = units(teacher.embed_texts(["a dog"]))
    for space in ("clip_joint", "clip"):
        vectors = clip.embed(prepared, space=space)
        assert vectors.dtype == np.float32
        pictures = units(teacher.embed_pixels(exact, space))
        expected = np.stack([pictures[0], text[0], pictures[1]])
        np.testing.assert_allclose(vectors, expected, atol=1e-5)
    np.testing.assert_array_equal(clip.embed(prepared), clip.embed(prepared, space="clip_joint"))
    both = clip.embed_spaces(prepared, spaces=("clip", "clip_joint"))
    assert list(both) == ["clip", "clip_joint"]
    np.testing.assert_array_equal(both["clip"], clip.embed(prepared, space="clip"))
    assert clip.embed([]).shape == (0, 24)


def test_an_image_is_its_central_square(clip):
    square = Image.fromarray(as_arrays(noise(1))[0][0])
    wide = Image.new("RGB", (300, 224), "red")
    wide.paste(square, (38, 0))
    one, other = clip.embed([clip.prepare({"image": image}) for image in (square, wide)])
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_fingerprints_tell_spaces_apart(clip, dinov2_folder):
    assert clip.fingerprint == clip.space_fingerprint("clip_joint")
    assert clip.fingerprint != clip.space_fingerprint("clip")
    dinov2 = fourm.load_model(f"dinov2-b14={dinov2_folder}")
    assert dinov2.fingerprint == Dinov2Teacher(dinov2_folder).space_fingerprint("dinov2")


@pytest.mark.parametrize(
    ("inputs", "error", "match"),
    [
        ({}, fourm.BadInput, "one input at a time"),
        ({"text": "a", "image": np.zeros((8, 8, 3), np.uint8)}, fourm.BadInput, "image or text"),
        ({"seg": np.zeros((8, 8), int)}, fourm.UnknownModality, "reads image, text"),
        ({"text": "  "}, fourm.BadInput, "empty"),
        ({"text": "dog \ud800"}, fourm.BadInput, "not valid UTF-8"),
        ({"text": 3}, fourm.BadInput, "a string"),
        ({"image": np.zeros((8, 8), np.uint8)}, fourm.BadInput, "uint8"),
    ],
)
def test_what_it_cannot_read(clip, inputs, error, match):
    with pytest.raises(error, match=match):
        clip.prepare(inputs)


def test_dinov2_reads_no_text(dinov2_folder):
    with pytest.raises(fourm.UnknownModality, match="it reads image"):
        fourm.load_model(f"dinov2-b14={dinov2_folder}").prepare({"text": "a dog"})


def test_a_space_that_it_does_not_have(clip):
    with pytest.raises(fourm.UnknownSpace, match="clip_joint, clip"):
        clip.embed([clip.prepare({"text": "a dog"})], space="dinov2")


def test_teachers_are_listed():
    cards = {card.name: card for card in fourm.list_models()}
    assert cards["clip-b16"].spaces == ("clip_joint", "clip")
    assert cards["clip-b16"].inputs == ("image", "text")
    assert cards["dinov2-b14"].where == "timm/vit_base_patch14_dinov2.lvd142m"


def test_an_unknown_name_lists_the_known():
    with pytest.raises(fourm.ModelNotFound, match=r"mini.*clip-b16, dinov2-b14"):
        fourm.load_model("clip-l14")


def test_a_config_says_how_large_it_is(dinov2_folder):
    config = json.loads((dinov2_folder / "config.json").read_text())
    assert (
        config["num_features"]
        == fourm.load_model(f"dinov2-b14={dinov2_folder}").spaces["dinov2"].dim
    )


def test_late_fusion_is_the_weighted_sum_of_unit_vectors(clip):
    dog, cat = (clip.prepare({"text": words}) for words in ("a dog", "a cat"))
    photo = clip.prepare({"image": as_arrays(noise(1))[0][0]})
    fused = clip.fuse([(dog, 2.0), (cat, -0.5), (photo, 1)], method="late")
    vectors = clip.embed([photo, fused, dog, cat], space="clip")
    total = 2 * vectors[2] - 0.5 * vectors[3] + vectors[0]
    np.testing.assert_allclose(vectors[1], total / np.linalg.norm(total), atol=1e-6)


def test_invalid_fusions(clip):
    dog = clip.prepare({"text": "a dog"})
    late = clip.fuse([(dog, 1)], method="late")
    for parts, method, match in (
        ([(dog, 1)], "guided", "combine inputs late"),
        ([], "late", "at least one part"),
        ([(dog, 0)], "late", "all 0"),
        ([(dog, float("nan"))], "late", "weight"),
        ([(late, 1)], "late", "not fusions"),
        ([dog], "late", "pairs"),
        ([(dog, 1)], "early", "guided, late"),
    ):
        with pytest.raises(fourm.BadInput, match=match):
            clip.fuse(parts, method=method)
    cancelled = clip.fuse([(dog, 1), (clip.prepare({"text": "a dog"}), -1)], method="late")
    with pytest.raises(fourm.BadInput, match="cancel"):
        clip.embed([cancelled])
    with pytest.raises(fourm.UnknownModality, match="predict 'depth'"):
        clip.prepare({"image": np.zeros((8, 8, 3), np.uint8)}, predict=("depth",))


def test_a_teacher_predicts_nothing():
    assert isinstance(fourm.load_4m("mini"), fourm.Model)
    for name in ("clip-b16", "dinov2-b14=anywhere"):
        with pytest.raises(fourm.ModelNotFound, match="predicts nothing"):
            fourm.load_4m(name)

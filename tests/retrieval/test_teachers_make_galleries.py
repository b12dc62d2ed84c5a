"""Indexes with images embedded by teachers, and the models that can search them."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import fourm
from fourm.teachers import ClipTeacher, Dinov2Teacher
from indexes import RecipeMismatch
from retrieval import Gallery, RetrievalError, UsageError
from retrieval.encoders import Teachers
from retrieval.loading import NOTE
from tests.fourm.teachers.small_teachers import (
    CLIP_CONFIG,
    save_clip,
    save_dinov2,
    small_clip,
    small_dinov2,
)
from tests.fourm.tiny_model import DIM, MANIFEST, make_tiny_model
from tests.retrieval.conftest import numbered

CLIP = {**CLIP_CONFIG, "embed_dim": DIM}
MODALITY = {"modality": "tok_dinov2_global"}
LAYOUT = np.repeat(np.arange(2) * 187, 32)[:, None].repeat(64, 1)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Two models that predict dinov2 and clip, one that predicts neither, and their teachers."""
    shelf = tmp_path_factory.mktemp("shelf")
    spaces = {
        "dinov2": {**MODALITY, "teacher": "dinov2-b14"},
        "clip": {**MODALITY, "decode": "soft", "teacher": "clip-b16"},
    }
    for seed, name in enumerate(("small", "large")):
        make_tiny_model(shelf / name, seed)
        bundle = {**MANIFEST, "name": name, "spaces": spaces}
        (shelf / name / "bundle.json").write_text(json.dumps(bundle))
    save_clip(shelf / "clip", small_clip(**CLIP), CLIP)
    save_dinov2(shelf / "dinov2")
    return shelf


@pytest.fixture
def teachers(shelf):
    return Teachers({"clip": shelf / "clip", "dinov2": shelf / "dinov2"})


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        numbered(number).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def build(shelf, teachers, photos, tmp_path):
    def build(model="small", encoder=teachers, to="index", **options):
        source = shelf / model if isinstance(model, str) and "=" not in model else model
        with Gallery.build(
            photos, tmp_path / to, source, encoder=encoder, dtype="float32", **options
        ):
            return tmp_path / to

    return build


def first(hits):
    return hits[0].path


def vectors_of(gallery):
    queries = np.eye(gallery.index.recipe.dim, dtype=np.float32)
    scores, ids, *_ = gallery.index.search(queries, 10)
    names = gallery.index.items(np.unique(ids))
    return {
        names[int(i)].path: [float(scores[d][list(ids[d]).index(i)]) for d in range(len(queries))]
        for i in np.unique(ids)
    }


def test_images_have_the_teachers_vectors(build, shelf, photos):
    folder = build()
    teacher = fourm.teachers.TeacherModel(Dinov2Teacher(shelf / "dinov2", dtype="float32"))
    with Gallery.open(folder, dtype="float32") as gallery:
        for path, vector in vectors_of(gallery).items():
            image = Image.open(photos / path)
            expected = teacher.embed([teacher.prepare({"image": image})])[0]
            np.testing.assert_allclose(vector, expected, atol=1e-5)


def test_an_index_remembers_its_teachers_and_its_model(build):
    folder = build()
    with Gallery.open(folder, dtype="float32") as gallery:
        assert gallery.index.recipe.encoder == "dinov2-b14"
        hits = gallery.search(image=numbered(3))
        assert first(hits) == "3.png" and hits[0].score > 0.9999
        assert len(gallery.search(seg=LAYOUT)) == 6
        assert len(gallery.search(text="two dogs", image=numbered(1))) == 6
        assert gallery.model.name == "small"


def test_the_same_command_brings_it_up_to_date(build, photos, tmp_path, shelf):
    folder = build()
    numbered(77).save(photos / "new.png")
    with Gallery.build(photos, folder, dtype="float32") as gallery:
        assert (gallery.report.indexed, gallery.report.unchanged) == (1, 6)
        assert first(gallery.search(image=numbered(77))) == "new.png"


def test_another_model_that_predicts_the_teacher_may_search(build, shelf):
    folder = build()
    with Gallery.open(folder, shelf / "large", dtype="float32") as gallery:
        assert first(gallery.search(image=numbered(2))) == "2.png"
        large = gallery.search(seg=LAYOUT)
        assert gallery.model.name == "large"
    with Gallery.open(folder, dtype="float32") as gallery:
        assert large != gallery.search(seg=LAYOUT)


def test_a_teacher_alone_may_search_and_be_given_a_model_later(build, shelf, teachers):
    folder = build(f"dinov2-b14={shelf / 'dinov2'}", encoder=None)
    with Gallery.open(folder, dtype="float32") as gallery:
        assert first(gallery.search(image=numbered(5))) == "5.png"
        with pytest.raises(fourm.UnknownModality):
            gallery.search(seg=LAYOUT)
    with Gallery.open(folder, shelf / "small", encoder=teachers, dtype="float32") as gallery:
        assert len(gallery.search(seg=LAYOUT)) == 6
    with (
        Gallery.open(folder, shelf / "small", dtype="float32") as gallery,
        pytest.raises(fourm.ModelNotFound, match="timm/"),
    ):
        gallery.search(image=numbered(5))


def test_clip_alone_reads_text(build, shelf):
    folder = build(f"clip-b16={shelf / 'clip'}", encoder=None)
    with Gallery.open(folder, dtype="float32") as gallery:
        assert gallery.index.recipe.space == "clip_joint"
        clip = ClipTeacher(shelf / "clip", dtype="float32")
        unit = fourm.teachers.TeacherModel(clip)
        words = unit.embed([unit.prepare({"text": "a red house"})])[0]
        scores = {path: float(np.dot(v, words)) for path, v in vectors_of(gallery).items()}
        for hit in gallery.search(text="a red house"):
            assert abs(hit.score - scores[hit.path]) < 1e-5


def test_weights_that_moved_are_said_again(build, shelf, tmp_path):
    moved = shutil.copytree(shelf / "dinov2", tmp_path / "weights")
    folder = build(encoder=Teachers({"dinov2": moved}))
    there = moved.rename(tmp_path / "elsewhere")
    with Gallery.open(folder) as gallery, pytest.raises(fourm.ModelNotFound, match="no such file"):
        gallery.search(image=numbered(1))
    again = Teachers({"dinov2": there})
    with Gallery.open(folder, encoder=again, dtype="float32") as gallery:
        assert first(gallery.search(image=numbered(1))) == "1.png"


def test_other_weights_are_refused(build, tmp_path, photos):
    folder = build()
    other = Teachers({"dinov2": save_dinov2(tmp_path / "other", small_dinov2(seed=9))})
    with (
        Gallery.open(folder, encoder=other, dtype="float32") as gallery,
        pytest.raises(RecipeMismatch, match="fingerprint"),
    ):
        gallery.search(image=numbered(1))
    with pytest.raises(RecipeMismatch, match="fingerprint"):
        Gallery.build(photos, folder, encoder=other, dtype="float32")


def test_the_model_and_the_teachers_do_not_share_an_index(build, photos, shelf, teachers):
    taught, own = build(), build(encoder=None, to="own")
    for encoder in (teachers, "teacher"):
        with pytest.raises(UsageError, match="the model small itself made"):
            Gallery.build(photos, own, shelf / "small", encoder=encoder)
        with pytest.raises(UsageError, match="the model small itself made"):
            Gallery.open(own, encoder=encoder)
    with pytest.raises(RecipeMismatch, match="encoder: expected 'dinov2-b14', got 'model'"):
        Gallery.build(photos, taught, shelf / "small", encoder="model")
    with (
        Gallery.open(taught, shelf / "small", encoder="model") as gallery,
        pytest.raises(RecipeMismatch, match="encoder"),
    ):
        gallery.search(image=numbered(1))


def test_other_pixels_are_other_vectors(build, shelf, photos):
    source = f"clip-b16={shelf / 'clip'}"
    folder = build(source, encoder=Teachers(clip_pixels="clip"), spaces=["clip"])
    with Gallery.open(folder, dtype="float32") as gallery:
        assert "CLIP's mean" in gallery.index.recipe.preprocessing
        assert first(gallery.search(image=numbered(4))) == "4.png"
    with pytest.raises(RecipeMismatch, match="preprocessing"):
        Gallery.build(photos, folder, encoder=Teachers(clip_pixels="imagenet"), dtype="float32")


def test_words_are_read_by_the_tower_or_predicted(build, shelf, teachers):
    folder = build(spaces=["clip"])
    model = fourm.load_model(shelf / "small", dtype="float32")
    tower = fourm.teachers.TeacherModel(ClipTeacher(shelf / "clip", dtype="float32"))
    for words, reader in (("clip", tower), ("4m", model)):
        with Gallery.open(folder, encoder=Teachers(text_encoder=words), dtype="float32") as gallery:
            expected = reader.embed([reader.prepare({"text": "two dogs"})], space="clip")[0]
            scores = {path: float(np.dot(v, expected)) for path, v in vectors_of(gallery).items()}
            for hit in gallery.search(text="two dogs"):
                assert abs(hit.score - scores[hit.path]) < 1e-5


def test_several_spaces_come_from_their_teachers(build):
    folder = build(spaces="all")
    with Gallery.open(folder, dtype="float32") as gallery:
        recipes = gallery.index.recipes
        assert {name: recipe.encoder for name, recipe in recipes.items()} == {
            "dinov2": "dinov2-b14",
            "clip": "clip-b16",
        }
        hits = gallery.search(image=numbered(3), spaces="all")
        assert first(hits) == "3.png"
        assert all(abs(score - 1) < 1e-4 for score in hits[0].scores.values())


@pytest.mark.parametrize("encoder", ["teacher", Teachers({"clip": "anywhere"})])
def test_mini_is_refused(photos, tmp_path, encoder):
    with pytest.raises(fourm.UnknownSpace, match=r"mini: .*leave out the teachers"):
        Gallery.build(photos, tmp_path / "index", encoder=encoder)
    assert not (tmp_path / "index").exists()


def test_a_teacher_has_no_other_teachers(photos, tmp_path, shelf):
    source = f"clip-b16={shelf / 'clip'}"
    for wrong in (Teachers({"dinov2": shelf / "dinov2"}), Teachers(text_encoder="4m")):
        with pytest.raises(UsageError, match="clip-b16 is a teacher itself"):
            Gallery.build(photos, tmp_path / "index", source, encoder=wrong)
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"model": 3}', '{"model": "a", "teachers": [], "clip_pixels": "clip"}'],
)
def test_a_damaged_note_says_what_to_do(build, text):
    folder = build()
    (folder / NOTE).write_text(text)
    with pytest.raises(RetrievalError, match="delete it, and give --model and --teacher"):
        Gallery.open(folder)


def test_without_its_note_an_index_has_its_teacher_from_the_hub(build, shelf, teachers):
    folder = build()
    (folder / NOTE).unlink()
    with Gallery.open(folder) as gallery, pytest.raises(fourm.FourmError, match="timm/"):
        gallery.search(image=numbered(1))
    with Gallery.open(folder, shelf / "small", encoder=teachers, dtype="float32") as gallery:
        assert first(gallery.search(image=numbered(1))) == "1.png"

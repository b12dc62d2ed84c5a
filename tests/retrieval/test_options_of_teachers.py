import pytest

from retrieval import Gallery, UsageError
from retrieval.encoders import Teachers, read_encoder, read_teachers


def test_teachers_are_named_in_full_or_by_their_space():
    given = ["clip=weights/a=b", "dinov2-b14=owner/name"]
    assert read_teachers(given) == {"clip-b16": "weights/a=b", "dinov2-b14": "owner/name"}
    assert Teachers({"clip": "x"}).sources == {"clip-b16": "x"}


def test_only_names_and_teachers_are_encoders(photos, model, tmp_path):
    with pytest.raises(UsageError, match="encoder: must be model or teacher, got 5"):
        Gallery.build(photos, tmp_path / "i", model, encoder=5)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (["clip"], "expected for example clip=weights/clip"),
        (["=path"], "expected for example"),
        (["clip="], "expected for example"),
        (
            ["imagebind=path"],
            "'imagebind' is not a teacher; known: clip-b16, clip, dinov2-b14",
        ),
        (["clip=a", "clip-b16=b"], "twice"),
    ],
)
def test_what_names_no_teacher(given, match):
    with pytest.raises(UsageError, match=match):
        read_teachers(given)


def test_what_the_options_ask_for():
    assert read_encoder(None) is None
    assert read_encoder("model") == "model"
    assert read_encoder("teacher") == Teachers()
    assert read_encoder("teacher", ["clip=a"], "clip") == Teachers(
        {"clip": "a"}, clip_pixels="clip"
    )
    assert read_encoder(None, ["clip=a"]) == Teachers({"clip": "a"})


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (("student",), "model or teacher"),
        (("model", ["clip=a"]), "require --encoder teacher"),
        (("model", [], "clip"), "require --encoder teacher"),
        (("teacher", [], "half"), "imagenet or clip"),
    ],
)
def test_what_cannot_be_asked_for(options, match):
    with pytest.raises(UsageError, match=match):
        read_encoder(*options)


def test_the_text_encoder_is_one_of_two():
    with pytest.raises(UsageError, match="must be clip or 4m, got 'both'"):
        Teachers(text_encoder="both")


def test_what_is_said_goes_before_what_is_remembered():
    remembered = Teachers({"clip": "old", "dinov2": "old"}, clip_pixels="clip")
    assert Teachers({"clip": "new"}).over(remembered) == Teachers(
        {"clip": "new", "dinov2": "old"}, clip_pixels="clip"
    )
    assert Teachers(clip_pixels="imagenet").over(remembered).clip_pixels == "imagenet"
    assert Teachers(text_encoder="4m").over(remembered).text_encoder == "4m"

"""`--encoder teacher` from the shell to the hits, with small teachers in their own formats."""

import json

import huggingface_hub
import pytest
from typer.testing import CliRunner

import cli
from tests.fourm.teachers.small_teachers import CLIP_CONFIG, save_clip, save_dinov2, small_clip
from tests.fourm.tiny_model import DIM, MANIFEST, make_tiny_model
from tests.retrieval.conftest import numbered

CLIP = {**CLIP_CONFIG, "embed_dim": DIM}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    shelf = tmp_path_factory.mktemp("shelf")
    make_tiny_model(shelf / "model")
    spaces = {
        "dinov2": {"modality": "tok_dinov2_global", "teacher": "dinov2-b14"},
        "clip": {"modality": "tok_dinov2_global", "teacher": "clip-b16"},
    }
    (shelf / "model/bundle.json").write_text(json.dumps({**MANIFEST, "spaces": spaces}))
    save_clip(shelf / "clip", small_clip(**CLIP), CLIP)
    save_dinov2(shelf / "dinov2")
    (shelf / "photos").mkdir()
    for number in range(4):
        numbered(number).save(shelf / f"photos/{number}.png")
    return shelf


def run(*arguments):
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception is not None:
        assert isinstance(result.exception, SystemExit), result.exception
    return result


def refused(result, code, text):
    assert result.exit_code == code
    assert text in result.stderr
    assert result.stderr.count("\n") == 1


def test_from_images_to_hits(shelf, tmp_path):
    index = tmp_path / "index"
    weights = ("--teacher", f"clip={shelf / 'clip'}", "--teacher", f"dinov2={shelf / 'dinov2'}")
    model = ("--model", shelf / "model", "--encoder", "teacher", "--space", "all")
    made = run("index", shelf / "photos", "--to", index, *model, *weights, "--dtype", "float32")
    assert made.exit_code == 0, made.stderr
    found = run("query", index, "--image", shelf / "photos/2.png", "--json", "--dtype", "float32")
    best = json.loads(found.stdout)[0]
    assert best["path"] == "2.png" and best["score"] > 0.999
    scores = {}
    for words in ("clip", "4m"):
        asked = ("query", index, "two dogs", "--space", "clip", "--text-encoder", words, "--json")
        scores[words] = [hit["score"] for hit in json.loads(run(*asked).stdout)]
    assert len(scores["clip"]) == 4 and scores["clip"] != scores["4m"]
    late = ("--image", shelf / "photos/1.png", "--weight", "image=2", "--combine", "late", "--json")
    for how in (("dog", *late), ("dog", "--not", "snow", "--json")):
        asked = run("query", index, *how)
        assert asked.exit_code == 0 and len(json.loads(asked.stdout)) == 4, asked.stderr
    show = ("--show-query", tmp_path / "shown")
    refused(run("query", index, "dog", *show), 2, "a teacher reads this query")
    assert run("query", index, "dog", "--text-encoder", "4m", *show).exit_code == 0
    assert (tmp_path / "shown/sheet.png").is_file()
    about = json.loads(run("info", index, "--json").stdout)
    assert "dinov2-b14" in json.dumps(about)


def test_a_teacher_alone(shelf, tmp_path):
    index = tmp_path / "index"
    source = f"clip-b16={shelf / 'clip'}"
    assert run("index", shelf / "photos", "--to", index, "--model", source).exit_code == 0
    hits = json.loads(run("query", index, "a red house", "--json").stdout)
    assert len(hits) == 4 and {hit["space"] for hit in hits} == {"clip_joint"}
    refused(run("query", index, "--palette", "#ff0000"), 1, "does not read 'palette'")
    refused(run("query", index, "dog", "--not", "snow"), 2, "combine inputs late")
    assert run("query", index, "dog", "--not", "snow", "--combine", "late").exit_code == 0


def test_invalid_arguments_are_refused(shelf, tmp_path, monkeypatch):
    def snapshot(repository, allow_patterns):
        raise OSError("no network\nat all")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    to = ("index", shelf / "photos", "--to", tmp_path / "index")
    model = ("--model", shelf / "model")
    refused(run(*to, "--encoder", "teacher"), 1, "mini: none of its spaces")
    refused(run(*to, *model, "--encoder", "teacher"), 1, "timm/vit_base_patch14_dinov2.lvd142m")
    refused(run(*to, "--model", "clip-b16"), 1, "timm/vit_base_patch16_clip_224.openai")
    refused(run(*to, *model, "--encoder", "student"), 2, "one of 'model', 'teacher'")
    refused(run(*to, *model, "--teacher", "clip"), 2, "expected for example clip=")
    refused(run(*to, *model, "--encoder", "model", "--teacher", "clip=x"), 2, "--encoder teacher")
    refused(run(*to, *model, "--clip-pixels", "half"), 2, "one of 'imagenet', 'clip'")
    assert not (tmp_path / "index").exists()
    assert run(*to, *model).exit_code == 0
    query = ("query", tmp_path / "index", "two dogs")
    refused(run(*query, "--teacher", f"clip={shelf / 'clip'}"), 2, "the model tiny itself made")
    refused(run(*query, "--text-encoder", "both"), 2, "one of 'clip', '4m'")

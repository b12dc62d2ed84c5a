"""`fourm generate` and `fourm query --show-query`, with real models."""

import json
import shutil

import pytest
from PIL import Image
from typer.testing import CliRunner

import cli
from fourm.hub.official import tokenizer_repositories
from tests.fourm.small_shelf import small_shelf
from tests.retrieval.files import striped, write

TOKENIZERS = tokenizer_repositories()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return small_shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def photo(tmp_path):
    return write(tmp_path / "dog.png", striped((200, 120, 40)))


def run(*arguments):
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    assert "Traceback" not in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def generated(shelf, out, *arguments):
    fast = ("--model", shelf, "--dtype", "float32", "--diffusion-steps", 2)
    return run("generate", *arguments, "--out", out, *fast)


def test_a_photo_to_several_modalities(tmp_path, shelf, photo):
    out = tmp_path / "out"
    done = generated(shelf, out, photo, "--to", "depth,seg", "--to", "palette", "--image-size", 64)
    assert done.exit_code == 0
    heads = [line.split()[0] for line in done.stdout.splitlines()]
    assert heads == ["modality", "depth", "seg", "palette"]
    assert Image.open(out / "depth.png").size == (64, 64)
    assert done.stderr.strip() == f"fourm: wrote {out}"


def test_every_choice_is_recorded(tmp_path, shelf):
    choices = {
        "--steps": 2,
        "--scheme": "maskgit",
        "--temperature": 0.5,
        "--top-k": 5,
        "--top-p": 0.9,
        "--seed": 7,
    }
    options = [part for pair in choices.items() for part in pair]
    arguments = ("--text", "a dog", "--palette", "#1e90ff", "--to", "rgb", "--json")
    done = generated(shelf, tmp_path / "out", *arguments, *options, "--weight", "text=2")
    record = json.loads(done.stdout)
    assert record == json.loads((tmp_path / "out/generated.json").read_text())
    assert record["settings"] == {
        "steps": 2,
        "scheme": "maskgit",
        "temperature": 0.5,
        "top_k": 5,
        "top_p": 0.9,
        "guidance": None,
        "weights": {"text": 2.0},
        "seed": 7,
        "diffusion": {"steps": 2, "size": None, "seed": 7},
    }
    assert [step["tokens"] for step in record["schedule"]] == [2, 2]
    assert {step["scheme"] for step in record["schedule"]} == {"maskgit"}
    assert record["schedule"][0]["guidance"] == [2.0, 1.0]


def test_a_region_is_inpainted_and_a_text_infilled(tmp_path, shelf, photo):
    done = generated(
        shelf, tmp_path / "out", photo, "--inpaint", "0,0,0.5,0.5", "--text", "a [S_1]"
    )
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["image_tokens", "text"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--to", "depth"], 2, "nothing to generate from"),
        (["--to", "dephts", "--text", "a"], 2, "unknown modality"),
        (["--text", "a"], 2, "expected at least one modality"),
        (["--to", "t5", "--text", "a"], 1, "does not predict 't5'; it predicts clip_features"),
        (["--to", "depth", "--text", "a", "--inpaint", "1,2"], 2, "is not a valid box"),
        (["--to", "depth", "--text", "a", "--weight", "text"], 2, "expected for example text=2"),
        (["--to", "depth", "--text", "a", "--scheme", "gan"], 2, "one of 'roar', 'maskgit'"),
        (["--to", "depth", "--text", "a", "--image-size", "100"], 2, "multiple of 32"),
        (["--to", "depth", "--text", "a", "--steps", "0"], 2, "steps must be >= 1, got 0"),
        (["--to", "depth", "--text", "a", "--seed", "-1"], 2, "seed must be between 0 and"),
        (["--to", "depth", "--text", "a", "--top-p", "2"], 2, "top_p must be between 0 and 1"),
        (["--to", "depth", "--text", "a", "--guidance", "nan"], 2, "guidance must be finite"),
        (["--to", "depth", "--text", "a", "--temperature", "-1"], 2, "temperature must be >= 0"),
    ],
)
def test_invalid_arguments_are_one_line(tmp_path, shelf, arguments, code, words):
    done = generated(shelf, tmp_path / "out", *arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.startswith("fourm: ") and done.stderr.count("\n") == 1
    assert words in done.stderr


def test_a_missing_tokenizer_names_the_command_that_downloads_it(tmp_path, shelf, photo):
    fewer = tmp_path / "fewer"
    for name in (
        "4M-21_B",
        TOKENIZERS["tok_dinov2_global"],
        TOKENIZERS["tok_semseg@224"],
    ):
        shutil.copytree(shelf.parent / name, fewer / name)
    done = generated(fewer / "4M-21_B", tmp_path / "out", photo, "--to", "depth")
    assert done.exit_code == 1 and "it predicts seg, dinov2_embedding" in done.stderr
    assert f"`fourm models pull 4M-21_B --for depth --to {fewer}`" in done.stderr
    assert not (tmp_path / "out").exists()
    done = generated(fewer / "4M-21_B", tmp_path / "out", photo, "--to", "all")
    assert done.exit_code == 0 and "not generated: clip_features, " in done.stderr
    heads = [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert heads == ["seg", "dinov2_embedding"]


def test_mini_predicts_all_that_it_lists(tmp_path, photo):
    done = run("generate", photo, "--to", "all", "--out", tmp_path / "a")
    assert done.exit_code == 0
    heads = [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert heads == ["seg", "edges", "text", "boxes", "palette", "metadata"]
    for name in ("seg.png", "edges.png", "text.txt", "palette.png", "metadata.json", "sheet.png"):
        assert (tmp_path / "a" / name).exists()


def test_mini_generates_from_other_inputs(tmp_path):
    given = ("--text", "two dogs run", "--boxes", "dog:0.1,0.2,0.5,0.9")
    done = run("generate", *given, "--to", "seg,palette", "--out", tmp_path / "a")
    assert done.exit_code == 0
    assert (tmp_path / "a/seg.png").exists() and (tmp_path / "a/palette.txt").exists()


def test_what_mini_does_not_predict_is_refused(tmp_path, photo):
    done = run("generate", photo, "--to", "depth", "--out", tmp_path / "b")
    assert done.exit_code == 1
    assert "mini does not predict 'depth'; it predicts seg, edges, text" in done.stderr


def test_parts_of_a_photo_that_mini_predicts_are_searched_by(mini_index, photo):
    asked = ("--image", photo, "--use-only", "seg,boxes", "--json")
    done = run("query", mini_index, *asked)
    assert done.exit_code == 0 and json.loads(done.stdout)


def test_show_query_shows_what_mini_predicts(tmp_path, mini_index, photo):
    done = run("query", mini_index, "--image", photo, "--show-query", tmp_path / "shown")
    assert done.exit_code == 0
    assert (tmp_path / "shown/predicted/seg.png").exists()
    assert (tmp_path / "shown/predicted/text.txt").exists()


def test_show_query_writes_what_the_model_understands(tmp_path, photo):
    folder = photo.parent / "photos"
    write(folder / "a.png", striped((10, 20, 200)))
    write(folder / "b.png", striped((200, 20, 10)))
    layout = write(tmp_path / "layout.png", Image.new("L", (64, 64), 187))
    index = tmp_path / "index"
    assert run("index", folder, "--to", index, "--dtype", "float32").exit_code == 0
    shown = tmp_path / "shown"
    arguments = ("--seg", layout, "--show-query", shown, "--dtype", "float32", "--json")
    done = run("query", index, "a dog", *arguments)
    assert done.exit_code == 0 and len(json.loads(done.stdout)) == 2
    seen = {path.name for path in shown.iterdir() if not path.name.startswith(".")}
    assert seen == {"read", "predicted", "word_pieces.json", "sheet.png"}
    assert (shown / "read/seg.png").exists()


@pytest.fixture
def mini_index(tmp_path):
    """Two photos, indexed by mini."""
    write(tmp_path / "photos/a.png", striped((10, 20, 200)))
    write(tmp_path / "photos/b.png", striped((200, 20, 10)))
    index = tmp_path / "index"
    assert run("index", tmp_path / "photos", "--to", index, "--dtype", "float32").exit_code == 0
    return index


def test_of_the_metadata_of_a_photo_those_that_were_used_are_shown(tmp_path, mini_index, photo):
    asked = ("--use-only", "metadata", "--image", photo, "--dtype", "float32")
    files = ("--html", tmp_path / "p.html", "--show-query", tmp_path / "shown")
    done = run("query", mini_index, *asked, *files)
    assert done.exit_code == 0, done.stderr
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "brightness" in page and "original_width" not in page
    assert (tmp_path / "shown/sheet.png").exists()


@pytest.mark.parametrize("asked", [("--not", "people"), ("dog", "--not", "people")])
def test_queries_with_a_negative_prompt_are_shown(tmp_path, mini_index, asked):
    done = run("query", mini_index, *asked, "--show-query", tmp_path / "shown")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "shown/sheet.png").exists()


def test_a_query_of_predicted_parts_is_shown_as_given(tmp_path, shelf, photo):
    index = tmp_path / "index"
    loaded = ("--model", shelf, "--dtype", "float32")
    folder = write(tmp_path / "photos/a.png", Image.open(photo)).parent
    assert run("index", folder, "--to", index, *loaded).exit_code == 0
    asked = ("--use-only", "depth", "--image", photo, "--show-query", tmp_path / "shown")
    done = run("query", index, *asked, *loaded)
    assert done.exit_code == 0, done.stderr
    seen = [path.name for path in (tmp_path / "shown").iterdir() if path.name[0] != "."]
    assert seen == ["sheet.png"]


def test_a_text_without_a_known_word_is_said(tmp_path, shelf):
    out = tmp_path / "out"
    done = generated(shelf, out, "--text", "собака", "--to", "palette")
    assert done.exit_code == 0
    said, wrote = done.stderr.splitlines()
    assert said.endswith("knows no word of the text, so the outputs say little; it reads English")
    assert wrote == f"fourm: wrote {out}"
    done = generated(shelf, out, "--text", "a dog in the snow", "--to", "palette")
    assert "knows no word" not in done.stderr

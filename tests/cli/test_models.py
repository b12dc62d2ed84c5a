"""`fourm models`: listing, fetching from a hub on this machine, checking, describing."""

import json
import shutil

import pytest
from typer.testing import CliRunner

import cli
from fourm.hub.official import tokenizer_repositories
from tests.fourm.hub.conftest import hub, no_hub, shelf  # noqa: F401
from tests.fourm.recorded import FIXTURES
from tests.retrieval.files import striped, write

TOKENIZERS = tokenizer_repositories()


@pytest.mark.parametrize("command", [("models",), ("models", "list")])
def test_list(run, command):
    rows = json.loads(run(*command, "--json").stdout)
    names = [row["name"] for row in rows]
    assert names[:4] == ["mini", "4M-21_B", "4M-21_L", "4M-21_XL"]
    assert {"tokenizer/rgb", "tokenizer/imagebind-global", "tokenizer/text"} < set(names)
    assert rows[0]["available"] and rows[0]["bytes"] > 40e6 and rows[1]["bytes"] is None
    text = run(*command).stdout
    assert all(name in text for name in names)


@pytest.mark.usefixtures("hub")
def test_pull_verify_info(run, tmp_path):
    to = tmp_path / "zoo"
    result = run("models", "pull", "4M-21_B", "--for", "image, seg", "--to", to)
    assert result.exit_code == 0
    assert [line.partition(" ")[0] for line in result.stdout.splitlines()] == [
        "EPFL-VILAB/4M-21_B",
        f"EPFL-VILAB/{TOKENIZERS['tok_semseg@224']}",
        f"EPFL-VILAB/{TOKENIZERS['tok_dinov2_global']}",
    ]
    facts = json.loads(run("models", "info", to / "4M-21_B", "--json").stdout)
    assert facts["spaces"] == ["dinov2"] and "text" not in facts["queries"]
    text = run("models", "info", to / "4M-21_B").stdout
    assert f"fourm models pull 4M-21_B --for text --to {to}" in text
    # The small model bears an official name.
    result = run("models", "verify", to / "4M-21_B", "--hashes")
    assert result.exit_code == 1 and "is [1, 1, 768] in 4M-21_B" in result.stdout
    (to / "4M-21_B").rename(to / "mine")
    result = run("models", "verify", to / "mine")
    assert result.exit_code == 0 and ": OK, transformer" in result.stdout


@pytest.mark.usefixtures("hub")
def test_a_missing_model_names_the_command_that_downloads_it(tmp_path, monkeypatch):
    def run(*arguments):
        result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
        return result.exit_code, result.stderr.strip()

    monkeypatch.chdir(tmp_path)
    write(tmp_path / "photos/a.png", striped((200, 120, 40)))
    index = ("index", "photos", "--to", "i", "--model", "4M-21_B")
    code, said = run(*index)
    assert (code, said) == (
        1,
        "fourm: 4M-21_B is not on this disk: `fourm models pull 4M-21_B` fetches it",
    )
    generate = ("generate", "photos/a.png", "--model", "4M-21_B", "--out", "out", "--to")
    assert run(*generate, "depth") == (code, said)
    assert run("models", "pull", "4M-21_B", "--for", "image")[0] == 0
    # Images alone need no tokenizer of maps or texts, now or later.
    assert run(*index)[0] == 0
    for arguments, command in (
        ((*index, "--space", "imagebind"), "--for imagebind"),
        (
            ("index", "photos", "--to", "i", "--as", "normals", "--model", "4M-21_B"),
            "--for normals",
        ),
        (("query", "i", "a dog"), "--for text"),
        (("query", "i", "--normals", "photos/a.png"), "--for normals"),
    ):
        code, said = run(*arguments)
        assert code == 1 and said.endswith(f"`fourm models pull 4M-21_B {command}`")
    assert run("models", "pull", "4M-21_B", "--for", "text,imagebind")[0] == 0
    assert run("query", "i", "a dog")[0] == 0
    assert run(*index, "--space", "imagebind")[0] == 0


@pytest.mark.usefixtures("no_hub")
def test_no_network_is_one_line(run):
    result = run("models", "pull", "4M-21_B")
    assert result.exit_code == 1 and result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("fourm: EPFL-VILAB/4M-21_B cannot be looked up")


def test_what_the_hub_refuses_is_one_line(run, hub):  # noqa: F811
    result = run("models", "pull", "tokenizer/rgb")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "the hub refused EPFL-VILAB/4M_tokenizers_rgb" in line
    result = run("models", "pull", "4M-21_B", "--revision", "v9")
    assert result.exit_code == 1 and "the hub refused" in result.stderr


@pytest.mark.parametrize(
    ("names", "tokenizers"),
    [
        ("sam-edges", {"tok_sam_edge@224"}),
        ("semseg,normal", {"tok_semseg@224", "tok_normal@224"}),
        ("RGB", {"tok_rgb@224"}),
        ("image,clip", {"tok_clip@224"}),
        ("det, tok_depth@224", {"tok_depth@224"}),
    ],
)
def test_purposes_are_named_like_inputs_or_outputs(run, monkeypatch, names, tokenizers):
    import retrieval.models
    from fourm.hub.availability import requirements
    from fourm.hub.names import find

    asked = []
    monkeypatch.setattr(
        retrieval.models, "pull", lambda name, wanted, **others: asked.extend(wanted) or ()
    )
    assert run("models", "pull", "4M-21_B", "--for", names).exit_code == 0
    needs = {name.rpartition("/")[2] for name in requirements(find("4M-21_B"), asked).repositories}
    assert {TOKENIZERS[name] for name in tokenizers} <= needs
    assert len(needs - {TOKENIZERS["tok_dinov2_global"]}) == 1 + len(tokenizers)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("pull", "4M-21_B", "--for", "smell"), 2, "--for"),
        (("pull", "tokenizer/rgb", "--for", "image"), 2, "--for"),
        (("pull", "4M-99"), 1, "tokenizer/rgb"),
        (("pull",), 2, "NAME"),
        (("verify", "nothing"), 1, "nothing"),
        (("verify", "4M-21_B"), 1, "fourm models pull 4M-21_B"),
        (("info", "nothing"), 1, "mini"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_invalid_arguments_are_refused(run, arguments, code, words):
    result = run("models", *arguments)
    assert result.exit_code == code and words in result.stderr


def test_mini_is_bundled(run):
    assert "is part of this package" in run("models", "pull", "mini").stdout
    result = run("models", "verify", "mini")
    assert result.exit_code == 0 and result.stdout.count(": OK, ") == 21
    facts = json.loads(run("models", "info", "mini", "--json").stdout)
    assert len(facts["fingerprint"]) == 64
    assert "queries         image, text, seg" in run("models", "info", "mini").stdout


def test_names_with_control_characters_stay_on_their_line(run, tmp_path):
    folder = tmp_path / "a\nb\x1b[31m"
    shutil.copytree(FIXTURES / "models" / "vq_human_poses_nano", folder)
    for command in ("verify", "info"):
        text = run("models", command, folder).stdout
        assert "\x1b" not in text and "a\\nb" in text

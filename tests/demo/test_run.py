"""`python -m demo.run` runs commands that exist, with options that they have."""

import subprocess
from pathlib import Path

import pytest
from PIL import Image

from demo import run
from demo.make_gallery import SampleGallery, make_gallery

Commands = list[tuple[str, ...]]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    run_commands: Commands = []
    monkeypatch.setattr(run, "fourm", lambda *words: run_commands.append(tuple(map(str, words))))
    monkeypatch.setattr(run, "make_gallery", small_gallery)
    return run_commands


def small_gallery(folder: Path) -> SampleGallery:
    return make_gallery(folder, scenes=1)


def test_the_sample_is_indexed_searched_in_four_ways_and_evaluated(
    tmp_path: Path, commands: Commands
) -> None:
    page = run.demo(tmp_path, None, "mini")
    assert [words[0] for words in commands] == [
        *("index", "info"),
        *4 * ["query"],
        *4 * ["eval"],
        "generate",
    ]
    asked = [set(words) & {"--image", "--seg"} for words in commands if words[0] == "query"]
    assert asked == [set(), {"--image"}, {"--seg"}, {"--seg"}]
    links = page.read_text(encoding="utf-8")
    for words in commands:
        if words[0] == "query":
            assert Path(words[words.index("--html") + 1]).name in links


def test_files_that_commands_name_exist(tmp_path: Path, commands: Commands) -> None:
    run.demo(tmp_path, None, "mini")
    assert Path(commands[-1][1]).is_file()
    for words in commands:
        for option in ("--image", "--seg", "--queries"):
            if option in words:
                assert Path(words[words.index(option) + 1]).is_file()


def test_own_photos_are_searched_but_not_evaluated(tmp_path: Path, commands: Commands) -> None:
    photos = tmp_path / "my photos"
    photos.mkdir()
    Image.new("RGB", (40, 30), "teal").save(photos / "a.jpg")
    run.demo(tmp_path / "out", photos, "mini")
    assert commands[0][:2] == ("index", str(photos))
    assert not [words for words in commands if words[0] == "eval"]
    assert commands[-1][:2] == ("generate", str(photos / "a.jpg"))
    assert [p.name for p in photos.iterdir()] == ["a.jpg"]


def test_a_folder_without_photos_is_refused(tmp_path: Path, commands: Commands) -> None:
    with pytest.raises(FileNotFoundError, match="no readable photos"):
        run.demo(tmp_path / "out", tmp_path, "mini")
    assert commands == []


def test_every_option_exists(tmp_path: Path, commands: Commands) -> None:
    app = pytest.importorskip("cli").app
    group = pytest.importorskip("typer.main").get_command(app)
    run.demo(tmp_path, None, "mini")
    for words in commands:
        command = group.commands[words[0]]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known


def test_a_failing_command_ends_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(3, ["fourm"])

    monkeypatch.setattr(subprocess, "run", failing)
    with pytest.raises(subprocess.CalledProcessError):
        run.fourm("info", "nowhere")

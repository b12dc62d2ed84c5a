"""The argument TEXT of `fourm query`: what is not a text, and stdin."""

import os

import pytest
from typer.testing import CliRunner

import cli
from tests.processes import run_python

from .test_commands import fails, rows


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["red", "car"], 'put a text of several words in quotes: "red car"'),
        (["https://example.org/a.jpg"], "URLs are not fetched; download the image"),
        (["{photos}/00.png"], "is the name of a file; to search by an image, use --image"),
        (["{photos}/red one.png"], "--image '"),
        (["gone.JPG"], "--image gone.JPG"),
    ],
)
def test_what_is_not_a_text_is_refused_with_the_way_out(
    run, index, photos, loaded, arguments, words
):
    loaded.clear()
    fails(run("query", index, *(part.format(photos=photos) for part in arguments)), 2, words)
    assert loaded == []


def test_a_dash_reads_the_text_from_stdin(run, index):
    wanted = rows(run("query", index, "red", "--json"))
    done = CliRunner().invoke(cli.app, ["query", str(index), "-", "--json"], input="red\n")
    assert rows(done) == wanted
    empty = CliRunner().invoke(cli.app, ["query", str(index), "-"], input="\n")
    fails(empty, 2, "empty")
    more = CliRunner().invoke(cli.app, ["query", str(index), "-", "dog"], input="red\n")
    fails(more, 2, "- reads stdin and takes no other words")
    stray = CliRunner().invoke(cli.app, ["query", str(index), "-"], input=b"\xff")
    fails(stray, 2, "stdin is not UTF-8 text")


@pytest.mark.parametrize("text", ["a.jpg and b.jpg", "see https://example.org", "red.", "10:30"])
def test_other_texts_are_searched_for(run, index, text):
    assert run("query", index, text, "-k", 1).exit_code == 0


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("fourm que", "query"),
        ("fourm query i --se", "--seg"),
        ("fourm query i --fusion r", "rrf"),
        ("fourm query i --device c", "cuda"),
        ("fourm query i --modality pal", "palette_of"),
        ("fourm query i --model mi", "mini"),
        ("fourm index f --as d", "depth"),
    ],
)
def test_the_shell_completes_commands_options_and_values(typed, wanted):
    words = typed.split()
    completing = {
        "_FOURM_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }
    code = "import cli, sys; sys.argv[0] = 'fourm'; cli.main()"
    done = run_python(code, env={**os.environ, **completing})
    assert wanted in done.stdout.split(), done.stderr

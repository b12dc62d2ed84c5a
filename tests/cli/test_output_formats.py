"""--format, --json and -0 of `fourm query`, and `fourm --version`."""

import json

import pytest

from retrieval import __version__

from .test_commands import fails, rows


def test_json_is_short_for_its_format(run, index):
    hits = rows(run("query", index, "red", "-k", 3, "--json"))
    assert rows(run("query", index, "red", "-k", 3, "--format", "json")) == hits
    lines = run("query", index, "red", "-k", 3, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == hits
    table = run("query", index, "red", "-k", 3).stdout
    assert run("query", index, "red", "-k", 3, "--format", "table").stdout == table


def test_paths_are_absolute_and_separated_by_lines_or_nul(run, index, photos):
    wanted = [hit["file"] for hit in rows(run("query", index, "red", "-k", 3, "--json"))]
    assert wanted[0] == str(photos / "red one.png")
    lines = run("query", index, "red", "-k", 3, "--format", "paths").stdout
    assert lines == "".join(f"{path}\n" for path in wanted)
    for options in (("-0",), ("--print0",), ("-0", "--format", "paths")):
        done = run("query", index, "red", "-k", 3, *options)
        assert done.stdout_bytes == b"".join(path.encode() + b"\0" for path in wanted)


def test_the_file_of_lines_is_printed_once(run, tmp_path):
    (tmp_path / "texts").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"texts/{name}.txt").write_text(f"the red {name}\nthe blue {name}\n")
    for root in (tmp_path / "texts", tmp_path / "texts/a.txt"):
        index = tmp_path / f"{root.name}.index"
        assert run("index", root, "--to", index, "--as", "text").exit_code == 0
        printed = run("query", index, "red", "--format", "paths").stdout.splitlines()
        wanted = [tmp_path / "texts/a.txt", tmp_path / "texts/b.txt"]
        assert sorted(printed) == [str(path) for path in wanted if root in (path, path.parent)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--json", "-0"], "--json and --print0 cannot be combined"),
        (["--json", "--format", "jsonl"], "--format jsonl and --json cannot be combined"),
        (["-0", "--format", "table"], "--format table and --print0 cannot be combined"),
        (["--format", "xml"], "'xml' is not one of 'table', 'json', 'jsonl', 'paths'"),
    ],
)
def test_formats_that_exclude_each_other_are_one_line(run, index, options, words):
    fails(run("query", index, "red", *options), 2, words)


def test_the_version_is_that_of_the_package(run):
    assert run("--version").stdout == f"fourm {__version__}\n"

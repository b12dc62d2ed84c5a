"""Every command and option has a help text and stands in the reference."""

import re
from pathlib import Path

import pytest
import typer.main

import cli
from tests.processes import run_python

ROOT = Path(cli.__file__).parent
REFERENCE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def all_commands(group, before=""):
    """Name -> command, those of groups after the group: `models`, `models list` ..."""
    found = {}
    for name, command in group.commands.items():
        found[before + name] = command
        if hasattr(command, "commands"):
            found |= all_commands(command, f"{before}{name} ")
    return found


COMMANDS = all_commands(typer.main.get_command(cli.app))


def section(name: str) -> str:
    start = re.search(rf"^## `fourm {name}\b(?! [a-z])", REFERENCE, re.MULTILINE).start()
    end = REFERENCE.find("\n## ", start)
    return REFERENCE[start : end if end > 0 else None]


def test_the_commands_are_those_of_the_reference():
    heads = re.findall(r"^## `fourm ((?:[a-z]+\b ?)+)", REFERENCE, re.MULTILINE)
    assert [head.strip() for head in heads] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_parameter_is_explained(name):
    command = COMMANDS[name]
    assert command.help and len(command.help) > 20
    text = section(name)
    for parameter in command.params:
        assert parameter.help, f"{name}: {parameter.name} has no help text"
        if parameter.param_type_name == "argument":
            assert (parameter.metavar or parameter.name.upper()) in text
        else:
            for option in parameter.opts:
                assert f"`{option}`" in text, f"docs/cli.md: {name} lacks {option}"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_reference_knows_no_other_options(name):
    known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    table = [line for line in section(name).split("\n") if line.startswith("| `-")]
    named = {part.strip(" `") for line in table for part in line.split("|")[1].split(",")}
    assert named <= known


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["query", "--help"], ["index", "--help"], ["models", "pull", "--help"], []],
)
def test_help_imports_nothing_heavy(arguments):
    script = (
        "import sys, cli\n"
        f"sys.argv = ['fourm', *{arguments!r}]\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'faiss', 'numpy', 'PIL', 'sqlalchemy', 'indexes', 'fourm'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))\n"
    )
    done = run_python(script)
    assert "LOADED []" in done.stdout
    assert "Usage" in done.stdout + done.stderr


def test_invalid_queries_are_refused_without_torch(tmp_path):
    script = (
        "import sys, cli\n"
        f"sys.argv = ['fourm', 'query', {str(tmp_path)!r}, '']\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    print('CODE', end.code)\n"
        "print('LOADED', sorted({'torch', 'faiss', 'open_clip'} & set(sys.modules)))\n"
    )
    done = run_python(script)
    assert "CODE 2" in done.stdout and "LOADED []" in done.stdout

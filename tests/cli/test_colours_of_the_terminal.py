"""NO_COLOR and TERM=dumb: no escapes, on a terminal as well."""

import os
import subprocess

import pytest

from tests.processes import run_python

pytest.importorskip("pty", reason="needs pseudo-terminals")

ON_A_TERMINAL = """
import pty, sys
pty.spawn([sys.executable, "-m", "cli", *sys.argv[1:]])
"""


def on_a_terminal(*arguments, **environment):
    """What the command writes to a terminal."""
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment = {**inherited, "TERM": "xterm-256color", **environment}
    return run_python(ON_A_TERMINAL, *arguments, env=environment, stdin=subprocess.DEVNULL).stdout


@pytest.mark.parametrize("arguments", [["--help"], ["query", "--nonsense"]])
@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_escapes(arguments, environment):
    written = on_a_terminal(*arguments, **environment)
    assert "query" in written
    assert "\x1b" not in written


def test_else_the_help_is_formatted():
    assert "\x1b" in on_a_terminal("--help")

"""NO_COLOR and TERM=dumb: no escapes, on a terminal as well."""

import os
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty", reason="needs pseudo-terminals")


def on_a_terminal(arguments, **environment):
    main, side = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments],
        stdin=side,
        stdout=side,
        stderr=side,
        env={**inherited, "TERM": "xterm-256color", **environment},
    ) as process:
        os.close(side)
        written = b""
        try:
            while chunk := os.read(main, 4096):
                written += chunk
        except OSError:  # Linux: the other side was closed
            pass
        process.wait(timeout=60)
    os.close(main)
    return written


@pytest.mark.parametrize("arguments", [["--help"], ["query", "--nonsense"]])
@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_escapes(arguments, environment):
    written = on_a_terminal(arguments, **environment)
    assert b"query" in written
    assert b"\x1b" not in written


def test_else_the_help_is_formatted():
    assert b"\x1b" in on_a_terminal(["--help"])

"""Ctrl-C, closed outputs and warnings leave no traceback and no noise."""

import signal
import sys

import pytest

from tests.processes import run, run_python


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh")
@pytest.mark.parametrize("options", ["classes", "classes --json", "models list"])
def test_a_closed_stdout_is_one_line(options):
    command = f"{sys.executable} -m cli {options} >&-"
    done = run(["sh", "-c", command])
    assert done.returncode == 1
    assert done.stderr == "fourm: cannot print: stdout is closed\n"


def test_ctrl_c_before_the_command_is_one_line():
    for error in ("KeyboardInterrupt", "typer.Abort"):
        code = f"import cli_errors, typer\ndef app(): raise {error}\ncli_errors.run(app)"
        done = run_python(code)
        assert (done.returncode, done.stderr) == (130, "fourm: stopped\n")


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_ctrl_c_while_python_ends_is_silent():
    code = (
        "import atexit, os, signal, time, cli_errors\n"
        "def late():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(60)\n"
        "atexit.register(late)\n"
        "cli_errors.run(lambda: None)"
    )
    done = run_python(code)
    assert done.returncode == -signal.SIGINT and done.stderr == ""


def test_warnings_of_pillow_are_not_shown():
    code = (
        "import cli_errors, warnings\n"
        "def app():\n"
        "    for module in ('PIL.Image', 'PIL', 'other'):\n"
        "        warnings.warn_explicit('said', UserWarning, module, 1, module=module)\n"
        "cli_errors.run(app)"
    )
    done = run_python(code)
    assert done.stderr == "other:1: UserWarning: said\n"

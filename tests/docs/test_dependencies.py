"""The lowest versions that are tested are those that pyproject.toml allows."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
CHECKERS = {"ruff", "mypy", "import-linter"}


def bounds(text, sign):
    return dict(re.findall(rf'"?([A-Za-z][\w.-]*){sign}([\d.]+)"?', text))


def test_lowest_versions_are_those_of_pyproject():
    listed = PROJECT[PROJECT.index("dependencies = [") : PROJECT.index("docs = [")]
    wanted = {name: low for name, low in bounds(listed, ">=").items() if name not in CHECKERS}
    pinned = bounds((ROOT / ".github/lowest.txt").read_text(encoding="utf-8"), "==")
    assert pinned == wanted


def test_the_workflow_runs_every_python_that_is_declared():
    declared = set(re.findall(r"Python :: (3\.\d+)", PROJECT))
    workflow = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    [matrix] = re.findall(r"^ +python: \[(.*)\]$", workflow, re.MULTILINE)
    assert set(re.findall(r"3\.\d+", matrix)) == declared
    lowest = min(declared, key=lambda version: int(version.split(".")[1]))
    assert f'requires-python = ">={lowest}"' in PROJECT

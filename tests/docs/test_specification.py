"""docs/4m21.md is what the code cites."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPECIFICATION = (ROOT / "docs/4m21.md").read_text(encoding="utf-8")
SECTIONS = set(re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", SPECIFICATION, re.MULTILINE))
CITATION = re.compile(
    r"4M-21\s+reference,?\s+sec\.\s+(\d+(?:\.\d+)?(?:(?:,\s+|\s+and\s+|\s+to\s+)\d+(?:\.\d+)?)*)"
)
FOLDERS = ("fourm", "retrieval", "indexes", "tests", "benchmarks", "demo", "recipes")


def citations():
    found = []
    for path in (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))):
        # A citation may be broken over lines of a docstring or of a comment.
        text = re.sub(r"\s*\n\s*(#: ?|# ?)?", " ", path.read_text(encoding="utf-8"))
        for cited in CITATION.findall(text):
            for section in re.findall(r"\d+(?:\.\d+)?", cited):
                found.append((path.relative_to(ROOT).as_posix(), section))
    return found


def test_every_cited_section_is_there():
    assert [(path, section) for path, section in citations() if section not in SECTIONS] == []


def test_citations_are_found():
    assert len(citations()) > 40


@pytest.mark.parametrize(
    "name", re.findall(r"`(?:tests/fixtures/)?((?:fm|gen)/[\w.]+)`", SPECIFICATION)
)
def test_recordings_that_it_names_are_there(name):
    assert (ROOT / "tests/fixtures" / name).is_file()

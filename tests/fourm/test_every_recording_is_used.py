"""What the reference recorded is held against the code, all of it."""

from pathlib import Path

import pytest

from tests.fourm.recorded import FIXTURES

TESTS = Path(__file__).resolve().parents[1]
FOLDERS = ("fm", "gen", "tok", "true", "models")


def recordings():
    names = {}
    for folder in FOLDERS:
        for path in sorted((FIXTURES / folder).glob("*")):
            if path.name != "index.json":
                names[f"{folder}/{path.stem}"] = path
    return names


@pytest.mark.parametrize("name", recordings())
def test_a_test_names_it(name):
    sources = (path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py"))
    stem = name.split("/")[1]
    assert any(stem in source for source in sources), f"no test uses {name}"


@pytest.mark.parametrize("name", ["text.json", "pixels.safetensors", "inputs.safetensors"])
def test_files_of_their_own_are_used(name):
    assert any(name in path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py"))

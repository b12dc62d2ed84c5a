"""The generated parts of the docs are up to date: options of commands, and public names."""

import inspect
import re
from importlib import import_module

import pytest

from docs.generate import DOCS, PACKAGES, generated, pages

NAMES = [(package, name) for package in PACKAGES for name in import_module(package).__all__]
API = (DOCS / "python-api.md").read_text(encoding="utf-8")


def public(package, name):
    return inspect.unwrap(getattr(import_module(package), name))


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_pages_are_up_to_date(path):
    text = path.read_text(encoding="utf-8")
    assert generated(text) == text, "run python -m docs.generate"


@pytest.mark.parametrize(("package", "name"), NAMES, ids=lambda value: value)
def test_public_names_are_documented(package, name):
    assert f"(#{package}.{name})" in API
    value = public(package, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert re.search(
            rf"^::: {re.escape(value.__module__)}\.{value.__qualname__}$", API, re.MULTILINE
        )
        # A dataclass without a docstring gets its signature as one.
        text = inspect.getdoc(value) or ""
        assert len(text) > 15 and not text.startswith(f"{name}("), f"{package}.{name}: no docstring"


@pytest.mark.parametrize(
    ("package", "name"),
    [pair for pair in NAMES if inspect.isclass(public(*pair))],
    ids=lambda value: value,
)
def test_public_methods_have_docstrings(package, name):
    members = vars(public(package, name)).items()
    methods = {
        member: value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        for member, value in members
        if not member.startswith("_")
    }
    bare = [
        member
        for member, value in methods.items()
        if inspect.isfunction(value) and not inspect.getdoc(value)
    ]
    assert bare == []


def test_every_page_is_in_the_site():
    site = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")
    assert set(re.findall(r": ([\w-]+\.md)$", site, re.MULTILINE)) == {
        path.name for path in DOCS.glob("*.md")
    }

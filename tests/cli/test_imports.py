"""The command line is a thin layer over the public names of `retrieval`.

import-linter checks packages alone, and `cli*.py` are modules.
"""

import ast
import re
from pathlib import Path

import pytest

import cli
import retrieval

MODULES = sorted(Path(cli.__file__).parent.glob("cli*.py"))
LONGEST_BODY = 15


def imported(tree):
    """Names of modules, and (module, name) for what is imported from one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_the_command_line_uses_the_public_names_of_retrieval_alone(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = []
    for module, name in imported(tree):
        package, _, rest = module.partition(".")
        assert package not in ("fourm", "indexes"), f"{file.name} imports {module}"
        if package == "retrieval":
            assert not rest, f"{file.name} imports {module}"
            names += [name] if name else []
    names += [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "retrieval"
    ]
    assert set(names) <= {*retrieval.__all__, "__version__"}


@pytest.mark.parametrize("name", retrieval.__all__)
def test_every_public_name_exists_and_has_a_docstring(name):
    value = getattr(retrieval, name)
    assert value.__doc__ and value.__doc__.strip()


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_commands_are_short(file):
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        decorators = getattr(node, "decorator_list", ())
        if any(re.search("command|accepts_inputs", ast.unparse(one)) for one in decorators):
            statements = node.body[1:]  # without the docstring
            written = "\n".join(ast.unparse(statement) for statement in statements)
            assert len(written.split("\n")) <= LONGEST_BODY, f"{file.name}: {node.name}"

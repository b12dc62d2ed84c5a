"""An empty path, as of an unset variable in a script, is an error that names the option."""

import inspect
from pathlib import Path
from types import UnionType
from typing import Annotated, get_args, get_origin

import pytest
import typer.main

import cli
from docs.generate import commands
from fourm import ModelNotFound, load_model
from retrieval import (
    Gallery,
    QueryError,
    ResultFiles,
    UsageError,
    generate,
    pull_model,
    read_queries,
    read_query,
)


def _types(annotation):
    if get_origin(annotation) is Annotated:
        return _types(get_args(annotation)[0])
    if get_origin(annotation) in (UnionType, list):
        return {one for part in get_args(annotation) for one in _types(part)}
    return {annotation}


def _parameters():
    """Every path of every command: the command's name, the option, and whether it is one."""
    for name, function in commands().items():
        command = typer.main.get_command(cli.app)
        for part in name.split():
            command = command.commands[part]
        if function is None or hasattr(command, "commands"):
            continue
        annotations = {
            one.name: one.annotation
            for one in inspect.signature(function, eval_str=True).parameters.values()
        }
        for one in command.params:
            named = one.name in ("model", "name") or (name, one.name) == ("models info", "path")
            if Path in _types(annotations.get(one.name)) or named:
                yield pytest.param(name, one, id=f"{name} {one.opts[0]}")


def _arguments(name, asked):
    command = typer.main.get_command(cli.app)
    for part in name.split():
        command = command.commands[part]
    words = name.split()
    for one in command.params:
        value = "" if one.name == asked.name else "nowhere"
        if one.param_type_name == "argument":
            words.append(value)
        elif one.name == asked.name or one.required:
            words += [one.opts[0], value]
    return words


@pytest.mark.parametrize(("name", "parameter"), list(_parameters()))
def test_an_empty_path_is_refused(name, parameter, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*_arguments(name, parameter))
    shown = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar
    assert result.exit_code == 2
    assert f"Invalid value for '{shown}': expected a" in result.stderr
    assert "got an empty string" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_path_is_tried():
    tried = {one.id for one in _parameters()}
    assert {"index --to", "generate --out", "query --show-query", "models pull --to"} <= tried
    assert {"query index", "query --image", "query --model", "eval --queries"} <= tried


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Gallery.open(""), "folder must be the path of one folder, got ''"),
        (lambda: generate("m", "depth", "", text="a"), "out must be the path of one folder"),
        (lambda: list(pull_model("mini", to="")), "to must be the path of one folder"),
        (lambda: ResultFiles(page=Path("x"), sheet=""), "sheet must be the path of one file"),
        (lambda: ResultFiles(query=""), "query must be the path of one folder"),
        (lambda: read_queries(""), "queries must be the path of one file"),
        (lambda: read_query(""), "query file must be the path of one file"),
    ],
)
def test_an_empty_path_in_python_is_not_the_current_folder(call, message):
    with pytest.raises(UsageError) as error:
        call()
    assert str(error.value).startswith(message)


def test_an_empty_image_names_its_input():
    with pytest.raises(QueryError, match="expected the path of an image, got an empty string"):
        read_query(image="")


def test_an_empty_name_of_a_model_is_not_the_current_folder():
    with pytest.raises(ModelNotFound, match="the name of the model is empty"):
        load_model("")

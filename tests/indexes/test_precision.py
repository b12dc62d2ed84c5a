"""An index keeps the precision that its vectors were made in, where it matters."""

import sqlite3
from dataclasses import replace

import pytest

from indexes import Index, Recipe, RecipeMismatch
from indexes.errors import BadRecipe

RECIPE = Recipe("4M-21_B", "ab" * 32, "dinov2", 4, "unit length", precision="float32")


def test_it_is_stored(tmp_path):
    with Index.create(tmp_path / "index", root=tmp_path, recipe=RECIPE) as index:
        assert index.recipe == RECIPE
        other = replace(RECIPE, space="clip", precision="bfloat16")
        index.add_space(other)
        unknown = replace(RECIPE, space="imagebind", precision=None)
        index.add_space(unknown)
    with Index.open(tmp_path / "index") as index:
        assert list(index.recipes.values()) == [RECIPE, other, unknown]


def test_another_one_is_refused_and_an_unknown_one_is_not(tmp_path):
    with Index.create(tmp_path / "index", root=tmp_path, recipe=RECIPE) as index:
        index.require(RECIPE)
        index.require(replace(RECIPE, precision=None))
        with pytest.raises(RecipeMismatch, match="--dtype float32"):
            index.require(replace(RECIPE, precision="bfloat16"))
        with pytest.raises(RecipeMismatch, match="model: expected"):
            index.require(replace(RECIPE, model="4M-21_L", precision="bfloat16"))


def test_a_catalogue_without_the_table_is_opened_and_extended(tmp_path):
    folder = tmp_path / "index"
    with Index.create(folder, root=tmp_path, recipe=replace(RECIPE, precision=None)):
        pass
    with sqlite3.connect(folder / "catalogue.sqlite3") as connection:
        connection.execute("DROP TABLE precisions")
    with Index.open(folder) as index:
        assert index.recipe.precision is None
        index.require(RECIPE)
        index.add_space(replace(RECIPE, space="clip"))
        assert [recipe.precision for recipe in index.recipes.values()] == [None, "float32"]


@pytest.mark.parametrize("precision", ["", 16])
def test_a_precision_is_a_non_empty_string(precision):
    with pytest.raises(BadRecipe, match="precision must be a non-empty string"):
        replace(RECIPE, precision=precision)

"""Judged query files are written from the photos that training holds out."""

import json

import pytest

from benchmarks.quality_sets import make
from recipes.mini.flickr8k_coco import Flickr8kCoco
from retrieval.evaluation import read_queries
from tests.recipes.mini.small_material import make_data


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quality")
    return make(Flickr8kCoco(make_data(folder / "data")), folder / "sets")


def test_query_files_can_be_read(sets):
    for judged in sets:
        assert list(read_queries(judged.queries)), judged.title


def test_relevant_photos_are_held_out_and_in_the_gallery(sets):
    held_out = {"photo12.jpg", "photo13.jpg", "00.jpg", "03.jpg", "06.jpg"}
    for judged in sets:
        for line in judged.queries.read_text(encoding="utf-8").splitlines():
            relevant = json.loads(line)["relevant"]
            assert set(relevant) <= held_out, judged.title
            assert all((judged.gallery / name).is_file() for name in relevant)

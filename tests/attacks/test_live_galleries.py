"""An index that is open learns what another process changes, and is of no use once closed."""

import pytest

from indexes import ClosedIndex, Index, Reading, Recipe
from retrieval import Gallery, UsageError
from tests.retrieval.conftest import numbered
from tests.retrieval.fake_model import FakeModel
from tests.retrieval.files import write


def test_galleries_and_spaces_that_are_added_later(filled, tmp_path):
    with Index.open(filled.folder) as live:
        filled.add_gallery(Reading("depth"), tmp_path / "maps")
        assert live.roots["depth"] == tmp_path / "maps"
        assert live.counts(modality="depth").indexed == 0
        filled.add_space(Recipe("tiny", "f00d", "clip", 8, "none"))
        assert list(live.recipes) == ["dinov2", "clip"]
        assert "clip" in live.incomplete()


def test_a_root_that_moved(filled, tmp_path):
    with Index.open(filled.folder) as live:
        filled.relocate(tmp_path / "elsewhere")
        assert live.root == tmp_path / "elsewhere"


def test_a_live_gallery_searches_what_was_added(tmp_path):
    for number in range(3):
        write(tmp_path / f"photos/{number}.png", numbered(number))
    (tmp_path / "texts.txt").write_text("the red\nthe blue\n")
    model = FakeModel()
    Gallery.build(tmp_path / "photos", tmp_path / "i", model).close()
    with Gallery.open(tmp_path / "i", model) as live:
        assert {hit.modality for hit in live.search(text="red")} == {"image"}
        Gallery.build(tmp_path / "texts.txt", tmp_path / "i", model, modality="text").close()
        hits = live.search(text="red")
        assert {hit.modality for hit in hits} == {"image", "text"}
        assert all(live.read(hit).modality == hit.modality for hit in hits)
        assert live.search(text="red", modalities="text")[0].path == "texts.txt:1"


def test_a_closed_gallery_is_not_searched(tmp_path):
    write(tmp_path / "photos/a.png", numbered(1))
    gallery = Gallery.build(tmp_path / "photos", tmp_path / "i", FakeModel())
    gallery.close()
    with pytest.raises(UsageError, match="closed"):
        gallery.search(text="red")
    with pytest.raises(ClosedIndex):
        gallery.index.counts()

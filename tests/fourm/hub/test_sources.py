"""From a path or a hub name to a folder on this disk."""

import pytest

from fourm.errors import FourmError, ModelNotFound
from fourm.hub.sources import resolve_source


def test_a_folder_is_taken_as_it_is(tmp_path):
    assert resolve_source(tmp_path) == tmp_path
    assert resolve_source(str(tmp_path)) == tmp_path


@pytest.mark.parametrize("name", ["nonsense", "/no/such/folder", "a/b/c", "../x", "a b/c"])
def test_neither_a_folder_nor_a_hub_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFound, match="neither a folder nor a hub name"):
        resolve_source(name)


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch):
    import huggingface_hub

    def refuse(*args, **options):
        raise OSError("cannot reach the hub\nand a long explanation")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(ModelNotFound) as caught:
        resolve_source("EPFL-VILAB/4M-21_B")
    message = str(caught.value)
    assert "\n" not in message
    assert "EPFL-VILAB/4M-21_B" in message
    assert "cannot reach the hub" in message
    assert "give the folder's path" in message
    assert isinstance(caught.value, FourmError)

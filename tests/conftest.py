"""No test reads or writes what its user has downloaded."""

import pytest


@pytest.fixture(autouse=True)
def caches(tmp_path_factory, monkeypatch):
    """Empty caches: the user's folder, and the hub's."""
    from huggingface_hub import constants

    folder = tmp_path_factory.mktemp("caches")
    monkeypatch.setenv("FOURM_CACHE", str(folder / "fourm"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
    return folder

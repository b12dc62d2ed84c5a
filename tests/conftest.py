"""What the tests of all packages share. None reads or writes the user's own caches."""

import os
import signal

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

# Shells start background jobs with Ctrl-C ignored, and child processes inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def caches(tmp_path_factory, monkeypatch):
    """Empty caches: the user's folder, and the hub's."""
    from huggingface_hub import constants

    folder = tmp_path_factory.mktemp("caches")
    monkeypatch.setenv("FOURM_CACHE", str(folder / "fourm"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
    return folder


@pytest.fixture(scope="session")
def recorded_shelf(tmp_path_factory):
    """The recorded model that reads every modality, with its tokenizers; read-only."""
    from tests.fourm.recorded_shelf import make_recorded_shelf

    make = tmp_path_factory.mktemp
    return make_recorded_shelf(make("recorded_shelf"), make("scratch"))

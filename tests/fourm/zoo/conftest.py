import hashlib

import pytest

from fourm.bundle.official import OWNER, WORDS
from tests.fourm.zoo.fake_hub import FakeHub
from tests.fourm.zoo.small_official import PARTS, make_small_official


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """A folder with small official repositories side by side. Not to be changed."""
    return make_small_official(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def hub(shelf, monkeypatch):
    """A hub that has them, in the place of the real one and of the text tokenizer's host."""
    from huggingface_hub import constants

    from fourm.checkpoints.pulled import Pulled, PulledFile
    from fourm.zoo import words

    hub = FakeHub()
    for name in PARTS:
        hub.add(f"{OWNER}/{name}", shelf / name)
    content = (shelf / WORDS).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    hub.files[f"/{words.REPOSITORY}/{words.COMMIT}/fourm/utils/tokenizer/trained/{WORDS}"] = (
        content,
        words.COMMIT,
    )
    monkeypatch.setattr(words, "SHA256", digest)
    monkeypatch.setattr(words, "SIZE", len(content))
    monkeypatch.setattr(
        words, "PINNED", Pulled(words.COMMIT, {WORDS: PulledFile(len(content), digest)})
    )
    monkeypatch.setattr(words, "HOST", hub.url)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    yield hub
    hub.close()


@pytest.fixture
def no_hub(hub):
    """Nobody listens where the hub was."""
    hub.close()
    return hub

import hashlib

import pytest

from fourm.hub.official import OWNER, TEXT_TOKENIZER
from tests.fourm.hub.fake_hub import FakeHub
from tests.fourm.hub.small_official import PARTS, make_small_official


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """A folder with small official repositories side by side. Not to be changed."""
    return make_small_official(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def hub(shelf, monkeypatch):
    """A hub that has them, in place of the real one and of the text tokenizer's host."""
    from huggingface_hub import constants

    from fourm.hub import text_tokenizer
    from fourm.hub.pulled import Pulled, PulledFile

    hub = FakeHub()
    for name in PARTS:
        hub.add(f"{OWNER}/{name}", shelf / name)
    content = (shelf / TEXT_TOKENIZER).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    hub.files[
        f"/{text_tokenizer.REPOSITORY}/{text_tokenizer.COMMIT}/fourm/utils/tokenizer/trained/{TEXT_TOKENIZER}"
    ] = (
        content,
        text_tokenizer.COMMIT,
    )
    monkeypatch.setattr(text_tokenizer, "SHA256", digest)
    monkeypatch.setattr(text_tokenizer, "SIZE", len(content))
    monkeypatch.setattr(
        text_tokenizer,
        "PINNED",
        Pulled(text_tokenizer.COMMIT, {TEXT_TOKENIZER: PulledFile(len(content), digest)}),
    )
    monkeypatch.setattr(text_tokenizer, "HOST", hub.url)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    yield hub
    hub.close()


@pytest.fixture
def no_hub(hub):
    """The hub does not answer."""
    hub.close()
    return hub

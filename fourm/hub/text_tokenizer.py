"""The text tokenizer of 4M-21: a file of its code repository, at one commit, with one content."""

from __future__ import annotations

from fourm.hub.fetching import Remote
from fourm.hub.official import TEXT_TOKENIZER
from fourm.hub.pulled import Pulled, PulledFile

REPOSITORY = "apple/ml-4m"
COMMIT = "cda590faa3b9f022c28537193d3e1650527646a3"
SIZE = 1_451_469
SHA256 = "8e684e9a0673e39f70702a698869f909ba697f871a0c6b2a07b5f61e91b3526e"
PINNED = Pulled(COMMIT, {TEXT_TOKENIZER: PulledFile(SIZE, SHA256)})
HOST = "https://raw.githubusercontent.com"


def remote_text_tokenizer() -> Remote:
    """Where it is downloaded from."""
    url = f"{HOST}/{REPOSITORY}/{COMMIT}/fourm/utils/tokenizer/trained/{TEXT_TOKENIZER}"
    return Remote(url, TEXT_TOKENIZER, SIZE, SHA256)

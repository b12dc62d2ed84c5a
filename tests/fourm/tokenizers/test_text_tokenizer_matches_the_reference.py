import pytest

from fourm.errors import BadInput, CheckpointError
from fourm.tokenizers.wordpiece import TextTokenizer
from tests.fourm.recorded_text import (
    official_text_tokenizer,
    recorded_strings,
    save_recorded_tokenizer,
    text_recordings,
)
from tests.fourm.small_tokenizers import text_tokenizer


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    return TextTokenizer(save_recorded_tokenizer(tmp_path_factory.mktemp("text") / "text.json"))


@pytest.fixture
def small(tmp_path):
    text_tokenizer(["dog", "snow"]).save(str(tmp_path / "small.json"))
    return TextTokenizer(tmp_path / "small.json")


PROBES = text_recordings()


@pytest.mark.parametrize("probe", PROBES["tokenizer"], ids=lambda probe: probe["text"] or "empty")
def test_probes(official, probe):
    assert official.encode(probe["text"]) == probe["ids"]
    assert official.tokens(probe["ids"]) == probe["tokens"]
    assert official.decode(probe["ids"]) == probe["decoded"]


def test_special_tokens(official):
    assert {token: official.id_of(token) for token in PROBES["special_ids"]} == PROBES[
        "special_ids"
    ]
    assert len(official.sentinels) == PROBES["n_sentinels"]
    assert official.sentinels[1] == PROBES["special_ids"]["[S_1]"]
    assert (official.pad, official.unknown, official.start, official.end) == (0, 1, 2, 3)
    assert official.size == 30_000


def test_the_official_file_gives_the_recorded_ids():
    tokenizer = TextTokenizer(official_text_tokenizer())
    for probe in PROBES["tokenizer"]:
        test_probes(tokenizer, probe)
    for _, case in recorded_strings():
        assert tokenizer.encode(case["string"]) == case["ids"]
    test_special_tokens(tokenizer)


def test_captions_are_truncated_and_end(small):
    dog, snow = small.id_of("dog"), small.id_of("snow")
    assert small.caption("Dog snow") == [dog, snow, small.end]
    assert small.caption("dog snow dog", most=3) == [dog, snow, small.end]
    assert small.caption("dog [S_1]") == [dog, small.sentinels[1], small.end]


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_caption(small, text):
    with pytest.raises(BadInput, match="empty"):
        small.caption(text)


def test_unknown_ids_and_tokens(small):
    with pytest.raises(BadInput, match=f"got {small.size}"):
        small.decode([0, small.size])
    with pytest.raises(BadInput, match="got -1"):
        small.tokens([-1])
    with pytest.raises(BadInput, match="no token 'v0=1000'"):
        small.id_of("v0=1000")
    with pytest.raises(BadInput, match="must be a string, got int"):
        small.encode(3)


@pytest.mark.parametrize("content", [None, "", "{}", '{"version": "1.0"}', "\x00\x01"])
def test_files_that_are_not_a_tokenizer(tmp_path, content):
    path = tmp_path / "text.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CheckpointError, match=r"text\.json"):
        TextTokenizer(path)


def test_the_tokenizer_of_another_model(tmp_path):
    path = tmp_path / "other.json"
    text_tokenizer(axes=("v0", "v1")).save(str(path))
    with pytest.raises(CheckpointError, match="not a 4M-21 text tokenizer: it has no token v2=0"):
        TextTokenizer(path)


def test_padding_and_truncation_of_the_file_are_ignored(tmp_path):
    tokenizer = text_tokenizer(["dog"])
    tokenizer.enable_padding(length=9)
    tokenizer.enable_truncation(2)
    tokenizer.save(str(tmp_path / "t.json"))
    assert len(TextTokenizer(tmp_path / "t.json").encode("dog dog dog")) == 3

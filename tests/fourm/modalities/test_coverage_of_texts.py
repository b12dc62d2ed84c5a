"""How much of a text a model knows, and what it refuses."""

import pytest

import fourm
from fourm.modalities.coverage import TextCoverage
from tests.fourm.small_shelf import small_shelf


@pytest.fixture(scope="module")
def mini():
    return fourm.load_model("mini", device="cpu").readers["text"]


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    folder = small_shelf(tmp_path_factory.mktemp("models"))
    return fourm.load_model(folder, device="cpu").readers["text"]


@pytest.mark.parametrize(
    "text",
    [
        "собака на траве",
        "θάλασσα",
        "कुत्ता",
        "犬が走る",
        "🐶🐶",
        "...!?",
        "—",
        "xqzvbn kfjsdhf",
        "犬, 🐶",
    ],
)
def test_texts_without_a_known_word(mini, text):
    coverage = mini.coverage(text)
    assert coverage.unknown_share == 1
    assert not coverage.truncated


@pytest.mark.parametrize(
    "text",
    [
        "a dog",
        "Two DOGS",
        "a café",
        "frisbee",
        "golden retriever playing",
        "2019",
        "x",
        "labradoodle",
    ],
)
def test_texts_of_known_words(mini, text):
    assert mini.coverage(text).unknown_share == 0


def test_the_share_counts_words(mini):
    assert mini.coverage("a dog 犬 🐶").unknown_share == 0.5
    assert mini.coverage("a dog, running!").unknown_share == pytest.approx(2 / 5)


@pytest.mark.parametrize("text", ["\u200b\u200b", "\ufeff", "\u200b \u200d", "\u0301"])
def test_texts_of_which_nothing_is_left_are_refused(mini, official, text):
    for reader in (mini, official):
        for read in (reader.prepare, reader.coverage):
            with pytest.raises(fourm.BadInput, match="nothing is left of the text"):
                read(text)
            with pytest.raises(fourm.BadInput, match="the text is empty"):
                read(" \n")


@pytest.mark.parametrize("model", ["mini", "official"])
def test_a_text_that_is_cut(request, model):
    reader = request.getfixturevalue(model)
    longest = len(reader.prepare("a dog " * 300))
    coverage = reader.coverage("a dog " * 300)
    assert coverage.truncated
    assert coverage.longest == longest
    assert coverage.tokens > 600
    whole = "a " * (longest - (coverage.tokens - 600))
    assert reader.coverage(whole).tokens == longest
    assert not reader.coverage(whole).truncated
    assert reader.coverage(whole + "a").truncated


def test_official_word_pieces(official):
    assert official.coverage("a dog on the beach").unknown == 0
    assert official.coverage("犬").unknown_share == 1


def test_other_modalities_have_none(tmp_path):
    readers = fourm.load_model(small_shelf(tmp_path), device="cpu").readers
    assert readers["boxes"].coverage([]) is None
    assert readers["seg"].coverage(None) is None


def test_pieces_that_continue_a_word():
    coverage = TextCoverage.of(["fr", "##is", "##bee", "[UNK]"], special=2, longest=64)
    assert (coverage.words, coverage.unknown, coverage.tokens) == (2, 1, 6)

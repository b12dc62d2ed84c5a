"""A text tokenizer of 4M-21's kind from the words of some texts."""

import pytest

from fourm.modalities.boxes import Box, boxes_text, parse_boxes
from fourm.tokenizers.wordpiece import TextTokenizer
from fourm.training.vocabulary import write_tokenizer
from fourm.training.words import used_pieces, word_tokenizer
from tests.fourm.tiny_model import write_language_model

CLASSES = ["dog", "teddy bear"]


@pytest.fixture
def made(tmp_path):
    """The tokenizer, and what it was made of."""
    write_language_model(tmp_path)
    texts = ["two dogs on snow", "Two dogs", "a cat"]
    words = word_tokenizer(used_pieces(tmp_path / "tokenizer.json", texts, least=2), CLASSES)
    write_tokenizer(tmp_path / "words.json", words.json)
    return TextTokenizer(tmp_path / "words.json"), words


def test_frequent_words_classes_and_numbers_are_single_tokens(made):
    tokenizer, _ = made
    ids = tokenizer.encode("Two dogs, v0=17 v3=999 teddy bear [S_1]")
    assert tokenizer.tokens(ids)[:2] == ["two", "dogs"]
    assert tokenizer.tokens(ids)[-4:] == ["v0=17", "v3=999", "teddy bear", "[S_1]"]


def test_words_come_before_numbers_axis_by_axis(made):
    tokenizer, words = made
    assert tokenizer.id_of("v0=0") == words.words
    assert tokenizer.id_of("v2=0") == words.up_to_axis(2)
    assert tokenizer.id_of("v3=999") == words.up_to_axis(4) - 1 == tokenizer.size - 1
    assert max(tokenizer.encode("two dogs teddy bear snow")) < words.words


def test_boxes_are_written_and_read(made):
    tokenizer, _ = made
    boxes = [Box(0.0, 0.5, 1.0, 1.0, "teddy bear"), Box(0.1, 0.2, 0.3, 0.4, "dog")]
    text = tokenizer.decode(tokenizer.encode(boxes_text(boxes)))
    assert [box.name for box in parse_boxes(text)] == ["dog", "teddy bear"]

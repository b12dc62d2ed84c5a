"""Model folders with small tensors and a small vocabulary."""

import json

import pytest
import torch
from tokenizers import Tokenizer

from fourm.errors import BadInput
from fourm.training.export import quantised, replaced
from fourm.training.vocabulary import pruned
from tests.fourm.tiny_model import write_language_model


def test_a_quantised_matrix_comes_back_within_half_a_step_of_its_row():
    matrix = torch.randn(80, 90)
    parts = quantised("layer.weight", matrix)
    back = parts["layer.weight"].float() * parts["layer.weight.scale"][:, None]
    step = matrix.abs().amax(1, keepdim=True) / 127
    assert ((back - matrix).abs() <= step / 2 + 1e-6).all()


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_that_grows_too_large_stays_as_it_was(exists, tmp_path):
    folder = tmp_path / "model"
    if exists:
        folder.mkdir()
        (folder / "README.md").write_text("a model card")
    before = sorted(tmp_path.rglob("*"))
    refused = pytest.raises(BadInput, match="10 bytes, more than 9")
    with refused, replaced(folder, most_bytes=9) as copy:
        copy.mkdir(exist_ok=True)
        (copy / "README.md").write_text("0123456789")
    assert sorted(tmp_path.rglob("*")) == before
    assert not exists or (folder / "README.md").read_text() == "a model card"


def test_a_pruned_vocabulary_spells_words_that_are_missing(tmp_path):
    folder = tmp_path / "language"
    write_language_model(folder)
    whole = json.loads((folder / "tokenizer.json").read_text())
    keep = {whole["model"]["vocab"]["dog"]}
    small, old_ids = pruned(whole, keep)
    tokenizer = Tokenizer.from_str(json.dumps(small))
    assert tokenizer.encode("dog").tokens == ["[CLS]", "dog", "[SEP]"]
    assert tokenizer.encode("cat").tokens == ["[CLS]", "c", "##a", "##t", "[SEP]"]
    words = {new: word for word, new in small["model"]["vocab"].items()}
    old_words = {old: word for word, old in whole["model"]["vocab"].items()}
    assert all(words[new] == old_words[old] for new, old in enumerate(old_ids))


def test_only_word_piece_vocabularies_are_pruned():
    with pytest.raises(BadInput, match="WordPiece"):
        pruned({"model": {"type": "BPE"}}, set())

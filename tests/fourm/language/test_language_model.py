import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fourm.errors import BadInput, CheckpointError, ConfigError, TensorMismatch
from fourm.language.bert import Bert, BertConfig
from fourm.language.model import LanguageModel
from tests.fourm.small_tokenizers import sentence_tokenizer

WORDS = ["a", "dog", "runs", "in", "the", "snow"]
CONFIG = {
    "hidden_act": "gelu",
    "hidden_size": 24,
    "intermediate_size": 96,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 16,
    "num_attention_heads": 3,
    "num_hidden_layers": 2,
    "type_vocab_size": 2,
    "vocab_size": len(WORDS) + 4,
}
TEXTS = ["a dog", "the dog runs in the snow", "snow"]


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    model = Bert(BertConfig(10, 24, 2, 3, 96, 16, 2, 1e-12))
    tensors = {name: torch.randn_like(value) * 0.3 for name, value in model.state_dict().items()}
    # Published files also hold these.
    tensors["pooler.dense.weight"] = torch.zeros(24, 24)
    tensors["embeddings.position_ids"] = torch.arange(16)[None]
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    sentence_tokenizer(WORDS).save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_the_result_is_that_of_torch_layers(folder):
    model = LanguageModel.load(folder)
    ids, mask = model.batch([model.tokenize(text) for text in TEXTS])
    stored = model.state_dict()
    x = model.embeddings(ids)
    for i in range(2):
        at = f"encoder.layer.{i}."
        inward = [f"{at}attention.self.{name}" for name in ("query", "key", "value")]
        names = {
            "self_attn.out_proj": "attention.output.dense",
            "linear1": "intermediate.dense",
            "linear2": "output.dense",
            "norm1": "attention.output.LayerNorm",
            "norm2": "output.LayerNorm",
        }
        layer = nn.TransformerEncoderLayer(24, 3, 96, 0.0, "gelu", 1e-12, batch_first=True)
        layer.load_state_dict(
            {
                f"self_attn.in_proj_{end}": torch.cat([stored[f"{name}.{end}"] for name in inward])
                for end in ("weight", "bias")
            }
            | {
                f"{ours}.{end}": stored[f"{at}{theirs}.{end}"]
                for ours, theirs in names.items()
                for end in ("weight", "bias")
            }
        )
        x = layer(x, src_key_padding_mask=mask)
    torch.testing.assert_close(model(ids, mask), x.masked_fill(mask[..., None], 0.0))


def test_a_text_does_not_depend_on_its_batch(folder):
    model = LanguageModel.load(folder)
    with torch.no_grad():
        together, mask = model.encode(TEXTS)
        for row, hidden, text in zip(together, mask, TEXTS, strict=True):
            alone, _ = model.encode([text])
            torch.testing.assert_close(row[~hidden], alone[0])
            assert not row[hidden].any()


def test_word_pieces(folder):
    model = LanguageModel.load(folder)
    assert model.tokenize("A dog") == [2, 4, 5, 3]
    assert model.tokenize("zebra") == [2, 1, 3]
    ids, mask = model.batch([[2, 4, 3], [2, 3]])
    assert ids.tolist() == [[2, 4, 3], [2, 3, 0]]
    assert mask.tolist() == [[False] * 3, [False, False, True]]


def test_long_texts_are_truncated_and_end(folder):
    model = LanguageModel.load(folder, max_tokens=5)
    assert model.tokenize("a dog runs in the snow") == [2, 4, 5, 6, 3]
    assert (
        len(LanguageModel.load(folder).tokenize("snow " * 99)) == CONFIG["max_position_embeddings"]
    )


def test_gradients(folder):
    model = LanguageModel.load(folder)
    model.encode(TEXTS)[0].square().sum().backward()
    # One number added to every key cannot change a softmax, so key biases have no gradient.
    still = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert not {name for name in still if not name.endswith("key.bias")}


@pytest.mark.parametrize("text", ["", " \n", None])
def test_empty_texts(folder, text):
    with pytest.raises(BadInput, match="text"):
        LanguageModel.load(folder).tokenize(text)


@pytest.mark.parametrize(
    ("ids", "mask", "message"),
    [
        ([[2, 99]], [[False, False]], "between 0 and 9"),
        ([[2, -1]], [[False, False]], "between 0 and 9"),
        ([[2] * 17], [[False] * 17], "at most 16 tokens, got 17"),
        ([[2, 3]], [[False]], r"both be \(B, N\)"),
        ([[2, 3]], [[0, 0]], "mask bool, got"),
    ],
)
def test_invalid_batches(folder, ids, mask, message):
    with pytest.raises(BadInput, match=message):
        LanguageModel.load(folder)(torch.tensor(ids), torch.tensor(mask))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_act": "relu"}, "hidden_act"),
        ({"num_attention_heads": 5}, "not a multiple"),
        ({"vocab_size": None}, "vocab_size"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type"),
    ],
)
def test_invalid_configs(folder, change, message):
    (folder / "config.json").write_text(json.dumps(CONFIG | change))
    with pytest.raises(ConfigError, match=message):
        LanguageModel.load(folder)


def test_tensors_of_another_size(folder):
    (folder / "config.json").write_text(json.dumps(CONFIG | {"intermediate_size": 48}))
    with pytest.raises(TensorMismatch, match=r"intermediate\.dense\.weight"):
        LanguageModel.load(folder)


def test_a_tokenizer_with_more_ids_than_the_model(folder):
    sentence_tokenizer([*WORDS, "zebra"]).save(str(folder / "tokenizer.json"))
    with pytest.raises(
        CheckpointError, match="ids up to 10, but the model has 10 token embeddings"
    ):
        LanguageModel.load(folder)


@pytest.mark.parametrize("content", [None, "{}"])
def test_a_missing_tokenizer(folder, content):
    (folder / "tokenizer.json").unlink()
    if content:
        (folder / "tokenizer.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        LanguageModel.load(folder)

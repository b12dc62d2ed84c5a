"""A language model in a folder: encoder and tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from fourm.checkpoints import Checkpoint, load_module
from fourm.errors import BadInput
from fourm.language.bert import Bert, BertConfig
from fourm.language.sentences import TOKENIZER, SentenceTokenizer, pad


class LanguageModel(Bert):
    """A BERT encoder with its tokenizer.

    `model(ids, mask)` is `Bert.forward`; `model.encode(texts)` takes strings.
    """

    def __init__(self, config: BertConfig, tokenizer: SentenceTokenizer) -> None:
        super().__init__(config)
        self.tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path | str, max_tokens: int | None = None) -> LanguageModel:
        """Load a model in float32, on the CPU and in evaluation mode.

        Args:
            folder: with `config.json`, `model.safetensors` and `tokenizer.json` of a Hugging Face
                BERT model. A pooler is ignored.
            max_tokens: maximum number of tokens of a text, start and end token included; default:
                the number of position embeddings.

        Raises:
            CheckpointError: a file is missing, damaged or does not fit the others.
            BadInput: `max_tokens` is below 3 or above the number of position embeddings.
        """
        checkpoint = Checkpoint.open(folder)
        config = BertConfig.from_fields(checkpoint.fields)
        length = config.positions if max_tokens is None else max_tokens
        if not 3 <= length <= config.positions:
            raise BadInput(f"max_tokens must be between 3 and {config.positions}, got {length}")
        tokenizer = SentenceTokenizer(checkpoint.folder / TOKENIZER, length, config.vocabulary)
        with torch.device("meta"):
            model = cls(config, tokenizer)
        load_module(model, checkpoint, ignore=unused)
        return model.eval()

    def tokenize(self, text: str) -> list[int]:
        """Token ids of one text; safe to call from several threads.

        Raises:
            BadInput: the text is empty.
        """
        return self.tokenizer(text)

    def batch(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Pad the ids of several texts: ids and mask (B, N) on the model's device."""
        device = self.embeddings.word_embeddings.weight.device
        ids, mask = pad(rows)
        return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)

    def encode(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Encode texts: embeddings (B, N, dim) of their tokens, and mask (B, N), True = ignored.

        Raises:
            BadInput: no texts, or an empty one.
        """
        ids, mask = self.batch([self.tokenize(text) for text in texts])
        return self(ids, mask), mask


def unused(name: str) -> bool:
    """Whether a tensor of this name in a published file is not used by the encoder."""
    return name.startswith("pooler.") or name == "embeddings.position_ids"

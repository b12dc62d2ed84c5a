"""A language model as a folder: network, weights and tokenizer together."""

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
    """A BERT encoder that knows its own word pieces.

    `model(ids, mask)` is `Bert.forward`; `model.encode(texts)` starts from words.
    """

    def __init__(self, config: BertConfig, tokenizer: SentenceTokenizer) -> None:
        super().__init__(config)
        self.tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path | str, max_tokens: int | None = None) -> LanguageModel:
        """Read `config.json`, `model.safetensors` and `tokenizer.json` (names of Hugging
        Face BERT files; a pooler is skipped). Float32, on the CPU, in evaluation mode, trainable.

        Args:
            folder: where the three files lie.
            max_tokens: longest text in word pieces, start and end token included; by default what
                the position table has room for.

        Raises:
            CheckpointError: a file is absent, damaged or does not fit the others.
            BadInput: `max_tokens` is below 3 or above the position table.
        """
        checkpoint = Checkpoint.open(folder)
        config = BertConfig.from_fields(checkpoint.fields)
        length = config.positions if max_tokens is None else max_tokens
        if not 3 <= length <= config.positions:
            raise BadInput(f"max_tokens must be 3 to {config.positions}, not {length}")
        tokenizer = SentenceTokenizer(checkpoint.folder / TOKENIZER, length, config.vocabulary)
        with torch.device("meta"):
            model = cls(config, tokenizer)
        load_module(model, checkpoint, ignore=unused)
        return model.eval()

    def tokenize(self, text: str) -> list[int]:
        """Word-piece ids of one text; cheap, and safe to call from several threads.

        Raises:
            BadInput: the text is empty.
        """
        return self.tokenizer(text)

    def batch(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Ids of several texts -> ids (B, N) and mask (B, N) on the model's device."""
        device = self.embeddings.word_embeddings.weight.device
        ids, mask = pad(rows)
        return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)

    def encode(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Texts -> embeddings (B, N, dim) of their word pieces, and mask (B, N), True = ignored.

        Raises:
            BadInput: no texts, or an empty one.
        """
        ids, mask = self.batch([self.tokenize(text) for text in texts])
        return self(ids, mask), mask


def unused(name: str) -> bool:
    """Whether published files may hold a tensor of this name that the encoder does not have."""
    return name.startswith("pooler.") or name == "embeddings.position_ids"

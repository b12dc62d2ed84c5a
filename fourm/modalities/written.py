"""Modalities that are text to the model: texts, and values written as text.

A model may write text that is malformed or truncated. Such parts are skipped, so that what is
decoded can always be given to a model again; the whole text stays in `Decoded.text`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fourm.errors import BadInput, ConfigError
from fourm.lazy import Lazy
from fourm.modalities.coverage import TextCoverage
from fourm.modalities.decoding import Decoded, Decoder, token_array
from fourm.modalities.modality import Codec
from fourm.modalities.reading import Content, Reader
from fourm.tokenizers.diffusion.config import DiffusionConfig

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.wordpiece import TextTokenizer
    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput


def written_codec(
    write: Callable[[Any], str],
    parse: Callable[[str], Any],
    *,
    longest: Callable[[TokenSpec], int] | None = None,
    keys: Sequence[str] = (),
) -> Codec:
    """A modality that is written as text.

    Args:
        write: a value -> its text; raises BadInput.
        parse: a text that a model has written -> a value.
        longest: the longest text that a model reads, in tokens; default: `max_tokens`.
        keys: as `Reader.keys`.
    """
    return Codec(
        reader=lambda spec, file: WrittenReader(spec, file, write, longest, keys),
        decoder=lambda name, tokenizer: TextDecoder(name, tokenizer, parse),
        needs=("text_tokenizer",),
    )


class TextReader(Reader):
    """Reads a text as word pieces.

    Args:
        spec: of kind `seq`.
        file: the text tokenizer's file, or its folder.
    """

    def __init__(self, spec: TokenSpec, file: Callable[[], Path]) -> None:
        super().__init__(spec)
        self.tokenizer: Lazy[TextTokenizer] = Lazy(lambda: self._load(file()))

    def _load(self, path: Path) -> TextTokenizer:
        from fourm.tokenizers.wordpiece import TextTokenizer

        tokenizer = TextTokenizer(path / "tokenizer.json" if path.is_dir() else path)
        if tokenizer.size > self.spec.vocabulary:
            raise ConfigError(
                f"{path} has {tokenizer.size} ids, {self.spec.name} of the model has only "
                f"{self.spec.vocabulary}"
            )
        return tokenizer

    def prepare(self, value: Any) -> Content:
        """A text -> int64 (n,) ids, truncated to the longest of training."""
        ids = self.tokenizer.get().caption(value, self.spec.max_tokens)
        return np.array(ids, np.int64)

    def coverage(self, value: Any) -> TextCoverage | None:
        """How many words the model knows, and whether the text is cut."""
        tokenizer = self.tokenizer.get()
        tokenizer.caption(value, self.spec.max_tokens)  # refuses what has no words
        pieces = tokenizer.tokens(tokenizer.encode(value))
        return TextCoverage.of(pieces, special=1, longest=self.spec.max_tokens)

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n) int64 ids and their mask."""
        import torch

        from fourm.language.sentences import pad
        from fourm.transformer.embeddings import ModalityInput

        ids, masked = pad([content.tolist() for content in contents])
        return ModalityInput(torch.from_numpy(ids).to(device), torch.from_numpy(masked).to(device))

    def pieces(self, content: Content) -> list[str] | None:
        """The word pieces, `[EOS]` included."""
        return self.tokenizer.get().tokens(content.tolist()) if _is_ids(content) else None


class WrittenReader(TextReader):
    """Reads a value that is written as text, which must not be truncated.

    Args:
        spec, file: as `TextReader`.
        write, longest, keys: as `written_codec`.
    """

    def __init__(
        self,
        spec: TokenSpec,
        file: Callable[[], Path],
        write: Callable[[Any], str],
        longest: Callable[[TokenSpec], int] | None = None,
        keys: Sequence[str] = (),
    ) -> None:
        super().__init__(spec, file)
        self._write, self.keys = write, tuple(keys)
        self.longest = spec.max_tokens if longest is None else longest(spec)

    def coverage(self, value: Any) -> TextCoverage | None:
        """None: the text is not a user's."""
        return None

    def prepare(self, value: Any) -> Content:
        """What `write` takes -> int64 (n,) ids."""
        return self.ids(self._write(value))

    def ids(self, text: str) -> Content:
        """int64 (n,) ids of the whole text and `[EOS]`.

        Raises:
            BadInput: more than the model takes.
        """
        tokenizer = self.tokenizer.get()
        ids = [*tokenizer.encode(text), tokenizer.end]
        if len(ids) > self.longest:
            raise BadInput(
                f"{self.spec.name} takes at most {self.longest} tokens, got {len(ids)}: give fewer"
            )
        return np.array(ids, np.int64)


class TextDecoder(Decoder):
    """Decodes the text that a model has written, and the value that it stands for."""

    def __init__(
        self, modality: str, tokenizer: TextTokenizer, parse: Callable[[str], Any] = str
    ) -> None:
        super().__init__(modality)
        self.text_tokenizer, self._parse = tokenizer, parse

    def decode(
        self, tokens: Sequence[int], diffusion: DiffusionConfig, *, progress: bool = False
    ) -> Decoded:
        """What follows `[EOS]` is left out; padding and sentinels are, too."""
        listed = token_array(tokens)
        text = self.text(listed.tolist())
        return Decoded(self.modality, self._parse(text), listed, text)

    def text(self, tokens: Sequence[int]) -> str:
        """The text of tokens."""
        tokenizer, shown = self.text_tokenizer, list(tokens)
        if tokenizer.end in shown:
            shown = shown[: shown.index(tokenizer.end)]
        silent = {tokenizer.pad, tokenizer.start, *tokenizer.sentinels}
        return tokenizer.decode(token for token in shown if token not in silent)


def _is_ids(content: Content) -> bool:
    return isinstance(content, np.ndarray) and content.ndim == 1 and content.dtype == np.int64

"""The text tokenizer of 4M-21: word pieces, sentinels and coordinates.

4M-21 reference, sec. 2.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fourm.checks import NOTHING_LEFT, unicode_text
from fourm.errors import BadInput, CheckpointError

PAD, UNKNOWN, START, END = "[PAD]", "[UNK]", "[SOS]", "[EOS]"
AXES = ("v0", "v1", "v2", "v3")
CAPTION_TOKENS = 256


@dataclass(frozen=True)
class SpecialIds:
    """Ids of `[PAD]`, `[EOS]` and the sentinels `[S_0]`, `[S_1]`, ...

    The defaults are those of 4M-21's tokenizer (4M-21 reference, sec. 2.5).
    """

    pad: int = 0
    end: int = 3
    sentinels: Sequence[int] = range(4, 204)

    def sentinel(self, number: int) -> int:
        """Id of `[S_number]`.

        Raises:
            BadInput: there is no such sentinel.
        """
        if not 0 <= number < len(self.sentinels):
            raise BadInput(
                f"sentinels are [S_0] to [S_{len(self.sentinels) - 1}], got [S_{number}]"
            )
        return self.sentinels[number]


OFFICIAL_IDS = SpecialIds()


class TextTokenizer:
    """Word pieces of captions and of every modality that is written as text.

    Coordinates and other numbers are single tokens, `v0=0` .. `v3=999`; the 80 COCO class names
    are, too. `[S_1]`, `[S_2]` ... are sentinels, each of which stands for a masked span. Safe to
    call from several threads.

    Attributes:
        size: number of ids, 0 .. size - 1.
        pad, unknown, start, end: ids of `[PAD]`, `[UNK]`, `[SOS]` and `[EOS]`.
        sentinels: ids of `[S_0]`, `[S_1]` ..., as many as the file has.
        special_ids: the ids that generation needs.

    Args:
        path: a `tokenizer.json` of the `tokenizers` library.

    Raises:
        CheckpointError: the file does not exist, or is not a text tokenizer of 4M-21.
    """

    def __init__(self, path: Path | str) -> None:
        from tokenizers import Tokenizer

        path = Path(path)
        if not path.is_file():
            raise CheckpointError(f"the text tokenizer {path} does not exist")
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise CheckpointError(f"{path} is not a tokenizer file ({error})") from None
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        vocabulary: dict[str, int] = self._tokenizer.get_vocab(with_added_tokens=True)
        self._vocabulary = vocabulary
        wanted = [PAD, UNKNOWN, START, END, "[S_0]", "[S_1]", "[S_2]"]
        wanted += [f"{axis}={value}" for axis in AXES for value in (0, 999)]
        absent = [token for token in wanted if token not in vocabulary]
        if absent:
            raise CheckpointError(
                f"{path} is not a 4M-21 text tokenizer: it has no token {', '.join(absent)}"
            )
        self.size = max(vocabulary.values()) + 1
        self.pad, self.unknown = vocabulary[PAD], vocabulary[UNKNOWN]
        self.start, self.end = vocabulary[START], vocabulary[END]
        sentinels: list[int] = []
        while f"[S_{len(sentinels)}]" in vocabulary:
            sentinels.append(vocabulary[f"[S_{len(sentinels)}]"])
        self.sentinels = tuple(sentinels)
        self.special_ids = SpecialIds(self.pad, self.end, self.sentinels)

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without special tokens added; an empty text has none.

        Raises:
            BadInput: not a string of Unicode text.
        """
        ids: list[int] = self._tokenizer.encode(unicode_text(text), add_special_tokens=False).ids
        return ids

    def caption(self, text: str, most: int = CAPTION_TOKENS) -> list[int]:
        """Ids of a caption, followed by `[EOS]` as in training.

        Args:
            text: the caption; `[S_1]` stands for a masked span.
            most: maximum number of ids; a longer text is truncated.

        Raises:
            BadInput: not a string of Unicode text, white space alone, or nothing but characters
                that the tokenizer drops.
        """
        ids = self.encode(text)
        if not ids:
            raise BadInput(NOTHING_LEFT if text.strip() else "the text is empty")
        return [*ids[: most - 1], self.end]

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ids, sentinels and other special tokens included.

        Raises:
            BadInput: an id outside the vocabulary.
        """
        wanted = [int(value) for value in ids]
        self._check(wanted)
        text: str = self._tokenizer.decode(wanted, skip_special_tokens=False)
        return text

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """The word piece of each id.

        Raises:
            BadInput: an id outside the vocabulary.
        """
        wanted = [int(value) for value in ids]
        self._check(wanted)
        return [self._tokenizer.id_to_token(value) or UNKNOWN for value in wanted]

    def id_of(self, token: str) -> int:
        """Id of a token, e.g. `"v0=17"` or `"[S_1]"`.

        Raises:
            BadInput: a token outside the vocabulary.
        """
        try:
            return self._vocabulary[token]
        except KeyError:
            raise BadInput(f"the text tokenizer has no token {token!r}") from None

    def _check(self, ids: list[int]) -> None:
        for value in ids:
            if not 0 <= value < self.size:
                raise BadInput(f"text token ids are 0 to {self.size - 1}, got {value}")

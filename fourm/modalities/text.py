"""Words (4M-21 reference: caption as a query, sequence conventions)."""

from __future__ import annotations

from fourm.errors import BadInput
from fourm.tokenizers.wordpiece import TextTokenizer

CAPTION_TOKENS = 256


def caption_tokens(
    tokenizer: TextTokenizer, text: str, most: int = CAPTION_TOKENS, complete: bool = True
) -> list[int]:
    """Token ids of a caption.

    Args:
        tokenizer: the model's text tokenizer.
        text: any words; `[S_1]` in it stands for a part that is not given.
        most: at most this many ids; the end of a longer text is cut off.
        complete: mark the end of the text, as in training.

    Raises:
        BadInput: not a string, or nothing but white space.
    """
    ids = tokenizer.encode(text)
    if not ids:
        raise BadInput("the text is empty")
    if not complete:
        return ids[:most]
    return [*ids[: most - 1], tokenizer.end]

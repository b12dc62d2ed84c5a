"""Words, and what models write as words: boxes, palettes, metadata.

A model may write what is malformed or cut short; that is passed over, so that what is decoded can
always be given to a model again. All that it wrote stays in `Decoded.text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fourm.errors import BadInput
from fourm.modalities.decoders.base import Decoded, Decoder, Quality, token_array

if TYPE_CHECKING:
    from fourm.tokenizers.wordpiece import TextTokenizer


class TextDecoder(Decoder):
    """Words."""

    def __init__(self, kind: str, words: TextTokenizer) -> None:
        self.kind, self.words = kind, words

    def decode(self, tokens: Sequence[int], quality: Quality, *, progress: bool = False) -> Decoded:
        """What follows `[EOS]` is left out; padding and sentinels are, too."""
        listed = token_array(tokens)
        text = self.text(listed.tolist())
        return Decoded(self.kind, self.value(text), listed, text)

    def text(self, tokens: Sequence[int]) -> str:
        """The words of tokens."""
        shown = list(tokens)
        if self.words.end in shown:
            shown = shown[: shown.index(self.words.end)]
        silent = {self.words.pad, self.words.start, *self.words.sentinels}
        return self.words.decode(token for token in shown if token not in silent)

    def value(self, text: str) -> Any:
        """What a text says, in the form of the kind."""
        return text


class BoxesDecoder(TextDecoder):
    """A list of `Box`: those of known classes that have an area."""

    def value(self, text: str) -> Any:
        """-> list of `Box`."""
        from fourm.modalities.boxes import check_box, parse_boxes

        boxes = []
        for box in parse_boxes(text):
            try:
                check_box(box)
            except BadInput:
                continue
            if box.xmin < box.xmax and box.ymin < box.ymax:
                boxes.append(box)
        return boxes


class PaletteDecoder(TextDecoder):
    """A list of at most 7 colours."""

    def value(self, text: str) -> Any:
        """-> list of (red, green, blue), 0 .. 255."""
        from fourm.modalities.palette import parse_palette

        return parse_palette(text)


class MetadataDecoder(TextDecoder):
    """A dict of facts."""

    def value(self, text: str) -> Any:
        """-> name -> a value that would be written with the same number."""
        from fourm.modalities.metadata import parse_facts

        return parse_facts(text)

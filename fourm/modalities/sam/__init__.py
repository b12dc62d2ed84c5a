"""Masks of objects (4M-21 reference: sam_instance)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.errors import ConfigError
from fourm.modalities.coded import CodedDecoder, CodedReader
from fourm.modalities.decoding import Decoded, token_array
from fourm.modalities.maps import GRID_TOKENIZER
from fourm.modalities.modality import Codec, GenerationDefaults, Modality, OfficialTokenizer
from fourm.modalities.reading import Content
from fourm.modalities.sam.masks import Mask, Outlines, square_mask, square_outlines, square_point
from fourm.modalities.sam.text import (
    CODES,
    MASK_SIDE,
    SAM_SIDE,
    Point,
    SamInstance,
    mask_to_box,
    parse_sam,
    sam_text,
)
from fourm.tokenizers.diffusion.config import DiffusionConfig
from fourm.tokens import text_tokens

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokenizers.wordpiece import TextTokenizer

__all__ = [
    "SAM",
    "SAM_SIDE",
    "Mask",
    "Outlines",
    "Point",
    "SamInstance",
    "mask_to_box",
    "parse_sam",
    "sam_text",
    "square_mask",
    "square_outlines",
    "square_point",
]


class MasksReader(CodedReader):
    """Reads objects by their masks."""

    def prepare(self, value: Any) -> Content:
        """A sequence of `Mask`, all of one size -> `Outlines`."""
        outlines = square_outlines(value)
        self.ids(self.draft(outlines))
        return outlines

    def draft(self, content: Content) -> str:
        """The text of `Outlines` with placeholders for the codes of their masks."""
        return sam_text(content.points([[0] * CODES for _ in content.boxes]))

    def finish(self, content: Content, device: torch.device) -> str:
        """The text of `Outlines`."""
        return sam_text(content.points(self.codes(content.parts[:, None], device)))


class MasksDecoder(CodedDecoder):
    """Decodes a list of `Mask`, each object once, in the square image of 224 x 224."""

    def __init__(self, modality: str, tokenizer: VQVAE, text_tokenizer: TextTokenizer) -> None:
        super().__init__(modality, tokenizer, text_tokenizer)
        if tokenizer.config.is_vector or tokenizer.config.n_channels != 1:
            raise ConfigError(f"the tokenizer of {modality} is one of another modality")

    def decode(
        self, tokens: Sequence[int], diffusion: DiffusionConfig, *, progress: bool = False
    ) -> Decoded:
        """Each mask is decoded, and pasted into its box."""
        listed = token_array(tokens)
        text = self.text(listed.tolist())
        # Several points may name the same object: the first one that lies in it is kept.
        found: dict[SamInstance, list[tuple[int, int]]] = {}
        for point in parse_sam(text):
            for instance in point.instances:
                ordered = instance.xmin <= instance.xmax and instance.ymin <= instance.ymax
                if ordered and self.known(instance.codes):
                    found.setdefault(instance, []).append((point.x, point.y))
        masks = []
        if found:
            logits = self.parts([instance.codes for instance in found])[:, 0]
            for (instance, points), part in zip(found.items(), logits, strict=True):
                mask = _pasted(instance, part > 0, points)
                masks += [] if mask is None else [mask]
        return Decoded(self.modality, masks, listed, text)


def _pasted(
    instance: SamInstance, part: NDArray[np.bool_], points: Sequence[tuple[int, int]]
) -> Mask | None:
    """A mask inside its box -> the mask of the whole square; None if it shows nothing."""
    right, bottom = min(instance.xmax + 1, SAM_SIDE), min(instance.ymax + 1, SAM_SIDE)
    size = (right - instance.xmin, bottom - instance.ymin)
    if 0 in size:
        return None
    shape = Image.fromarray(part.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
    whole = np.zeros((SAM_SIDE, SAM_SIDE), np.uint8)
    whole[instance.ymin : bottom, instance.xmin : right] = np.array(shape)
    if not whole.any():
        return None
    inside = next(((x, y) for x, y in points if whole[y, x]), None)
    return Mask(whole, None if inside is None else (float(inside[0]), float(inside[1])))


SAM = Modality(
    name="sam",
    tokens=text_tokens("sam_instance", 290),
    codecs={"seq": Codec(MasksReader, MasksDecoder, needs=("tokenizer", "text_tokenizer"))},
    tokenizer=OfficialTokenizer(
        "4M_tokenizers_sam-instance_1k_64",
        "tokenizer/sam",
        "masks of objects",
        {
            **GRID_TOKENIZER,
            "n_channels": 1,
            "image_size": MASK_SIDE,
            "codebook_size": 1024,
            "latent_dim": 1024,
            "out_conv": True,
        },
        uncertain_fields=("latent_dim",),
    ),
    generation=GenerationDefaults("autoregressive", temperature=0.01),
    generation_order=130,
)

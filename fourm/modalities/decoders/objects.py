"""SAM instances and people, from texts with tokens of masks and poses in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.errors import ConfigError
from fourm.modalities.decoders.base import Decoded, Quality, token_array
from fourm.modalities.decoders.texts import TextDecoder

if TYPE_CHECKING:
    from fourm.modalities.masks import Mask
    from fourm.modalities.sam import Instance
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokenizers.wordpiece import TextTokenizer


class CodedDecoder(TextDecoder):
    """A text whose parts are tokens of a tokenizer of their own."""

    def __init__(self, kind: str, words: TextTokenizer, tokenizer: VQVAE) -> None:
        super().__init__(kind, words)
        self.tokenizer = tokenizer

    def parts(self, codes: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """What N rows of codes stand for, float32 (N, ...)."""
        import torch

        device = next(self.tokenizer.parameters()).device
        known = torch.tensor(codes, dtype=torch.int64, device=device)
        with torch.no_grad():
            decoded: NDArray[np.float32] = self.tokenizer.decode_tokens(known).float().cpu().numpy()
        return decoded

    def known(self, codes: Sequence[int]) -> bool:
        """Whether the tokenizer has all of these codes."""
        return all(0 <= code < self.tokenizer.config.codebook_size for code in codes)


class InstancesDecoder(CodedDecoder):
    """A list of `Mask`, each object once, in the square picture of 224 x 224."""

    def __init__(self, kind: str, words: TextTokenizer, tokenizer: VQVAE) -> None:
        super().__init__(kind, words, tokenizer)
        if tokenizer.config.is_vector or tokenizer.config.n_channels != 1:
            raise ConfigError(f"the tokenizer of {kind} decodes something else than masks")

    def decode(self, tokens: Sequence[int], quality: Quality, *, progress: bool = False) -> Decoded:
        """Each mask is decoded, and pasted into its box."""
        from fourm.modalities.sam import parse_sam

        listed = token_array(tokens)
        text = self.text(listed.tolist())
        # An object may be named at several points: the first one that lies in it is kept.
        places: dict[Instance, list[tuple[int, int]]] = {}
        for point in parse_sam(text):
            for instance in point.instances:
                ordered = instance.xmin <= instance.xmax and instance.ymin <= instance.ymax
                if ordered and self.known(instance.codes):
                    places.setdefault(instance, []).append((point.x, point.y))
        masks = []
        if places:
            logits = self.parts([instance.codes for instance in places])[:, 0]
            for (instance, points), part in zip(places.items(), logits, strict=True):
                mask = _pasted(instance, part > 0, points)
                masks += [] if mask is None else [mask]
        return Decoded(self.kind, masks, listed, text)


def _pasted(
    instance: Instance, part: NDArray[np.bool_], points: Sequence[tuple[int, int]]
) -> Mask | None:
    """A mask inside its box -> the mask of the whole square; None if it shows nothing."""
    from fourm.modalities.masks import Mask
    from fourm.modalities.sam import SIDE

    right, bottom = min(instance.xmax + 1, SIDE), min(instance.ymax + 1, SIDE)
    size = (right - instance.xmin, bottom - instance.ymin)
    if 0 in size:
        return None
    shape = Image.fromarray(part.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
    whole = np.zeros((SIDE, SIDE), np.uint8)
    whole[instance.ymin : bottom, instance.xmin : right] = np.array(shape)
    if not whole.any():
        return None
    inside = next(((x, y) for x, y in points if whole[y, x]), None)
    return Mask(whole, None if inside is None else (float(inside[0]), float(inside[1])))


class PeopleDecoder(CodedDecoder):
    """`People` with the codes of their poses, and the rotations that these stand for."""

    def __init__(self, kind: str, words: TextTokenizer, tokenizer: VQVAE) -> None:
        super().__init__(kind, words, tokenizer)
        if not tokenizer.config.is_vector:
            raise ConfigError(f"the tokenizer of {kind} decodes something else than poses")

    def decode(self, tokens: Sequence[int], quality: Quality, *, progress: bool = False) -> Decoded:
        """Boxes are in pixels of the square picture of 224 x 224."""
        from fourm.modalities.people import People
        from fourm.modalities.poses import parse_poses
        from fourm.modalities.sam import SIDE

        listed = token_array(tokens)
        text = self.text(listed.tolist())
        size = (SIDE, SIDE)
        people = tuple(
            person
            for person in parse_poses(text, size)
            if self.known(person.pose)
            and person.box[0] < person.box[2]
            and person.box[1] < person.box[3]
        )
        value: Any = People(size, people, (None,) * len(people))
        turned = np.zeros((0, 23, 3, 3), np.float32)
        if people:
            turned = self.parts([person.pose for person in people]).reshape(-1, 23, 3, 3)
        return Decoded(self.kind, value, listed, text, turned)

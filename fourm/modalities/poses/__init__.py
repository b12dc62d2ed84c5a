"""Human poses (4M-21 reference: human_poses)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fourm.errors import BadInput, ConfigError
from fourm.modalities.coded import CodedDecoder, CodedReader
from fourm.modalities.decoding import Decoded, token_array
from fourm.modalities.features import EMBEDDING_TOKENIZER
from fourm.modalities.modality import Codec, GenerationDefaults, Modality, OfficialTokenizer
from fourm.modalities.poses.people import JOINT_NUMBERS, People
from fourm.modalities.poses.text import Person, parse_poses, poses_text
from fourm.modalities.reading import Content
from fourm.tokenizers.diffusion.config import DiffusionConfig
from fourm.tokens import text_tokens

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokenizers.wordpiece import TextTokenizer

__all__ = ["JOINT_NUMBERS", "POSES", "People", "Person", "parse_poses", "poses_text"]

_SIDE = 224
_CODES = 8


class PosesReader(CodedReader):
    """Reads people with their poses."""

    def prepare(self, value: Any) -> Content:
        """`People`, checked."""
        if not isinstance(value, People):
            raise BadInput(f"expected People, got {type(value).__name__}", where="poses")
        self.ids(self.draft(value))
        return value

    def draft(self, content: Content) -> str:
        """The text of `People` with placeholders for the codes of their poses."""
        return poses_text(_coded(content, [[0] * _CODES] * len(content.people)), content.size)

    def finish(self, content: Content, device: torch.device) -> str:
        """The text of `People`."""
        turned = [rotations for rotations in content.rotations if rotations is not None]
        coded = iter(self.codes(turned, device))
        codes = [[] if rotations is None else next(coded) for rotations in content.rotations]
        return poses_text(_coded(content, codes), content.size)


def _coded(people: People, codes: Sequence[Sequence[int]]) -> list[Person]:
    rows = zip(people.people, people.rotations, codes, strict=True)
    return [
        person if rotations is None else replace(person, pose=tuple(code))
        for person, rotations, code in rows
    ]


class PeopleDecoder(CodedDecoder):
    """Decodes `People` with the codes of their poses, and the rotations that these stand for."""

    def __init__(self, modality: str, tokenizer: VQVAE, text_tokenizer: TextTokenizer) -> None:
        super().__init__(modality, tokenizer, text_tokenizer)
        if not tokenizer.config.is_vector:
            raise ConfigError(f"the tokenizer of {modality} is one of another modality")

    def decode(
        self, tokens: Sequence[int], diffusion: DiffusionConfig, *, progress: bool = False
    ) -> Decoded:
        """Boxes are in pixels of the square image of 224 x 224."""
        listed = token_array(tokens)
        text = self.text(listed.tolist())
        size = (_SIDE, _SIDE)
        people = tuple(
            person
            for person in parse_poses(text, size)
            if self.known(person.pose)
            and person.box[0] < person.box[2]
            and person.box[1] < person.box[3]
        )
        turned = np.zeros((0, 23, 3, 3), np.float32)
        if people:
            turned = self.parts([person.pose for person in people]).reshape(-1, 23, 3, 3)
        value = People(size, people, (None,) * len(people))
        return Decoded(self.modality, value, listed, text, turned)


POSES = Modality(
    name="poses",
    tokens=text_tokens("human_poses", 275, decoder_rows=263),
    codecs={"seq": Codec(PosesReader, PeopleDecoder, needs=("tokenizer", "text_tokenizer"))},
    tokenizer=OfficialTokenizer(
        "4M_tokenizers_human-poses_1k_8",
        "tokenizer/poses",
        "human poses",
        {
            **EMBEDDING_TOKENIZER,
            "n_channels": JOINT_NUMBERS,
            "codebook_size": 1024,
            "num_codebooks": _CODES,
        },
    ),
    generation=GenerationDefaults("autoregressive", temperature=0.1),
    generation_order=120,
)

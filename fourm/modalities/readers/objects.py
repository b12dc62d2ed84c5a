"""People and SAM instances: texts with tokens of poses or of outlines in them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fourm.errors import BadInput, ConfigError
from fourm.lazy import Lazy
from fourm.modalities.readers.base import Content
from fourm.modalities.readers.words import WrittenReader

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput

_CODES = 1024


class CodedReader(WrittenReader):
    """A text whose parts are tokens of a tokenizer of their own, which runs with the batch."""

    def __init__(
        self, modality: TokenSpec, file: Callable[[], Path], folder: Callable[[], Path]
    ) -> None:
        super().__init__(modality, file)
        self.coder: Lazy[VQVAE] = Lazy(lambda: self._load_coder(folder()))

    def _load_coder(self, folder: Path) -> VQVAE:
        from fourm.tokenizers.loading import load_tokenizer

        coder = load_tokenizer(folder, decode=False)
        if coder.config.codebook_size > _CODES or coder.config.n_labels is not None:
            raise ConfigError(f"{folder} is not a tokenizer of parts of {self.modality.name}")
        return coder

    def codes(self, parts: Any, device: torch.device) -> list[list[int]]:
        """Tokens of float32 parts (N, ...): N lists; none for no parts."""
        import torch

        if not len(parts):
            return []
        values = torch.from_numpy(np.asarray(parts, np.float32)).to(device)
        listed: list[list[int]] = self.coder.get().to(device).encode(values).flatten(1).tolist()
        return listed

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n) int64 ids and their mask."""
        return super().batch(
            [self.ids(self.finish(content, device)) for content in contents], device
        )

    @abstractmethod
    def finish(self, content: Content, device: torch.device) -> str:
        """The text of one input, its parts coded now."""


class PosesReader(CodedReader):
    """People with their poses."""

    def write(self, value: Any) -> str:
        """`People`, with made-up codes in the place of those that are still to come."""
        from fourm.modalities.poses import poses_text

        return poses_text(_with_codes(value, [[0] * 8 for _ in value.rotations]), value.size)

    def prepare(self, value: Any) -> Content:
        """`People`, checked."""
        from fourm.modalities.people import People

        if not isinstance(value, People):
            raise BadInput(f"expected People, not {type(value).__name__}", where="poses")
        self.ids(self.write(value))
        return value

    def finish(self, content: Content, device: torch.device) -> str:
        """The text of `People`."""
        from fourm.modalities.poses import poses_text

        turned = [rotations for rotations in content.rotations if rotations is not None]
        coded = iter(self.codes(turned, device))
        codes = [[] if rotations is None else next(coded) for rotations in content.rotations]
        return poses_text(_with_codes(content, codes), content.size)


def _with_codes(people: Any, codes: list[list[int]]) -> list[Any]:
    rows = zip(people.people, people.rotations, codes, strict=True)
    return [
        person if rotations is None else replace(person, pose=tuple(code))
        for person, rotations, code in rows
    ]


class InstancesReader(CodedReader):
    """Objects by their masks."""

    def write(self, value: Any) -> str:
        """Outlines, with made-up codes in the place of those that are still to come."""
        from fourm.modalities.sam import CODES, sam_text

        return sam_text(value.points([[0] * CODES for _ in value.boxes]))

    def prepare(self, value: Any) -> Content:
        """A sequence of `Mask`, all of one size -> `Outlines`."""
        from fourm.modalities.masks import square_outlines

        outlines = square_outlines(value)
        self.ids(self.write(outlines))
        return outlines

    def finish(self, content: Content, device: torch.device) -> str:
        """The text of `Outlines`."""
        from fourm.modalities.sam import sam_text

        return sam_text(content.points(self.codes(content.parts[:, None], device)))

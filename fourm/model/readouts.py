"""Vectors of one modality alone, read from features without the decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fourm.errors import ConfigError
from fourm.hub.spaces import ReadoutEntry
from fourm.model.heads import Head

if TYPE_CHECKING:
    import torch

    from fourm.transformer import FMConfig


@dataclass(frozen=True)
class FeatureSource:
    """Where the readouts of a batch of samples of one modality find their features.

    Attributes:
        summaries: layer of the encoder -> (B, 2 dim) float32, first register token and mean.
        language: (B, width) float32, the mean of the language model's outputs, or None.
        words: ids of the word pieces of each text, or none.
    """

    summaries: dict[int, torch.Tensor]
    language: torch.Tensor | None = None
    words: Sequence[NDArray[np.int64]] = ()


class Readout:
    """How one modality alone is read in one space.

    Args:
        entry: of the manifest.
        modality: its name.
        head: the map from features to the space; None: they are the vector.
        config: of the transformer.
        language: length of the outputs and size of the vocabulary of the language model that reads
            the modality; None: none does.

    Attributes:
        layers: of the encoder that it needs, ascending; none: the encoder need not run.
        dim: length of its vectors.
        steps: how a vector is made, in a few words.

    Raises:
        ConfigError: the head, the features and the model do not fit each other.
    """

    def __init__(
        self,
        entry: ReadoutEntry,
        modality: str,
        head: Head | None,
        config: FMConfig,
        language: tuple[int, int] | None,
    ) -> None:
        self.entry, self._width = entry, config.dim
        last = config.encoder_depth - 1
        self.layers = {"register": (last,), "encoder": entry.layers, "language": ()}[entry.features]
        if self.layers and not config.num_register_tokens:
            raise ConfigError(f"the readout of {modality} needs a model with register tokens")
        if self.layers and self.layers[-1] > last:
            raise ConfigError(
                f"the readout of {modality} reads layer {self.layers[-1]}; the last is {last}"
            )
        if entry.features == "register":
            width = config.dim
        elif entry.features == "encoder":
            width = 2 * config.dim * len(entry.layers)
        elif language is None:
            raise ConfigError(f"{modality} is not read by a language model")
        else:
            width = language[0]
        self._head = head
        if head is not None:
            _require_fit(head, modality, width, language if entry.features == "language" else None)
        self.dim = width if head is None else head.dim_out
        if entry.blocks and sum(entry.blocks) != self.dim:
            raise ConfigError(
                f"the blocks of {modality} are {sum(entry.blocks)} numbers, its vectors {self.dim}"
            )
        self.steps = self._described()

    def vectors(self, source: FeatureSource) -> torch.Tensor:
        """Vectors of samples of the modality alone: float32 (B, dim) on the CPU."""
        import torch

        if source.language is not None and self.entry.features == "language":
            features = source.language
        elif self.entry.features == "register":
            features = source.summaries[self.layers[0]][:, : self._width]
        else:
            features = torch.cat([source.summaries[layer] for layer in self.layers], dim=1)
        features = features.float().cpu()
        found = features if self._head is None else self._head(features, source.words)
        if not self.entry.blocks:
            return found
        blocks = torch.split(found, list(self.entry.blocks), dim=1)
        return torch.cat([torch.nn.functional.normalize(one, dim=1) for one in blocks], dim=1)

    def _described(self) -> str:
        if self.entry.features == "encoder":
            what = f"register and mean of layers {', '.join(map(str, self.layers))}"
        else:
            what = {"register": "register token", "language": "language model"}[self.entry.features]
        head = self._head
        return what if head is None else f"{what}; head {head.dim_in} to {head.dim_out}"


def _require_fit(head: Head, modality: str, width: int, language: tuple[int, int] | None) -> None:
    if head.dim_in != width:
        raise ConfigError(
            f"{head.path} takes vectors of {head.dim_in}, the features of {modality} are {width}"
        )
    if head.vocabulary is not None and language is None:
        raise ConfigError(f"{head.path} has words, but {modality} is not read by a language model")
    if head.vocabulary is not None and language is not None and head.vocabulary != language[1]:
        raise ConfigError(
            f"{head.path} has {head.vocabulary} words, the language model {language[1]}"
        )

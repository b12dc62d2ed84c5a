"""One space of a model: what is predicted for it, and what is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fourm.checkpoints import Checkpoint, Fields
from fourm.checkpoints.files import CONFIG, read_json_object
from fourm.embedder import Space
from fourm.errors import ConfigError
from fourm.hub.manifest import Manifest
from fourm.modalities import IMAGE
from fourm.model.heads import Head
from fourm.model.readouts import FeatureSource, Readout
from fourm.model.space_decoder import SpaceDecoder, normalised

if TYPE_CHECKING:
    import torch

    from fourm.transformer import FMConfig


class ModelSpace:
    """The readouts of a space, and its decoder.

    Args:
        name: of the space.
        manifest: with its entry.
        config: of the transformer.
        device: where the tokenizer runs.
        preprocessing: what is done to an image before the model, for the space's description.
        precision: dtype of the transformer's matrix products.

    Attributes:
        entry: of the manifest.
        readouts: modality -> how it is read alone.
        decoder: of predictions; None: every input has a readout.
        space: the description.

    Raises:
        CheckpointError: a part cannot be read.
        ConfigError: its parts do not go together.
    """

    def __init__(
        self,
        name: str,
        manifest: Manifest,
        config: FMConfig,
        device: torch.device,
        preprocessing: str | None,
        precision: str,
    ) -> None:
        entry = manifest.spaces[name]
        self.entry = entry
        heads = {part: Head(manifest.locate(part)) for part in entry.heads}
        self.decoder: SpaceDecoder | None = None
        if entry.modality:
            transform = heads.get(entry.transform or "")
            self.decoder = SpaceDecoder(name, manifest, config, device, transform)
        self.readouts: Mapping[str, Readout] = {
            modality: Readout(
                one,
                modality,
                heads.get(one.head or ""),
                config,
                _language(manifest, config, modality),
            )
            for modality, one in entry.readouts.items()
        }
        if self.decoder is None and (lost := set(manifest.inputs) - set(self.readouts)):
            raise ConfigError(
                f"the space {name} has no readout of {', '.join(sorted(lost))}",
                where=manifest.name,
            )
        dim = self._dim(name, manifest)
        steps = [preprocessing] if preprocessing is not None else []
        steps += self._steps()
        self.space = Space(
            name=name,
            dim=dim,
            title=entry.title or name,
            preprocessing="; ".join([*steps, "unit length"]),
            teacher=entry.teacher,
            former_name=entry.former_name,
            precision=precision if entry.picks_tokens else None,
            succeeds=entry.succeeds,
        )

    def units_read(self, modality: str, source: FeatureSource) -> NDArray[np.float32]:
        """Unit vectors float32 (B, dim) of samples of one modality alone, from its readout."""
        return normalised(self.readouts[modality].vectors(source))

    def units_of_logits(self, logits: torch.Tensor, seeds: int = 1) -> NDArray[np.float32]:
        """Unit vectors of predictions; see `SpaceDecoder.units_of_logits`."""
        assert self.decoder is not None
        return self.decoder.units_of_logits(logits, seeds)

    def _dim(self, name: str, manifest: Manifest) -> int:
        made = {modality: readout.dim for modality, readout in self.readouts.items()}
        if self.decoder is not None:
            made = {self.decoder.target: self.decoder.dim, **made}
        (first, dim), *others = made.items()
        for modality, other in others:
            if other != dim:
                raise ConfigError(
                    f"in the space {name}, vectors of {modality} have {other} numbers, those of "
                    f"{first} {dim}",
                    where=manifest.name,
                )
        return dim

    def _steps(self) -> list[str]:
        """How the vector of an image is made; as indexes have it stored."""
        if self.decoder is None:
            return [self.readouts[IMAGE.name].steps]
        steps, transform = [self.decoder.steps], self.decoder.transform
        if IMAGE.name in self.readouts:
            steps = ["image register token", f"else {self.decoder.steps}"]
        if transform is not None:
            steps.append(f"linear transform {transform.dim_in} to {transform.dim_out}")
        return steps


def _language(manifest: Manifest, config: FMConfig, modality: str) -> tuple[int, int] | None:
    """Width and vocabulary of the language model that reads a modality, if one does."""
    name = manifest.inputs.get(modality, "")
    if name not in manifest.language_models:
        return None
    folder = manifest.locate(manifest.language_models[name])
    path = folder / CONFIG
    # What else the folder should hold is found missing when it is first used, or verified.
    fields = (
        Fields(read_json_object(path), path) if path.is_file() else Checkpoint.open(folder).fields
    )
    return config.modalities[name].width, fields.integer("vocab_size", low=1)

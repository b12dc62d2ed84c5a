"""The transformer of a model: samples of the same modalities in, logits out."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fourm.lazy import Lazy
from fourm.modalities import Reader
from fourm.model.samples import Prepared, TokenIds

if TYPE_CHECKING:
    import torch

    from fourm.checkpoints import Checkpoint
    from fourm.transformer import FM, EncoderOutput, FMConfig
    from fourm.transformer.embeddings import ModalityInput

Signature = tuple[tuple[str, bool], ...]


class Network:
    """Reads the backbone when it is first used, and each modality's tables when they are.

    With all tables a 4M-21 model takes four times the memory of its backbone.

    Args:
        checkpoint, config: of the transformer.
        device, dtype: where it runs, and in which precision.
        modalities: modality -> its name in the config.
        readers: modality -> reader; a modality without one can only be given as tokens.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        config: FMConfig,
        device: torch.device,
        dtype: torch.dtype,
        modalities: Mapping[str, str],
        readers: Mapping[str, Reader],
    ) -> None:
        self.config, self.device, self.modalities = config, device, modalities
        self.dtype = dtype
        self._checkpoint, self._readers = checkpoint, readers
        self.backbone: Lazy[FM] = Lazy(self._load)
        self._adding = threading.Lock()
        self._inputs = {name: Lazy(partial(self._add_input, name)) for name in config.domains_in}
        self._outputs = {name: Lazy(partial(self._add_output, name)) for name in config.domains_out}

    def _load(self) -> FM:
        from fourm.transformer import load_fm

        model = load_fm(self._checkpoint, inputs=(), outputs=(), dtype=self.dtype)
        return model.to(self.device).requires_grad_(False)

    def _add_input(self, name: str) -> str:
        from fourm.transformer.builders import add_input

        with self._adding:
            add_input(self.backbone.get(), self._checkpoint, name)
        return name

    def _add_output(self, name: str) -> str:
        from fourm.transformer.builders import add_output

        with self._adding:
            add_output(self.backbone.get(), self._checkpoint, name)
        return name

    def model(self, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> FM:
        """The transformer, which has at least these modalities."""
        for name in inputs:
            self._inputs[name].get()
        for name in outputs:
            self._outputs[name].get()
        return self.backbone.get()

    @property
    def rounds(self) -> bool:
        """Whether products of few rows may be rounded differently from those of many.

        Sums are in float32, in an order that depends on the number of rows; rounding them to a
        lower precision makes a large difference of a small one.
        """
        return self.device.type == "cpu" and self.dtype.itemsize < 4

    def inputs(self, samples: Sequence[Prepared]) -> dict[str, ModalityInput]:
        """What the encoder takes of samples with the same `signature`, by names in the config.

        Runs tokenizers and language models.
        """
        return {self.modalities[name]: self._batch(name, samples) for name in samples[0].contents}

    def encode(
        self, inputs: Mapping[str, ModalityInput], layers: Sequence[int] = ()
    ) -> EncoderOutput:
        """One pass of the encoder over `inputs`; summarises `layers`, ascending."""
        return self.model(inputs=tuple(inputs)).encode(inputs, layers=layers)

    def encode_nothing(self) -> EncoderOutput:
        """The encoder's output for one sample without any input."""
        return self.backbone.get().encode_nothing()

    def logits(self, encoded: EncoderOutput, targets: Sequence[str]) -> dict[str, torch.Tensor]:
        """Logits (B, n, vocabulary) of image-like targets, from one pass of the decoder."""
        return self.model(outputs=targets).decode_all_logits(encoded, targets)

    def _batch(self, modality: str, samples: Sequence[Prepared]) -> ModalityInput:
        contents = [sample.contents[modality] for sample in samples]
        if isinstance(contents[0], TokenIds):
            return _tokens([content.ids for content in contents], self.device)
        return self._readers[modality].batch(contents, self.device)


def signature(sample: Prepared) -> Signature:
    """What samples of one pass have in common: their modalities, and which are token ids."""
    return tuple((name, isinstance(one, TokenIds)) for name, one in sample.contents.items())


def _tokens(rows: Sequence[NDArray[np.int64]], device: torch.device) -> ModalityInput:
    import torch

    from fourm.language.sentences import pad
    from fourm.transformer.embeddings import ModalityInput

    ids, masked = pad([row.tolist() for row in rows])
    shown = torch.from_numpy(masked).to(device) if masked.any() else None
    return ModalityInput(torch.from_numpy(ids).to(device), shown)

"""The transformer of a bundle: samples of the same kinds in, logits out."""

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
    """Reads the trunk when it is first used, and each modality's tables when they are.

    With all of its tables a 4M-21 model takes four times the memory of its trunk.

    Args:
        checkpoint, config: of the transformer.
        device, dtype: where it runs, and in which precision.
        modalities: input kind -> modality.
        readers: input kind -> reader; a kind without one can only be given as tokens.
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
        self._checkpoint, self._dtype, self._readers = checkpoint, dtype, readers
        self.trunk: Lazy[FM] = Lazy(self._load)
        self._adding = threading.Lock()
        self._inputs = {name: Lazy(partial(self._add_input, name)) for name in config.domains_in}
        self._outputs = {name: Lazy(partial(self._add_output, name)) for name in config.domains_out}

    def _load(self) -> FM:
        from fourm.transformer import load_fm

        model = load_fm(self._checkpoint, inputs=(), outputs=(), dtype=self._dtype)
        return model.to(self.device, self._dtype).requires_grad_(False)

    def _add_input(self, name: str) -> str:
        from fourm.transformer.builders import add_input

        with self._adding:
            add_input(self.trunk.get(), self._checkpoint, name)
        return name

    def _add_output(self, name: str) -> str:
        from fourm.transformer.builders import add_output

        with self._adding:
            add_output(self.trunk.get(), self._checkpoint, name)
        return name

    def model(self, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> FM:
        """The transformer, which has at least these modalities."""
        for name in inputs:
            self._inputs[name].get()
        for name in outputs:
            self._outputs[name].get()
        return self.trunk.get()

    def encode(self, samples: Sequence[Prepared]) -> EncoderOutput:
        """One pass of the encoder over samples with the same `signature`."""
        kinds = tuple(samples[0].contents)
        model = self.model(inputs=[self.modalities[kind] for kind in kinds])
        return model.encode({self.modalities[kind]: self._batch(kind, samples) for kind in kinds})

    def encode_nothing(self) -> EncoderOutput:
        """The encoder's output for one sample without any input."""
        return self.trunk.get().encode_nothing()

    def logits(self, encoded: EncoderOutput, targets: Sequence[str]) -> dict[str, torch.Tensor]:
        """Logits (B, n, vocabulary) of image-kind targets, from one pass of the decoder."""
        return self.model(outputs=targets).decode_all_logits(encoded, targets)

    def _batch(self, kind: str, samples: Sequence[Prepared]) -> ModalityInput:
        contents = [sample.contents[kind] for sample in samples]
        if isinstance(contents[0], TokenIds):
            return _tokens([content.ids for content in contents], self.device)
        return self._readers[kind].batch(contents, self.device)


def signature(sample: Prepared) -> Signature:
    """What samples must have in common to go into one pass: their kinds, and which are tokens."""
    return tuple((kind, isinstance(one, TokenIds)) for kind, one in sample.contents.items())


def _tokens(rows: Sequence[NDArray[np.int64]], device: torch.device) -> ModalityInput:
    import torch

    from fourm.language.sentences import pad
    from fourm.transformer.embeddings import ModalityInput

    ids, masked = pad([row.tolist() for row in rows])
    shown = torch.from_numpy(masked).to(device) if masked.any() else None
    return ModalityInput(torch.from_numpy(ids).to(device), shown)

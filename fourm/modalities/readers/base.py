"""What all readers share.

`prepare` is cheap and safe in any thread, and keeps what it makes small; `batch` may run a
network (a tokenizer, a language model), loads it when it is first needed, and runs it in float32
whatever the transformer's precision: codes are decisions, and should not depend on it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fourm.errors import BadInput

if TYPE_CHECKING:
    import torch

    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput

Content = Any
"""What `prepare` keeps of one input: an array, or a small record of arrays."""


class Reader(ABC):
    """Reads one kind of input for one modality of the model."""

    def __init__(self, modality: TokenSpec) -> None:
        self.modality = modality

    @abstractmethod
    def prepare(self, value: Any) -> Content:
        """What is kept of one input until its batch comes.

        Raises:
            BadInput: it cannot be read as this kind of input.
        """

    @abstractmethod
    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """Prepared inputs of several samples, as the transformer takes them."""

    def pieces(self, content: Content) -> list[str] | None:
        """The word pieces of a text as they are read, `[UNK]` for what is not known; else None."""
        return None


def numbers(value: Any, what: str) -> NDArray[np.float32]:
    """An array of finite numbers as float32; a copy where need be.

    Raises:
        BadInput: anything else, e.g. an array of objects, booleans or complex numbers, NaN or
            infinity; `what` names it in the message.
    """
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:  # rows of different lengths
        raise BadInput(f"{what} takes an array of numbers ({error})") from None
    if array.dtype.kind not in "uif":
        raise BadInput(f"{what} takes an array of numbers, not of {array.dtype}")
    if array.size == 0:
        raise BadInput(f"{what} takes an array of numbers, not an empty one {array.shape}")
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # what float32 cannot hold becomes infinite, and is refused
        single = array.astype(np.float32)
    if not np.isfinite(single).all():
        raise BadInput(f"{what} takes finite numbers, not NaN or infinity")
    return single

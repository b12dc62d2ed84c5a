"""What a model embeds: prepared samples, samples with tokens that are known, blends of samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from fourm.errors import BadInput
from fourm.modalities import Content

if TYPE_CHECKING:
    from fourm.tokens import TokenSpec

How = Literal["guided", "late"]

HEAVIEST = 1000.0
"""The largest weight of a part; beyond it float32 logits stop telling tokens apart."""


class Prepared(NamedTuple):
    """One sample, ready for `Model.embed`.

    Attributes:
        contents: input kind -> what its reader (or `TokenIds`) keeps, in the order of the kinds.
        source: the photo that `taken` kinds are predicted from, as the reader of photos keeps it.
        taken: kinds that a first pass predicts from the source and adds to the contents.
    """

    contents: Mapping[str, Content]
    source: Content | None = None
    taken: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TokenIds:
    """An input that is tokens already, in the place of what its kind's reader would make them of.

    Attributes:
        ids: int64 (n,); for image tokens all n of the modality, row by row; for a text its word
            pieces, `[EOS]` included.
    """

    ids: NDArray[np.int64]

    def checked(self, modality: TokenSpec) -> TokenIds:
        """The same as int64, if they are tokens of a modality.

        Raises:
            BadInput: they are not, or the modality has none.
        """
        name = modality.name
        if modality.kind not in ("img", "seq"):
            raise BadInput(f"{name} is not made of tokens")
        least, most = 1, modality.position_rows
        if modality.kind == "img":
            least = most = modality.max_tokens
        ids = np.asarray(self.ids)
        if ids.ndim != 1 or ids.dtype.kind not in "iu" or not least <= len(ids) <= most:
            count = str(most) if least == most else f"{least} to {most}"
            raise BadInput(f"{name} takes {count} integer ids (n,), not {ids.dtype} {ids.shape}")
        low, high = int(ids.min()), int(ids.max())
        if low < 0 or high >= modality.vocabulary:
            raise BadInput(f"{name} has ids 0..{modality.vocabulary - 1}, not {low}..{high}")
        return TokenIds(ids.astype(np.int64))


@dataclass(frozen=True, eq=False)
class Blend:
    """Several samples that become one vector, each with a weight; a negative one leads away.

    Attributes:
        parts: samples and their weights, -1000 .. 1000, not all 0.
        how: `guided`: one prediction from logits u + sum of w_i (c_i - u), c_i given part i and u
            given nothing (4M-21 reference, sec. 4.4). `late`: the unit vectors of the parts,
            summed with their weights.

    Raises:
        BadInput: no parts, something else than prepared samples, or impossible weights.
    """

    parts: tuple[tuple[Prepared, float], ...]
    how: How = "guided"

    def __post_init__(self) -> None:
        if self.how not in get_args(How):
            raise BadInput(f"how is one of {', '.join(get_args(How))}, not {self.how!r}")
        if not self.parts:
            raise BadInput("a blend has at least one part")
        for sample, weight in self.parts:
            if not isinstance(sample, Prepared):
                raise BadInput(
                    f"the parts of a blend are prepared samples, not {type(sample).__name__}"
                )
            _check_weight(weight)
        if not any(weight for _, weight in self.parts):
            raise BadInput("the weights of a blend are all 0: nothing is left of it")


def _check_weight(weight: Any) -> None:
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise BadInput(f"a weight is a number, not {weight!r}")
    if not math.isfinite(weight) or abs(weight) > HEAVIEST:
        raise BadInput(f"a weight lies between -{HEAVIEST:g} and {HEAVIEST:g}, not {weight}")

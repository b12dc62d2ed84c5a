"""What a model embeds: prepared samples, inputs that are token ids already, weighted fusions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from fourm.embedder import FusionMethod
from fourm.errors import BadInput
from fourm.modalities import Content

if TYPE_CHECKING:
    from fourm.tokens import TokenSpec

MAX_FUSION_WEIGHT = 1000.0
"""Larger weights exceed the resolution of float32 logits."""


class Prepared(NamedTuple):
    """One sample, ready for `Model.embed`.

    Attributes:
        contents: modality -> what its reader keeps of the input, or `TokenIds`, in the order in
            which the model is given them.
        source: the image that `predict` is predicted from, as the reader of images keeps it.
        predict: modalities that a first pass predicts from the source and adds to the contents.
    """

    contents: Mapping[str, Content]
    source: Content | None = None
    predict: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TokenIds:
    """An input that is token ids already, in place of what its reader would make them of.

    Attributes:
        ids: int64 (n,); for image-like modalities all n tokens, row by row; for sequences their
            word pieces, `[EOS]` included.
    """

    ids: NDArray[np.int64]

    def checked(self, tokens: TokenSpec) -> TokenIds:
        """The same as int64, if they are tokens of a modality.

        Raises:
            BadInput: they are not, or the modality has none.
        """
        name = tokens.name
        if tokens.kind not in ("img", "seq"):
            raise BadInput(f"{name} is not made of tokens")
        least, most = 1, tokens.position_rows
        if tokens.kind == "img":
            least = most = tokens.max_tokens
        ids = np.asarray(self.ids)
        if ids.ndim != 1 or ids.dtype.kind not in "iu" or not least <= len(ids) <= most:
            count = str(most) if least == most else f"{least} to {most}"
            raise BadInput(f"{name} takes {count} integer ids (n,), got {ids.dtype} {ids.shape}")
        low, high = int(ids.min()), int(ids.max())
        if low < 0 or high >= tokens.vocabulary:
            raise BadInput(f"ids of {name} are 0 to {tokens.vocabulary - 1}, got {low} to {high}")
        return TokenIds(ids.astype(np.int64))


@dataclass(frozen=True, eq=False)
class WeightedFusion:
    """Several samples that become one vector, each with a weight; a negative one subtracts.

    Attributes:
        parts: samples and their weights, -1000 to 1000, not all 0.
        method: `guided`: one prediction from logits u + sum of w_i (c_i - u), c_i given part i and
            u given nothing (4M-21 reference, sec. 4.4). `late`: the unit vectors of the parts,
            summed with their weights.

    Raises:
        BadInput: no parts, parts that are not prepared samples, or weights out of range.
    """

    parts: tuple[tuple[Prepared, float], ...]
    method: FusionMethod = "guided"

    def __post_init__(self) -> None:
        check_fusion([weight for _, weight in self.parts], self.method)
        for sample, _ in self.parts:
            if not isinstance(sample, Prepared):
                raise BadInput(f"expected prepared samples to fuse, got {type(sample).__name__}")


def pairs_of(parts: Any) -> tuple[tuple[Any, Any], ...]:
    """Samples and weights, as `fuse` takes them.

    Raises:
        BadInput: no sequence of pairs.
    """
    try:
        return tuple((sample, weight) for sample, weight in parts)
    except (TypeError, ValueError):
        raise BadInput("expected pairs of a prepared sample and its weight") from None


def check_fusion(weights: list[Any], method: str) -> None:
    """Refuse weights that nothing can be fused with.

    Raises:
        BadInput: an unknown method, no weights, all of them 0, one that is not a number, or is out
            of range.
    """
    if method not in get_args(FusionMethod):
        raise BadInput(f"method must be one of {', '.join(get_args(FusionMethod))}, got {method!r}")
    if not weights:
        raise BadInput("a fusion needs at least one part")
    for weight in weights:
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise BadInput(f"a weight must be a number, got {weight!r}")
        if not math.isfinite(weight) or abs(weight) > MAX_FUSION_WEIGHT:
            raise BadInput(
                f"a weight must lie between -{MAX_FUSION_WEIGHT:g} and {MAX_FUSION_WEIGHT:g}, "
                f"got {weight}"
            )
    if not any(weights):
        raise BadInput("the weights must not be all 0")

"""Training a decoder to predict several modalities of a sample in one pass.

All targets of a sample lie side by side in one row of the decoder's input, and none sees another
(4M-21 reference, sec. 2.4), so that the context's keys and values are computed once. Image tokens
see each other, those of a sequence what comes before them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from fourm.transformer import FM, EncoderOutput
from fourm.transformer.targets import TargetEmbedding


@dataclass(frozen=True)
class Target:
    """What is to be predicted of one modality of a sample.

    Attributes:
        name: an output of the model.
        ids: of image tokens, those at `positions`; of a sequence, all from the first sentinel to
            the last.
        positions: of image tokens; None: it is a sequence.
    """

    name: str
    ids: Tensor
    positions: Tensor | None = None


class Part(NamedTuple):
    """All tokens of one modality in a batch, n of them.

    Attributes:
        places: (n,) in the flattened rows (B * M).
        given: (n,) ids that the decoder is given, or None for image tokens.
        positions: (n,).
        wanted: (n,) ids to predict.
    """

    places: Tensor
    given: Tensor | None
    positions: Tensor
    wanted: Tensor


class Packed(NamedTuple):
    """The targets of a batch.

    Attributes:
        allowed: (B, 1, M, M) bool, which tokens attend to which.
        parts: by modality.
    """

    allowed: Tensor
    parts: dict[str, Part]


def pack(samples: Sequence[Sequence[Target]]) -> Packed:
    """Lay the targets of each sample side by side, padded to the longest row."""
    lengths = [sum(_length(target) for target in targets) for targets in samples]
    width = max(lengths)
    segment = torch.full((len(samples), width), -1)
    order = torch.zeros(len(samples), width, dtype=torch.int64)
    collected: dict[str, list[list[Tensor]]] = {}
    for row, targets in enumerate(samples):
        start = 0
        for number, target in enumerate(targets):
            stop = start + _length(target)
            segment[row, start:stop] = number
            made = [torch.arange(start, stop) + row * width]
            if target.positions is None:
                order[row, start:stop] = torch.arange(stop - start)
                made += [order[row, start:stop], target.ids[1:], target.ids[:-1]]
            else:
                made += [target.positions, target.ids]
            collected.setdefault(target.name, []).append(made)
            start = stop
    same = segment[:, :, None] == segment[:, None, :]
    allowed = same & (order[:, None, :] <= order[:, :, None])
    parts = {}
    for name, rows in collected.items():
        columns = (torch.cat(column) for column in zip(*rows, strict=True))
        places, positions, wanted, *given = columns
        parts[name] = Part(places, given[0] if given else None, positions, wanted)
    if any(part.given is None for part in parts.values()):
        images = torch.cat([part.places for part in parts.values() if part.given is None])
        is_image = torch.zeros(len(samples) * width, dtype=torch.bool)
        is_image[images] = True
        allowed |= same & is_image.view(len(samples), width)[:, :, None]
    return Packed(allowed[:, None], parts)


class NumberBlur:
    """Numbers near the right one are nearly right.

    Args:
        vocabulary: ids of the modality.
        ranges: first and last id of each row of numbers; other ids have no neighbours.
        width: standard deviation of the wanted distribution, in steps.
        step: the numbers that occur are multiples of this.
    """

    def __init__(
        self, vocabulary: int, ranges: Sequence[tuple[int, int]], width: float, step: int = 1
    ) -> None:
        self._low = torch.arange(vocabulary)
        self._high = torch.arange(vocabulary)
        for first, last in ranges:
            self._low[first : last + 1] = first
            self._high[first : last + 1] = last
        reach = math.ceil(2.5 * width)
        steps = torch.arange(-reach, reach + 1)
        self._offsets = steps * step
        self._weights = (-0.5 * (steps / width) ** 2).exp()

    def loss(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """Mean cross-entropy of logits (n, vocabulary) with the blurred ids (n,)."""
        near = wanted[:, None] + self._offsets
        inside = (near >= self._low[wanted][:, None]) & (near <= self._high[wanted][:, None])
        weights = self._weights * inside
        weights = weights / weights.sum(1, keepdim=True)
        likely = logits.log_softmax(-1).gather(1, near.clamp(0, logits.shape[1] - 1))
        return -(weights * likely).sum(1).mean()


def decoded(model: FM, encoded: EncoderOutput, packed: Packed) -> dict[str, Tensor]:
    """What the decoder makes of all tokens of each modality: (n, dim), of which logits are linear.

    Args:
        model: with the outputs of the targets.
        encoded: of the batch.
        packed: its targets.
    """
    batch, _, width, _ = packed.allowed.shape
    queries = torch.zeros(batch * width, model.config.dim)
    for name, part in packed.parts.items():
        module = cast(TargetEmbedding, model.target(name))
        content = model.mask_token[0] if part.given is None else module.token_emb(part.given)
        where = module.pos_emb[0][part.positions] + module.mod_emb[0]
        queries = queries.index_copy(0, part.places, content + where)
    hidden = model.decode(queries.view(batch, width, -1), encoded, packed.allowed).flatten(0, 1)
    return {name: hidden[part.places] for name, part in packed.parts.items()}


def target_losses(
    model: FM, encoded: EncoderOutput, packed: Packed, blurs: Mapping[str, NumberBlur]
) -> dict[str, Tensor]:
    """Mean loss of each modality.

    Args:
        model: with the outputs of the targets.
        encoded: of the batch.
        packed: its targets.
        blurs: modality -> how its numbers are blurred.
    """
    hidden = decoded(model, encoded, packed)
    losses = {}
    for name, part in packed.parts.items():
        logits = cast(TargetEmbedding, model.target(name)).to_logits(hidden[name])
        if name in blurs:
            losses[name] = blurs[name].loss(logits, part.wanted)
        else:
            losses[name] = F.cross_entropy(logits, part.wanted)
    return losses


def _length(target: Target) -> int:
    return len(target.ids) - (target.positions is None)

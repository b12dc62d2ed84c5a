"""From kinds to the parts of a sample, and the steps that complete it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from fourm.errors import BadInput
from fourm.generation.parts import Part
from fourm.generation.schedule import Step, Target, build_schedule
from fourm.generation.settings import Settings
from fourm.generation.text_ids import TextIds
from fourm.generation.texts import hidden_spans
from fourm.modalities import generation_defaults
from fourm.tokenizers.wordpiece import TextTokenizer
from fourm.tokens import TokenSpec

HOLE = re.compile(r"\[S_\d+\]")
"""A sentinel in a text: something is missing there."""

MOST_HIDDEN_WORDS = 64
"""Longest completion of a text, in word pieces, its sentinels included."""

HideBox = tuple[float, float, float, float]


@dataclass(frozen=True)
class Plan:
    """What is given, what is to be completed, and how.

    Attributes:
        given: kind -> part that is a condition.
        opened: kind -> part that is partly known and to be completed.
        wanted: kinds to predict, in their order; the opened ones first.
        names: kind -> modality.
    """

    given: Mapping[str, Part]
    opened: Mapping[str, Part]
    wanted: tuple[str, ...]
    names: Mapping[str, str]

    def schedule(self, modalities: Mapping[str, TokenSpec], settings: Settings) -> list[Step]:
        """The steps of all targets.

        Raises:
            BadInput: weights of kinds that are neither given nor predicted before the last one.
        """
        if strange := set(settings.weights) - {*self.given, *self.wanted[:-1]}:
            raise BadInput(f"weight of {', '.join(sorted(strange))}: that is not given")
        if settings.weights and not self.given:
            raise BadInput("weights need inputs that guide; what is partly hidden cannot")
        targets = []
        for number, kind in enumerate(self.wanted):
            modality = modalities[self.names[kind]]
            recipe = settings.applied(generation_defaults(kind, self.given))
            guidance: float | list[float] = recipe.guidance
            if settings.weights:
                before = (*self.given, *self.wanted[:number])
                guidance = [settings.weights.get(one, 1.0) for one in before]
            targets.append(
                Target(
                    modality.name,
                    None if modality.kind == "seq" else self._missing(kind, modality),
                    recipe.scheme,
                    recipe.steps,
                    "cosine" if recipe.scheme == "maskgit" else "linear",
                    recipe.temperature,
                    recipe.temperature_schedule,
                    guidance,
                )
            )
        return build_schedule(targets, [self.names[kind] for kind in self.given])

    def _missing(self, kind: str, modality: TokenSpec) -> int:
        if kind in self.opened:
            return int(self.opened[kind].remaining.max())
        return modality.max_tokens


def hidden_places(boxes: Sequence[HideBox], grid: int, device: torch.device) -> torch.Tensor:
    """(1, grid * grid) bool, True where a token's square has a share in one of the boxes.

    Args:
        boxes: xmin, ymin, xmax, ymax as fractions of the square that the model sees.
        grid: tokens a side.
        device: of the result.

    Raises:
        BadInput: no box, or one that does not lie within 0 and 1 or has no area.
    """
    hidden = torch.zeros(grid, grid, dtype=torch.bool)
    if not boxes:
        raise BadInput("hide: no box is given")
    for box in boxes:
        xmin, ymin, xmax, ymax = box
        if not (0 <= xmin < xmax <= 1 and 0 <= ymin < ymax <= 1):
            raise BadInput(
                "hide: a box is xmin,ymin,xmax,ymax within 0 and 1, the smaller ones first, "
                f"not {','.join(f'{edge:g}' for edge in box)}"
            )
        rows = slice(math.floor(ymin * grid), math.ceil(ymax * grid))
        columns = slice(math.floor(xmin * grid), math.ceil(xmax * grid))
        hidden[rows, columns] = True
    return hidden.reshape(1, -1).to(device)


def opened_text(text: str, words: TextTokenizer, device: torch.device) -> Part:
    """A text with `[S_1]`, `[S_2]` ... as a part whose hidden words are to be predicted.

    Raises:
        BadInput: sentinels that do not count up from `[S_1]`, or too many words.
    """
    ids = words.encode(text)
    if not any(token in words.sentinels for token in ids):
        raise BadInput("the text has no [S_1] where words are to be filled in")
    # As in training: the end of a text is part of it, and hidden with what is hidden at its end.
    ids += [] if ids[-1] in words.sentinels else [words.end]
    return hidden_spans([ids], MOST_HIDDEN_WORDS, ids=TextIds.of(words), device=device)

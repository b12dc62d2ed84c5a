"""What is to be generated from what, and the schedule of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fourm.errors import BadInput
from fourm.generation.config import GenerationConfig
from fourm.generation.schedule import Step, TargetSchedule, build_schedule
from fourm.generation.states import ModalityState
from fourm.modalities import GenerationDefaults, generation_defaults
from fourm.tokens import TokenSpec


@dataclass(frozen=True)
class GenerationRequest:
    """The modalities of one generation, by their user-facing names.

    Attributes:
        given: the conditions.
        incomplete: those of which a part is given and the rest is to be predicted.
        targets: those to predict, in this order; the incomplete ones come first.
        specs: the tokens of all of them in the model.
        defaults: how the model generates some modalities, in place of their own defaults.
    """

    given: Mapping[str, ModalityState]
    incomplete: Mapping[str, ModalityState]
    targets: tuple[str, ...]
    specs: Mapping[str, TokenSpec]
    defaults: Mapping[str, GenerationDefaults] = field(default_factory=dict)

    def schedule(self, config: GenerationConfig) -> list[Step]:
        """The steps of all targets.

        Raises:
            BadInput: weights of modalities that are neither given nor predicted before the last.
        """
        if unknown := set(config.weights) - {*self.given, *self.targets[:-1]}:
            raise BadInput(f"weight of {', '.join(sorted(unknown))}, which is not given")
        if config.weights and not self.given:
            raise BadInput("weights need at least one input that is given completely")
        schedules = []
        for number, name in enumerate(self.targets):
            spec = self.specs[name]
            defaults = self.defaults.get(name) or generation_defaults(name, self.given)
            chosen = config.applied_to(defaults)
            guidance: float | list[float] = chosen.guidance
            if config.weights:
                before = (*self.given, *self.targets[:number])
                guidance = [config.weights.get(one, 1.0) for one in before]
            schedules.append(
                TargetSchedule(
                    spec.name,
                    None if spec.kind == "seq" else self._missing_tokens(name),
                    chosen.scheme,
                    chosen.steps,
                    "cosine" if chosen.scheme == "maskgit" else "linear",
                    chosen.temperature,
                    chosen.temperature_schedule,
                    guidance,
                )
            )
        return build_schedule(schedules, [self.specs[name].name for name in self.given])

    def _missing_tokens(self, name: str) -> int:
        if name in self.incomplete:
            return int(self.incomplete[name].remaining.max())
        return self.specs[name].max_tokens

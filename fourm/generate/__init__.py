"""Any to any: generating modalities from others (4M-21 reference, sec. 4)."""

from fourm.generate.branches import Branches
from fourm.generate.parts import Part, Sample, empty, given, partly_hidden
from fourm.generate.randomness import Randomness
from fourm.generate.sampler import Sampler
from fourm.generate.schedule import Step, Target, build_schedule, temperatures, tokens_per_step
from fourm.generate.text_ids import TextIds, merge_spans
from fourm.generate.texts import full_text, hidden_spans, up_to_end

__all__ = [
    "Branches",
    "Part",
    "Randomness",
    "Sample",
    "Sampler",
    "Step",
    "Target",
    "TextIds",
    "build_schedule",
    "empty",
    "full_text",
    "given",
    "hidden_spans",
    "merge_spans",
    "partly_hidden",
    "temperatures",
    "tokens_per_step",
    "up_to_end",
]

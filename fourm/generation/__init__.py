"""Any modality to any other (4M-21 reference, sec. 4).

=============  ==============================================================================
sampling       drawing tokens from logits
guidance       classifier-free guidance
one_step       all tokens of one target in a single pass
greedy         the likeliest sequence, token by token
parts          what is known, given and wanted of each modality
schedule       which tokens each step predicts
sampler        `Sampler`: one target after another
defaults       the default schedule of each modality
settings       what a user may choose instead
plan           from modalities to the parts of a sample and the steps that complete it
generator      `Generator`: any inputs to any outputs, decoded
=============  ==============================================================================
"""

from fourm.generation.generator import Generator
from fourm.generation.guidance import Branches, guide, unconditional
from fourm.generation.parts import Part, Sample, empty, given, partly_hidden
from fourm.generation.prediction import Decode, Prediction, choose, predict
from fourm.generation.sampler import Sampler
from fourm.generation.sampling import TokenSampler, keep_likely
from fourm.generation.schedule import Step, Target, build_schedule, temperatures, tokens_per_step
from fourm.generation.settings import Settings
from fourm.generation.text_ids import TextIds, merge_spans
from fourm.generation.texts import full_text, hidden_spans, up_to_end

__all__ = [
    "Branches",
    "Decode",
    "Generator",
    "Part",
    "Prediction",
    "Sample",
    "Sampler",
    "Settings",
    "Step",
    "Target",
    "TextIds",
    "TokenSampler",
    "build_schedule",
    "choose",
    "empty",
    "full_text",
    "given",
    "guide",
    "hidden_spans",
    "keep_likely",
    "merge_spans",
    "partly_hidden",
    "predict",
    "temperatures",
    "tokens_per_step",
    "unconditional",
    "up_to_end",
]

"""Any modality to any other (4M-21 reference, sec. 4).

=============  ==============================================================================
generator      `Generator`: any inputs to any outputs, decoded
config         `GenerationConfig`: what a user may choose
request        the modalities of one generation
decoders       the decoders of a model's modalities
sampler        `Sampler`: the tokens of one target after another
schedule       the steps of each target
states         what is known, and what is to be predicted, of each modality
texts          texts with masked spans
guidance       classifier-free guidance
images         one step of ROAR or MaskGIT
sequences      autoregressive generation of a text
prediction     all tokens of a target in a single pass
sampling       drawing tokens from logits
=============  ==============================================================================
"""

from fourm.generation.config import GenerationConfig
from fourm.generation.generator import Generator
from fourm.generation.guidance import Branches, guide, unconditional
from fourm.generation.prediction import Prediction, choose, predict
from fourm.generation.sampler import Sampler
from fourm.generation.sampling import TokenSampler, keep_likely
from fourm.generation.schedule import (
    Step,
    TargetSchedule,
    build_schedule,
    temperatures,
    tokens_per_step,
)
from fourm.generation.states import InpaintBox, ModalityState, Sample, empty, given, partly_masked
from fourm.generation.texts import full_text, masked_spans, merge_spans, up_to_end

__all__ = [
    "Branches",
    "GenerationConfig",
    "Generator",
    "InpaintBox",
    "ModalityState",
    "Prediction",
    "Sample",
    "Sampler",
    "Step",
    "TargetSchedule",
    "TokenSampler",
    "build_schedule",
    "choose",
    "empty",
    "full_text",
    "given",
    "guide",
    "keep_likely",
    "masked_spans",
    "merge_spans",
    "partly_masked",
    "predict",
    "temperatures",
    "tokens_per_step",
    "unconditional",
    "up_to_end",
]

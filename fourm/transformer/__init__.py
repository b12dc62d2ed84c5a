"""The 4M-21 encoder-decoder, its sizes, and loading it from a checkpoint."""

from fourm.transformer.builders import fm_4m21_b, fm_4m21_l, fm_4m21_xl, load_fm
from fourm.transformer.config import FMConfig
from fourm.transformer.model import FM, EncoderOutput
from fourm.transformer.sequences import SequenceDecoder, sequence_logits

__all__ = [
    "FM",
    "EncoderOutput",
    "FMConfig",
    "SequenceDecoder",
    "fm_4m21_b",
    "fm_4m21_l",
    "fm_4m21_xl",
    "load_fm",
    "sequence_logits",
]

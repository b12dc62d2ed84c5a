"""Predicting the tokens of an image-kind modality in one pass."""

from fourm.predict.guidance import guide, unconditional
from fourm.predict.one_step import Decode, Prediction, choose, predict
from fourm.predict.sampling import draw, keep_likely

__all__ = [
    "Decode",
    "Prediction",
    "choose",
    "draw",
    "guide",
    "keep_likely",
    "predict",
    "unconditional",
]

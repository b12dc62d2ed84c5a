"""Predicting the tokens of an image-kind modality in one pass."""

from fourm.predict.guidance import guide, guide_by_weights, unconditional
from fourm.predict.one_step import Decode, Prediction, choose, predict
from fourm.predict.sampling import draw, keep_likely

__all__ = [
    "Decode",
    "Prediction",
    "choose",
    "draw",
    "guide",
    "guide_by_weights",
    "keep_likely",
    "predict",
    "unconditional",
]

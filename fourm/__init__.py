"""4M-21 models: from any modality to an image's global embedding, in one forward pass.

    import fourm

    model = fourm.load_model("mini")
    vectors = model.embed([model.prepare({"text": "two dogs running in the snow"})])

Importing this package does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import fourm.modalities  # noqa: F401  (fills the tables that a config is read with)
from fourm.errors import (
    BadInput,
    CheckpointError,
    ConfigError,
    DownloadFailed,
    FourmError,
    ModelNotFound,
    TensorMismatch,
    UnknownModality,
    UnknownSpace,
)

if TYPE_CHECKING:
    from fourm.embedder import Embedder, Space
    from fourm.generation import GenerationConfig, Generator, Sampler
    from fourm.hub.availability import MissingTokenizer
    from fourm.hub.listing import ModelCard, list_models
    from fourm.loading import load_4m, load_model
    from fourm.model import Model, Prepared, TokenIds, WeightedFusion
    from fourm.tokenizers.diffusion.config import DiffusionConfig

_LAZY = {
    "Embedder": "fourm.embedder",
    "DiffusionConfig": "fourm.tokenizers.diffusion.config",
    "GenerationConfig": "fourm.generation",
    "Generator": "fourm.generation",
    "Model": "fourm.model",
    "MissingTokenizer": "fourm.hub.availability",
    "ModelCard": "fourm.hub.listing",
    "Prepared": "fourm.model",
    "Sampler": "fourm.generation",
    "Space": "fourm.embedder",
    "TokenIds": "fourm.model",
    "WeightedFusion": "fourm.model",
    "list_models": "fourm.hub.listing",
    "load_4m": "fourm.loading",
    "load_model": "fourm.loading",
}

__all__ = [
    "BadInput",
    "CheckpointError",
    "ConfigError",
    "DiffusionConfig",
    "DownloadFailed",
    "Embedder",
    "FourmError",
    "GenerationConfig",
    "Generator",
    "MissingTokenizer",
    "Model",
    "ModelCard",
    "ModelNotFound",
    "Prepared",
    "Sampler",
    "Space",
    "TensorMismatch",
    "TokenIds",
    "UnknownModality",
    "UnknownSpace",
    "WeightedFusion",
    "list_models",
    "load_4m",
    "load_model",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'fourm' has no attribute {name!r}")

"""4M-21 models: from any modality to a picture's global embedding, in one forward pass.

    import fourm

    model = fourm.load_model("mini")
    vectors = model.embed([model.prepare({"text": "two dogs running in the snow"})])

Importing this package does not import torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fourm.errors import (
    BadInput,
    CheckpointError,
    ConfigError,
    FourmError,
    ModelNotFound,
    TensorMismatch,
    UnknownModality,
    UnknownSpace,
)

if TYPE_CHECKING:
    from fourm.bundle import Model, ModelCard, Space, list_models, load_model

_LAZY = ("Model", "ModelCard", "Space", "list_models", "load_model")

__all__ = [
    "BadInput",
    "CheckpointError",
    "ConfigError",
    "FourmError",
    "Model",
    "ModelCard",
    "ModelNotFound",
    "Space",
    "TensorMismatch",
    "UnknownModality",
    "UnknownSpace",
    "list_models",
    "load_model",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import fourm.bundle

        return getattr(fourm.bundle, name)
    raise AttributeError(f"module 'fourm' has no attribute {name!r}")

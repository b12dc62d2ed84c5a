"""The tensors that a folder should hold: by its config, and by its name if that is official."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fourm.checkpoints import Checkpoint
from fourm.checkpoints.loading import Shapes
from fourm.errors import CheckpointError, FourmError
from fourm.hub.official import MODELS, official_tokenizer, tokenizers

if TYPE_CHECKING:
    import torch


def _none(name: str) -> bool:
    return False


@dataclass(frozen=True)
class Expected:
    """What the tensor file of a config should hold.

    Attributes:
        kind: `transformer`, `tokenizer` or `language model`.
        shapes: name -> shape of every tensor.
        tied: name -> the name under which an equal tensor may be stored instead.
        ignore: names that may be there or not.
    """

    kind: str
    shapes: Shapes
    tied: Mapping[str, str] = field(default_factory=dict)
    ignore: Callable[[str], bool] = _none


def kind_of(checkpoint: Checkpoint) -> str:
    """What a config describes; judged by its fields alone.

    Raises:
        CheckpointError: none of these.
    """
    config = checkpoint.config
    if "domains_in" in config:
        return "transformer"
    if "enc_type" in config or "codebook_size" in config:
        return "tokenizer"
    if "vocab_size" in config and "hidden_size" in config:
        return "language model"
    raise CheckpointError(
        f"{checkpoint.config_source} is the config of neither a 4M model nor one of its tokenizers"
    )


def expected(checkpoint: Checkpoint) -> Expected:
    """The tensors that a config describes; the model is built without memory for its values.

    Raises:
        CheckpointError: the config describes nothing that can be built (`ConfigError` where one
            field is to blame).
    """
    import torch

    build = {
        "transformer": _transformer,
        "tokenizer": _tokenizer,
        "language model": _language_model,
    }[kind_of(checkpoint)]
    try:
        with torch.device("meta"):
            return build(checkpoint)
    except FourmError:
        raise
    except (RuntimeError, OverflowError, MemoryError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise CheckpointError(
            f"{checkpoint.config_source} describes a model that cannot be built ({reason})"
        ) from None


def _transformer(checkpoint: Checkpoint) -> Expected:
    from fourm.transformer import FM, FMConfig
    from fourm.transformer.builders import tied_names

    config = FMConfig.from_fields(checkpoint.fields)
    return Expected("transformer", shapes_of(FM(config)), tied_names(config))


def _tokenizer(checkpoint: Checkpoint) -> Expected:
    from fourm.tokenizers.loading import build_tokenizer

    built = build_tokenizer(checkpoint.config, where=checkpoint.config_source)
    return Expected("tokenizer", shapes_of(built))


def _language_model(checkpoint: Checkpoint) -> Expected:
    from fourm.language.bert import Bert, BertConfig
    from fourm.language.model import unused

    built = Bert(BertConfig.from_fields(checkpoint.fields))
    return Expected("language model", shapes_of(built), ignore=unused)


def official_shapes(name: str, checkpoint: Checkpoint) -> Shapes | None:
    """The tensors of an official model or tokenizer, by its repository's name; None for others."""
    import torch

    if name not in MODELS and name not in tokenizers():
        return None
    with torch.device("meta"):
        if name in tokenizers():
            return shapes_of(official_tokenizer(name, checkpoint.config))
        return official_model_shapes(name)


def official_model_shapes(name: str) -> Shapes:
    """The tensors of `4M-21_B`, `_L` or `_XL`."""
    import torch

    from fourm.transformer import fm_4m21_b, fm_4m21_l, fm_4m21_xl

    build = {"4M-21_B": fm_4m21_b, "4M-21_L": fm_4m21_l, "4M-21_XL": fm_4m21_xl}[name]
    with torch.device("meta"):
        return shapes_of(build())


def tokenizer_shapes(config: Mapping[str, Any]) -> Shapes:
    """The tensors of a tokenizer, by its config."""
    import torch

    from fourm.tokenizers.loading import build_tokenizer

    with torch.device("meta"):
        return shapes_of(build_tokenizer(config))


def shapes_of(module: torch.nn.Module) -> Shapes:
    """Name -> shape of a module's parameters and persistent buffers."""
    return {name: tuple(value.shape) for name, value in module.state_dict().items()}

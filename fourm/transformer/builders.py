"""Build the transformer in the three sizes of 4M-21, or from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from fourm.checkpoints import Checkpoint, load_module
from fourm.errors import UnknownModality
from fourm.tokens import OFFICIAL
from fourm.transformer.config import FMConfig
from fourm.transformer.embeddings import input_embedding
from fourm.transformer.model import FM
from fourm.transformer.precision import product_dtypes
from fourm.transformer.targets import target_embedding

if TYPE_CHECKING:
    from fourm.checkpoints.loading import Shapes


def _fm_4m21(
    dim: int, depth: int, heads: int, inputs: Iterable[str] | None, outputs: Iterable[str] | None
) -> FM:
    config = FMConfig(
        domains_in=tuple(OFFICIAL),
        domains_out=tuple(name for name, spec in OFFICIAL.items() if spec.is_predictable),
        modalities=OFFICIAL,
        dim=dim,
        encoder_depth=depth,
        decoder_depth=depth,
        num_heads=heads,
        qkv_bias=False,
        proj_bias=False,
        mlp_bias=False,
        norm_bias=False,
        act_layer="SiLU",
        gated_mlp=True,
    )
    return FM(config, inputs, outputs)


def fm_4m21_b(inputs: Iterable[str] | None = None, outputs: Iterable[str] | None = None) -> FM:
    """4M-21 B with random weights: width 768, 12+12 blocks, 198.9 M parameters plus embeddings."""
    return _fm_4m21(768, 12, 12, inputs, outputs)


def fm_4m21_l(inputs: Iterable[str] | None = None, outputs: Iterable[str] | None = None) -> FM:
    """4M-21 L with random weights: width 1024, 24+24 blocks, 705.8 M parameters plus embeddings."""
    return _fm_4m21(1024, 24, 16, inputs, outputs)


def fm_4m21_xl(inputs: Iterable[str] | None = None, outputs: Iterable[str] | None = None) -> FM:
    """4M-21 XL with random weights: width 2048, 24+24 blocks, 2823 M parameters plus embeddings."""
    return _fm_4m21(2048, 24, 32, inputs, outputs)


def load_fm(
    source: Checkpoint | Path | str,
    inputs: Iterable[str] | None = None,
    outputs: Iterable[str] | None = None,
    dtype: torch.dtype = torch.float32,
) -> FM:
    """Load the transformer of a checkpoint, on the CPU and in evaluation mode.

    The header is checked against the whole model that the config describes; only the tensors of
    the given modalities are read.

    Args:
        source: a checkpoint, or its folder.
        inputs, outputs: modalities, as in `FM`.
        dtype: of its matrix products; see `fourm.transformer.precision`. Tensors that the file
            holds in another one are converted one by one.

    Raises:
        CheckpointError: the file is missing, damaged, or has other tensors (`TensorMismatch`).
        ConfigError, UnknownModality: as `FMConfig.from_fields` and `FM`.
    """
    checkpoint = source if isinstance(source, Checkpoint) else Checkpoint.open(source)
    config = FMConfig.from_fields(checkpoint.fields)
    with torch.device("meta"):
        model = FM(config, inputs, outputs)
        whole = FM(config)
    everything: Shapes = {name: tuple(value.shape) for name, value in whole.state_dict().items()}
    load_module(
        model,
        checkpoint,
        everything=everything,
        tied=tied_names(config),
        dtypes=product_dtypes(model, dtype),
    )
    return model.eval()


def add_input(model: FM, source: Checkpoint | Path | str, name: str) -> None:
    """Add an input modality to a model of `load_fm`, from the same checkpoint.

    Args:
        model: the embedding is added to it, on its device and in its precision.
        source: as for `load_fm`.
        name: one of the config's `domains_in`.

    Raises:
        UnknownModality: the config has no such input.
        CheckpointError: as `load_fm`.
    """
    config = model.config
    if name not in config.domains_in:
        raise UnknownModality(f"{name!r} is not one of the model's domains_in")
    with torch.device("meta"):
        embedding = input_embedding(config.modalities[name], config.dim)
    _fill(model, source, "encoder_embeddings", name, embedding)
    model.encoder_embeddings[name] = embedding
    model.inputs = (*model.inputs, name)


def add_output(model: FM, source: Checkpoint | Path | str, name: str) -> None:
    """Add an output modality to a model of `load_fm`, from the same checkpoint.

    Args:
        model: the decoder's module is added to it, on its device and in its precision.
        source: as for `load_fm`.
        name: one of the config's `domains_out`.

    Raises:
        UnknownModality: the config has no such output.
        CheckpointError: as `load_fm`.
    """
    config = model.config
    if name not in config.domains_out:
        raise UnknownModality(f"{name!r} is not one of the model's domains_out")
    with torch.device("meta"):
        target = target_embedding(config.modalities[name], config.dim)
    _fill(model, source, "decoder_embeddings", name, target)
    model.decoder_embeddings[name] = target
    model.outputs = (*model.outputs, name)


def _fill(
    model: FM, source: Checkpoint | Path | str, side: str, name: str, part: nn.Module
) -> None:
    """Read the tensors of one modality's module, built on the meta device."""
    checkpoint = source if isinstance(source, Checkpoint) else Checkpoint.open(source)
    prefix = f"{side}.{name}."
    like = model.mask_token
    named = nn.ModuleDict({side: nn.ModuleDict({name: part})})  # as the file names it
    load_module(
        named,
        checkpoint,
        ignore=lambda key: not key.startswith(prefix),
        tied=tied_names(model.config),
        dtypes=product_dtypes(named, model.decoder_proj_context.weight.dtype),
    )
    part.to(like.device).requires_grad_(like.requires_grad).eval()


def tied_names(config: FMConfig) -> dict[str, str]:
    """Tensor -> the tensor it is tied to in training, which a file may hold instead.

    4M-21 reference, sec. 1.1: logits and token table of a target; the modality vectors of a
    modality that is both input and output.
    """
    tied = {}
    for name in config.domains_out:
        prefix = f"decoder_embeddings.{name}"
        tied[f"{prefix}.to_logits.weight"] = f"{prefix}.token_emb.weight"
        tied[f"{prefix}.token_emb.weight"] = f"{prefix}.to_logits.weight"
        if name in config.domains_in:
            other = f"encoder_embeddings.{name}"
            tied[f"{prefix}.mod_emb"] = f"{other}.mod_emb"
            # The safetensors library keeps the first of two names: here that is the decoder's.
            tied[f"{other}.mod_emb"] = f"{prefix}.mod_emb"
    return tied

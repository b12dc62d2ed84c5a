"""Build tokenizers from their configs, and load them from folders in the official format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from fourm.checkpoints import Checkpoint, load_module
from fourm.checkpoints.streamed import stream_linears
from fourm.tokenizers.bottleneck_mlp import BottleneckMLP
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.diffusion.divae import DiVAE
from fourm.tokenizers.vqvae import VQVAE


def build_tokenizer(
    config: Mapping[str, Any],
    encode: bool = True,
    decode: bool = True,
    where: object = "tokenizer config",
) -> VQVAE:
    """Build a tokenizer with random weights: a `DiVAE` if its decoder is a diffusion model.

    Args:
        config: a `config.json` object of the official format.
        encode, decode: build the modules of this half.
        where: place of the config in messages.

    Raises:
        ConfigError: see `TokenizerConfig.from_mapping`.
    """
    checked = TokenizerConfig.from_mapping(config, where)
    kind = DiVAE if checked.is_diffusion else VQVAE
    return kind(checked, encode, decode)


def load_tokenizer(
    source: Checkpoint | Path | str,
    encode: bool = True,
    decode: bool = True,
    stream: bool = False,
) -> VQVAE:
    """Load a tokenizer in float32, on the CPU and in evaluation mode.

    The header is checked against the whole tokenizer; only the tensors of the given halves are
    read.

    Args:
        source: a checkpoint, or its folder.
        encode, decode: load the modules of this half.
        stream: leave the blocks of a vector tokenizer's decoder in the file, if they are stored as
            float32, and map each layer while it runs (`Streamed`); for inference on the CPU.

    Raises:
        CheckpointError: the file is missing or damaged, has other tensors (`TensorMismatch`), or
            a config that is not valid (`ConfigError`).
    """
    checkpoint = source if isinstance(source, Checkpoint) else Checkpoint.open(source)
    with torch.device("meta"):
        whole = build_tokenizer(checkpoint.config, where=checkpoint.config_source)
        wanted = whole
        if not (encode and decode):
            wanted = build_tokenizer(checkpoint.config, encode, decode)
    everything = {name: tuple(value.shape) for name, value in whole.state_dict().items()}
    if stream and decode and isinstance(wanted.decoder, BottleneckMLP):
        stream_linears(wanted.decoder.blocks, checkpoint, "decoder.blocks.")
    load_module(wanted, checkpoint, everything=everything)
    return wanted.eval()

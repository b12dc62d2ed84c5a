"""Tokenizers from their configs and from official-format folders."""

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
    """A tokenizer with fresh weights; a `DiVAE` where the decoder is a diffusion model.

    Args:
        config: a `config.json` object of the official format.
        encode: build what turns inputs into tokens.
        decode: build what turns tokens into reconstructions.
        where: what the config came from, for messages.

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
    """A tokenizer (a `DiVAE` or a plain `VQVAE`) in float32 on the CPU, in evaluation mode.

    The file is held against the whole tokenizer; only the tensors of the wanted halves are read.

    Args:
        source: its folder.
        encode: load what turns inputs into tokens.
        decode: load what turns tokens into reconstructions.
        stream: leave the blocks of a vectors' decoder in the file, if they are stored as float32,
            and map each layer for as long as it runs (`Streamed`); for inference on the CPU.

    Raises:
        CheckpointError: no checkpoint there, a damaged one, a config that makes no tokenizer
            (`ConfigError`) or tensors that are not the tokenizer's (`TensorMismatch`).
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

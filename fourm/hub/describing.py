"""What a model or a tokenizer is, what it can do on this disk, how to get what is missing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourm.checkpoints import Checkpoint
from fourm.checkpoints.loading import Shapes
from fourm.errors import CheckpointError, ModelNotFound
from fourm.hub.availability import missing_tokenizers
from fourm.hub.expected import kind_of, official_model_shapes, tokenizer_shapes
from fourm.hub.finding import used
from fourm.hub.listing import ModelCard, list_models, size_of
from fourm.hub.manifest import MANIFEST_FILE, Manifest
from fourm.hub.names import by_repository, find, folder_of
from fourm.hub.official import (
    MODELS,
    OWNER,
    TEXT_TOKENIZER,
    TEXT_TOKENIZER_NAME,
    spaces,
    tokenizers,
)
from fourm.hub.sources import repository_of
from fourm.hub.teachers import TEACHERS


def describe(source: str) -> dict[str, Any]:
    """Describe a folder or a name, as JSON values in the order in which they are read.

    Only headers and configs are read; of a folder with a `bundle.json` all files, for the
    fingerprint.

    Args:
        source: as for `fourm.hub.names.folder_of`, or the name of an official model or tokenizer
            that is not on this disk.

    Raises:
        ModelNotFound: nothing of that name.
        CheckpointError: the folder's files cannot be read, or are no model.
    """
    try:
        folder = folder_of(source)
    except ModelNotFound:
        return _absent(source)
    if folder.name == TEXT_TOKENIZER:
        return {"name": TEXT_TOKENIZER_NAME, "type": "text tokenizer", **_on_disk(folder)}
    if (folder / MANIFEST_FILE).is_file():
        return _model(folder)
    checkpoint = Checkpoint.open(folder)
    kind = kind_of(checkpoint)
    if kind == "transformer":
        return _transformer(checkpoint)
    if kind == "tokenizer":
        return _tokenizer(checkpoint)
    raise CheckpointError(f"{folder} is a {kind}, a part of a model; give the folder of the model")


def _absent(source: str) -> dict[str, Any]:
    if source in TEACHERS:
        return _teacher(next(card for card in list_models() if card.name == source))
    entry = find(source)
    described: dict[str, Any] = {
        "name": entry.name,
        "type": "transformer" if entry.kind == "model" else "tokenizer",
        "title": entry.purpose,
        "repository": entry.repository,
        "available": False,
        "pull": f"fourm models pull {entry.name}",
    }
    if entry.name in MODELS:
        return {**described, "parameters": _fm_parameters(official_model_shapes(entry.name))}
    name = str(entry.repository).removeprefix(f"{OWNER}/")
    if name in tokenizers():
        shapes = tokenizer_shapes(tokenizers()[name].config)
        described |= {"modalities": list(entry.modalities), "parameters": _halves(shapes)}
    return described


def _teacher(card: ModelCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "type": "teacher",
        "title": card.title,
        "where": card.where,
        "available": card.available,
        "queries": list(card.inputs),
        "spaces": list(card.spaces),
        "note": card.note,
    }


def _model(folder: Path) -> dict[str, Any]:
    manifest = Manifest.read(folder)
    checkpoint = Checkpoint.open(manifest.locate(manifest.model))
    return {
        "name": manifest.name,
        "type": "model",
        "title": manifest.title,
        **_on_disk(folder),
        **_fm_description(checkpoint),
        "queries": list(manifest.inputs),
        "spaces": list(manifest.spaces),
        "missing": [],
        "fingerprint": manifest.fingerprint(),
    }


def _transformer(checkpoint: Checkpoint) -> dict[str, Any]:
    folder = checkpoint.folder
    name = repository_of(folder)
    described = {
        "name": name,
        "type": "transformer",
        "title": MODELS.get(name, name),
        **_on_disk(folder),
        **_fm_description(checkpoint),
    }
    reads = described["modalities_in"]
    uses = used(reads, described["modalities_out"])
    missing = missing_tokenizers(folder, uses)
    here = {what: modality for what, modality in uses.items() if what not in missing}
    return {
        **described,
        "queries": [what for what, name in here.items() if what not in spaces() and name in reads],
        "spaces": [space for space in here if space in spaces()],
        "missing": [
            {"for": what, "needs": list(one.needs), "pull": one.pull}
            for what, one in missing.items()
        ],
    }


def _tokenizer(checkpoint: Checkpoint) -> dict[str, Any]:
    from fourm.tokenizers.config import TokenizerConfig

    config = TokenizerConfig.from_mapping(checkpoint.config, checkpoint.config_source)
    entry = by_repository(repository_of(checkpoint.folder))
    with checkpoint.tensors() as file:
        shapes, dtypes = file.shapes, Counter(file.stored_dtypes.values())
    vector = config.is_vector
    return {
        "name": entry.name if entry else repository_of(checkpoint.folder),
        "type": "tokenizer",
        "title": entry.purpose if entry else "",
        **_on_disk(checkpoint.folder),
        "modalities": list(entry.modalities) if entry else [],
        "encoder": config.enc_type,
        "decoder": config.dec_type,
        "channels": config.n_channels,
        "labels": config.n_labels,
        "tokens": f"{config.num_codebooks} a vector"
        if vector
        else f"one for {config.patch_size} x {config.patch_size} pixels",
        "codebook": config.codebook_size,
        "parameters": _halves(shapes),
        "dtypes": dict(dtypes),
    }


def _on_disk(place: Path) -> dict[str, Any]:
    return {"where": str(place), "available": True, "bytes": size_of(place)}


def _fm_description(checkpoint: Checkpoint) -> dict[str, Any]:
    from fourm.transformer.config import FMConfig

    config = FMConfig.from_fields(checkpoint.fields)
    with checkpoint.tensors() as file:
        shapes, dtypes = file.shapes, Counter(file.stored_dtypes.values())
    return {
        "dim": config.dim,
        "depth": [config.encoder_depth, config.decoder_depth],
        "heads": config.num_heads,
        "parameters": _fm_parameters(shapes),
        "dtypes": dict(dtypes),
        "modalities_in": list(config.domains_in),
        "modalities_out": list(config.domains_out),
    }


def _fm_parameters(shapes: Shapes) -> dict[str, int]:
    """Numbers of values of the blocks, and of the embeddings of modalities."""
    tables = ("encoder_embeddings.", "decoder_embeddings.")
    return {
        "backbone": _values({k: v for k, v in shapes.items() if not k.startswith(tables)}),
        "embeddings": _values({k: v for k, v in shapes.items() if k.startswith(tables)}),
    }


def _halves(shapes: Shapes) -> dict[str, int]:
    """Numbers of values of the encoder, the decoder and the codebook."""
    decoder = ("decoder.", "post_quant_proj.")
    return {
        "encoder": _values(
            {k: v for k, v in shapes.items() if not k.startswith((*decoder, "quantize."))}
        ),
        "codebook": _values({k: v for k, v in shapes.items() if k.startswith("quantize.")}),
        "decoder": _values({k: v for k, v in shapes.items() if k.startswith(decoder)}),
    }


def _values(shapes: Mapping[str, tuple[int, ...]]) -> int:
    return sum(math.prod(shape) for shape in shapes.values())

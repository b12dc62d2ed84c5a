"""Stage `add-outputs`: the decoder and what it needs, added to the model folder.

What the folder reads stays byte by byte the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fourm.checkpoints.files import CONFIG, TENSORS, read_json_object
from fourm.hub.manifest import MANIFEST_FILE
from fourm.training import export
from fourm.training.run import Run
from recipes.mini.decoder import DEPTH, is_decoder, saved_words
from recipes.mini.outputs import (
    EDGES_CONFIG,
    EDGES_OUT,
    SEG_OUT,
    SEG_OUT_CONFIG,
    TEXTS,
    WORDS,
    output_info,
)

MOST_BYTES = 80_000_000

OUTPUTS = {"seg": SEG_OUT, "edges": EDGES_OUT, **TEXTS}
TOKENIZERS = {SEG_OUT: "tok_semseg_out", EDGES_OUT: "tok_edges"}

LIKELIEST = {"temperature": 0, "temperature_schedule": "constant", "guidance": 1}
IN_ONE_STEP = {"scheme": "roar", "steps": 1, **LIKELIEST}
GENERATION: dict[str, dict[str, Any]] = {
    "seg": IN_ONE_STEP,
    "edges": IN_ONE_STEP,
    **{name: {"scheme": "autoregressive", **LIKELIEST} for name in TEXTS},
}
"""Each is nearly determined by a photo: the likeliest tokens look best."""


def add_outputs(run: Run, bundle: Path, most_bytes: int = MOST_BYTES) -> int:
    """Add the trained outputs to a model folder and return its size in bytes.

    Args:
        run: with stage `decoder` done.
        bundle: model folder, which is changed as a whole or not at all.
        most_bytes: allowed size.

    Raises:
        BadInput: the folder would be larger than `most_bytes`.
    """
    with export.replaced(bundle, most_bytes) as folder:
        manifest = read_json_object(folder / MANIFEST_FILE)
        _add_decoder(run, folder / manifest["model"])
        for name, config, saved in (
            (SEG_OUT, SEG_OUT_CONFIG, "outputs/tok_semseg"),
            (EDGES_OUT, EDGES_CONFIG, "outputs/tok_edges"),
        ):
            export.write_checkpoint(folder / TOKENIZERS[name], config, run.load(saved))
        words = folder / "words"
        words.mkdir(exist_ok=True)
        (words / "tokenizer.json").write_bytes(run.path(WORDS).read_bytes())
        manifest["tokenizers"] |= TOKENIZERS
        manifest["words"] = dict.fromkeys(TEXTS.values(), "words")
        manifest["outputs"] = OUTPUTS
        manifest["generation"] = GENERATION
        export.write_json(folder / MANIFEST_FILE, manifest)
    return export.folder_size(bundle)


def _add_decoder(run: Run, folder: Path) -> None:
    """Write the decoder's tensors.

    Positions are a small part of the context, which int8 would drown in what it rounds.
    """
    config = read_json_object(folder / CONFIG)
    info = output_info(saved_words(run))
    config |= {"domains_out": list(info), "decoder_depth": DEPTH, "encoder_sep_mask": True}
    config["modality_info"] = {**config["modality_info"], **json.loads(json.dumps(info))}
    tensors, metadata = export.stored_tensors(folder / TENSORS)
    tensors = {name: tensor for name, tensor in tensors.items() if not is_decoder(name)}
    for name, tensor in run.load("decoder").items():
        if name == "decoder_proj_context.weight":
            tensors[name] = tensor.contiguous()
        elif name.endswith("cross_attn.kv.weight"):
            tensors[name] = tensor.half().contiguous()
        else:
            tensors.update(export.quantised(name, tensor))
    metadata |= {key: str(value) for key, value in config.items()}
    export.save_tensors(folder / TENSORS, tensors, metadata)
    export.write_json(folder / CONFIG, config)

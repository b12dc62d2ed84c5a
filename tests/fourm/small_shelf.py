"""A small model of random weights that reads and predicts every modality, in the official layout.

Its images are 32 x 32 and have 2 x 2 tokens, so that generating all modalities takes seconds.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken

from fourm.checkpoints import Fields
from fourm.hub.official import TEXT_TOKENIZER, tokenizer_repositories
from fourm.modalities.boxes import thing_names
from fourm.tokenizers.loading import build_tokenizer
from fourm.tokens import OFFICIAL
from fourm.transformer import FM, FMConfig
from tests.fourm.small_tokenizers import text_tokenizer

CODES = 16
WORDS_KNOWN = (
    "a the dog cat beach grass on in at sunset of running human pose global camera shape point "
    "polygon none"
)
WIDTH = 24
_GRID = {
    "image_size": 32,
    "patch_size": 16,
    "enc_type": "vit_nano_enc",
    "codebook_size": CODES,
    "latent_dim": 8,
    "post_mlp": True,
}
_DIFFUSED = {**_GRID, "dec_type": "unet_nano", "scheduler": "ddim", "prediction_type": "sample"}
_DECODED = {**_GRID, "dec_type": "vit_nano_dec"}
_MAP = {**_DECODED, "n_channels": WIDTH, "patch_proj": False}
_VECTOR = {
    "enc_type": "BottleneckMLP/B_1-Wi_16",
    "dec_type": "BottleneckMLP/B_1-Wi_16",
    "image_size": 1,
    "patch_proj": False,
    "patch_size": 1,
    "quant_type": "memcodes",
    "codebook_size": CODES,
    "latent_dim": 16,
}
CONFIGS = {
    "tok_rgb@224": {**_DIFFUSED, "n_channels": 3},
    "tok_depth@224": {**_DIFFUSED, "n_channels": 1},
    "tok_normal@224": {**_DIFFUSED, "n_channels": 3},
    "tok_canny_edge@224": {**_DIFFUSED, "n_channels": 1},
    "tok_semseg@224": {**_DECODED, "n_channels": 8, "n_labels": 134},
    "tok_clip@224": _MAP,
    "tok_dinov2@224": _MAP,
    "tok_imagebind@224": _MAP,
    "tok_dinov2_global": {**_VECTOR, "n_channels": WIDTH, "num_codebooks": 4},
    "tok_imagebind_global": {**_VECTOR, "n_channels": WIDTH, "num_codebooks": 4},
    "human_poses": {**_VECTOR, "n_channels": 207, "num_codebooks": 8, "codebook_size": 1024},
    "sam_instance": {
        **_DECODED,
        "image_size": 64,
        "n_channels": 1,
        "codebook_size": 1024,
        "out_conv": True,
    },
}


def small_words():
    """The text tokenizer."""
    single = [name for name in thing_names() if " " not in name]
    tokenizer = text_tokenizer(sorted({*single, *WORDS_KNOWN.split()}), sentinels=9)
    several = sorted(thing_names() - set(single))
    tokenizer.add_tokens([AddedToken(name, single_word=True) for name in several])
    return tokenizer


def small_shelf(shelf):
    """Write model and tokenizers below `shelf`; the model's folder."""
    shelf = Path(shelf)
    shelf.mkdir(parents=True, exist_ok=True)
    words = small_words()
    words.save(str(shelf / TEXT_TOKENIZER))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        for modality, config in CONFIGS.items():
            tokenizer = build_tokenizer(config)
            for name, value in tokenizer.named_parameters():
                if value.dim() > 1 and "pos_emb" not in name:
                    value.normal_(std=0.3 if "decoder.out_proj" in name else 0.1)
            for name, value in tokenizer.quantize.named_buffers():
                if name.endswith("embed"):
                    value.normal_()
            _write(shelf / tokenizer_repositories()[modality], config, tokenizer)
        size = words.get_vocab_size()
        config = {
            "domains_in": sorted(OFFICIAL),
            "domains_out": sorted(OFFICIAL.keys() - {"rgb@224", "t5_caption"}),
            "image_size": 32,
            "patch_size": 16,
            "dim": 32,
            "encoder_depth": 1,
            "decoder_depth": 1,
            "num_heads": 2,
            "norm_bias": False,
            "act_layer": "SiLU",
            "gated_mlp": True,
            "modality_info": {name: _shrunk(one, size) for name, one in OFFICIAL.items()},
        }
        model = FM(FMConfig.from_fields(Fields(config)))
        for name, value in model.named_parameters():
            if "embeddings" in name and value.requires_grad:
                value.normal_()
        _write(shelf / "4M-21_B", config, model)
    return shelf / "4M-21_B"


def _shrunk(modality, words):
    if modality.kind == "seq":
        return {"vocabulary": words, "max_tokens": modality.max_tokens}
    if modality.kind == "seq_emb":
        return {"width": 8}
    places = 4
    if modality.kind == "pixels":
        return {"max_tokens": places}
    return {"max_tokens": places, "vocabulary": CODES}


def _write(folder, config, module):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    tensors = {name: value.clone().contiguous() for name, value in module.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")

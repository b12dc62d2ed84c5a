"""A model folder with random weights: reads images, text and segmentation maps; one space."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from fourm.checkpoints import Fields
from fourm.language.bert import Bert, BertConfig
from fourm.tokenizers.loading import build_tokenizer
from fourm.transformer import FM, FMConfig
from fourm.transformer.embeddings import ModalityInput

DIM = 32
DIM_OUT = 24
SIDE = 64

FM_CONFIG = {
    "domains_in": ["rgb@224", "tiny_caption", "tok_semseg@224"],
    "domains_out": ["tok_dinov2_global"],
    "image_size": SIDE,
    "patch_size": 16,
    "dim": DIM,
    "encoder_depth": 2,
    "decoder_depth": 1,
    "num_heads": 2,
    "mlp_ratio": 2,
    "norm_bias": True,
    "act_layer": "GELU",
    "num_register_tokens": 1,
    "modality_info": {
        "rgb@224": {"max_tokens": 16, "positions": "learned"},
        "tiny_caption": {"kind": "seq_emb", "width": 16, "max_tokens": 24},
        "tok_semseg@224": {"vocabulary": 32, "max_tokens": 16},
        "tok_dinov2_global": {"vocabulary": 8, "max_tokens": 4},
    },
}
SEMSEG_CONFIG = {
    "image_size": SIDE,
    "n_channels": 8,
    "n_labels": 134,
    "enc_type": "vit_nano_enc",
    "dec_type": "vit_nano_dec",
    "patch_size": 16,
    "quant_type": "lucid",
    "codebook_size": 32,
    "latent_dim": 8,
    "post_mlp": True,
}
GLOBAL_CONFIG = {
    "n_channels": DIM,
    "enc_type": "BottleneckMLP/B_1-Wi_16",
    "dec_type": "BottleneckMLP/B_1-Wi_16",
    "image_size": 1,
    "patch_proj": False,
    "patch_size": 1,
    "quant_type": "memcodes",
    "codebook_size": 8,
    "num_codebooks": 4,
    "latent_dim": 16,
}
WORDS = "a an the of on in and two dog dogs cat red blue green bicycle snow sea beach sky at sunset"
BERT_CONFIG = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}
MANIFEST = {
    "format": 1,
    "name": "tiny",
    "title": "random weights, for tests",
    "model": "model",
    "kinds": {"image": "rgb@224", "text": "tiny_caption", "seg": "tok_semseg@224"},
    "tokenizers": {"tok_semseg@224": "tok_semseg", "tok_dinov2_global": "tok_dinov2_global"},
    "language_models": {"tiny_caption": "language_model"},
    "spaces": {
        "dinov2": {
            "modality": "tok_dinov2_global",
            "decode": "soft",
            "image_readout": "register",
            "transform": "transform.safetensors",
            "title": "random directions",
        }
    },
}


def make_tiny_model(folder: Path, seed: int = 0) -> Path:
    """Write the model into `folder` (made if need be) and return it; the same for a seed."""
    folder = Path(folder)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = write_model(folder / "model", FM_CONFIG)
        for part, config in (("tok_semseg", SEMSEG_CONFIG), ("tok_dinov2_global", GLOBAL_CONFIG)):
            write_tokenizer(folder / part, config)
        write_language_model(folder / "language_model")
        # The mean over noise, so that cosines between images spread over -1 .. 1.
        noise = {"rgb@224": ModalityInput(torch.randn(16, 3, SIDE, SIDE))}
        mean = model.encode(noise).tokens[:, 0].mean(0)
        matrix = torch.linalg.qr(torch.randn(DIM, DIM))[0][:DIM_OUT].contiguous()
        save_file({"mean": mean, "matrix": matrix}, folder / "transform.safetensors")
    (folder / "bundle.json").write_text(json.dumps(MANIFEST, indent=2))
    return folder


@torch.no_grad()
def write_model(folder, config):
    """A model with random weights, written into a folder; the model."""
    model = FM(FMConfig.from_fields(Fields(config))).eval()
    for name, value in model.named_parameters():
        # Louder than at the start of training, so that inputs are told apart.
        if "embeddings" in name or "register" in name or "mask_token" in name:
            value.normal_()
        elif "cross_attn" in name and value.dim() > 1:
            value.mul_(3)
    model.get_submodule("encoder_embeddings.rgb@224.proj").weight.normal_(std=0.1)
    _write(folder, config, model.state_dict())
    return model


@torch.no_grad()
def write_tokenizer(folder, config):
    """A tokenizer with random weights, written into a folder."""
    tokenizer = build_tokenizer(config)
    for value in tokenizer.parameters():
        if value.dim() > 1 and value.requires_grad:
            value.normal_(std=0.3)
    for name, value in tokenizer.quantize.named_buffers():
        if name.endswith("embed"):
            value.normal_()
    _write(folder, config, tokenizer.state_dict())


def write_language_model(folder):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS.split()]
    vocabulary += [
        f"{mark}{letter}" for mark in ("", "##") for letter in "abcdefghijklmnopqrstuvwxyz"
    ]
    vocabulary = list(dict.fromkeys(vocabulary))
    config = {**BERT_CONFIG, "vocab_size": len(vocabulary)}
    model = Bert(BertConfig.from_fields(Fields(config)))
    _write(folder, config, model.state_dict())

    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import BertProcessing

    ids = {word: number for number, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    tokenizer.save(str(folder / "tokenizer.json"))


def _write(folder, config, state):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    tensors = {name: value.detach().clone().contiguous() for name, value in state.items()}
    save_file(tensors, folder / "model.safetensors")

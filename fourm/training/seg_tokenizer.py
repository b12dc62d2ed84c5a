"""Stage `seg-tokenizer`: label maps as 8 x 8 tokens of a VQ-VAE.

The encoder is made, not trained: the mean of the class vectors in a cell. Class vectors are near
each other when a language model finds the names alike (sand, dirt), with a random part that keeps
every two apart. The codebook is k-means by cosine over the cells of all maps; the decoder, which
retrieval does not need, is trained to draw the maps back.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import trange

from fourm.checkpoints import Fields
from fourm.language.model import LanguageModel
from fourm.modalities.seg import panoptic_classes
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.vqvae import VQVAE
from fourm.training.architecture import SEG_CODES, SEG_GRID
from fourm.training.features import MAP_SIDE
from fourm.training.run import Run, seeded
from fourm.training.space import k_means

WIDTH = 64
CELL = MAP_SIDE // SEG_GRID
LABELS = len(panoptic_classes()) + 1

CONFIG: dict[str, object] = {
    "image_size": MAP_SIDE,
    "patch_size": CELL,
    "n_channels": WIDTH,
    "n_labels": LABELS,
    "enc_type": "vit_nano_enc",
    "dec_type": "vit_nano_dec",
    "patch_proj": True,
    "post_mlp": False,
    "quant_type": "lucid",
    "codebook_size": SEG_CODES,
    "latent_dim": WIDTH,
    "norm_codes": True,
}


def fit(run: Run, language: Path, steps: int) -> None:
    """Write `tok_semseg` (the tokenizer's tensors) and `seg_codes`: cover (SEG_CODES, LABELS), the
    share of every class in the cells of a code; names (LABELS, dim), vectors of class names."""
    if run.has("tok_semseg"):
        return
    maps = torch.cat([run.load(name)["labels"] for name in ("pseudo_maps", "features/ccp")])
    human = run.load("features/coco_panoptic")
    kept = run.load("split")["panoptic"]
    cover = torch.cat([cells(maps), cells(human["labels"][kept]).repeat(4, 1, 1)]).flatten(0, 1)
    names = name_vectors(LanguageModel.load(language))
    table = class_vectors(names)
    points = F.normalize(cover @ table, dim=-1)
    sample = points[torch.randperm(len(points), generator=seeded(2))[:200_000]]
    centres = F.normalize(k_means(sample, SEG_CODES, seed=3, rounds=12), dim=-1)
    nearest = torch.cat([(x @ centres.T).argmax(1) for x in points.split(1 << 14)])
    sizes = torch.bincount(nearest, minlength=SEG_CODES).clamp_min(1)[:, None]
    mean_cover = torch.zeros(SEG_CODES, LABELS).index_add_(0, nearest, cover) / sizes
    model = assemble(table, centres)
    train_decoder(model, maps, steps)
    run.save("tok_semseg", model.state_dict())
    run.save("seg_codes", {"cover": mean_cover, "names": names})


def cells(labels: Tensor) -> Tensor:
    """(N, MAP_SIDE, MAP_SIDE) labels -> (N, SEG_GRID ** 2, LABELS) float: share of each label."""
    parts = []
    for rows in labels.split(512):
        blocks = rows.long().view(-1, SEG_GRID, CELL, SEG_GRID, CELL).permute(0, 1, 3, 2, 4)
        blocks = blocks.reshape(len(rows), SEG_GRID**2, CELL**2)
        counts = torch.zeros(*blocks.shape[:2], LABELS)
        parts.append(counts.scatter_add_(2, blocks, torch.ones(()).expand_as(blocks)) / CELL**2)
    return torch.cat(parts)


@torch.inference_mode()
def name_vectors(language: LanguageModel) -> Tensor:
    """(LABELS, dim): the language model's mean output for every class name; 0 for no class."""
    names = [row.name.replace("-merged", "").replace("-", " ") for row in panoptic_classes()]
    vectors, mask = language.encode(names)
    visible = (~mask)[..., None].float()
    means = (vectors * visible).sum(1) / visible.sum(1)
    return torch.cat([torch.zeros_like(means[:1]), means]).clone()


def class_vectors(names: Tensor) -> Tensor:
    """(LABELS, WIDTH) unit vectors: half meaning, half chance; nothing is short."""
    centred = names[1:] - names[1:].mean(0)
    axes = torch.linalg.svd(centred, full_matrices=False)[2][:WIDTH]
    meaning = F.normalize(centred @ axes.T, dim=-1)
    meaning = F.pad(meaning, (0, WIDTH - meaning.shape[1]))
    chance = F.normalize(torch.randn(LABELS, WIDTH, generator=seeded(4)), dim=-1)
    return torch.cat([chance[:1] / 2, F.normalize(meaning + chance[1:], dim=-1)])


@torch.no_grad()
def assemble(table: Tensor, centres: Tensor) -> VQVAE:
    """The tokenizer with its made encoder: blocks that add nothing, a convolution that averages."""
    torch.manual_seed(5)
    model = VQVAE(TokenizerConfig.from_mapping(CONFIG))
    weights = dict(model.named_parameters()) | dict(model.named_buffers())
    for name, weight in weights.items():
        if name.startswith("encoder."):
            made_zero = "pos_emb", "attn.proj", "mlp.fc2", "encoder.proj.bias"
            if any(part in name for part in made_zero):
                weight.zero_()
    eye = torch.eye(WIDTH)[:, :, None, None]
    weights["cls_emb.weight"].copy_(table)
    weights["encoder.proj.weight"].copy_(eye.expand(-1, -1, CELL, CELL) / CELL**2)
    weights["quant_proj.weight"].copy_(eye)
    weights["quant_proj.bias"].zero_()
    weights["quantize._codebook.embed"].copy_(centres)
    return model


def train_decoder(model: VQVAE, maps: Tensor, steps: int, batch: int = 32) -> None:
    """Fit `post_quant_proj` and `decoder` to draw label maps from their own tokens."""
    for name, parameter in model.named_parameters():
        trained = name.startswith(("decoder.", "post_quant_proj."))
        parameter.requires_grad_(trained and not name.endswith("pos_emb"))
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=max(steps, 2))
    generator = seeded(6)
    bar = trange(steps, desc="decoder", unit="step")
    for _ in bar:
        labels = maps[torch.randint(len(maps), (batch,), generator=generator)].long()
        with torch.no_grad():
            tokens = model.encode(labels)
        loss = F.cross_entropy(model.decode_tokens(tokens), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        bar.set_postfix(loss=f"{loss.item():.3f}")


def encode_all(state: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """A function (N, MAP_SIDE, MAP_SIDE) labels -> (N, SEG_GRID ** 2) tokens."""
    model = VQVAE(TokenizerConfig.from_mapping(Fields(CONFIG, "tok_semseg").values))
    model.load_state_dict(state)
    model.eval()

    @torch.no_grad()
    def tokens(labels: Tensor) -> Tensor:
        return torch.cat([model.encode(rows.long()).flatten(1) for rows in labels.split(256)])

    return tokens

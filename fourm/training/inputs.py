"""Further inputs for a finished model: an embedding and a linear probe each, the rest frozen.

Nothing changes in what the model computes from its other inputs. Edges are read as a drawing by
the patch embedding of photos, for one channel and half the side; boxes, colours and metadata get a
linear embedding. Each input has a probe of its own at the encoder's register token.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm, trange

from fourm.imagenet import IMAGENET_MEAN, IMAGENET_STD
from fourm.modalities.boxes import BOXES_WIDTH
from fourm.modalities.items import ItemVectors, padded
from fourm.modalities.metadata import METADATA_WIDTH
from fourm.modalities.palette import MOST_COLOURS, PALETTE_WIDTH
from fourm.tokens import TokenSpec, describe
from fourm.training import edges
from fourm.training.augmentation import MOST_BOXES, PhotoItems
from fourm.training.optim import info_nce, plain_attention, warm_up_cosine
from fourm.training.probes import LinearProbe, fit_probe
from fourm.transformer import FM
from fourm.transformer.embeddings import ModalityInput, input_embedding

PHOTO = "rgb@224"
EDGES, BOXES, PALETTE, METADATA = "canny_edge@112", "box_items", "palette_items", "fact_items"

PATCH = 14
GRID = edges.SIDE // PATCH
BATCH = 192
PEAK = {"embedding": 0.02, "probe": 2e-3}
"""Peak learning rates of the two parts."""
WARM_UP = 20

Vary = Callable[[PhotoItems, random.Random], "ItemVectors | None"]


@dataclass(frozen=True)
class FittedInput:
    """An input that a model has learnt.

    Attributes:
        query: what users call it, such as `edges`.
        name: its modality in the model, such as `canny_edge@112`.
        tensors: `embedding.*` and `probe.*`.
        weight: of its vector where it is combined with other inputs, whose own weight is 1.
    """

    query: str
    name: str
    tensors: dict[str, Tensor]
    weight: float


def modality_info() -> dict[str, dict[str, Any]]:
    """Entries of `modality_info` in the model's config."""

    def items(width: int, most: int) -> dict[str, Any]:
        positions = {"max_tokens": most, "position_rows": most, "positions": "learned"}
        return {"kind": "seq_emb", "width": width, **positions}

    return {
        EDGES: {
            "kind": "pixels",
            "patch_size": PATCH,
            "channels": 1,
            "max_tokens": GRID * GRID,
            "positions": "learned",
        },
        BOXES: items(BOXES_WIDTH, MOST_BOXES),
        PALETTE: items(PALETTE_WIDTH, MOST_COLOURS),
        METADATA: items(METADATA_WIDTH, 8),
    }


def token_spec(name: str) -> TokenSpec:
    """The specification of one of these inputs."""
    return describe([name], modality_info(), "further inputs")[name]


@torch.no_grad()
def register_tokens(model: FM, inputs: dict[str, ModalityInput]) -> Tensor:
    """(B, dim) float32 register tokens, computed in bfloat16."""
    with torch.autocast("cpu", torch.bfloat16):
        return model.encode(inputs).tokens[:, 0].float()


@torch.no_grad()
def edge_embedding(model: FM) -> dict[str, Tensor]:
    """The embedding of edges, made from that of photos.

    It takes grey drawings with values from 0 to 1 and gives what a photo with three equal channels
    gives, except for the positions, which are those of every second patch, interpolated.
    """
    photo = {k: v.float() for k, v in model.encoder_embeddings[PHOTO].state_dict().items()}
    width = model.config.dim
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    weight = photo["proj.weight"].view(width, PATCH * PATCH, 3)
    side = math.isqrt(photo["pos_emb"].shape[1])
    grid = photo["pos_emb"].view(1, side, side, width).permute(0, 3, 1, 2)
    positions = F.interpolate(grid, size=(GRID, GRID), mode="bicubic", antialias=True)
    offset = -(weight * (mean / std)).sum((1, 2))
    return {
        "proj.weight": (weight / std).sum(2),
        "pos_emb": positions.permute(0, 2, 3, 1).reshape(1, GRID * GRID, width),
        "mod_emb": photo["mod_emb"] + offset,
    }


def fit_edges(
    model: FM,
    photos: Callable[[], Iterable[NDArray[np.uint8]]],
    targets: Tensor,
    steps: int,
    seed: int = 0,
) -> dict[str, Tensor]:
    """The embedding of edges, and a probe fitted to photos drawn in all `edges.VERSIONS`.

    Args:
        model: frozen, with the input `rgb@224`; it gets the new embedding.
        photos: returns a new iterator over the photos, (S, S, 3) uint8.
        targets: (N, dim) unit vectors of the photos, in their order.
        steps: optimiser steps of the probe.
        seed: random seed.

    Returns:
        `embedding.*` and `probe.*` tensors.
    """
    made = edge_embedding(model)
    embedding = input_embedding(token_spec(EDGES), model.config.dim)
    embedding.load_state_dict(made)
    model.encoder_embeddings[EDGES] = embedding
    registers: list[Tensor] = []
    for version in edges.VERSIONS:
        rng = random.Random(f"{seed} {version}")
        title = f"edges, {version}"
        drawn: list[NDArray[np.uint8]] = []
        for number, photo in enumerate(tqdm(photos(), title, len(targets), unit="photo"), 1):
            drawn.append(edges.edge_input(photo, version, rng))
            if len(drawn) == 96 or number == len(targets):
                given = ModalityInput(torch.from_numpy(np.stack(drawn)).float() / 255)
                registers.append(register_tokens(model, {EDGES: given}))
                drawn = []
    rows = torch.arange(len(targets)).repeat(len(edges.VERSIONS))
    probe = fit_probe(torch.cat(registers), rows, targets, steps, seed)
    return _named(made, probe)


def fit_items(
    model: FM,
    name: str,
    photos: Sequence[PhotoItems],
    vary: Vary,
    targets: Tensor,
    steps: int,
    seed: int = 0,
    batch: int = BATCH,
) -> dict[str, Tensor]:
    """An embedding and a probe for one kind of items, trained together by InfoNCE.

    Args:
        model: frozen; it gets the new embedding.
        name: BOXES, PALETTE or METADATA.
        photos: their items.
        vary: gives the items of one photo with random variations, or None where it has none.
        targets: (N, dim) unit vectors of the photos, in their order.
        steps: optimiser steps.
        seed: random seed.
        batch: photos in a step.

    Returns:
        `embedding.*` and `probe.*` tensors.
    """
    torch.manual_seed(seed)
    rng = random.Random(seed)
    embedding = input_embedding(token_spec(name), model.config.dim)
    for key, value in embedding.named_parameters():
        if key == "emb_proj.weight":
            # Large compared with what the frozen blocks, made for photos, add to it.
            nn.init.normal_(value, std=1.5)
        elif key == "pos_emb":
            nn.init.normal_(value, std=0.02)
        else:
            nn.init.zeros_(value)
    model.encoder_embeddings[name] = embedding
    probe = LinearProbe(model.config.dim, targets.shape[1], seed)
    parts = {"embedding": embedding, "probe": probe}
    groups = [
        {"params": list(parts[part].parameters()), "lr": peak, "peak": peak}
        for part, peak in PEAK.items()
    ]
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01)
    bar = trange(steps, desc=name, unit="step")
    for step in bar:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * warm_up_cosine(step, steps, WARM_UP)
        rows, given = _batch(photos, vary, rng, batch)
        with plain_attention(), torch.autocast("cpu", torch.bfloat16):
            registers = model.encode({name: given}).tokens[:, 0]
        loss = info_nce(probe(registers.float()), targets, rows)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        bar.set_postfix(loss=f"{loss.item():.3f}")
    return _named({k: v.detach() for k, v in embedding.named_parameters()}, probe)


def _batch(
    photos: Sequence[PhotoItems], vary: Vary, rng: random.Random, size: int
) -> tuple[Tensor, ModalityInput]:
    rows: list[int] = []
    found: list[ItemVectors] = []
    while len(rows) < size:
        row = rng.randrange(len(photos))
        items = vary(photos[row], rng)
        if items is not None:
            rows.append(row)
            found.append(items)
    return torch.tensor(rows), padded(found, torch.device("cpu"))


def _named(embedding: dict[str, Tensor], probe: LinearProbe) -> dict[str, Tensor]:
    return {
        **{f"embedding.{key}": value for key, value in embedding.items()},
        **{f"probe.{key}": value for key, value in probe.tensors().items()},
    }

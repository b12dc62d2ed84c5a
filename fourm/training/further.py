"""Stage `further`: a bundle learns to read edges, boxes, palettes and facts.

The transformer stays as it is, so that nothing changes in what the bundle could do before. Edges
are read as a drawing: the patch embedding is that of photos, for one channel and half the side.
Boxes, colours and facts get a linear embedding. Every kind gets a readout of its own at the
encoder's register token. What is learnt is the embeddings and the readouts.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm, trange

from fourm.hub.manifest import Manifest
from fourm.imagenet import IMAGENET_MEAN, IMAGENET_STD, imagenet_normalised
from fourm.modalities.boxes import BOXES_WIDTH
from fourm.modalities.items import Items, padded
from fourm.modalities.metadata import METADATA_WIDTH
from fourm.modalities.palette import MOST_COLOURS, PALETTE_WIDTH, palette_of
from fourm.model.transform import Transform
from fourm.tokens import TokenSpec, describe
from fourm.training import drawings, examples, material, readouts
from fourm.training.run import Run
from fourm.transformer import FM, load_fm
from fourm.transformer.embeddings import ModalityInput, input_embedding

PHOTO = "rgb@224"
EDGES, BOXES, PALETTE, FACTS = "canny_edge@112", "box_items", "palette_items", "fact_items"
KINDS = {"edges": EDGES, "boxes": BOXES, "palette": PALETTE, "metadata": FACTS}

PATCH = 14
GRID = drawings.SIDE // PATCH
EDGE_STEPS = 2000
BATCH = 192
PEAK = {"embedding": 0.02, "readout": 2e-3}
WARM_UP = 20


def modality_info() -> dict[str, dict[str, Any]]:
    """The kinds' entries in `modality_info` of the model's config."""

    def items(width: int, most: int) -> dict[str, Any]:
        places = {"max_tokens": most, "position_rows": most, "positions": "learned"}
        return {"kind": "seq_emb", "width": width, **places}

    return {
        EDGES: {
            "kind": "pixels",
            "patch_size": PATCH,
            "channels": 1,
            "max_tokens": GRID * GRID,
            "positions": "learned",
        },
        BOXES: items(BOXES_WIDTH, examples.MOST_BOXES),
        PALETTE: items(PALETTE_WIDTH, MOST_COLOURS),
        FACTS: items(METADATA_WIDTH, 8),
    }


def learn(run: Run, bundle: Path, steps: int, seed: int = 0) -> None:
    """Write `further/<modality>` for each kind: `embedding.*` and `readout.*` tensors.

    What is there already is kept, so that an interrupted run goes on with the next kind.
    """
    manifest = Manifest.read(bundle)
    model = load_fm(bundle / manifest.model, inputs=[PHOTO], outputs=[]).requires_grad_(False)
    split = [photo.split for photo in material.captioned(run.data)]
    train = [row for row, name in enumerate(split) if name == "train"]
    targets = _targets(run, model, bundle, manifest)[train]
    if not run.has(f"further/{EDGES}"):
        run.save(f"further/{EDGES}", _edges(run, model, train, targets, seed))
    made = _examples(run)
    draws: dict[str, Callable[[examples.Example, random.Random], Items | None]] = {
        BOXES: examples.boxes,
        PALETTE: examples.palette,
        FACTS: examples.facts,
    }
    for name, draw in draws.items():
        if not run.has(f"further/{name}"):
            start = _Items(model, name, targets.shape[1], seed)
            tensors = start.train([made[row] for row in train], draw, targets, steps)
            run.save(f"further/{name}", tensors)


class _Items:
    """Learning one kind of items: its embedding and its readout."""

    def __init__(self, model: FM, name: str, dim: int, seed: int) -> None:
        torch.manual_seed(seed)
        self.model, self.name = model, name
        self.rng = random.Random(seed)
        modality = modality_of(name)
        self.embedding = input_embedding(modality, model.config.dim)
        for key, value in self.embedding.named_parameters():
            if key == "emb_proj.weight":
                # Long beside what the frozen blocks, made for pictures, add to it.
                nn.init.normal_(value, std=1.5)
            elif key == "pos_emb":
                nn.init.normal_(value, std=0.02)
            else:
                nn.init.zeros_(value)
        model.encoder_embeddings[name] = self.embedding
        self.readout = readouts.Readout(model.config.dim, dim, seed)

    def train(
        self,
        photos: Sequence[examples.Example],
        draw: Callable[[examples.Example, random.Random], Items | None],
        targets: Tensor,
        steps: int,
    ) -> dict[str, Tensor]:
        """`embedding.*` and `readout.*`, the tensors of the two parts."""
        parts = {"embedding": self.embedding, "readout": self.readout}
        optimiser = torch.optim.AdamW(
            [
                {"params": list(parts[name].parameters()), "lr": peak, "peak": peak}
                for name, peak in PEAK.items()
            ],
            betas=(0.9, 0.98),
            weight_decay=0.01,
        )
        bar = trange(steps, desc=self.name, unit="step")
        for step in bar:
            for group in optimiser.param_groups:
                cosine = 0.51 + 0.49 * math.cos(math.pi * step / steps)
                group["lr"] = group["peak"] * min(1.0, (step + 1) / WARM_UP) * cosine
            rows, given = self._batch(photos, draw)
            with sdpa_kernel(SDPBackend.MATH), torch.autocast("cpu", torch.bfloat16):
                registers = self.model.encode({self.name: given}).tokens[:, 0]
            loss = readouts.loss(self.readout(registers.float()), targets, rows)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            bar.set_postfix(loss=f"{loss.item():.3f}")
        state = {f"embedding.{k}": v.detach() for k, v in self.embedding.named_parameters()}
        return {**state, **{f"readout.{k}": v for k, v in self.readout.tensors().items()}}

    def _batch(
        self,
        photos: Sequence[examples.Example],
        draw: Callable[[examples.Example, random.Random], Items | None],
    ) -> tuple[Tensor, ModalityInput]:
        rows: list[int] = []
        drawn: list[Items] = []
        while len(rows) < BATCH:
            row = self.rng.randrange(len(photos))
            items = draw(photos[row], self.rng)
            if items is not None:
                rows.append(row)
                drawn.append(items)
        return torch.tensor(rows), padded(drawn, torch.device("cpu"))


def _edges(
    run: Run, model: FM, train: Sequence[int], targets: Tensor, seed: int
) -> dict[str, Tensor]:
    """The embedding of edges, made from that of photos, and a readout fitted to it."""
    made = edge_embedding(model)
    embedding = input_embedding(modality_of(EDGES), model.config.dim)
    embedding.load_state_dict(made)
    model.encoder_embeddings[EDGES] = embedding
    photos = material.captioned(run.data)
    registers: list[Tensor] = []
    rows: list[int] = []
    for version in drawings.VERSIONS:
        rng = random.Random(f"{seed} {version}")
        bar = tqdm(range(0, len(train), 96), desc=f"edges, {version}", unit="batch")
        for start in bar:
            chunk = train[start : start + 96]
            pixels = (material.square_photo(photos[r].path).transpose(2, 0, 1) for r in chunk)
            drawn = np.stack([drawings.edges(one, version, rng) for one in pixels])
            given = ModalityInput(torch.from_numpy(drawn).float() / 255)
            registers.append(_registers(model, {EDGES: given}))
            rows += range(start, start + len(chunk))
    readout = readouts.fit(torch.cat(registers), torch.tensor(rows), targets, EDGE_STEPS, seed)
    return {
        **{f"embedding.{key}": value for key, value in made.items()},
        **{f"readout.{key}": value for key, value in readout.tensors().items()},
    }


@torch.no_grad()
def edge_embedding(model: FM) -> dict[str, Tensor]:
    """That of photos, for a grey drawing with values from 0 to 1 and half the side.

    Exactly what a photo with three equal channels gives, but for the positions, which are those of
    every second patch, interpolated.
    """
    photo = {k: v.float() for k, v in model.encoder_embeddings[PHOTO].state_dict().items()}
    width = model.config.dim
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    weight = photo["proj.weight"].view(width, PATCH * PATCH, 3)
    side = math.isqrt(photo["pos_emb"].shape[1])
    grid = photo["pos_emb"].view(1, side, side, width).permute(0, 3, 1, 2)
    places = F.interpolate(grid, size=(GRID, GRID), mode="bicubic", antialias=True)
    offset = -(weight * (mean / std)).sum((1, 2))
    return {
        "proj.weight": (weight / std).sum(2),
        "pos_emb": places.permute(0, 2, 3, 1).reshape(1, GRID * GRID, width),
        "mod_emb": photo["mod_emb"] + offset,
    }


@torch.no_grad()
def _registers(model: FM, inputs: dict[str, ModalityInput]) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return model.encode(inputs).tokens[:, 0].float()


def _targets(run: Run, model: FM, bundle: Path, manifest: Manifest) -> Tensor:
    """(N, dim) unit vectors of all captioned photos in the bundle's space."""
    if not run.has("further/photos"):
        photos = material.captioned(run.data)
        rows = []
        for start in trange(0, len(photos), 32, desc="photos", unit="batch"):
            pixels = np.stack([material.square_photo(p.path) for p in photos[start : start + 32]])
            given = imagenet_normalised(torch.from_numpy(pixels).permute(0, 3, 1, 2))
            rows.append(_registers(model, {PHOTO: ModalityInput(given)}))
        run.save("further/photos", {"cls": torch.cat(rows)})
    space = next(iter(manifest.spaces.values()))
    assert space.transform is not None
    transform = Transform(bundle / space.transform)
    return F.normalize(transform(run.load("further/photos")["cls"]), dim=-1)


def _examples(run: Run) -> list[examples.Example]:
    path = run.path("further/palettes.json")
    photos = material.captioned(run.data)
    if not path.is_file():
        counts = range(1, MOST_COLOURS + 1)
        palettes = [
            [palette_of(material.square_photo(photo.path), count) for count in counts]
            for photo in tqdm(photos, desc="palettes", unit="photo")
        ]
        run.write_json("further/palettes.json", palettes)
    palettes = json.loads(path.read_text(encoding="utf-8"))
    found = material.instance_rows(run.data)
    made = []
    for photo, colours in zip(photos, palettes, strict=True):
        instances = found.get(photo.path.name, [])
        facts = material.facts(photo.path, material.boxes(instances))
        made.append(examples.Example(colours, facts, material.boxes(instances, lowest=0)))
    return made


def modality_of(name: str) -> TokenSpec:
    """One of the kinds' modalities."""
    return describe([name], modality_info(), "further")[name]

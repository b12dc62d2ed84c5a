"""Stage `split`: which photos training may see."""

from __future__ import annotations

import torch

from fourm.training import material
from fourm.training.run import Run


def fix(run: Run) -> None:
    """Write `split`: rows of flickr8k in `train` and `dev`, and of the crops of coco_panoptic
    (`panoptic`) whose photos are not held out for measuring."""
    photos = material.captioned(run.data)
    rows = {name: [i for i, p in enumerate(photos) if p.split == name] for name in ("train", "dev")}
    kept = [
        i
        for i, n in enumerate(run.load("features/coco_panoptic")["photo"].tolist())
        if not material.is_held_out(n)
    ]
    tensors = {name: torch.tensor(value) for name, value in {**rows, "panoptic": kept}.items()}
    run.save("split", tensors)

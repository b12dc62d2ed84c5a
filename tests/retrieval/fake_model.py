"""A model with a real, if modest, idea of a picture: which colours lie where.

Words are colour names, a segmentation map is what its classes' colours show. So the right picture
wins for a reason that a test can know beforehand.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageColor

from fourm import BadInput, UnknownModality
from retrieval.queries.class_table import coco_panoptic

GRID = 4


@dataclass(frozen=True)
class FakeSpace:
    name: str = "layout"
    dim: int = GRID * GRID * 3 + 1
    title: str = "Where the colours are"
    preprocessing: str = "RGB; mean of 4x4 cells; minus grey"


@dataclass
class FakeModel:
    name: str = "fake"
    fingerprint: str = "f00d"
    inputs: tuple[str, ...] = ("image", "text", "seg")
    default_space: str = "layout"
    spaces: dict = field(default_factory=lambda: {"layout": FakeSpace()})
    batches: list = field(default_factory=list)
    blends: list = field(default_factory=list)
    taken: list = field(default_factory=list)
    before_embed: object = None
    predictable: tuple[str, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def blend(self, parts, *, how):
        """A weighted sum: for this model, both ways are the same."""
        assert how in ("guided", "late")
        self.blends.append((how, [weight for _, weight in parts]))
        return sum(weight * layout for layout, weight in parts)

    def prepare(self, inputs, *, take=()):
        layouts = []
        if take:
            assert set(take) <= set(self.predictable)
            inputs = dict(inputs)
            photo = inputs.pop("image")
            self.taken.append(take)
            layouts += [self.prepare({"image": photo}) for _ in take]
        for kind, value in inputs.items():
            if kind not in self.inputs:
                raise UnknownModality(f"{kind}: this model takes in {', '.join(self.inputs)}")
            if kind == "text":
                try:
                    picture = Image.new("RGB", (8, 8), ImageColor.getrgb(value.split()[-1]))
                except ValueError:
                    picture = Image.new("RGB", (8, 8), "grey")
            elif kind == "image":
                if min(value.size) < 2:
                    raise BadInput("smaller than 2 pixels")
                picture = value
            else:
                picture = Image.fromarray(coco_panoptic().paint(value))
            cells = picture.resize((GRID, GRID), Image.Resampling.BOX)
            layouts.append(np.asarray(cells, np.float32).reshape(-1) - 127.0)
        return np.mean(layouts, axis=0)

    def embed(self, prepared, *, space):
        assert space == "layout"
        if self.before_embed is not None:
            self.before_embed(len(self.batches))
        self.batches.append(len(prepared))
        rows = np.stack(prepared)
        rows = np.concatenate([rows, np.ones((len(rows), 1), np.float32)], axis=1)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

"""A model with a real, if modest, idea of a photo: which colours lie where.

Its further spaces, for which a test asks, know only which colours there are, or how bright it is
where. Depth maps and edges are pictures in grey to it, near and lines are light.

Words are colour names, a segmentation map is what its classes' colours show. So the right photo
wins for a reason that a test can know beforehand.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageColor

from fourm import BadInput, Space, UnknownModality
from retrieval.modalities.panoptic import coco_panoptic

GRID = 4


LAYOUT = Space(
    "layout", GRID * GRID * 3 + 1, "Where the colours are", "RGB; mean of 4x4 cells; minus grey"
)
HUE = Space("hue", 4, "Which colours there are", "RGB; mean of all; minus grey")
LIGHT = Space("light", GRID * GRID + 1, "Where it is bright", "grey; mean of 4x4 cells")


def three_spaces() -> dict:
    return {space.name: space for space in (LAYOUT, HUE, LIGHT)}


@dataclass
class FakeModel:
    """`batches` has the size of each pass, `passes` the spaces that came from it."""

    name: str = "fake"
    fingerprint: str = "f00d"
    inputs: tuple[str, ...] = ("image", "text", "seg")
    default_space: str = "layout"
    spaces: dict = field(default_factory=lambda: {"layout": LAYOUT})
    batches: list = field(default_factory=list)
    passes: list = field(default_factory=list)
    readers: dict = field(default_factory=dict)
    fusions: list = field(default_factory=list)
    predicted: list = field(default_factory=list)
    before_embed: object = None
    missing: dict = field(default_factory=dict)
    predictable: tuple[str, ...] = ()
    routes: tuple = ()
    metadata_keys: tuple[str, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fuse(self, parts, method="guided"):
        """A weighted sum: for this model, both methods are the same."""
        assert method in ("guided", "late")
        self.fusions.append((method, [weight for _, weight in parts]))
        return sum(weight * layout for layout, weight in parts)

    def prepare(self, inputs, *, predict=()):
        layouts = []
        if predict:
            assert set(predict) <= set(self.predictable)
            inputs = dict(inputs)
            photo = inputs.pop("image")
            self.predicted.append(predict)
            layouts += [self.prepare({"image": photo}) for _ in predict]
        for modality, value in inputs.items():
            if modality not in self.inputs:
                raise UnknownModality(f"{modality}: this model reads {', '.join(self.inputs)}")
            if modality == "text":
                try:
                    photo = Image.new("RGB", (8, 8), ImageColor.getrgb(value.split()[-1]))
                except ValueError:
                    photo = Image.new("RGB", (8, 8), "grey")
            elif modality == "image":
                if min(value.size) < 2:
                    raise BadInput("smaller than 2 pixels")
                photo = value
            elif modality == "seg":
                photo = Image.fromarray(coco_panoptic().paint(value))
            elif modality == "depth":
                share = (value - np.min(value)) / max(float(np.ptp(value)), 1e-6)
                photo = Image.fromarray((255 * (1 - share)).astype(np.uint8)).convert("RGB")
            elif modality in ("edges", "normals"):
                photo = value.convert("RGB")
            elif modality == "palette":
                photo = Image.fromarray(np.array([value], np.uint8))
            elif modality == "boxes":
                photo = Image.new("RGB", (GRID * 8, GRID * 8))
                for box in value:
                    corners = [
                        round(8 * GRID * e) for e in (box.xmin, box.ymin, box.xmax, box.ymax)
                    ]
                    photo.paste("white", corners)
            elif modality.endswith("_embedding"):
                cells = np.resize(np.asarray(value, np.float32), GRID * GRID * 3)
                layouts.append(cells)
                continue
            else:
                raise BadInput(f"{modality} is not supported")
            cells = photo.resize((GRID, GRID), Image.Resampling.BOX)
            layouts.append(np.asarray(cells, np.float32).reshape(-1) - 127.0)
        return np.mean(layouts, axis=0)

    def embed(self, prepared, *, space):
        return self.embed_spaces(prepared, spaces=[space])[space]

    def embed_spaces(self, prepared, *, spaces):
        if self.before_embed is not None:
            self.before_embed(len(self.batches))
        self.batches.append(len(prepared))
        self.passes.append(tuple(spaces))
        rows = np.stack(prepared)
        return {space: self._vectors(rows, self.spaces[space].name) for space in spaces}

    def space_fingerprint(self, space):
        return self.fingerprint

    def input_fingerprint(self, modality):
        return self.readers.get(modality, "")

    def _vectors(self, rows, space):
        if space == "hue":
            rows = rows.reshape(len(rows), -1, 3).mean(1)
        elif space == "light":
            rows = rows.reshape(len(rows), -1, 3).mean(2)
        rows = np.concatenate([rows, np.ones((len(rows), 1), np.float32)], axis=1)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

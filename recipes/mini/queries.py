"""Stage `queries`: what the encoder makes of drawings, maps, boxes, palettes and metadata.

Each query belongs to a photo, whose vector it should predict. `queries/<modality>` holds `layers`
(Q, QUERY_LAYERS, 2, dim) float16, as `summaries` returns them, `group` (Q,), the number of the
photo's set in GROUPS, `photo` (Q,), its row there, and `kind` (Q,), the number of the way it was
made in KINDS.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from fourm.checkpoints import TensorFile
from fourm.checkpoints.files import TENSORS
from fourm.hub.manifest import Manifest
from fourm.modalities.boxes import LOWEST_SCORE, box_items
from fourm.modalities.items import ItemVectors, padded
from fourm.modalities.metadata import metadata_items
from fourm.modalities.palette import MOST_COLOURS, palette_items, palette_of
from fourm.modalities.seg import panoptic_classes, square_labels
from fourm.training import edges, outlines
from fourm.training.augmentation import (
    MOST_BOXES,
    PhotoItems,
    thick_brush,
    vary_boxes,
    vary_label_map,
    vary_metadata,
    vary_palette,
)
from fourm.training.features import shrink_labels, summaries
from fourm.training.label_tokenizer import label_encoder
from fourm.training.run import Run
from fourm.transformer import FM, load_fm
from fourm.transformer.embeddings import ModalityInput
from recipes.mini.architecture import (
    BOXES,
    EDGES,
    MAP_SIDE,
    METADATA,
    PALETTE,
    SEG,
    SEG_CONFIG,
)
from recipes.mini.data import (
    SIDE,
    CaptionedPhoto,
    TrainingData,
    boxes,
    metadata,
    rows_of,
    square_photo,
)

Vary = Callable[[PhotoItems, random.Random], "ItemVectors | None"]
Ready = Callable[[Sequence[NDArray[Any]]], ModalityInput]

VARY: Mapping[str, Vary] = {BOXES: vary_boxes, PALETTE: vary_palette, METADATA: vary_metadata}
VARIATIONS = 1
"""Varied versions of the items of a training photo."""

SIMILAR = (
    # Stuff that people and networks label inconsistently.
    ("sea", "river", "water-other"),
    ("grass-merged", "playingfield", "dirt-merged"),
    ("road", "pavement-merged"),
    ("building-other-merged", "house", "wall-other-merged"),
    ("sand", "dirt-merged", "gravel"),
    ("rock-merged", "mountain-merged", "wall-stone"),
)
_LABELS = {row.name: number for number, row in enumerate(panoptic_classes(), 1)}
SIMILAR_LABELS = tuple(tuple(_LABELS[name] for name in group) for group in SIMILAR)

QUERY_LAYERS = (-1, *range(3, 12))
"""Encoder blocks whose outputs are kept."""

GROUPS = ("captioned", "coco_panoptic", "camvid", "drawn")
"""Sets of photos that queries belong to."""

BATCH = 8


EVERY = {"outlines": 2, "canny": 4, "maps": 2, "items": 4}
"""Of the captioned photos that are trained on, one in so many is drawn, painted or described."""


def used(photos: Sequence[CaptionedPhoto], what: str) -> Iterator[tuple[int, CaptionedPhoto]]:
    """Rows and photos that queries are made of: all held-out ones, and some of the others."""
    for row, photo in enumerate(photos):
        if photo.split == "dev" or row % EVERY[what] == 0:
            yield row, photo


class Query(NamedTuple):
    """One query.

    Attributes:
        group: name of the set of its photo.
        photo: row in `features/<group>`.
        kind: how it was made.
        content: as the input takes it.
    """

    group: str
    photo: int
    kind: str
    content: NDArray[Any]


def person_drawings(data: TrainingData, seed: int = 0) -> Iterator[Query]:
    """What people drew: thin, with wider pens, and by a shakier hand."""
    for row, photo in enumerate(data.drawn):
        for path in photo.drawings:
            lines = outlines.read_lines(path)
            rng = random.Random(f"{seed} {path.name}")
            for pen in (1, 3, 5):
                drawn = edges.thickened(lines, pen)
                yield Query("drawn", row, f"pen {pen}", outlines.drawing_input(drawn))
            if photo.split == "train":
                mirrored = edges.mirrored(edges.thickened(lines, 3))
                yield Query("drawn", row, "mirrored", outlines.drawing_input(mirrored))
                hand = outlines.by_hand(lines, rng)
                yield Query("drawn", row, "by hand", outlines.drawing_input(hand))


def outline_drawings(data: TrainingData, seed: int = 0) -> Iterator[Query]:
    """Outlines of the objects of captioned photos and of the regions of labelled ones."""
    for row, photo in used(data.captioned, "outlines"):
        numbers = data.object_numbers(photo)
        if numbers.any():
            rng = random.Random(f"{seed} outline {photo.path.name}")
            lines = outlines.by_hand(outlines.draw_things(numbers, None, rng), rng)
            yield Query("captioned", row, "outline", outlines.drawing_input(lines))


def canny_drawings(data: TrainingData, seed: int = 0) -> Iterator[Query]:
    """Canny edges of captioned photos, each in one of `edges.VERSIONS`; exact of held-out ones."""
    for row, photo in used(data.captioned, "canny"):
        rng = random.Random(f"{seed} canny {photo.path.name}")
        version = rng.choice([*edges.VERSIONS]) if photo.split == "train" else "exact"
        drawn = edges.edge_input(square_photo(photo.path), version, rng)
        yield Query("captioned", row, f"canny, {version}", drawn)


def item_queries(
    name: str, data: TrainingData, found: Mapping[int, PhotoItems], seed: int = 0
) -> Iterator[Query]:
    """Boxes, palettes or metadata of captioned photos: as they are, and varied for training."""
    for row, items in found.items():
        photo = data.captioned[row]
        rng = random.Random(f"{seed} {name} {photo.path.name}")
        exact = exact_items(name, items)
        if exact is not None:
            yield Query("captioned", row, "exact", exact)
        for _ in range(VARIATIONS if photo.split == "train" else 0):
            varied = VARY[name](items, rng)
            if varied is not None:
                yield Query("captioned", row, "varied", varied)


def exact_items(name: str, photo: PhotoItems) -> ItemVectors | None:
    """The items of a photo as a user would give them: sure boxes, five colours, all values."""
    if name == PALETTE:
        return palette_items(photo.palettes[4])
    if name == METADATA:
        return metadata_items(photo.metadata)
    sure = [box for box in photo.boxes if box.score >= LOWEST_SCORE][:MOST_BOXES]
    return box_items(sure) if sure else None


def map_queries(run: Run, data: TrainingData, seed: int = 0) -> Iterator[Query]:
    """Label maps: of people for labelled photos, of the stage `pseudo-maps` for captioned ones.

    Contents are (MAP_SIDE, MAP_SIDE) uint8 labels. Those of training photos are varied, too.
    """
    for labelled in data.labelled:
        if not labelled.complete:
            continue
        saved = run.load(f"features/{labelled.name}", ("labels", "photo"))
        trained = set(rows_of(labelled.photos, "train"))
        for row, (labels, photo) in enumerate(zip(saved["labels"], saved["photo"], strict=True)):
            yield Query(labelled.name, row, "people", labels.numpy())
            if int(photo) in trained:
                rng = random.Random(f"{seed} map {labelled.name} {row}")
                yield Query(labelled.name, row, "people, varied", _varied(labels, rng))
    pseudo = run.load("pseudo_maps")["labels"]
    for row, photo in used(data.captioned, "maps"):
        labels = pseudo[row]
        rng = random.Random(f"{seed} map {photo.path.name}")
        objects = shrink_labels(square_labels(data.object_map(photo), SIDE), MAP_SIDE)
        if photo.split == "dev":
            yield Query("captioned", row, "objects", objects)
            continue
        kept = labels if rng.random() < 0.7 or not objects.any() else torch.from_numpy(objects)
        yield Query("captioned", row, "varied", _varied(kept, rng))


def _varied(labels: Tensor, rng: random.Random) -> NDArray[np.uint8]:
    """Mirrored half of the time, and as another hand would paint it."""
    flipped = labels.flip(1) if rng.random() < 0.5 else labels
    return thick_brush(vary_label_map(flipped, SIMILAR_LABELS, rng), rng).numpy()


def encoded(model: FM, name: str, queries: Iterable[Query], ready: Ready) -> dict[str, Tensor]:
    """Run the encoder on queries; see the module.

    Args:
        model: with the input `name`.
        name: of the input.
        queries: in any order.
        ready: makes the input of a batch of contents.
    """
    found: list[Tensor] = []
    about: list[tuple[int, int, int]] = []
    kinds: dict[str, int] = {}
    pending: list[Query] = []

    def flush() -> None:
        if pending:
            given = ready([query.content for query in pending])
            found.append(summaries(model, {name: given}, QUERY_LAYERS)[0].half())
            pending.clear()

    for query in tqdm(queries, desc=name, unit="query"):
        kind = kinds.setdefault(query.kind, len(kinds))
        about.append((GROUPS.index(query.group), query.photo, kind))
        pending.append(query)
        if len(pending) == BATCH:
            flush()
    flush()
    group, photo, kind_rows = torch.tensor(about).T
    return {"layers": torch.cat(found), "group": group, "photo": photo, "kind": kind_rows}


def ready_maps(run: Run) -> Ready:
    """Makes tokens of label maps (MAP_SIDE, MAP_SIDE) uint8 of a batch."""
    tokens = label_encoder(SEG_CONFIG, run.load("tok_semseg"))
    return lambda contents: ModalityInput(tokens(torch.from_numpy(np.stack(contents))))


def ready_drawings(contents: Sequence[NDArray[Any]]) -> ModalityInput:
    """Drawings (1, SIDE, SIDE) uint8 of a batch."""
    return ModalityInput(torch.from_numpy(np.stack(contents)).float() / 255)


def ready_items(contents: Sequence[NDArray[Any]]) -> ModalityInput:
    """Items (n, width) of a batch, padded."""
    return padded(contents, torch.device("cpu"))


def photo_items(run: Run, data: TrainingData) -> dict[int, PhotoItems]:
    """Row of a captioned photo -> its palettes, metadata and boxes.

    `items.json` keeps the former two, which take long.
    """
    rows = [*used(data.captioned, "items")]
    path = run.path("items.json")
    if not path.is_file():
        made = []
        for _, photo in tqdm(rows, desc="items", unit="photo"):
            small = Image.fromarray(square_photo(photo.path))
            small.thumbnail((128, 128))  # what `palette_of` would do each time
            palettes = [palette_of(small, count) for count in range(1, MOST_COLOURS + 1)]
            made.append((palettes, metadata(photo.path, boxes(data.objects(photo)))))
        run.write_json("items.json", made)
    saved = json.loads(path.read_text(encoding="utf-8"))
    return {
        row: PhotoItems(palettes, values, boxes(data.objects(photo), lowest=0))
        for (row, photo), (palettes, values) in zip(rows, saved, strict=True)
    }


def encode(run: Run, data: TrainingData, former: Path) -> None:
    """Write `queries/<modality>` for each that is missing.

    Args:
        run: with the stages `features` and `pseudo-maps` done.
        data: whose photos are drawn, painted and described.
        former: model folder whose encoder, inputs and tokenizers are used.
    """
    manifest = Manifest.read(former)
    model = load_fm(former / manifest.model, outputs=[]).requires_grad_(False)
    if not run.has("tok_semseg"):
        with TensorFile(former / manifest.tokenizers[SEG] / TENSORS) as file:
            run.save("tok_semseg", file.read())
    makers: dict[str, tuple[str, Callable[[], Iterator[Query]], Ready]] = {
        "persons": (EDGES, lambda: person_drawings(data), ready_drawings),
        "outlines": (EDGES, lambda: outline_drawings(data), ready_drawings),
        "canny": (EDGES, lambda: canny_drawings(data), ready_drawings),
        "maps": (SEG, lambda: map_queries(run, data), ready_maps(run)),
    }
    for name, (modality, made, ready) in makers.items():
        if not run.has(f"queries/{name}"):
            run.save(f"queries/{name}", encoded(model, modality, made(), ready))
    if not all(run.has(f"queries/{name}") for name in VARY):
        found = photo_items(run, data)
        for name in VARY:
            described = item_queries(name, data, found)
            run.save(f"queries/{name}", encoded(model, name, described, ready_items))

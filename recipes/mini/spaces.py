"""Stage `spaces`: the heads of both spaces, in closed form.

The space `joint` has two blocks, each of unit length in a photo's vector: what texts are about, and
what drawings show. The head of photos and those of texts and of people's drawings are found
together, by canonical correlation; all others by regression onto the vectors of photos.
`dinov2-s14` is fixed: its heads are regressions alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from fourm.checkpoints import TensorFile
from fourm.checkpoints.files import CONFIG, read_json_object
from fourm.training import bags
from fourm.training.correlation import Linear, aligned, correlated, half_whitening, regressed
from fourm.training.run import Run
from recipes.mini.architecture import LAYERS
from recipes.mini.data import TrainingData, rows_of
from recipes.mini.export import ITEMS, REGISTER_HEADS, TRANSFORM, former_head, head_file
from recipes.mini.queries import GROUPS, QUERY_LAYERS
from recipes.mini.texts import FOLDER, captioned_sets, ignored_ids

MEANING, SHAPE = 128, 64
"""Sizes of the two blocks."""

MEANING_LAYERS, SHAPE_LAYERS = (8, 9, 10, 11), (6, 7, 8, 9)
"""Encoder blocks that a photo's vector is read from."""

DRAWING_LAYERS = (8, 9, 10, 11)
ITEM_LAYERS = (-1, 7, 9, 11)
PHOTO_COMPONENTS, TEXT_COMPONENTS, QUERY_COMPONENTS = 800, 800, 600
BAG_DIRECTIONS, BAG_WEIGHT = 600, 2.0
MEANING_RIDGE, SHAPE_RIDGE = 0.7, 3.0
TEXT_RIDGE, RIDGE = 0.4, 1.0

WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "dinov2-s14": {
        "image": 1.0, "text": 1.0, "seg": 0.4, "edges": 1.2, "boxes": 0.8, "palette": 1.0,
        "metadata": 0.8,
    },
    "joint": {
        "image": 1.0, "text": 1.0, "seg": 0.4, "edges": 0.7, "boxes": 0.5, "palette": 0.5,
        "metadata": 0.4,
    },
}  # fmt: skip
"""Of each modality's vector in a sample with several."""


@dataclass(frozen=True)
class Photos:
    """Features of all photos, set after set.

    Attributes:
        layers: (N, LAYERS, 2, dim) float32.
        cls: (N, dim), the last register token.
        start: first row of each set.
        trained: (N,) bool, whether a photo is not held out.
    """

    layers: Tensor
    cls: Tensor
    start: Mapping[str, int]
    trained: Tensor

    def read(self, layers: Sequence[int]) -> Tensor:
        """(N, 2 * dim * layers) features of a readout."""
        return self.layers[:, [LAYERS.index(layer) for layer in layers]].flatten(1)


def load_photos(run: Run, data: TrainingData) -> Photos:
    """Features of all sets that have any."""
    sets = {name: photos for name, photos in captioned_sets(data).items() if photos}
    held_out = {name: {*rows_of(photos, "dev")} for name, photos in sets.items()}
    held_out["drawn"] = {*rows_of(data.drawn, "dev")}
    for labelled in data.labelled:
        if labelled.complete:
            held_out[labelled.name] = {*rows_of(labelled.photos, "dev")}
    layers: list[Tensor] = []
    cls: list[Tensor] = []
    trained: list[Tensor] = []
    start: dict[str, int] = {}
    for name, dev in held_out.items():
        saved = run.load(f"features/{name}", ("layers", "cls", "photo"))
        start[name] = sum(map(len, cls))
        layers.append(saved["layers"].float())
        cls.append(saved["cls"].float())
        rows = saved.get("photo", torch.arange(len(saved["cls"]))).tolist()
        trained.append(torch.tensor([row not in dev for row in rows]))
    return Photos(torch.cat(layers), torch.cat(cls), start, torch.cat(trained))


@dataclass(frozen=True)
class Texts:
    """Texts of all photos.

    Attributes:
        mean: (T, dim), means of the language model's outputs.
        ids: (T, longest) word pieces.
        photo: (T,), rows of `Photos`.
        weights: (T,): each photo counts `repeats` times, whatever the number of its texts.
        first: (T,) bool, the first text of its photo.
    """

    mean: Tensor
    ids: Tensor
    photo: Tensor
    weights: Tensor
    first: Tensor


def load_texts(run: Run, data: TrainingData, photos: Photos) -> Texts:
    """All texts, those of held-out photos included."""
    repeats = {"captioned": 1, **{one.name: one.repeats for one in data.described}}
    names = [name for name in captioned_sets(data) if name in photos.start]
    saved = {name: run.load(f"texts/{name}") for name in names}
    longest = max(one["ids"].shape[1] for one in saved.values())
    weights = []
    for name, one in saved.items():
        counts = torch.bincount(one["photo"])
        weights.append(repeats[name] / counts[one["photo"]])
    return Texts(
        torch.cat([one["mean"] for one in saved.values()]),
        torch.cat([_lengthened(one["ids"], longest) for one in saved.values()]),
        torch.cat([one["photo"] + photos.start[name] for name, one in saved.items()]),
        torch.cat(weights),
        torch.cat([one["first"] for one in saved.values()]),
    )


@dataclass(frozen=True)
class Words:
    """Bags of words of the training texts.

    Attributes:
        idf: (vocabulary,).
        directions: (vocabulary, BAG_DIRECTIONS).
    """

    idf: Tensor
    directions: Tensor

    def features(self, texts: Texts) -> Tensor:
        """(T, dim + BAG_DIRECTIONS): the language model's mean, and the bag of words."""
        bag = bags.bag(texts.ids, bags.shares(texts.ids, self.idf), self.directions)
        return torch.cat([texts.mean, BAG_WEIGHT * bag], dim=1)

    def head(self, linear: Linear) -> dict[str, Tensor]:
        """A map of `features` as the tensors of a head."""
        width = linear.matrix.shape[1] - self.directions.shape[1]
        matrix, rest = linear.matrix[:, :width], linear.matrix[:, width:]
        # The bag's mean is not subtracted by a head: the mean of the other features does it.
        mean = _solved(matrix, linear.matrix @ linear.mean)
        words = BAG_WEIGHT * self.directions @ rest.T
        words[self.idf == 0] = 0
        return {"mean": mean, "matrix": matrix, "words": words, "idf": self.idf}


@dataclass(frozen=True)
class Queries:
    """Encoded queries of one modality.

    Attributes:
        layers: (Q, QUERY_LAYERS, 2, dim) float32.
        photo: (Q,), rows of `Photos`.
        weights: (Q,).
    """

    layers: Tensor
    photo: Tensor
    weights: Tensor

    def read(self, layers: Sequence[int]) -> Tensor:
        """(Q, 2 * dim * layers) features of a readout."""
        return self.layers[:, [QUERY_LAYERS.index(layer) for layer in layers]].flatten(1)

    def of(self, kept: Tensor) -> Queries:
        """Those where `kept` (Q,) is true."""
        return Queries(self.layers[kept], self.photo[kept], self.weights[kept])


def load_queries(run: Run, photos: Photos, parts: Mapping[str, float]) -> Queries:
    """Queries of several files; each file's queries have the given weight together."""
    layers, rows, weights = [], [], []
    for name, weight in parts.items():
        if not run.has(f"queries/{name}"):
            continue
        saved = run.load(f"queries/{name}")
        start = torch.tensor([photos.start.get(group, 0) for group in GROUPS])
        layers.append(saved["layers"].float())
        rows.append(start[saved["group"]] + saved["photo"])
        weights.append(torch.full((len(saved["photo"]),), weight / len(saved["photo"])))
    return Queries(torch.cat(layers), torch.cat(rows), torch.cat(weights))


DRAWINGS = {"persons": 2.0, "outlines": 1.0, "canny": 1.0}
"""Files of drawings, and how much each counts."""


def unit_blocks(vectors: Tensor, sizes: Sequence[int]) -> Tensor:
    """(N, dim) vectors whose blocks have equal lengths, and whose length is 1."""
    parts = [F.normalize(part, dim=-1) for part in torch.split(vectors, list(sizes), dim=1)]
    equal: Tensor = torch.cat(parts, dim=1) / len(sizes) ** 0.5
    return equal


def scattered(linear: Linear, layers: Sequence[int], width: int) -> Linear:
    """A map of the features of some LAYERS as a map of those of all; `width` values a layer."""
    matrix = torch.zeros(len(linear.matrix), width * len(LAYERS))
    mean = torch.zeros(width * len(LAYERS))
    for number, layer in enumerate(layers):
        there = slice(LAYERS.index(layer) * width, (LAYERS.index(layer) + 1) * width)
        here = slice(number * width, (number + 1) * width)
        matrix[:, there], mean[there] = linear.matrix[:, here], linear.mean[here]
    return Linear(mean, matrix)


def stacked(first: Linear, second: Linear) -> Linear:
    """Two maps of the same features side by side."""
    matrix = torch.cat([first.matrix, second.matrix])
    offset = torch.cat([first.matrix @ first.mean, second.matrix @ second.mean])
    return Linear(_solved(matrix, offset), matrix)


def fit(run: Run, data: TrainingData, former: Path) -> None:
    """Write `heads/<space>-<modality>` and `readouts.json`, the entries of the model folder."""
    photos = load_photos(run, data)
    texts = load_texts(run, data, photos)
    drawings = load_queries(run, photos, DRAWINGS)
    trained = photos.trained[texts.photo]
    words = _words(run, texts, trained)
    y, weights = words.features(texts)[trained], texts.weights[trained]
    meaning, spoken = _canonical(
        photos.read(MEANING_LAYERS), y, texts.photo[trained], weights,
        (PHOTO_COMPONENTS, TEXT_COMPONENTS), MEANING, MEANING_RIDGE,
    )  # fmt: skip
    drawn = drawings.of(photos.trained[drawings.photo])
    shape, _ = _canonical(
        photos.read(SHAPE_LAYERS), drawn.read(DRAWING_LAYERS), drawn.photo, drawn.weights,
        (QUERY_COMPONENTS, QUERY_COMPONENTS), SHAPE, SHAPE_RIDGE,
    )  # fmt: skip
    width = photos.layers.shape[2] * photos.layers.shape[3]
    image = stacked(
        scattered(meaning, MEANING_LAYERS, width), scattered(shape, SHAPE_LAYERS, width)
    )
    blocks = (len(meaning.matrix), len(shape.matrix))
    vectors = {
        "joint": unit_blocks(image(photos.read(LAYERS)), blocks),
        "dinov2-s14": _former_vectors(former, photos.cls),
    }
    heads: dict[str, dict[str, Tensor]] = {
        "joint-image": vars(image),
        "joint-text": words.head(_widened(spoken, sum(blocks))),
    }
    components = half_whitening(y, weights, TEXT_COMPONENTS)
    targets = vectors["dinov2-s14"][texts.photo[trained]]
    own = aligned(components(y), targets, weights, TEXT_RIDGE).after(components)
    heads["dinov2-s14-text"] = words.head(own)
    for modality, (parts, layers) in QUERIES.items():
        queries = load_queries(run, photos, parts)
        queries = queries.of(photos.trained[queries.photo])
        x = queries.read(layers)
        components = half_whitening(x, queries.weights, QUERY_COMPONENTS)
        for space, of_photos in vectors.items():
            if space == "joint" or modality not in REGISTER_HEADS:
                slope = aligned(components(x), of_photos[queries.photo], queries.weights, RIDGE)
                heads[f"{space}-{modality}"] = vars(slope.after(components))
    for modality in ITEMS:
        heads[f"joint-{modality}"] = _composed(former, modality, vectors, photos.trained)
    for name, tensors in heads.items():
        run.save(f"heads/{name}", {key: tensor.contiguous() for key, tensor in tensors.items()})
    run.write_json("readouts.json", readouts(blocks))


def readouts(blocks: Sequence[int]) -> dict[str, dict[str, dict[str, object]]]:
    """The entries of both spaces in `bundle.json`."""
    entries: dict[str, dict[str, dict[str, object]]] = {}
    for space, weights in WEIGHTS.items():
        entries[space] = {}
        for modality, weight in weights.items():
            head = head_file(space, modality)
            entry: dict[str, object]
            if modality == "text":
                entry = {"features": "language"}
            elif modality in ITEMS or (
                space == "dinov2-s14" and modality in ("image", *REGISTER_HEADS)
            ):
                entry = {"features": "register"}
                head = TRANSFORM if modality == "image" else head
            else:
                layers = LAYERS if modality == "image" else QUERIES[modality][1]
                entry = {"features": "encoder", "layers": list(layers)}
            if (space, modality) == ("joint", "image"):
                entry["blocks"] = list(blocks)
            entries[space][modality] = {**entry, "head": head, "weight": weight}
    return entries


QUERIES: Mapping[str, tuple[Mapping[str, float], Sequence[int]]] = {
    "edges": (DRAWINGS, DRAWING_LAYERS),
    "seg": ({"maps": 1.0}, ITEM_LAYERS),
}
"""Modality -> files of queries with their weights, and the encoder blocks that are read."""


def _solved(matrix: Tensor, right: Tensor) -> Tensor:
    """The shortest x with matrix @ x = right."""
    found: Tensor = torch.linalg.lstsq(
        matrix.double(), right.double()[:, None], driver="gelsd"
    ).solution
    return found[:, 0].float()


def _lengthened(ids: Tensor, longest: int) -> Tensor:
    return F.pad(ids, (0, longest - ids.shape[1]))


def _composed(
    former: Path, modality: str, vectors: Mapping[str, Tensor], trained: Tensor
) -> dict[str, Tensor]:
    """A head of the former folder, followed by the map between the spaces' vectors of photos."""
    with TensorFile(former_head(former, modality)) as file:
        first = file.read()
    x, weights = vectors["dinov2-s14"][trained], torch.ones(int(trained.sum()))
    components = half_whitening(x, weights, x.shape[1])
    slope = regressed(components(x), vectors["joint"][trained], weights, RIDGE)
    between = slope.after(components).matrix
    return {"mean": first["mean"], "matrix": between @ first["matrix"]}


def _former_vectors(former: Path, cls: Tensor) -> Tensor:
    """Unit vectors of photos in `dinov2-s14`."""
    with TensorFile(former / TRANSFORM) as file:
        transform = file.read()
    return F.normalize((cls - transform["mean"]) @ transform["matrix"].T, dim=-1)


def _words(run: Run, texts: Texts, trained: Tensor) -> Words:
    ids = texts.ids[trained]
    tokenizer = read_json_object(run.folder / FOLDER / CONFIG)
    idf = bags.rarity(ids, tokenizer["vocab_size"], ignored_ids(run))
    directions = bags.directions(ids, bags.shares(ids, idf), len(idf), BAG_DIRECTIONS)
    return Words(idf, directions)


def _canonical(
    x: Tensor,
    y: Tensor,
    pairs: Tensor,
    weights: Tensor,
    components: tuple[int, int],
    dim: int,
    ridge: float,
) -> tuple[Linear, Linear]:
    """Correlated directions of features of all photos and of queries (see `correlated`)."""
    of_photo = torch.zeros(len(x)).index_add_(0, pairs, weights)
    seen = of_photo.nonzero()[:, 0]
    first_x = half_whitening(x[seen], of_photo[seen], components[0])
    first_y = half_whitening(y, weights, components[1])
    a, b = correlated(first_x(x), first_y(y), pairs, weights, dim, ridge)
    return a.after(first_x), b.after(first_y)


def _widened(linear: Linear, dim: int) -> Linear:
    """A map to the first block, as one to the whole space."""
    rest = torch.zeros(dim - len(linear.matrix), linear.matrix.shape[1])
    return Linear(linear.mean, torch.cat([linear.matrix, rest]))

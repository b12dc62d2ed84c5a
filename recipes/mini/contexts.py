"""Stage `contexts`: what the decoder is given of the inputs of captioned photos.

Each input passes the frozen encoder alone, as in the shipped model (`encoder_sep_mask`), once for
all of training. Photos have been encoded by stage `features`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm import tqdm

from fourm.modalities.edges import canny_edges
from fourm.modalities.palette import palette_of
from fourm.modalities.seg import ids_of_labels
from fourm.training.run import Run
from recipes.mini.data import TrainingData, boxes, metadata, square_photo
from recipes.mini.outputs import PALETTE_COLOURS, caption

if TYPE_CHECKING:
    from fourm.model import Model

INPUTS = ("text", "seg", "edges", "boxes", "palette", "metadata")
MOST = 480
"""Photos whose inputs are encoded."""

BATCH = 16
PHOTO_ALONE = 0.6
"""Share of samples that are a photo alone; others are one or two inputs, some with the photo."""


class Contexts:
    """Encoder outputs of the inputs of training photos.

    Args:
        run: with stage `features` done.
        sets: whose photos are used.
        places: (256, dim), positions of the patches of a photo.
        mixed: whether other inputs than photos are used; they need stage `contexts`.
    """

    def __init__(self, run: Run, sets: list[str], places: Tensor, mixed: bool) -> None:
        self._features = {name: run.load(f"features/{name}") for name in sets}
        self._places = places
        self._inputs: dict[str, dict[str, Tensor]] = {}
        self._numbers: dict[int, int] = {}
        if mixed:
            made = [name for name in INPUTS if run.has(f"contexts/{name}")]
            self._inputs = {name: run.load(f"contexts/{name}") for name in made}
            rows = run.load("contexts/rows")["rows"].tolist()
            self._numbers = {row: number for number, row in enumerate(rows)}

    @property
    def rows(self) -> list[int]:
        """Captioned photos whose inputs are known; empty if only photos are used."""
        return list(self._numbers)

    def draw(self, source: str, row: int, rng: random.Random) -> frozenset[str]:
        """Modalities that the decoder is given of a sample."""
        if source != "captioned" or row not in self._numbers or rng.random() < PHOTO_ALONE:
            return frozenset({"image"})
        number = self._numbers[row]
        known = [name for name, rows in self._inputs.items() if rows["lengths"][number] > 1]
        chosen = rng.sample(known, min(len(known), rng.choice((1, 1, 2))))
        return frozenset(chosen + (["image"] if rng.random() < 0.25 else []))

    def read(
        self, source: str, row: int, given: frozenset[str], kept: int | None, rng: random.Random
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Encoder outputs of a sample.

        Args:
            source: its set.
            row: in the set.
            given: modalities.
            kept: number of patches of a photo, drawn at random; None: all.
            rng: source of randomness.

        Returns:
            tokens (n, dim) and their positions (n, dim), and the patches that are among them: all
            if there is no photo.
        """
        shown = torch.arange(len(self._places))
        tokens, places = [], []
        if "image" in given:
            if kept is not None:
                shown = torch.tensor(sorted(rng.sample(range(len(shown)), kept)))
            features = self._features[source]
            tokens += [features["cls"][row][None], features["patches"][row][shown].float()]
            places += [torch.zeros_like(tokens[0]), self._places[shown]]
        for name in sorted(given - {"image"}):
            rows, number = self._inputs[name], self._numbers[row]
            length = int(rows["lengths"][number])
            tokens.append(rows["tokens"][number, :length].float())
            places.append(rows["places"][number, :length].float())
        return torch.cat(tokens), torch.cat(places), shown


@torch.no_grad()
def encode_inputs(run: Run, data: TrainingData, model: Model, most: int = MOST) -> None:
    """Write `contexts/rows`, and `contexts/<modality>` for each input that is missing.

    Tensors: `tokens` and `places` (N, n, dim) float16, the register token first; `lengths` (N,).
    """
    rows = run.load("split")["train"][:most].tolist()
    run.save("contexts/rows", {"rows": torch.tensor(rows)})
    labels = run.load("pseudo_maps")["labels"]
    for name in INPUTS:
        if name not in model.inputs or run.has(f"contexts/{name}"):
            continue
        values = [_value(name, data, row, labels) for row in tqdm(rows, desc=name, unit="photo")]
        parts = list(_encoded(model, name, values))
        longest = max(len(tokens) for tokens, _ in parts)
        saved = torch.zeros(2, len(rows), longest, parts[0][0].shape[1], dtype=torch.float16)
        for number, pair in enumerate(parts):
            for kind, tensor in enumerate(pair):
                saved[kind, number, : len(tensor)] = tensor.half()
        lengths = torch.tensor([len(tokens) for tokens, _ in parts])
        tensors = {"tokens": saved[0], "places": saved[1], "lengths": lengths}
        run.save(f"contexts/{name}", tensors)


def _value(name: str, data: TrainingData, row: int, labels: Tensor) -> Any:
    """The input of a photo, or None if there is none."""
    photo = data.captioned[row]
    if name == "text":
        return caption(photo.captions[row % len(photo.captions)])
    if name == "seg":
        return ids_of_labels(labels[row].numpy())
    if name == "edges":
        return canny_edges(square_photo(photo.path))[0]
    if name == "palette":
        return palette_of(square_photo(photo.path), PALETTE_COLOURS)
    found = boxes(data.objects(photo))
    return metadata(photo.path, found) if name == "metadata" else found or None


def _encoded(model: Model, name: str, values: list[Any]) -> Iterator[tuple[Tensor, Tensor]]:
    """Tokens and positions of each value, alone; empty where there is none."""
    reader = model.readers[name]
    domain = model.manifest.inputs[name]
    transformer = model.transformer([domain])
    for start in tqdm(range(0, len(values), BATCH), desc=f"encoding {name}", unit="batch"):
        part = values[start : start + BATCH]
        contents = [reader.prepare(value) for value in part if value is not None]
        nothing = torch.zeros(0, transformer.config.dim)
        if not contents:
            yield from ((nothing, nothing) for _ in part)
            continue
        given = reader.batch(contents, model.device)
        encoded = transformer.encode({domain: given})
        projected = transformer.decoder_proj_context(encoded.tokens)
        places = encoded.context - projected
        known = iter(range(len(contents)))
        for value in part:
            if value is None:
                yield nothing, nothing
                continue
            number = next(known)
            seen = slice(None) if encoded.mask is None else ~encoded.mask[number]
            yield encoded.tokens[number][seen].float(), places[number][seen].float()

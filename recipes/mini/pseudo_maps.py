"""Stage `pseudo-maps`: a label map for each captioned photo.

Things come from the data set's object maps. Stuff comes from a probe: an MLP on the teacher's patch
features, trained on the complete label maps by people (of photos that are not held out), whose
logits are raised for classes that a photo's captions mention and lowered for others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm, trange

from fourm.modalities.seg import panoptic_classes, square_labels
from fourm.training.features import shrink_labels
from fourm.training.run import Run, seeded
from recipes.mini.architecture import CLASSES, MAP_SIDE
from recipes.mini.data import SIDE, TrainingData

UNSURE = 0.35
"""Pixels whose probability of being stuff is below this stay unlabelled."""

MENTIONED, UNMENTIONED, MOST_MENTIONS = 1.0, -0.7, 3
UNMENTIONED_CLASSES = {"snow": -2.5, "sea": -1.5, "sand": -1.0}

WORDS = {
    "snow": "snow snowy ski skiing skier skis snowboard snowboarder sled sledding ice icy",
    "sand": "sand sandy beach desert dune dunes shore",
    "sea": "sea ocean beach surf surfer surfing surfboard wave waves shore bay",
    "river": "river stream creek kayak kayaker raft rafting rapids canoe waterfall",
    "water-other": "water pool swimming swims swim lake pond splash splashing puddle fountain "
    "wet kayak",
    "road": "road street highway race racing car cars intersection bike motorcycle traffic track",
    "pavement-merged": "sidewalk pavement street city concrete",
    "grass-merged": "grass grassy field lawn park yard meadow soccer football frisbee",
    "tree-merged": "tree trees forest woods wooded branch branches leaves bushes park",
    "mountain-merged": "mountain mountains hill hills cliff peak canyon",
    "rock-merged": "rock rocks rocky cliff boulder stones climbing climber climbs",
    "dirt-merged": "dirt muddy mud dirty trail path motocross bmx baseball",
    "playingfield": "soccer football baseball tennis court field game basketball stadium player "
    "players rugby",
    "fence-merged": "fence fenced gate",
    "building-other-merged": "building buildings city street skyscraper shop store",
    "house": "house home",
    "wall-other-merged": "wall room inside",
    "wall-brick": "brick",
    "wall-stone": "stone",
    "floor-wood": "floor wood hardwood",
    "floor-other-merged": "floor",
    "sky-other-merged": "sky air clouds sunset",
    "stairs": "stairs steps staircase",
    "bridge": "bridge",
    "railroad": "railroad tracks train",
    "net": "net",
    "window-other": "window",
    "light": "lights",
    "flower": "flower flowers",
    "banner": "banner sign",
    "tent": "tent",
    "platform": "stage platform",
    "curtain": "curtain",
    "bed": "bed",
    "rug-merged": "rug carpet",
    "gravel": "gravel",
    "wall-wood": "wooden",
}


class Probe(nn.Module):
    """An MLP from patch features to logits of all classes."""

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int, mean: Tensor, spread: Tensor, hidden: int = 512) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.layers = nn.Sequential(
            nn.Dropout(0.3),
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Dropout(0.3),
            nn.Linear(hidden, CLASSES),
        )

    def forward(self, patches: Tensor) -> Tensor:
        """(..., width) -> (..., CLASSES)."""
        logits: Tensor = self.layers((patches.float() - self.mean) / self.spread)
        return logits


def predict(run: Run, data: TrainingData, epochs: int) -> None:
    """Write `pseudo_maps`: labels (P, MAP_SIDE, MAP_SIDE) uint8 of all captioned photos."""
    if run.has("pseudo_maps"):
        return
    probe = train_probe(run, data, epochs)
    run.save("probe", probe.state_dict())
    tqdm.write(
        f"accuracy of the probe for stuff in held-out photos: {accuracy(run, data, probe):.1%}"
    )
    run.save("pseudo_maps", {"labels": drawn_maps(run, data, MAP_SIDE)})


@torch.no_grad()
def drawn_maps(run: Run, data: TrainingData, side: int) -> Tensor:
    """Labels (P, side, side) uint8 of all captioned photos, by the probe that `predict` trained."""
    state = run.load("probe")
    probe = Probe(len(state["mean"]), state["mean"], state["spread"])
    probe.load_state_dict(state)
    probe.eval()
    photos = data.captioned
    patches = run.load("features/captioned")["patches"]
    stuff = torch.tensor([not row.is_thing for row in panoptic_classes()])
    maps = []
    for begin in trange(0, len(photos), 50, desc="maps"):
        part = photos[begin : begin + 50]
        logits = (
            probe(patches[begin : begin + 50])
            + torch.stack([mention_bias(photo.captions) for photo in part])[:, None]
        )
        labels = stuff_labels(logits, stuff, side)
        for photo, predicted in zip(part, labels, strict=True):
            ids = data.object_map(photo)
            things = torch.from_numpy(shrink_labels(square_labels(ids, SIDE), side))
            maps.append(torch.where(things > 0, things, predicted))
    return torch.stack(maps)


def train_probe(run: Run, data: TrainingData, epochs: int, batch: int = 512) -> Probe:
    """Train the probe to predict the share of each class in each patch."""
    split = run.load("split")
    names = [labelled.name for labelled in data.labelled if labelled.complete]
    sets = [(run.load(f"features/{name}"), split[name]) for name in names]
    features = torch.cat([rows["patches"][kept].flatten(0, 1) for rows, kept in sets])
    cover = torch.cat([rows["cover"][kept].flatten(0, 1) for rows, kept in sets])
    known = cover[:, 0] < 0.5
    features, share = features[known].float(), cover[known, 1:].float()
    share = share / share.sum(1, keepdim=True)
    torch.manual_seed(0)
    probe = Probe(features.shape[1], features.mean(0), features.std(0))
    optimiser = torch.optim.AdamW(probe.parameters(), lr=1e-3, weight_decay=0.05)
    steps = max(2, epochs * (len(features) // batch))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=steps)
    generator = seeded(0)
    for _ in trange(steps, desc="probe", unit="step"):
        rows = torch.randint(len(features), (batch,), generator=generator)
        loss = -(share[rows] * probe(features[rows]).log_softmax(-1)).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return probe.eval().requires_grad_(False)


def accuracy(run: Run, data: TrainingData, probe: Probe) -> float:
    """Share of the stuff in held-out photos that the probe classifies correctly."""
    split = run.load("split")
    covers, patches = [], []
    for name in (labelled.name for labelled in data.labelled if labelled.complete):
        features = run.load(f"features/{name}")
        held_out = torch.ones(len(features["cls"]), dtype=torch.bool)
        held_out[split[name]] = False
        covers.append(features["cover"][held_out])
        patches.append(features["patches"][held_out])
    stuff = torch.tensor([not row.is_thing for row in panoptic_classes()])
    share = torch.cat(covers)[..., 1:].float() * stuff
    best = probe(torch.cat(patches)).masked_fill(~stuff, -1e4).argmax(-1, keepdim=True)
    judged = share.sum(-1) > 0.5
    return float(share.gather(-1, best)[..., 0][judged].sum() / share[judged].sum())


def mention_bias(captions: Sequence[str]) -> Tensor:
    """(CLASSES,) bias that the captions of a photo add to the logits of its patches."""
    mentioned = [set(re.findall("[a-z]+", text.lower())) for text in captions]
    bias = torch.zeros(CLASSES)
    for index, row in enumerate(panoptic_classes()):
        if row.name in WORDS:
            words = set(WORDS[row.name].split())
            count = min(sum(bool(words & found) for found in mentioned), MOST_MENTIONS)
            absent = UNMENTIONED_CLASSES.get(row.name, UNMENTIONED)
            bias[index] = count * MENTIONED if count else absent
    return bias


def stuff_labels(logits: Tensor, stuff: Tensor, side: int, grid: int = 16) -> Tensor:
    """Logits (B, grid * grid, CLASSES) -> labels (B, side, side) uint8, stuff or 0."""
    sure = logits.softmax(-1)[..., stuff].sum(-1)
    planes = logits.masked_fill(~stuff, -1e4).transpose(1, 2).unflatten(2, (grid, grid))
    size = (side, side)
    best = F.interpolate(planes, size=size, mode="bilinear").argmax(1) + 1
    doubt = F.interpolate(sure.unflatten(1, (grid, grid))[:, None], size=size, mode="bilinear")
    return best.masked_fill(doubt[:, 0] < UNSURE, 0).to(torch.uint8)

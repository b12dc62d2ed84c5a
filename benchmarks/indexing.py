"""Photos per second of `Gallery.build`, compared with a loop of Pillow and the same model."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks import options
from benchmarks.measuring import Row, compared, in_turns, report, seconds

if TYPE_CHECKING:
    from fourm import Model

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    chosen = options.parse(__doc__ or "", arguments)
    model = options.load(chosen)
    with tempfile.TemporaryDirectory(prefix="fourm-benchmark-") as name:
        work = Path(name)
        files = gather(chosen.photos, chosen.count, work / "photos")
        bare_loop(model, files[:2], 2)  # the first use reads weights and warms up code
        rows = measure(model, files, work, batch_size=chosen.batch_size, rounds=chosen.rounds)
    setting = {
        "model": model.name,
        "dtype": str(model.dtype).removeprefix("torch."),
        "photos": f"{len(files)} {'of --photos' if chosen.photos else 'synthetic'}",
        "batch": chosen.batch_size,
        "rounds": chosen.rounds,
    }
    report("indexing", setting, rows)
    return 0


def measure(
    model: Model, files: list[Path], work: Path, *, batch_size: int, rounds: int
) -> list[Row]:
    """Rows of the table: the whole build, and the model alone."""
    from retrieval import Gallery
    from retrieval.model import default_spaces

    spaces = default_spaces(model)
    prepared = [model.prepare({"image": open_image(file)}) for file in files]
    numbers = count()

    def build() -> None:
        target = work / f"{next(numbers)}.index"
        with Gallery.build(
            files[0].parent, to=target, model=model, batch_size=batch_size
        ) as gallery:
            indexed = gallery.index.counts().indexed
        if indexed != len(files):
            raise RuntimeError(f"{indexed} of {len(files)} photos were indexed")

    def embed_alone() -> None:
        for start in range(0, len(prepared), batch_size):
            model.embed_spaces(prepared[start : start + batch_size], spaces=spaces)

    def rate(seconds_taken: float) -> float:
        return len(files) / seconds_taken

    measured = in_turns(
        {
            "bare": lambda: rate(seconds(lambda: bare_loop(model, files, batch_size))),
            "build": lambda: rate(seconds(build)),
            "model": lambda: rate(seconds(embed_alone)),
        },
        rounds,
    )
    bare = measured["bare"]
    return [
        compared(
            "Gallery.build",
            measured["build"],
            "photos/s",
            "bare loop",
            bare,
            target="at least 0.9",
            least=0.9,
        ),
        compared("the model alone", measured["model"], "photos/s", "bare loop", bare),
    ]


def bare_loop(model: Model, files: list[Path], batch_size: int) -> None:
    """The baseline: open, decode and embed, one batch after the other."""
    from retrieval.model import default_spaces

    spaces = default_spaces(model)
    for start in range(0, len(files), batch_size):
        batch = [model.prepare({"image": open_image(f)}) for f in files[start : start + batch_size]]
        model.embed_spaces(batch, spaces=spaces)


def gather(source: str | None, count: int, target: Path) -> list[Path]:
    """Copy or create up to `count` photos in `target` and return their files in order.

    Raises:
        SystemExit: `source` is not a folder or has no photos.
    """
    target.mkdir()
    if source is None:
        return [_make(number, target / f"{number:05d}.jpg") for number in range(count)]
    folder = Path(source)
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not found:
        print(f"error: --photos: no photos in {folder}", file=sys.stderr)
        raise SystemExit(2)
    return [
        Path(shutil.copy(path, target / f"{number:05d}{path.suffix.lower()}"))
        for number, path in enumerate(found[:count])
    ]


def _make(number: int, file: Path) -> Path:
    """A synthetic photo of 500 x 375 pixels, with shapes and texture: 60 to 110 kB of JPEG."""
    random = np.random.default_rng(number)
    coarse = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC))
    texture = random.normal(0, 12, (375, 500, 1))
    pixels = np.clip(smooth + texture, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(file, quality=85)
    return file


def open_image(file: Path) -> Image.Image:
    """A photo, in RGB."""
    with Image.open(file) as opened:
        image: Image.Image = opened.convert("RGB")
    return image


if __name__ == "__main__":
    raise SystemExit(main())

"""Photos a second: `Gallery.build` beside a bare loop of Pillow and the same loaded model."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from benchmarks import options
from benchmarks.measuring import Row, beside, in_turns, report, seconds
from benchmarks.photos import gather

if TYPE_CHECKING:
    from fourm import Model


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    chosen = options.parse(__doc__ or "", arguments)
    model = options.load(chosen)
    with tempfile.TemporaryDirectory(prefix="fourm-benchmark-") as name:
        work = Path(name)
        files = gather(chosen.photos, chosen.count, work / "photos")
        bare_loop(model, files[:2], 2)  # weights are read and code is warmed up by first use
        rows = measure(model, files, work, batch_size=chosen.batch_size, rounds=chosen.rounds)
    setting = {
        "model": model.name,
        "dtype": str(model.dtype).removeprefix("torch."),
        "photos": f"{len(files)} {'of --photos' if chosen.photos else 'made up'}",
        "batch": chosen.batch_size,
        "rounds": chosen.rounds,
    }
    report("indexing", setting, rows)
    return 0


def measure(
    model: Model, files: list[Path], work: Path, *, batch_size: int, rounds: int
) -> list[Row]:
    """Rows of the table: the whole build, and the model alone, each beside the bare loop."""
    from retrieval import Gallery

    prepared = [model.prepare({"image": _open(file)}) for file in files]
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
            model.embed(prepared[start : start + batch_size], space=model.default_space)

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
        beside(
            "Gallery.build",
            measured["build"],
            "photos/s",
            "bare loop",
            bare,
            target="at least 0.9",
            least=0.9,
        ),
        beside("the model alone", measured["model"], "photos/s", "bare loop", bare),
    ]


def bare_loop(model: Model, files: list[Path], batch_size: int) -> None:
    """What a short script would do: open, decode, embed, one batch after the other."""
    for start in range(0, len(files), batch_size):
        batch = [model.prepare({"image": _open(f)}) for f in files[start : start + batch_size]]
        model.embed(batch, space=model.default_space)


def _open(file: Path) -> Image.Image:
    with Image.open(file) as opened:
        image: Image.Image = opened.convert("RGB")
    return image


if __name__ == "__main__":
    raise SystemExit(main())

"""What reducing large photos by whole steps saves and changes, compared with one plain resize.

    python -m benchmarks.reducing PHOTOS                    mini and 4M-21 B (random weights)
    python -m benchmarks.reducing PHOTOS --size tiny        for a test run

Each photo is enlarged to the sizes of cameras and screens, and gets fine detail, since enlarging
gives none. Two sizes have a central square that no step meets; they are not reduced.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageCms

from benchmarks.indexing import gather
from benchmarks.measuring import Row, in_turns, report, seconds
from benchmarks.options import number

if TYPE_CHECKING:
    from fourm import Model

SIZES = ((1920, 1080), (2592, 1944), (4032, 3024), (6000, 4000), (1800, 1350), (2600, 1950))
FORMS: Mapping[str, Mapping[str, Any]] = {
    "JPEG": {"format": "JPEG", "quality": 90},
    "JPEG with a profile": {"format": "JPEG", "quality": 90, "profile": True},
    "PNG": {"format": "PNG", "compress_level": 1},
    "PNG with a profile": {"format": "PNG", "compress_level": 1, "profile": True},
}
TARGET = "below 1"


@dataclass
class _Measured:
    """Of the photos of one size and form: seconds of both ways, pixel differences, cosines."""

    plain: list[float] = field(default_factory=list)
    reduced: list[float] = field(default_factory=list)
    largest: list[float] = field(default_factory=list)
    mean: list[float] = field(default_factory=list)
    cosines: dict[str, list[float]] = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    from benchmarks.official_folder import write
    from fourm import load_4m

    chosen = _options(arguments)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="fourm-benchmark-") as name:
        work = Path(name)
        photos = gather(chosen.photos, chosen.count, work / "photos")
        official = load_4m(str(write(work, chosen.size, ["dinov2"])), dtype="float32")
        models = {"mini": load_4m("mini", dtype="float32"), official.name: official}
        for size in SIZES[: chosen.sizes]:
            large = [_large(photo, size, seed) for seed, photo in enumerate(photos)]
            for form, options in FORMS.items():
                measured = _measure(large, options, models, chosen.rounds)
                rows += _rows(f"{size[0]} x {size[1]} {form}", measured)
    report("reducing", {"photos": len(photos), "rounds": chosen.rounds}, rows)
    return 0


def _measure(
    photos: Sequence[Image.Image],
    options: Mapping[str, Any],
    models: Mapping[str, Model],
    rounds: int,
) -> _Measured:
    from fourm.modalities.pixels import square_pixels

    measured = _Measured()
    for photo in photos:
        content = _encoded(photo, **options)
        times = in_turns(
            {
                "plain": partial(_seconds, _plain, content),
                "reduced": partial(_seconds, _reduced, content),
            },
            rounds,
        )
        measured.plain.append(statistics.median(times["plain"]))
        measured.reduced.append(statistics.median(times["reduced"]))
        ways = [_plain(content), _reduced(content)]
        one, other = (square_pixels(way).astype(int) for way in ways)
        measured.largest.append(float(np.abs(one - other).max()))
        measured.mean.append(float(np.abs(one - other).mean()))
        for name, model in models.items():
            one, other = model.embed([model.prepare({"image": way}) for way in ways])
            measured.cosines.setdefault(name, []).append(float(one @ other))
    return measured


def _rows(what: str, measured: _Measured) -> list[Row]:
    times = zip(measured.reduced, measured.plain, strict=True)
    rows = [
        Row(
            f"{what}: decoding and resizing",
            1000 * statistics.median(measured.reduced),
            "ms",
            1000 * statistics.median(measured.plain),
            "plain resize",
            statistics.median(reduced / plain for reduced, plain in times),
        ),
        Row(f"{what}: largest difference of a pixel, of 255", max(measured.largest), ""),
        Row(
            f"{what}: mean difference of a pixel, of 255",
            mean := statistics.mean(measured.mean),
            "",
            target=TARGET,
            reached=mean < 1,
        ),
    ]
    for name, cosines in measured.cosines.items():
        rows.append(Row(f"{what}: {name}, median", statistics.median(cosines), "cosine"))
        rows.append(Row(f"{what}: {name}, lowest", min(cosines), "cosine"))
    return rows


def _plain(content: bytes) -> Image.Image:
    """All pixels, in sRGB."""
    from retrieval.images.profiles import to_srgb

    with Image.open(io.BytesIO(content)) as opened:
        return to_srgb(opened.convert("RGB"))


def _reduced(content: bytes) -> Image.Image:
    from retrieval.images import decode

    return decode(content).image


def _seconds(open_photo: Callable[[bytes], Image.Image], content: bytes) -> float:
    from fourm.modalities.pixels import square_pixels

    return seconds(lambda: square_pixels(open_photo(content)))


def _large(photo: Path, size: tuple[int, int], seed: int) -> Image.Image:
    """An enlarged photo with noise of five scales, about as much at each."""
    with Image.open(photo) as opened:
        smooth = opened.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    random = np.random.default_rng(seed)
    detail = np.zeros(size[::-1], np.float32)
    for block in (1, 2, 4, 8, 16):
        coarse = random.normal(0, 4, (size[1] // block + 1, size[0] // block + 1))
        grey = Image.fromarray(coarse.astype(np.float32))
        detail += np.asarray(grey.resize(size, Image.Resampling.BICUBIC))
    pixels = np.asarray(smooth, np.float32) + detail[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _encoded(photo: Image.Image, *, profile: bool = False, **options: Any) -> bytes:
    if profile:  # sRGB itself, under a name by which it is not recognised
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        names = ("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
        options["icc_profile"] = srgb.replace(*names)
    buffer = io.BytesIO()
    photo.save(buffer, **options)
    return buffer.getvalue()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("photos", help="folder of photos")
    options.add_argument("--count", type=number(), default=6, help="photos (default: 6)")
    options.add_argument("--rounds", type=number(), default=3, help="repeats (default: 3)")
    options.add_argument("--size", choices=("tiny", "B"), default="B", help="of 4M-21")
    options.add_argument(
        "--sizes", type=number(len(SIZES)), default=len(SIZES), help="first N sizes only"
    )
    return options.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())

"""Periodic noise, and fields sampled from it."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.floating[Any]]

TILE = 512


@lru_cache(maxsize=32)
def tile(slope: float, index: int) -> Floats:
    """Periodic noise (512, 512), mean 0, deviation 1, whose spectrum falls as 1/f**slope."""
    rng = np.random.default_rng([index, round(100 * slope)])
    spectrum = np.fft.rfft2(rng.standard_normal((TILE, TILE)))
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None])
    frequency[0, 0] = 1.0
    spectrum /= frequency**slope
    spectrum[0, 0] = 0.0
    values = np.fft.irfft2(spectrum, s=(TILE, TILE))
    return np.asarray(values / values.std(), dtype=np.float32)


def field(
    rng: np.random.Generator,
    shape: tuple[int, int],
    slope: float = 1.4,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> Floats:
    """A window (height, width) of noise, stretched by `stretch` (down, across)."""
    height, width = shape
    source = tile(slope, int(rng.integers(4)))
    rows = (np.arange(max(2, round(height / stretch[0]))) + rng.integers(TILE)) % TILE
    columns = (np.arange(max(2, round(width / stretch[1]))) + rng.integers(TILE)) % TILE
    window = Image.fromarray(np.ascontiguousarray(source[np.ix_(rows, columns)]))
    return np.asarray(window.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def sample(source: Floats, down: Floats, across: Floats) -> Floats:
    """`source` (512, 512) at the given coordinates, repeating."""
    rows = np.asarray(down, dtype=np.int64) % TILE
    columns = np.asarray(across, dtype=np.int64) % TILE
    return source[rows, columns]


def line(rng: np.random.Generator, length: int, roughness: float = 1.6) -> Floats:
    """A smooth random line (length,), within -1..1."""
    steps = tile(roughness, int(rng.integers(4)))[int(rng.integers(TILE))].astype(float)
    # Without its mean, so that the sum returns to its start and the line is periodic.
    values = np.cumsum(steps - steps.mean())
    places = int(rng.integers(TILE)) + np.linspace(0, TILE * 0.6, length)
    found = np.interp(places, np.arange(TILE), values, period=TILE)
    found -= found.mean()
    return np.asarray(found / (np.abs(found).max() + 1e-6), dtype=np.float32)


def smoothstep(low: float, high: float, values: Floats) -> Floats:
    """0 below `low`, 1 above `high`, smooth in between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), dtype=np.float32)

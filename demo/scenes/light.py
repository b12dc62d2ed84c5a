"""Lighting by the time of day."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from demo.scenes.noise import Floats

Hour = Literal["day", "overcast", "sunset", "night"]


def rgb(code: str) -> Floats:
    """A colour such as "#88aacc" as float32 (3,) in 0..1."""
    digits = code.removeprefix("#")
    return np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255.0


@dataclass(frozen=True)
class Light:
    """Colours of a time of day; `tint` multiplies everything that does not glow."""

    hour: Hour
    sky_high: Floats
    sky_low: Floats
    cloud: Floats
    cloud_dark: Floats
    haze: Floats
    tint: Floats
    shadow: float
    from_left: bool

    @property
    def phrase(self) -> str:
        """The time of day as captions name it."""
        return {
            "day": "on a sunny day",
            "overcast": "under a grey sky",
            "sunset": "at sunset",
            "night": "at night",
        }[self.hour]


_COLOURS: dict[str, tuple[str, str, str, str, str, str, float]] = {
    "day": ("#4a86c8", "#c4dcf0", "#ffffff", "#b9c4d2", "#b8cfe4", "#ffffff", 1.0),
    "overcast": ("#98a2ad", "#c9ced2", "#dfe2e5", "#8d959e", "#c0c6cb", "#dde2e8", 0.45),
    "sunset": ("#4a5a8f", "#fda45a", "#ffb27a", "#7c5a72", "#e9a070", "#e0b294", 0.7),
    "night": ("#0e1838", "#2a3a66", "#2b3557", "#131a33", "#263258", "#57679a", 0.2),
}


def light_of(hour: Hour, rng: np.random.Generator) -> Light:
    """The light of `hour` with random variations."""
    high, low, cloud, dark, haze, tint, shadow = _COLOURS[hour]
    drift = rng.normal(0.0, 0.012, 3).astype(np.float32)
    return Light(
        hour=hour,
        sky_high=np.clip(rgb(high) + drift, 0.0, 1.0),
        sky_low=np.clip(rgb(low) + drift, 0.0, 1.0),
        cloud=rgb(cloud),
        cloud_dark=rgb(dark),
        haze=rgb(haze),
        tint=np.clip(rgb(tint) * float(rng.uniform(0.92, 1.0)), 0.0, 1.0),
        shadow=shadow,
        from_left=bool(rng.integers(2)),
    )

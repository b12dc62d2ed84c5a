"""The public-domain photographs that scikit-image carries."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from PIL import Image


@dataclass(frozen=True)
class Photograph:
    """A photograph with a caption that somebody wrote after looking at it."""

    name: str
    image: Image.Image
    caption: str


#: File in scikit-image's data folder -> caption. Only files that are installed with the package
#: and that their authors have given to the public.
_CAPTIONS: Final[dict[str, str]] = {
    "astronaut.png": "a smiling woman astronaut in an orange suit in front of a flag",
    "brick.png": "a brick wall in black and white",
    "camera.png": "a man in a dark coat with a camera on a tripod, black and white",
    "chelsea.png": "the face of a ginger cat close up",
    "coffee.png": "a cup of espresso on a saucer with a spoon on a wooden table",
    "coins.png": "rows of ancient coins in black and white",
    "grass.png": "blades of grass close up in black and white",
    "gravel.png": "gravel close up in black and white",
    "hubble_deep_field.jpg": "many galaxies in deep space",
    "retina.jpg": "the retina of an eye with its blood vessels",
    "rocket.jpg": "a rocket on its launch pad before dawn",
}


def photographs() -> Iterator[Photograph]:
    """Those that are installed, in the order of their names; none without scikit-image."""
    try:
        folder = files("skimage") / "data"
    except ModuleNotFoundError:
        return
    for file, caption in _CAPTIONS.items():
        source = folder / file
        if not source.is_file():
            continue
        with source.open("rb") as stream, Image.open(stream) as picture:
            yield Photograph(file.rpartition(".")[0], picture.convert("RGB"), caption)

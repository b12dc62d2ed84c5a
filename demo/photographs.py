"""Public-domain photographs from scikit-image."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from PIL import Image


@dataclass(frozen=True)
class Photograph:
    """A photograph with a caption by a person."""

    name: str
    image: Image.Image
    caption: str


#: File in scikit-image's data folder -> caption. All are installed with the package and in the
#: public domain.
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
    """The installed photographs, sorted by name; none without scikit-image."""
    try:
        folder = files("skimage") / "data"
    except ModuleNotFoundError:
        return
    for file, caption in _CAPTIONS.items():
        source = folder / file
        if not source.is_file():
            continue
        with source.open("rb") as stream, Image.open(stream) as image:
            yield Photograph(file.rpartition(".")[0], image.convert("RGB"), caption)

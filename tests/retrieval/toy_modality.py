"""The user's side of the thumbnails of `tests.toy_modality`."""

from functools import partial

from retrieval.modalities import Items, Modality, Output, Source, register
from retrieval.modalities.drawings import draw_image, draw_pixels, read_image, write_pixels

THUMBNAIL = Modality(
    "thumbnail",
    "Thumbnail",
    (
        Source(
            "thumbnail",
            "FILE",
            "Image of which the model sees a grey thumbnail.",
            read=partial(read_image, modality="thumbnail"),
            items=Items("thumbnails", frozenset({".png"})),
        ),
    ),
    draw=draw_image,
    output=Output((".png",), write=write_pixels, draw=draw_pixels),
    aliases=("icon",),
)


def register_thumbnails():
    """Make the command line, queries, galleries and pages know thumbnails."""
    register(THUMBNAIL)

"""What a query can be made of: one table for the command line, query files and the Python API.

Light to import: `fourm --help` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """Something a user can give.

    Attributes:
        name: in Python and in query files; the option is the same with `-` for `_`.
        metavar: what the option's value is called.
        help: for the option.
        typed: a string is the value itself, not the name of a file.
        repeated: may be given several times.
    """

    name: str
    metavar: str
    help: str
    typed: bool = False
    repeated: bool = False


SOURCES = (
    Source("text", "TEXT", "Words.", typed=True),
    Source("image", "FILE", "Picture to find similar ones of."),
    Source(
        "seg",
        "FILE",
        "Segmentation map: a PNG of COCO panoptic category ids (0 = nothing), or in the "
        "colours that `fourm classes` prints.",
    ),
    Source("depth", "FILE", "Depth map: a grey PNG of 8 or 16 bits, or .npy (H, W)."),
    Source(
        "depth_near",
        "WORD",
        "Which values of --depth are near: low (distances, the default) or high.",
        typed=True,
    ),
    Source("normals", "FILE", "Surface normals: a PNG, x, y and z as red, green and blue."),
    Source("edges", "FILE", "Edges: light lines on dark."),
    Source("canny", "FILE", "Photo whose Canny edges are taken for --edges."),
    Source("sam_edges", "FILE", "Edges of objects, as SAM finds them: light lines on dark."),
    Source(
        "boxes",
        "BOX",
        "class:xmin,ymin,xmax,ymax as fractions, e.g. person:0.1,0.2,0.4,0.9, "
        "or a COCO (.json) or YOLO (.txt) file. May be repeated.",
        typed=True,
        repeated=True,
    ),
    Source("palette", "COLOURS", "1 to 7 colours, e.g. #1e90ff,#ffffff.", typed=True),
    Source("palette_of", "FILE", "Photo whose main colours are taken for --palette."),
    Source(
        "metadata",
        "FACTS",
        "Facts, e.g. 'brightness=200 n_humans=3'. May be repeated.",
        typed=True,
        repeated=True,
    ),
    Source("sam", "FILE", "Masks of objects: JSON with COCO run lengths or polygons."),
    Source("poses", "FILE", "Human poses: JSON of boxes and SMPL parameters."),
    Source("t5", "FILE", "T5-XXL embeddings of a text: .npy (n, 4096)."),
    Source("clip_features", "FILE", "CLIP B/16 feature map: .npy (512, 14, 14)."),
    Source("dinov2_features", "FILE", "DINOv2 B/14 feature map: .npy (768, 16, 16)."),
    Source("imagebind_features", "FILE", "ImageBind H/14 feature map: .npy (1280, 16, 16)."),
    Source("dinov2_embedding", "FILE", "DINOv2 B/14 global embedding: .npy (768,)."),
    Source("imagebind_embedding", "FILE", "ImageBind H/14 trunk's global embedding: .npy (1280,)."),
    Source("image_tokens", "FILE", "Picture that the model reads as tokens, not as pixels."),
)
"""In the order in which pages show them. Most are named after the kind of input that they give;
`canny` gives edges, `palette_of` a palette, and `depth_near` says how to read `depth`."""

NAMES = tuple(source.name for source in SOURCES)

"""What a query can be made of: one table for the command line, query files, the Python API and
the pages.

Light to import: `fourm --help` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """Something a user can say of a query.

    Attributes:
        name: in Python, e.g. `sam_edges`.
        metavar: what the option's value is called.
        help: for the option.
        typed: a string is the value itself, not the name of a file.
        repeated: may be given several times.
        option: of the command line, without its dashes; None: the name with `-` for `_`.
        file_key: in query files; None: the name.
    """

    name: str
    metavar: str
    help: str
    typed: bool = False
    repeated: bool = False
    option: str | None = None
    file_key: str | None = None

    @property
    def flag(self) -> str:
        """The option, e.g. `--sam-edges`."""
        return f"--{self.option or self.name.replace('_', '-')}"

    @property
    def key(self) -> str:
        """What query files call it."""
        return self.file_key or self.name


@dataclass(frozen=True)
class Source(Setting):
    """Something that gives the model an input.

    Attributes:
        title: of the input on pages.
        of: the kind of input that it gives; None: the one that it is named after.
    """

    title: str = ""
    of: str | None = None

    @property
    def kind(self) -> str:
        """The kind of input that it gives."""
        return self.of or self.name


SOURCES = (
    Source("text", "TEXT", "Words.", typed=True, title="Words"),
    Source("image", "FILE", "Picture to find similar ones of.", title="Picture"),
    Source(
        "seg",
        "FILE",
        "Segmentation map: a PNG of COCO panoptic category ids (0 = nothing), or in the "
        "colours that `fourm classes` prints.",
        title="Segmentation map",
    ),
    Source(
        "depth",
        "FILE",
        "Depth map: a grey PNG of 8 or 16 bits, or .npy (H, W).",
        title="Depth map",
    ),
    Source(
        "normals",
        "FILE",
        "Surface normals: a PNG, x, y and z as red, green and blue.",
        title="Surface normals",
    ),
    Source(
        "edges",
        "FILE",
        "Edges or a line drawing: light lines on dark, or dark on light.",
        title="Edges",
    ),
    Source(
        "canny", "FILE", "Photo whose Canny edges are taken for --edges.", title="Edges", of="edges"
    ),
    Source(
        "sam_edges",
        "FILE",
        "Edges of objects, as SAM finds them: light lines on dark, or dark on light.",
        title="Edges of objects",
    ),
    Source(
        "boxes",
        "BOX",
        "class:xmin,ymin,xmax,ymax as fractions, e.g. person:0.1,0.2,0.4,0.9, "
        "or a COCO (.json) or YOLO (.txt) file. May be repeated.",
        typed=True,
        repeated=True,
        title="Boxes",
    ),
    Source("palette", "COLOURS", "1 to 7 colours, e.g. #1e90ff,#ffffff.", True, title="Colours"),
    Source(
        "palette_of",
        "FILE",
        "Photo whose main colours are taken for --palette.",
        title="Colours",
        of="palette",
    ),
    Source(
        "metadata",
        "FACTS",
        "Facts, e.g. 'brightness=200 n_humans=3'. May be repeated.",
        typed=True,
        repeated=True,
        title="Metadata",
    ),
    Source(
        "sam",
        "FILE",
        "Masks of objects: JSON with COCO run lengths or polygons.",
        title="Objects",
    ),
    Source("poses", "FILE", "Human poses: JSON of boxes and SMPL parameters.", title="Human poses"),
    Source("t5", "FILE", "T5-XXL embeddings of a text: .npy (n, 4096).", title="T5 embeddings"),
    Source(
        "clip_features",
        "FILE",
        "CLIP B/16 feature map: .npy (512, 14, 14).",
        title="CLIP features",
    ),
    Source(
        "dinov2_features",
        "FILE",
        "DINOv2 B/14 feature map: .npy (768, 16, 16).",
        title="DINOv2 features",
    ),
    Source(
        "imagebind_features",
        "FILE",
        "ImageBind H/14 feature map: .npy (1280, 16, 16).",
        title="ImageBind features",
    ),
    Source(
        "dinov2_embedding",
        "FILE",
        "DINOv2 B/14 global embedding: .npy (768,).",
        title="DINOv2 embedding",
    ),
    Source(
        "imagebind_embedding",
        "FILE",
        "ImageBind H/14 trunk's global embedding: .npy (1280,).",
        title="ImageBind embedding",
    ),
    Source(
        "image_tokens",
        "FILE",
        "Picture that the model reads as tokens, not as pixels.",
        title="Picture, as tokens",
    ),
)
"""In the order in which pages show them."""

MODIFIERS = (
    Setting(
        "depth_near",
        "WORD",
        "Which values of --depth are near: low (distances, the default) or high.",
        typed=True,
    ),
    Setting(
        "take",
        "PARTS",
        "Use only these parts of --image, e.g. depth,edges,palette: computed from it, or predicted "
        "by the model.",
        typed=True,
    ),
    Setting(
        "not_text",
        "TEXT",
        "Words to push away from. May be repeated.",
        typed=True,
        repeated=True,
        option="not",
        file_key="not",
    ),
    Setting(
        "weights",
        "INPUT=NUMBER",
        "How much an input counts, e.g. text=2; 1 by default, below 0 it pushes away. How hard "
        "the words of --not push: not=0.25, by default 0.5. May be repeated.",
        typed=True,
        repeated=True,
        option="weight",
    ),
    Setting(
        "combine",
        "WORD",
        "together: one pass over all inputs (the default); guided: each pulls by its weight (the "
        "default with --weight or --not); late: the weighted mean of separate predictions.",
        typed=True,
    ),
)
"""Say how the sources are read and combined."""

SETTINGS: tuple[Setting, ...] = (*SOURCES, *MODIFIERS)
NAMES = tuple(source.name for source in SOURCES)
TITLES = {source.kind: source.title for source in SOURCES}
"""Kind of input -> title, in the order of the sources."""

KINDS = tuple(TITLES)
ALIASES = {source.name: source.kind for source in SOURCES if source.of}
"""Sources that give a kind of another name."""

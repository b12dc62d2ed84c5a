"""The keyword arguments of `Gallery.search` and `Query.read`, for type checkers and editors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypedDict, Union

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from PIL import Image

    from fourm.modalities.boxes import Box

File = str | os.PathLike[str]
ImageSource = Union[File, "Image.Image", bytes, BinaryIO, "NDArray[Any]", "torch.Tensor"]
"""A path, a Pillow image, encoded bytes, an open binary file, an array or a tensor."""

ArraySource = Union[File, "NDArray[Any]"]
"""A path of a `.npy` file, or the array itself."""


class QueryInputs(TypedDict, total=False):
    """What a query consists of: any of these keyword arguments; None counts as not given.

    An image is a path, the bytes of a file, an open binary file, a Pillow image, a NumPy array
    (H, W), (H, W, 3) or (H, W, 4), or a torch tensor (3, H, W); uint8, or floats in [0, 1]. Colours
    are in RGB order unless `bgr` is set.

    Attributes:
        text: a caption or a few words.
        image: a photo.
        seg: segmentation map: path, or integers (H, W) of class ids, 0 = nothing; masks by the
            names of their classes, {"dog": mask}.
        depth: depth map: path of a grey PNG or `.npy` file, a Pillow image or an array (H, W).
        normals: surface normals: an image with x, y and z as red, green and blue.
        edges: edge map or line drawing.
        canny: photo to compute Canny edges from, used as `edges`.
        sam_edges: SAM edge map.
        boxes: `class:xmin,ymin,xmax,ymax` in fractions of the central square, a COCO or YOLO file,
            a `Box`, or a list of these.
        palette: 1 to 7 colours: `#1e90ff,#ffffff`, or a list of (red, green, blue).
        palette_of: photo to take the main colours from, used as `palette`.
        metadata: `brightness=200 n_humans=3`, or a dict.
        sam: instance masks: path of a JSON file, or its content.
        poses: human poses: path of a JSON file, or its content.
        t5: T5-XXL embeddings (n, 4096).
        clip_features: CLIP B/16 feature map (512, 14, 14).
        dinov2_features: DINOv2 B/14 feature map (768, 16, 16).
        imagebind_features: ImageBind H/14 feature map (1280, 16, 16).
        dinov2_embedding: DINOv2 B/14 global embedding (768,).
        imagebind_embedding: ImageBind H/14 global embedding (1280,).
        image_tokens: photo that the model reads as tokens instead of pixels.
        depth_near: which values of `depth` are near: `low` for distances, `high` for disparities.
        seg_format: what the ids of `seg` are: `coco` panoptic category ids, `ade20k` ...; `auto`
            takes what is certain.
        bgr: arrays and tensors are in BGR order, as OpenCV's are.
        use_only: modalities that are computed or predicted from `image` and used in its place.
        negative_text: negative prompt, or a list of them.
        weights: modality -> weight, and `not` -> weight of the negative prompts.
        combine: `together`: one forward pass over all inputs; `guided`: weighted guidance; `late`:
            weighted mean of separate predictions.
    """

    text: str | None
    image: ImageSource | None
    seg: ArraySource | Image.Image | Sequence[File] | Mapping[str, Any] | None
    depth: ArraySource | Image.Image | None
    normals: ImageSource | None
    edges: ImageSource | None
    canny: ImageSource | None
    sam_edges: ImageSource | None
    boxes: str | Box | Sequence[str | Box] | None
    palette: str | Sequence[str] | Sequence[Sequence[int]] | None
    palette_of: ImageSource | None
    metadata: str | Sequence[str] | Mapping[str, float] | None
    sam: File | Sequence[Any] | Mapping[str, Any] | None
    poses: File | Mapping[str, Any] | None
    t5: ArraySource | None
    clip_features: ArraySource | None
    dinov2_features: ArraySource | None
    imagebind_features: ArraySource | None
    dinov2_embedding: ArraySource | None
    imagebind_embedding: ArraySource | None
    image_tokens: ImageSource | None
    depth_near: Literal["low", "high"] | None
    seg_format: (
        Literal[
            "auto",
            "coco",
            "coco-contiguous",
            "coco-stuff",
            "coco-panoptic",
            "ade20k",
            "cityscapes",
            "voc",
        ]
        | None
    )
    bgr: bool | None
    use_only: str | Sequence[str] | None
    negative_text: str | Sequence[str] | None
    weights: Mapping[str, float] | Sequence[str] | None
    combine: Literal["together", "guided", "late"] | None

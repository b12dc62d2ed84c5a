"""An example of every modality but text, images and segmentation maps."""

import numpy as np
from PIL import Image

PHOTO = Image.fromarray(np.kron(np.eye(4, dtype=np.uint8) * 255, np.ones((16, 16), np.uint8)))

SOURCES = {
    "depth": np.arange(12.0).reshape(3, 4),
    "normals": PHOTO,
    "edges": PHOTO,
    "sam_edges": PHOTO,
    "boxes": "person:0.1,0.2,0.4,0.9",
    "palette": "#1e90ff,#ffffff",
    "metadata": "brightness=200 n_humans=3",
    "sam": [{"segmentation": {"size": [2, 3], "counts": [2, 1, 1, 2]}}],
    "poses": {"width": 10, "height": 10, "people": []},
    "t5": np.ones((3, 4096)),
    "clip_features": np.ones((512, 14, 14)),
    "dinov2_features": np.ones((768, 16, 16)),
    "imagebind_features": np.ones((1280, 16, 16)),
    "dinov2_embedding": np.ones(768),
    "imagebind_embedding": np.ones(1280),
    "image_tokens": PHOTO,
}

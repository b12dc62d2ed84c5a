"""A modality that is not built in: a grey thumbnail of 4 x 4 pixels, one token for each of them."""

import json
from contextlib import contextmanager

import numpy as np
import torch
from PIL import Image

from fourm.modalities import Codec, Decoded, Decoder, GenerationDefaults, Modality, Reader
from fourm.modalities import register as register_with_models
from fourm.modalities import unregister as unregister_from_models
from fourm.modalities.decoding import token_array
from fourm.modalities.pixels import square_pixels
from fourm.tokens import grid_tokens
from fourm.transformer.embeddings import ModalityInput
from tests.fourm.tiny_model import FM_CONFIG, MANIFEST, make_tiny_model, write_model

SIDE = 4
LEVELS = 16
STEP = 256 // LEVELS


class ThumbnailReader(Reader):
    def prepare(self, value):
        """PIL image or uint8 (H, W, 3) -> int64 (16,), a level of grey for each pixel."""
        grey = Image.fromarray(square_pixels(value, SIDE).transpose(1, 2, 0)).convert("L")
        return np.asarray(grey, np.int64).reshape(-1) // STEP

    def batch(self, contents, device):
        return ModalityInput(torch.from_numpy(np.stack(contents)).to(device))


class ThumbnailDecoder(Decoder):
    def decode(self, tokens, quality, *, progress=False):
        """16 levels -> uint8 (4, 4, 3)."""
        levels = token_array(tokens)
        grey = (levels * STEP + STEP // 2).astype(np.uint8).reshape(SIDE, SIDE)
        return Decoded(self.modality, np.stack([grey] * 3, axis=-1), levels)


THUMBNAIL = Modality(
    name="thumbnail",
    tokens=grid_tokens("thumbnail@4", LEVELS, SIDE),
    codecs={"img": Codec(ThumbnailReader, ThumbnailDecoder)},
    generation=GenerationDefaults(steps=2),
    official=False,
)


@contextmanager
def thumbnail_registered():
    """Models know the modality within the block."""
    register_with_models(THUMBNAIL)
    try:
        yield THUMBNAIL
    finally:
        unregister_from_models(THUMBNAIL.name)


def make_thumbnail_model(folder):
    """A tiny model of random weights that reads and predicts thumbnails; its folder."""
    make_tiny_model(folder)
    tokens = THUMBNAIL.tokens
    described = {"kind": "img", "max_tokens": tokens.max_tokens, "vocabulary": tokens.vocabulary}
    config = {
        **FM_CONFIG,
        "domains_in": [*FM_CONFIG["domains_in"], tokens.name],
        "domains_out": [*FM_CONFIG["domains_out"], tokens.name],
        "modality_info": {**FM_CONFIG["modality_info"], tokens.name: described},
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        write_model(folder / "model", config)
    bundle = {**MANIFEST, "kinds": {**MANIFEST["kinds"], THUMBNAIL.name: tokens.name}}
    (folder / "bundle.json").write_text(json.dumps(bundle))
    return folder

"""Photos as tokens (4M-21 reference: tok_rgb@224)."""

from __future__ import annotations

from fourm.modalities.grids import grid_codec, scaled_bytes
from fourm.modalities.maps import DIFFUSION_TOKENIZER, as_image_bytes
from fourm.modalities.modality import GenerationDefaults, Modality, OfficialTokenizer
from fourm.modalities.pixels import square_pixels
from fourm.tokens import grid_tokens

IMAGE_TOKENS = Modality(
    name="image_tokens",
    tokens=grid_tokens("tok_rgb@224", 16384),
    codecs={"img": grid_codec(square_pixels, scaled_bytes, as_image_bytes, channels=3)},
    tokenizer=OfficialTokenizer(
        "4M_tokenizers_rgb_16k_224-448",
        "tokenizer/rgb",
        "photos as tokens",
        {**DIFFUSION_TOKENIZER, "n_channels": 3, "codebook_size": 16384},
    ),
    generation=GenerationDefaults(
        steps=25, temperature=3.0, temperature_schedule="onex:0.5:0.5", guidance=2.0
    ),
    generation_given_image=GenerationDefaults(guidance=2.0),
    generation_order=90,
    shows_image=True,
)

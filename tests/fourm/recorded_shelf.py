"""The recorded model that reads all modalities, next to the small recorded tokenizers."""

import shutil

from fourm.hub.official import TEXT_TOKENIZER, tokenizer_repositories
from tests.fourm.recorded import model_folder
from tests.fourm.recorded_text import save_recorded_tokenizer

NANO = {
    "tok_dinov2_global": "vq_dinov2_global_nano",
    "tok_imagebind_global": "vq_imagebind_global_nano",
    "tok_semseg@224": "vq_semseg_nano",
    "tok_depth@224": "divae_depth_nano",
    "tok_normal@224": "divae_normal_nano",
    "tok_canny_edge@224": "divae_edge_nano",
    "tok_rgb@224": "divae_rgb_nano",
    "tok_clip@224": "vq_clip_nano",
    "human_poses": "vq_human_poses_nano",
    "sam_instance": "vq_sam_instance_nano",
}


def make_recorded_shelf(shelf, scratch):
    """Put them side by side under their official names; the folder of all."""
    shutil.copytree(model_folder("fm_mod21_d64", scratch), shelf / "4M-21_B")
    for modality, name in NANO.items():
        shutil.copytree(model_folder(name, scratch), shelf / tokenizer_repositories()[modality])
    save_recorded_tokenizer(shelf / TEXT_TOKENIZER)
    return shelf

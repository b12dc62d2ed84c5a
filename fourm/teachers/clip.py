"""CLIP ViT-B/16: patch tokens, pooled as those of 4M-21; its own embedding; its text tower."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourm.checkpoints.config import Fields
from fourm.checkpoints.files import read_json_object
from fourm.errors import BadInput, CheckpointError, ConfigError
from fourm.hub.teachers import CLIP_B16
from fourm.lazy import Lazy
from fourm.teachers.teacher import NORMALISATIONS, SIDE, Teacher
from fourm.teachers.weights import TeacherState, build, file_in, fill, read_state

if TYPE_CHECKING:
    import torch

ARCHITECTURE = "ViT-B-16"
CLIP_CONFIG = "open_clip_config.json"
CLIP_TENSORS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")

ELSEWHERE = (
    ("vision_cfg", "timm_model_name"),
    ("text_cfg", "hf_model_name"),
    ("text_cfg", "hf_tokenizer_name"),
)
"""Fields of a config that make open_clip take a tower or its tokenizer from other libraries."""

JOINT = "clip_joint"


class ClipTeacher(Teacher):
    """CLIP ViT-B/16 of OpenAI, run by open_clip.

    Its source is a folder in open_clip's format (`open_clip_config.json`,
    `open_clip_model.safetensors`), or a file of open_clip's tensors for OpenAI's ViT-B-16; by
    default that of the hub.

    Space `clip` is what 4M-21 predicts (4M-21 reference, sec. 5 and 6): the patch tokens after
    `ln_post` and the projection, without the class token, their mean over the grid. Space
    `clip_joint` is CLIP's own image embedding, of the class token, from pixels normalised as CLIP's
    are; 4M-21 does not predict it.

    Args:
        source, device, dtype: see `Teacher`.
        pixels: mean and deviation of the pixels behind `clip`: `imagenet`, as for the features that
            4M-21's tokenizer was trained with, or `clip`, CLIP's own.
    """

    card = CLIP_B16

    def __init__(
        self,
        source: str | os.PathLike[str] | None = None,
        device: str = "auto",
        dtype: str = "auto",
        *,
        pixels: str = "imagenet",
    ) -> None:
        if pixels not in NORMALISATIONS:
            raise BadInput(f"pixels must be one of {', '.join(NORMALISATIONS)}, got {pixels!r}")
        super().__init__(source, device, dtype)
        self.pixels = pixels
        self._tokenizer: Lazy[Any] = Lazy(self._load_tokenizer)

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Vectors of texts by the text tower.

        Args:
            texts: of each, CLIP reads about the first 75 word pieces.

        Returns:
            float32 (B, dim) on the CPU, not of unit length.

        Raises:
            ModelNotFound, CheckpointError: as `embed_pixels`.
        """
        import torch

        network = self._network.get()
        with torch.no_grad():
            vectors: torch.Tensor = network.encode_text(
                self._tokenizer.get()(list(texts)).to(self.device)
            )
        return vectors.float().cpu()

    def _normalisation(self, space: str) -> str:
        return "clip" if space == JOINT else self.pixels

    def _config(self) -> tuple[Mapping[str, Any], Path]:
        """open_clip's `model_cfg`, and where it is from."""
        place = self._place.get()
        folder = place if place.is_dir() else place.parent
        if not place.is_dir() and not (
            place.name in CLIP_TENSORS and (folder / CLIP_CONFIG).is_file()
        ):
            import open_clip

            # OpenAI's networks have a quick GELU; nothing in the tensors says so.
            return {**open_clip.get_model_config(ARCHITECTURE), "quick_gelu": True}, place
        path = folder / CLIP_CONFIG
        config = Fields(read_json_object(path), path).mapping("model_cfg")
        fields = Fields(config, path)
        for tower, name in ELSEWHERE:
            if fields.mapping(tower).get(name):
                raise ConfigError(f"{name}: only CLIP's own two towers are supported", where=path)
        return config, path

    def _dim(self) -> int:
        config, path = self._config()
        return Fields(config, path).integer("embed_dim", low=1)

    def _design(self) -> str:
        from open_clip import CLIPTextCfg, CLIPVisionCfg

        config, where = self._config()
        towers = {"vision_cfg": CLIPVisionCfg, "text_cfg": CLIPTextCfg}

        def full(tower: str) -> dict[str, Any]:
            return asdict(towers[tower](**config.get(tower, {})))

        complete = {tower: build(partial(full, tower), where) for tower in towers}
        return json.dumps({"quick_gelu": False, **config, **complete}, sort_keys=True)

    def _file(self) -> Path:
        place = self._place.get()
        return file_in(place, CLIP_TENSORS) if place.is_dir() else place

    def _state(self, path: Path) -> TeacherState:
        state = read_state(path)
        prefix = "module."
        return {name.removeprefix(prefix): tensor for name, tensor in state.items()}

    def _build(self, state: TeacherState, path: Path) -> torch.nn.Module:
        from open_clip import CLIP
        from open_clip.transformer import VisionTransformer

        config, where = self._config()
        network: torch.nn.Module = build(lambda: CLIP(**config), where)
        visual: Any = network.visual
        if (
            not isinstance(visual, VisionTransformer)
            or visual.attn_pool is not None
            or (visual.pool_type, visual.final_ln_after_pool) != ("tok", False)
            or visual.proj is None
        ):
            raise ConfigError("not a plain ViT whose class token is CLIP's embedding", where=where)
        if tuple(visual.image_size) != (SIDE, SIDE):
            raise ConfigError(
                f"reads images of {list(visual.image_size)} pixels; the features that "
                f"4M-21 predicts are those of {SIDE}",
                where=where,
            )
        fill(network, state, path)
        # With it, `visual` gives the patch tokens after ln_post as well.
        visual.output_tokens = True
        return network

    def _load_tokenizer(self) -> Any:
        from open_clip import SimpleTokenizer

        network = self._network.get()
        tokenizer = SimpleTokenizer(context_length=network.context_length)
        if network.vocab_size < tokenizer.vocab_size:
            raise CheckpointError(
                f"{self._file()} has {network.vocab_size} word pieces, CLIP's tokenizer has "
                f"{tokenizer.vocab_size}"
            )
        return tokenizer

    def _read(self, network: Any, pixels: torch.Tensor, space: str) -> torch.Tensor:
        embedding: torch.Tensor
        patches: torch.Tensor
        embedding, patches = network.visual(pixels)
        if space == JOINT:
            return embedding
        # The projection is linear: the mean may be taken first.
        pooled: torch.Tensor = patches.float().mean(dim=1) @ network.visual.proj.float()
        return pooled

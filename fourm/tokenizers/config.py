"""The fields of a tokenizer's `config.json`, checked (4M-21 reference, sec. 1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fourm.checkpoints import Fields
from fourm.errors import ConfigError

_DIFFUSION_FIELDS = (
    "num_train_timesteps",
    "scheduler",
    "beta_schedule",
    "prediction_type",
    "clip_sample",
    "thresholding",
    "zero_terminal_snr",
    "conditioning",
    "cls_free_guidance_dropout",
    "masked_cfg",
)


@dataclass(frozen=True)
class TokenizerConfig:
    """Configuration of a tokenizer, with the defaults of the official format.

    Fields of training (`sync_codebook`, `ema_decay`, `ckpt_path` ...) are ignored.

    Attributes:
        image_size, image_size_enc, image_size_dec: side in pixels for which position embeddings
            are stored; they are interpolated for images of another size.
        undo_std: inputs are ImageNet-standardised images; the encoder maps them back to -1 .. 1.
        norm_latents: normalise latents before they are quantised.
    """

    image_size: int = 224
    image_size_enc: int | None = None
    image_size_dec: int | None = None
    n_channels: int = 3
    n_labels: int | None = None
    enc_type: str = "vit_b_enc"
    dec_type: str = "vit_b_dec"
    patch_proj: bool = True
    post_mlp: bool = False
    patch_size: int = 16
    patch_size_dec: int | None = None
    out_conv: bool = False
    quant_type: str = "lucid"
    codebook_size: int = 16384
    num_codebooks: int = 1
    latent_dim: int = 32
    norm_codes: bool = True
    norm_latents: bool = False
    undo_std: bool = False
    num_train_timesteps: int = 1000
    scheduler: str = "ddpm"
    beta_schedule: str = "squaredcos_cap_v2"
    prediction_type: str = "v_prediction"
    clip_sample: bool = False
    thresholding: bool = True
    zero_terminal_snr: bool = True
    conditioning: str = "concat"

    @classmethod
    def from_mapping(
        cls, values: Mapping[str, Any], where: object = "tokenizer config"
    ) -> TokenizerConfig:
        """Read a `config.json` object; `where` is its place in messages.

        Raises:
            ConfigError: a field of the wrong type or out of range, or an unsupported combination
                (which no released tokenizer has).
        """
        given = Fields(values, where)
        diffusion = any(values.get(name) is not None for name in _DIFFUSION_FIELDS)
        default_dec_type = "unet_patched" if diffusion else cls.dec_type
        config = cls(
            image_size=given.integer("image_size", cls.image_size, low=1),
            image_size_enc=_optional(given, "image_size_enc"),
            image_size_dec=_optional(given, "image_size_dec"),
            n_channels=given.integer("n_channels", cls.n_channels, low=1),
            n_labels=_optional(given, "n_labels"),
            enc_type=given.text("enc_type", cls.enc_type),
            dec_type=given.text("dec_type", default_dec_type),
            patch_proj=given.flag("patch_proj", cls.patch_proj),
            post_mlp=given.flag("post_mlp", cls.post_mlp),
            patch_size=given.integer("patch_size", cls.patch_size, low=1),
            patch_size_dec=_optional(given, "patch_size_dec"),
            out_conv=given.flag("out_conv", cls.out_conv),
            quant_type=given.text("quant_type", cls.quant_type),
            codebook_size=given.integer("codebook_size", cls.codebook_size, low=1),
            num_codebooks=given.integer("num_codebooks", cls.num_codebooks, low=1),
            latent_dim=given.integer("latent_dim", cls.latent_dim, low=1),
            norm_codes=given.flag("norm_codes", cls.norm_codes),
            norm_latents=given.flag("norm_latents", cls.norm_latents),
            undo_std=given.flag("undo_std", cls.undo_std),
            num_train_timesteps=given.integer(
                "num_train_timesteps", cls.num_train_timesteps, low=1
            ),
            scheduler=given.text("scheduler", cls.scheduler),
            beta_schedule=given.text("beta_schedule", cls.beta_schedule),
            prediction_type=given.text("prediction_type", cls.prediction_type),
            clip_sample=given.flag("clip_sample", cls.clip_sample),
            thresholding=given.flag("thresholding", cls.thresholding),
            zero_terminal_snr=given.flag("zero_terminal_snr", cls.zero_terminal_snr),
            conditioning=given.text("conditioning", cls.conditioning),
        )
        config._check(where)
        return config

    def _check(self, where: object) -> None:
        if self.undo_std and (self.n_channels != 3 or self.n_labels is not None):
            raise ConfigError("undo_std needs images of 3 channels", where=where)
        if self.quant_type not in ("lucid", "memcodes"):
            raise ConfigError(
                f"quant_type must be 'lucid' or 'memcodes', got {self.quant_type!r}", where=where
            )
        if self.quant_type == "lucid" and self.num_codebooks != 1:
            raise ConfigError("a 'lucid' quantizer has num_codebooks = 1", where=where)
        if self.quant_type == "memcodes" and not self.is_vector:
            raise ConfigError("a 'memcodes' quantizer needs a BottleneckMLP encoder", where=where)
        if self.latent_dim % self.num_codebooks:
            raise ConfigError(
                f"latent_dim {self.latent_dim} is not a multiple of "
                f"num_codebooks {self.num_codebooks}",
                where=where,
            )

    @property
    def is_vector(self) -> bool:
        """True if one sample is one vector (a global embedding), False if it is a grid."""
        return self.enc_type.startswith("BottleneckMLP/")

    @property
    def is_diffusion(self) -> bool:
        """True if the decoder is a diffusion model."""
        return self.dec_type.startswith("unet")

    @property
    def grid_enc(self) -> int:
        """Side of the encoder's stored position grid, in tokens."""
        return _grid(self.image_size_enc or self.image_size, self.patch_size)

    @property
    def grid_dec(self) -> int:
        """Side of the decoder's stored position grid, in tokens."""
        return _grid(self.image_size_dec or self.image_size, self.patch_size_dec or self.patch_size)


def _grid(pixels: int, patch: int) -> int:
    if pixels % patch:
        raise ConfigError(
            f"image size {pixels} is not a multiple of {patch}", where="tokenizer config"
        )
    return pixels // patch


def _optional(given: Fields, name: str) -> int | None:
    return None if given.values.get(name) is None else given.integer(name, low=1)

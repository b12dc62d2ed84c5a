"""The fields of a transformer's `config.json`, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fourm.checkpoints.config import Fields
from fourm.tokens import TokenSpec, describe

ACTIVATIONS = (
    *("GELU", "SiLU", "ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "Mish", "Hardswish"),
    *("Softplus", "Sigmoid", "Tanh", "Identity"),
)
"""Names of classes of torch.nn; a closed list, so that a file cannot name any other."""


@dataclass(frozen=True)
class FMConfig:
    """Configuration of the transformer, with the defaults of the reference.

    4M-21 reference, sec. 1.2.

    Attributes:
        domains_in, domains_out: names of modalities; their order is that of modules alone.
        modalities: name -> `TokenSpec`, for every name in either list.
        encoder_sep_mask: each input passes the encoder alone, with registers of its own; the
            decoder attends to all of them. 4M-21 does not have this field.
    """

    domains_in: tuple[str, ...]
    domains_out: tuple[str, ...]
    modalities: Mapping[str, TokenSpec] = field(repr=False)
    dim: int = 768
    encoder_depth: int = 12
    decoder_depth: int = 12
    num_heads: int = 12
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    proj_bias: bool = True
    mlp_bias: bool = True
    norm_bias: bool = True
    act_layer: str = "GELU"
    gated_mlp: bool = False
    qk_norm: bool = False
    decoder_causal_mask: bool = False
    decoder_sep_mask: bool = True
    encoder_sep_mask: bool = False
    num_register_tokens: int = 0
    share_modality_embeddings: bool = True

    @classmethod
    def from_fields(cls, fields: Fields) -> FMConfig:
        """Read the config of a checkpoint; unknown fields are ignored.

        Raises:
            ConfigError: a field is missing, of the wrong type or out of range.
            UnknownModality: a domain that is described neither by 4M-21 nor by `modality_info`.
        """
        domains_in, domains_out = fields.names("domains_in"), fields.names("domains_out")
        names = dict.fromkeys((*domains_in, *domains_out))
        modalities = describe(names, fields.mapping("modality_info"), fields.where)
        for name in domains_out:
            if not modalities[name].is_predictable:
                raise fields.error("domains_out", "modalities that can be predicted", name)
        if fields.flag("allow_zero_attn", False):
            raise fields.error("allow_zero_attn", "false, as in every 4M-21 model", True)
        dim = fields.integer("dim", 768, 4, 1 << 16)
        num_heads = fields.integer("num_heads", 12, 1, 1024)
        if dim % num_heads or dim % 4:
            raise fields.error("dim", f"a multiple of 4 and of num_heads ({num_heads})", dim)
        act_layer = fields.text("act_layer")
        if act_layer not in ACTIVATIONS:
            raise fields.error("act_layer", f"one of {', '.join(ACTIVATIONS)}", act_layer)
        mlp_ratio = fields.number("mlp_ratio", 4.0)
        if not 0 < mlp_ratio <= 64:
            raise fields.error("mlp_ratio", "above 0 and at most 64", mlp_ratio)
        return cls(
            domains_in=domains_in,
            domains_out=domains_out,
            modalities=modalities,
            dim=dim,
            encoder_depth=fields.integer("encoder_depth", 12, 0, 512),
            decoder_depth=fields.integer("decoder_depth", 12, 0, 512),
            num_heads=num_heads,
            mlp_ratio=mlp_ratio,
            qkv_bias=fields.flag("qkv_bias", True),
            proj_bias=fields.flag("proj_bias", True),
            mlp_bias=fields.flag("mlp_bias", True),
            norm_bias=fields.flag("norm_bias"),
            act_layer=act_layer,
            gated_mlp=fields.flag("gated_mlp", False),
            qk_norm=fields.flag("qk_norm", False),
            decoder_causal_mask=fields.flag("decoder_causal_mask", False),
            decoder_sep_mask=fields.flag("decoder_sep_mask", True),
            encoder_sep_mask=fields.flag("encoder_sep_mask", False),
            num_register_tokens=fields.integer("num_register_tokens", 0, 0, 1024),
            share_modality_embeddings=fields.flag("share_modality_embeddings", True),
        )

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.dim // self.num_heads

    @property
    def hidden(self) -> int:
        """Width of the MLP's hidden layer; a gated one has two, each two thirds as wide."""
        whole = int(self.dim * self.mlp_ratio)
        return int(2 * whole / 3) if self.gated_mlp else whole

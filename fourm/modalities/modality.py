"""A modality as models know it, in one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from fourm.checkpoints.config import Fields
from fourm.errors import UnknownModality
from fourm.modalities.decoding import Decoder
from fourm.modalities.reading import Reader
from fourm.tokens import TokenKind, TokenSpec

ModelPart = Literal["tokenizer", "text_tokenizer", "language_model"]
"""What a codec may need beside the transformer."""

Scheme = Literal["roar", "maskgit", "autoregressive"]

Locate = Callable[[], Path]
"""Where a part lies on this disk; called when it is first needed."""


@dataclass(frozen=True)
class Codec:
    """How values become model inputs, and tokens become values, for one kind of tokens.

    Attributes:
        reader: makes a `Reader` from a `TokenSpec` and the `Locate` of each part in `needs`.
        decoder: makes a `Decoder` from the name of the modality and each part in `needs`, loaded;
            None where nothing can be decoded.
        needs: parts of the model, in the order in which both take them.
    """

    reader: Callable[..., Reader]
    decoder: Callable[..., Decoder] | None = None
    needs: tuple[ModelPart, ...] = ()


@dataclass(frozen=True)
class OfficialTokenizer:
    """The released tokenizer of one or more modalities (4M-21 reference, sec. 3.1).

    Attributes:
        repository: on the hub, without its owner.
        short_name: what the command line calls it.
        purpose: what it is for, in a few words.
        config: the fields of its config that fix the shapes of its tensors.
        uncertain_fields: those that no publication fixes; a file's own config takes precedence.
    """

    repository: str
    short_name: str
    purpose: str
    config: Mapping[str, Any] = field(repr=False)
    uncertain_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class OfficialSpace:
    """An embedding space of 4M-21: the vectors that this modality's predicted tokens stand for.

    Attributes:
        name: e.g. `dinov2`.
        title: one-line description.
        teacher: the network whose own vectors lie in the space (`fourm.teachers`), or None.
        pool: how a grid of vectors becomes one vector; None where there is one already.
    """

    name: str
    title: str
    teacher: str | None = None
    pool: Literal["mean"] | None = None


@dataclass(frozen=True)
class GenerationDefaults:
    """How a modality is generated unless the user says otherwise.

    The numbers are those of the demonstration that the authors of 4M published with their code;
    for the global embeddings, of their retrieval notebook.

    Attributes:
        scheme: `roar`, `maskgit` or, for sequences, `autoregressive` (4M-21 reference, sec. 4.2).
        steps: decoding steps of `roar` and `maskgit`.
        temperature: of the first step; 0 takes the most likely token.
        temperature_schedule: `constant`, `linear`, or `onex:<min>:<power>`.
        guidance: classifier-free guidance scale; 1 disables it.
    """

    scheme: Scheme = "roar"
    steps: int = 1
    temperature: float = 0.01
    temperature_schedule: str = "constant"
    guidance: float = 1.0

    def check(self, where: object) -> None:
        """Refuse values that a file should not have.

        Raises:
            ConfigError: an unknown scheme, or a number of the wrong type or out of range.
        """
        fields = Fields(vars(self), where)
        if self.scheme not in get_args(Scheme):
            raise fields.error("scheme", f"one of {', '.join(get_args(Scheme))}", self.scheme)
        fields.integer("steps", low=1)
        fields.text("temperature_schedule")
        fields.number("guidance")
        if fields.number("temperature") < 0:
            raise fields.error("temperature", "at least 0", self.temperature)


@dataclass(frozen=True)
class Modality:
    """One modality as models know it.

    Attributes:
        name: what users call it, e.g. `depth`.
        tokens: what 4M-21 calls it and the shape of its tokens there, e.g. `tok_depth@224`. A
            model may read the modality under another name, as other kinds of tokens.
        codecs: kind of tokens -> how they are made and decoded.
        tokenizer: its official tokenizer.
        space: the embedding space of 4M-21 that it is.
        generation: defaults of generation; None where it is never generated.
        generation_given_image: those where an image is given, which nearly determines it; default:
            `generation`.
        generation_order: where several modalities are generated, lower ones come first and are
            seen by the others.
        official: whether 4M-21 has it.
        shows_image: whether it shows the model the whole image.
        is_embedding: whether it is a single vector of the whole image.
        in_fingerprint: whether the fingerprint of a model folder counts how it is read. Others may
            be added to a model without making its indexes stale.
    """

    name: str
    tokens: TokenSpec
    codecs: Mapping[TokenKind, Codec]
    tokenizer: OfficialTokenizer | None = None
    space: OfficialSpace | None = None
    generation: GenerationDefaults | None = None
    generation_given_image: GenerationDefaults | None = None
    generation_order: int = 1000
    official: bool = True
    shows_image: bool = False
    is_embedding: bool = False
    in_fingerprint: bool = False

    def codec(self, kind: TokenKind | None = None) -> Codec | None:
        """How a model with this kind of tokens reads and decodes it; default: that of 4M-21."""
        return self.codecs.get(self.tokens.kind if kind is None else kind)

    def reader(self, spec: TokenSpec, parts: Mapping[ModelPart, Locate]) -> Reader | None:
        """What reads it for one model, or None if the model reads it in no known way.

        Args:
            spec: of its tokens in the model.
            parts: where the parts of the model lie, as far as it has them.

        Raises:
            ConfigError: tokens of a shape that the reader cannot make.
        """
        codec = self.codec(spec.kind)
        if codec is None or not set(codec.needs) <= parts.keys():
            return None
        return codec.reader(spec, *(parts[part] for part in codec.needs))

    def decoder(self, parts: Mapping[ModelPart, Any], kind: TokenKind | None = None) -> Decoder:
        """What decodes it.

        Args:
            parts: loaded: a tokenizer as `VQVAE`, a text tokenizer as `TextTokenizer`.
            kind: of the model's tokens; default: that of 4M-21.

        Raises:
            UnknownModality: it cannot be decoded, or not without parts that are missing.
            ConfigError: a tokenizer of another modality.
        """
        codec = self.codec(kind)
        if codec is None or codec.decoder is None or not set(codec.needs) <= parts.keys():
            raise UnknownModality(f"{self.name!r} cannot be decoded with the given parts")
        return codec.decoder(self.name, *(parts[part] for part in codec.needs))

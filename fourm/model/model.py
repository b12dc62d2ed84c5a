"""A model that embeds pictures, words, maps and more into the same spaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fourm.checkpoints import Checkpoint
from fourm.errors import BadInput, ConfigError, UnknownModality, UnknownSpace
from fourm.hub.manifest import Manifest
from fourm.hub.official import WORDS
from fourm.modalities import IMAGE, MODALITIES, Content, Locate, Part, Reader
from fourm.modalities.pixels import PixelReader
from fourm.modalities.written import TextReader
from fourm.model.devices import choose_device, choose_dtype
from fourm.model.embedding import Embedding
from fourm.model.network import Network
from fourm.model.predicted_inputs import completed, predictable
from fourm.model.samples import Blend, How, Prepared, TokenIds
from fourm.model.space_decoder import SpaceDecoder
from fourm.model.spaces import Space

if TYPE_CHECKING:
    from fourm.generation import TextIds
    from fourm.tokens import TokenSpec
    from fourm.transformer import FM

MOST_SEEDS = 1000


class Model:
    """Any kinds of input in, unit vectors of embedding spaces out.

    Weights are read when they are first needed, and only those that the used kinds and spaces
    need. All methods may be called from several threads.

    Args:
        manifest: the parts.
        device: `auto` or a torch device.
        dtype: `auto`, `float32`, `bfloat16` or `float16`: precision of the transformer alone.

    Attributes:
        name, title: of the model.
        inputs: kinds that it reads, e.g. `("image", "text", "seg")`.
        predictable: kinds that it can predict from a photo and then be given (`prepare`, `take`).
        spaces: name -> `Space`.
        default_space: the first of them.
        missing: further kinds and spaces of the transformer -> words on the tokenizers that they
            need, which are not on this disk, and on the way to them.

    Raises:
        CheckpointError: a part is damaged, or does not go with the others.
        BadInput: a device or dtype that this machine does not have.
    """

    def __init__(self, manifest: Manifest, device: str = "auto", dtype: str = "auto") -> None:
        from fourm.transformer.config import FMConfig

        self.manifest = manifest
        self.name, self.title = manifest.name, manifest.title
        self.inputs: tuple[str, ...] = tuple(manifest.kinds)
        self.missing: Mapping[str, str] = MappingProxyType(dict(manifest.missing))
        self.device = choose_device(device)
        self.dtype = choose_dtype(dtype, self.device)
        self._checkpoint = Checkpoint.open(manifest.locate(manifest.model))
        self._config = FMConfig.from_fields(self._checkpoint.fields)
        self._readers = {kind: self._reader(kind, name) for kind, name in manifest.kinds.items()}
        self._decoders = {name: self._decoder(name) for name in manifest.spaces}
        self.spaces: Mapping[str, Space] = MappingProxyType(
            {name: decoder.space for name, decoder in self._decoders.items()}
        )
        self.default_space = next(iter(self.spaces))
        taken = predictable(manifest.kinds, self._config)
        self.predictable: tuple[str, ...] = tuple(taken)
        self._network = Network(
            self._checkpoint,
            self._config,
            self.device,
            self.dtype,
            {**manifest.kinds, **taken},
            self._readers,
        )

    def __repr__(self) -> str:
        return f"Model({self.name!r}, inputs={self.inputs}, spaces={tuple(self.spaces)})"

    @property
    def readers(self) -> Mapping[str, Reader]:
        """Kind of input -> what reads it, in the order of `inputs`."""
        return MappingProxyType(self._readers)

    def transformer(self, inputs: Iterable[str] = (), outputs: Iterable[str] = ()) -> FM:
        """The transformer that this model embeds with, once it has at least these modalities."""
        return self._network.model(tuple(inputs), tuple(outputs))

    @property
    def facts(self) -> tuple[str, ...]:
        """Keys of metadata that this model reads; none if it reads no metadata."""
        reader = self._readers.get("metadata")
        return () if reader is None else reader.keys

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the manifest and all weights: another one, other vectors."""
        return self.manifest.fingerprint()

    def space_fingerprint(self, space: str) -> str:
        """SHA-256 (hex) of what the vectors of one space depend on.

        That is the transformer, how photos are read (in a bundle words and segmentation maps, too),
        and the space's entry, tokenizer and transform. It is the `fingerprint` of a model with this
        space alone.

        Raises:
            UnknownSpace: this model has no such space.
        """
        return self.manifest.only(self._known_space(space)).fingerprint()

    def input_fingerprint(self, kind: str) -> str:
        """SHA-256 (hex) of what one kind of input is read with, beyond `space_fingerprint`.

        A gallery of depth maps depends on it as well. Empty for the kinds that `space_fingerprint`
        covers.

        Raises:
            UnknownModality: this model does not read that kind.
        """
        if kind not in self.inputs:
            raise self._not_read(kind)
        return self.manifest.reader_fingerprint(kind)

    def prepare(self, inputs: Mapping[str, Any], *, take: Sequence[str] = ()) -> Prepared:
        """Check and shrink the inputs of one sample; no network runs.

        Args:
            inputs: any non-empty subset of the model's kinds: `image` a PIL image or uint8
                (H, W, 3); `text` a string; `seg` integers (H, W), COCO panoptic category ids,
                0 = nothing; `depth` numbers (H, W), small ones near; `normals`, `edges`,
                `sam_edges` pictures; `boxes` a list of `Box`; `palette` a list of colours;
                `metadata` a dict; `sam` a list of `Mask`; `poses` `People`; `t5` numbers (n, 4096);
                `..._features` and `..._embedding` numbers of the other network's shape. All of
                them describe the same sample. Any kind that is tokens to the model, `predictable`
                ones included, may come as `TokenIds`.
            take: of `predictable`. The photo is then only the source of these parts: a first pass
                predicts them, greedily, and the model is given their tokens instead of the photo.

        Raises:
            UnknownModality: a kind that this model does not read, or cannot predict.
            BadInput: no input at all, or one that is empty, of the wrong type or out of range;
                parts without a photo to take them from, or that are given, too.
        """
        if not inputs:
            raise BadInput("nothing was given: the model needs at least one input")
        contents = {kind: self._content(kind, value) for kind, value in inputs.items()}
        taken = tuple(dict.fromkeys(self._takeable(kind, inputs) for kind in take))
        source = contents.pop("image") if taken else None
        ordered = {kind: contents[kind] for kind in self._network.modalities if kind in contents}
        return Prepared(ordered, source, taken)

    def blend(self, parts: Sequence[tuple[Prepared, float]], how: How = "guided") -> Blend:
        """Several samples as one, each with a weight; a negative weight leads away from it.

        `guided` predicts once, from logits u + sum of w_i (c_i - u) with c_i given part i and u
        given nothing (4M-21 reference, sec. 4.4): a weight above 1 is stronger than the part
        itself, and its vector is one that the model would predict. Spaces that read a picture in a
        pass of its own do so here: parts with a picture are embedded alone, and joined with what
        the others predict. `late` sums the parts' unit vectors.

        Args:
            parts: what `prepare` gave, and weights of -1000 .. 1000.
            how: `guided` or `late`.

        Raises:
            BadInput: no parts, or impossible weights.
        """
        try:
            pairs = tuple((sample, weight) for sample, weight in parts)
        except (TypeError, ValueError):
            raise BadInput("the parts of a blend are pairs of a sample and its weight") from None
        return Blend(pairs, how)

    def embed(
        self,
        prepared: Sequence[Prepared | Blend],
        /,
        *,
        space: str | None = None,
        seeds: int = 1,
    ) -> NDArray[np.float32]:
        """Vectors of several samples in one space; see `embed_spaces`.

        Args:
            prepared: what `prepare` and `blend` gave.
            space: default: `default_space`.
            seeds: as `embed_spaces`.

        Returns:
            float32 (B, dim), rows of length 1, after the space's transform.

        Raises:
            UnknownSpace, BadInput: as `embed_spaces`.
        """
        chosen = self._known_space(space)
        return self.embed_spaces(prepared, spaces=(chosen,), seeds=seeds)[chosen]

    def embed_spaces(
        self, prepared: Sequence[Prepared | Blend], /, *, spaces: Sequence[str], seeds: int = 1
    ) -> dict[str, NDArray[np.float32]]:
        """Vectors of several samples in several spaces, each sample encoded once.

        A space with an `image_share` reads a picture beside other inputs in a pass of its own.

        A vector does not depend on the others of its batch, whose samples may have different kinds.

        Args:
            prepared: what `prepare` and `blend` gave.
            spaces: some of the model's.
            seeds: 1: tokens are taken as each space says. More: they are drawn so many times, at
                the space's temperature, and the unit vectors are averaged; vectors that are not
                predicted, but read at a register, stay as they are.

        Returns:
            Space -> float32 (B, dim), rows of length 1, after the space's transform.

        Raises:
            UnknownSpace: this model has no such space.
            BadInput: the parts of a blend cancel each other out; seeds out of range.
        """
        import torch

        decoders = {name: self._decoders[self._known_space(name)] for name in spaces}
        if isinstance(seeds, bool) or not isinstance(seeds, int) or not 1 <= seeds <= MOST_SEEDS:
            raise BadInput(f"seeds is a number from 1 to {MOST_SEEDS}, not {seeds!r}")
        with torch.no_grad():  # inference_mode would mark weights that are loaded within it
            complete = completed(self._network, prepared, self._text_ids) if decoders else prepared
            return Embedding(self._network, decoders, seeds).vectors(complete)

    def _content(self, kind: str, value: Any) -> Content:
        if isinstance(value, TokenIds) and kind in self._network.modalities:
            return value.checked(self._config.modalities[self._network.modalities[kind]])
        if kind not in self._readers:
            raise self._not_read(kind)
        return self._readers[kind].prepare(value)

    def _not_read(self, kind: str) -> UnknownModality:
        said = f"{self.name} does not read {kind!r}; it reads {', '.join(self.inputs)}"
        known = MODALITIES.get(kind)
        if kind in self.missing and known and known.tokens.name in self._config.domains_in:
            said = f"{said}; {self.missing[kind]}"
        return UnknownModality(said)

    def _takeable(self, kind: str, inputs: Mapping[str, Any]) -> str:
        if kind not in self.predictable:
            known = f"only {', '.join(self.predictable)}" if self.predictable else "nothing"
            raise UnknownModality(
                f"{self.name} cannot take {kind!r} from a photo: it predicts {known}"
            )
        if kind in inputs:
            raise BadInput(f"{kind} is given, and to be taken from the photo: leave one out")
        if "image" not in inputs:
            raise BadInput(f"there is no photo to take {kind} from: give an image")
        return kind

    def _text_ids(self, kind: str) -> TextIds:
        """Special tokens of a kind's word pieces; those of 4M-21 need no file."""
        from fourm.generation import TextIds

        reader = self._readers.get(kind)
        part = self.manifest.words.get(self._network.modalities[kind], WORDS)
        if part == WORDS or not isinstance(reader, TextReader):
            return TextIds()
        return TextIds.of(reader.tokenizer.get())

    def _known_space(self, space: str | None) -> str:
        name = self.default_space if space is None else space
        if name not in self.spaces:
            said = f"{self.name} has no space {name!r}; it has {', '.join(self.spaces)}"
            raise UnknownSpace(f"{said}; {self.missing[name]}" if name in self.missing else said)
        return name

    def _modality(self, name: str, domains: tuple[str, ...]) -> TokenSpec:
        if name not in domains:
            raise ConfigError(f"the model has no {name}", where=self._checkpoint.config_source)
        return self._config.modalities[name]

    def _reader(self, kind: str, name: str) -> Reader:
        modality = self._modality(name, self._config.domains_in)
        manifest = self.manifest
        kept: dict[Part, Mapping[str, str]] = {
            "tokenizer": manifest.tokenizers,
            "text_tokenizer": manifest.words,
            "language_model": manifest.language_models,
        }
        parts: dict[Part, Locate] = {
            part: partial(manifest.locate, names[name])
            for part, names in kept.items()
            if name in names
        }
        reader = MODALITIES[kind].reader(modality, parts)
        if reader is None:
            raise ConfigError(f"{kind} cannot be read as {name} ({modality.kind})", where=self.name)
        return reader

    def _decoder(self, name: str) -> SpaceDecoder:
        self._modality(self.manifest.spaces[name].modality, self._config.domains_out)
        picture = next(
            (
                f"central square, bicubic {reader.side} px, ImageNet mean and deviation"
                for kind, reader in self._readers.items()
                if kind == IMAGE.name and isinstance(reader, PixelReader)
            ),
            None,
        )
        return SpaceDecoder(name, self.manifest, self._config, self.device, picture)

"""A model that embeds images, texts, maps and more into the same spaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fourm.checkpoints import Checkpoint
from fourm.embedder import FusionMethod, Space, Vectors
from fourm.errors import BadInput, ConfigError, UnknownModality, UnknownSpace
from fourm.hub.damage import require_intact
from fourm.hub.manifest import Manifest
from fourm.hub.official import TEXT_TOKENIZER
from fourm.lazy import Lazy
from fourm.modalities import IMAGE, MODALITIES, Content, Locate, ModelPart, Reader
from fourm.modalities.pixels import PixelReader
from fourm.modalities.written import TextReader
from fourm.model.devices import choose_device, choose_dtype
from fourm.model.embedding import Embedding
from fourm.model.model_space import ModelSpace
from fourm.model.network import Network
from fourm.model.predicted_inputs import Prediction, predictable, with_predicted
from fourm.model.samples import Prepared, TokenIds, WeightedFusion, pairs_of
from fourm.tokenizers.diffusion.config import DiffusionConfig
from fourm.tokenizers.wordpiece import SpecialIds

if TYPE_CHECKING:
    from fourm.generation.decoders import ModelDecoders
    from fourm.hub.availability import MissingTokenizer
    from fourm.tokens import TokenSpec
    from fourm.transformer import FM

MOST_SEEDS = 1000


class Model:
    """Any modalities in, unit vectors of embedding spaces out: a `fourm.embedder.Embedder`.

    Weights are read when they are first needed, and only those of the modalities and spaces that
    are used. All methods may be called from several threads at once.

    Args:
        manifest: the parts.
        device: `auto` or a torch device.
        dtype: `auto`, `float32`, `bfloat16` or `float16`: of the transformer's matrix products.
            `auto` is float32 for a model that picks tokens; see `choose_dtype`.

    Attributes:
        name, title: of the model.
        inputs: modalities that it reads, e.g. `("image", "text", "seg")`.
        predictable: modalities that it can predict from an image and then read (`prepare`).
        spaces: name -> `Space`.
        default_space: the first of them.
        routes: which spaces find most for which inputs.
        missing: further modalities and spaces of the transformer -> the tokenizers that they need
            and that are not on this disk.
        device, dtype: where the transformer runs, and in which precision.

    Raises:
        CheckpointError: a part is damaged, or does not fit the others.
        BadInput: a device or dtype that this machine does not have.
    """

    def __init__(self, manifest: Manifest, device: str = "auto", dtype: str = "auto") -> None:
        from fourm.transformer.config import FMConfig

        self.manifest = manifest
        self.name, self.title = manifest.name, manifest.title
        self.inputs: tuple[str, ...] = tuple(manifest.inputs)
        self.missing: Mapping[str, MissingTokenizer] = MappingProxyType(dict(manifest.missing))
        self.device = choose_device(device)
        picks_tokens = any(space.picks_tokens for space in manifest.spaces.values())
        self.dtype = choose_dtype(dtype, self.device, picks_tokens=picks_tokens)
        self._checkpoint = Checkpoint.open(manifest.locate(manifest.model))
        self._config = FMConfig.from_fields(self._checkpoint.fields)
        self._readers = {
            name: self._reader(name, domain) for name, domain in manifest.inputs.items()
        }
        self._spaces = {name: self._space(name) for name in manifest.spaces}
        self.spaces: Mapping[str, Space] = MappingProxyType(
            {name: one.space for name, one in self._spaces.items()}
        )
        self.default_space = next(iter(self.spaces))
        self.routes = manifest.routes
        known = predictable(manifest.inputs, self._config, manifest.outputs)
        predicted = {
            name: domain
            for name, domain in known.items()
            if all(one.decoder or name in one.readouts for one in self._spaces.values())
        }
        self.predictable: tuple[str, ...] = tuple(predicted)
        self._prediction = Prediction(predicted, self._text_ids, self._read_again)
        self._value_decoders = Lazy(self._make_decoders)
        self._network = Network(
            self._checkpoint,
            self._config,
            self.device,
            self.dtype,
            {**manifest.inputs, **{k: v for k, v in predicted.items() if k not in manifest.inputs}},
            self._readers,
        )

    def __repr__(self) -> str:
        return f"Model({self.name!r}, inputs={self.inputs}, spaces={tuple(self.spaces)})"

    @property
    def readers(self) -> Mapping[str, Reader]:
        """Modality -> what reads it, in the order of `inputs`."""
        return MappingProxyType(self._readers)

    def transformer(self, inputs: Iterable[str] = (), outputs: Iterable[str] = ()) -> FM:
        """The transformer that this model embeds with, once it has at least these modalities."""
        return self._network.model(tuple(inputs), tuple(outputs))

    @property
    def metadata_keys(self) -> tuple[str, ...]:
        """Keys of metadata that this model reads; empty if it reads no metadata."""
        reader = self._readers.get("metadata")
        return () if reader is None else reader.keys

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the manifest and all weights; it changes whenever vectors would.

        Raises:
            CheckpointError: a file is damaged; see `fourm.hub.damage`.
        """
        require_intact(self.manifest)
        return self.manifest.fingerprint()

    def space_fingerprint(self, space: str) -> str:
        """SHA-256 (hex) of what the vectors of one space depend on.

        That is the transformer, how images are read, and the space's entry, tokenizer and
        transform: the `fingerprint` of a model with this space alone. In a space that predicts
        nothing, what other modalities are read with counts for `input_fingerprint` instead.

        Raises:
            UnknownSpace: this model has no such space.
            CheckpointError: a file is damaged; see `fourm.hub.damage`.
        """
        known = self._known_space(space)
        require_intact(self.manifest)
        return self.manifest.space_fingerprint(known)

    def input_fingerprint(self, modality: str) -> str:
        """SHA-256 (hex) of what a modality is read with, beyond `space_fingerprint`.

        A gallery of depth maps depends on it as well. Empty for modalities that `space_fingerprint`
        covers.

        Raises:
            UnknownModality: this model does not read it.
        """
        if modality not in self.inputs:
            raise self._not_read(modality)
        return self.manifest.reader_fingerprint(modality)

    def prepare(self, inputs: Mapping[str, Any], *, predict: Sequence[str] = ()) -> Prepared:
        """Check the inputs of one sample and shrink them; no network runs.

        Args:
            inputs: modality -> value, at least one of `self.inputs`, all of the same sample:
                `image` a PIL image or uint8 (H, W, 3), RGB; `text` a string; `seg` integers (H, W),
                COCO panoptic category ids, 0 = unlabelled; `depth` numbers (H, W), near is small;
                `normals`, `edges`, `sam_edges` images; `boxes` a list of `Box`; `palette` a list of
                colours; `metadata` a dict; `sam` a list of `Mask`; `poses` `People`; `t5` numbers
                (n, 4096); `..._features` and `..._embedding` numbers of the shape that the network
                of that name gives. A modality that the model reads as tokens, `predictable` ones
                included, may be given as `TokenIds`.
            predict: some of `predictable`. The image is then only their source: a first pass
                predicts their tokens greedily, and the model is given these instead of the image.

        Raises:
            UnknownModality: a modality that this model does not read, or cannot predict.
            BadInput: no input, or one that is empty, of the wrong type or out of range; a modality
                to predict without an image, or that is given as well.
        """
        if not inputs:
            raise BadInput("expected at least one input")
        contents = {name: self._content(name, value) for name, value in inputs.items()}
        predicted = tuple(dict.fromkeys(self._predicted(name, inputs) for name in predict))
        source = contents.pop("image") if predicted else None
        ordered = {name: contents[name] for name in self._network.modalities if name in contents}
        return Prepared(ordered, source, predicted)

    def fuse(
        self, parts: Sequence[tuple[Prepared, float]], method: FusionMethod = "guided"
    ) -> WeightedFusion:
        """Several samples as one, each with a weight; a negative weight subtracts.

        `guided` predicts once, from logits u + sum of w_i (c_i - u) with c_i given part i and u
        given nothing (4M-21 reference, sec. 4.4): a weight above 1 counts for more than the part
        itself, and the vector is one that the model would predict. Parts that a space reads instead
        are added to what the others predict; in a space that predicts nothing, the unit vectors of
        all parts are summed, their weights times those of their modalities in the space. `late`
        sums the unit vectors of the parts with their weights alone.

        Args:
            parts: samples from `prepare`, and their weights, -1000 to 1000.
            method: `guided` or `late`.

        Raises:
            BadInput: no parts, or weights out of range.
        """
        return WeightedFusion(pairs_of(parts), method)

    def embed(
        self,
        prepared: Sequence[Prepared | WeightedFusion],
        /,
        *,
        space: str | None = None,
        seeds: int = 1,
    ) -> Vectors:
        """Vectors of several samples in one space; see `embed_spaces`.

        Args:
            prepared: what `prepare` and `fuse` returned.
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
        self,
        prepared: Sequence[Prepared | WeightedFusion],
        /,
        *,
        spaces: Sequence[str],
        seeds: int = 1,
    ) -> dict[str, Vectors]:
        """Vectors of several samples in several spaces; each sample is encoded once.

        Modalities with a readout in a space are embedded alone, and the vector of a sample is their
        weighted sum. A vector does not depend on the rest of the batch, whose samples may have
        other modalities.

        Args:
            prepared: what `prepare` and `fuse` returned.
            spaces: some of the model's.
            seeds: 1 to 1000. 1: tokens are chosen as each space says. More: they are sampled that
                many times at the space's temperature, and the unit vectors averaged; vectors that
                are read instead of predicted stay the same.

        Returns:
            Space -> float32 (B, dim), rows of length 1, after the space's transform.

        Raises:
            UnknownSpace: this model has no such space.
            BadInput: the parts of a fusion cancel each other out; seeds out of range.
        """
        import torch

        chosen = {name: self._spaces[self._known_space(name)] for name in spaces}
        if isinstance(seeds, bool) or not isinstance(seeds, int) or not 1 <= seeds <= MOST_SEEDS:
            raise BadInput(f"seeds must be an integer from 1 to {MOST_SEEDS}, got {seeds!r}")
        with torch.no_grad():  # inference_mode would mark weights that are loaded within it
            complete = (
                with_predicted(self._network, prepared, self._prediction) if chosen else prepared
            )
            return Embedding(self._network, chosen, seeds).vectors(complete)

    def _content(self, modality: str, value: Any) -> Content:
        if isinstance(value, TokenIds) and modality in self._network.modalities:
            return value.checked(self._config.modalities[self._network.modalities[modality]])
        if modality not in self._readers:
            raise self._not_read(modality)
        return self._readers[modality].prepare(value)

    def _not_read(self, modality: str) -> UnknownModality:
        said = f"{self.name} does not read {modality!r}; it reads {', '.join(self.inputs)}"
        known = MODALITIES.get(modality)
        if modality in self.missing and known and known.tokens.name in self._config.domains_in:
            said = f"{said}; {self.missing[modality]}"
        return UnknownModality(said)

    def _predicted(self, modality: str, inputs: Mapping[str, Any]) -> str:
        if modality not in self.predictable:
            known = f"only {', '.join(self.predictable)}" if self.predictable else "nothing"
            raise UnknownModality(
                f"{self.name} cannot predict {modality!r} from an image; it predicts {known}"
            )
        if modality in inputs:
            raise BadInput(f"{modality} is given and to be predicted; leave one out")
        if "image" not in inputs:
            raise BadInput(f"{modality} is predicted from an image; give one")
        return modality

    def _make_decoders(self) -> ModelDecoders:
        from fourm.generation.decoders import ModelDecoders

        return ModelDecoders(self.manifest, self._config, self.device)

    def _read_again(self, modality: str, ids: list[int]) -> Content | None:
        """What the reader keeps of a predicted value; None if it reads nothing in it."""
        domain = self.manifest.predicted_as(modality)
        decoded = self._value_decoders.get().decode(modality, domain, ids, DiffusionConfig())
        try:
            return self._readers[modality].prepare(decoded.value)
        except BadInput:
            return None

    def _text_ids(self, modality: str) -> SpecialIds:
        """Special tokens of a modality's word pieces; those of 4M-21 need no file."""
        if modality in self.manifest.outputs:
            domain = self.manifest.outputs[modality]
            return self._value_decoders.get().text_tokenizer(domain).special_ids
        reader = self._readers.get(modality)
        part = self.manifest.text_tokenizers.get(self._network.modalities[modality], TEXT_TOKENIZER)
        if part == TEXT_TOKENIZER or not isinstance(reader, TextReader):
            return SpecialIds()
        return reader.tokenizer.get().special_ids

    def _known_space(self, space: str | None) -> str:
        name = self.default_space if space is None else space
        if name not in self.spaces:
            for now in self.spaces.values():
                if now.former_name == name:
                    raise UnknownSpace(
                        f"the space {name!r} of {self.name} is called {now.name!r} now"
                    )
            said = f"{self.name} has no space {name!r}; it has {', '.join(self.spaces)}"
            raise UnknownSpace(f"{said}; {self.missing[name]}" if name in self.missing else said)
        return name

    def _tokens(self, name: str, domains: tuple[str, ...]) -> TokenSpec:
        if name not in domains:
            raise ConfigError(f"the model has no {name}", where=self._checkpoint.config_source)
        return self._config.modalities[name]

    def _reader(self, modality: str, name: str) -> Reader:
        tokens = self._tokens(name, self._config.domains_in)
        manifest = self.manifest
        kept: dict[ModelPart, Mapping[str, str]] = {
            "tokenizer": manifest.tokenizers,
            "text_tokenizer": manifest.text_tokenizers,
            "language_model": manifest.language_models,
        }
        parts: dict[ModelPart, Locate] = {
            part: partial(manifest.locate, names[name])
            for part, names in kept.items()
            if name in names
        }
        reader = MODALITIES[modality].reader(tokens, parts)
        if reader is None:
            raise ConfigError(
                f"{modality} cannot be read as {name} ({tokens.kind})", where=self.name
            )
        return reader

    def _space(self, name: str) -> ModelSpace:
        if target := self.manifest.spaces[name].modality:
            self._tokens(target, self._config.domains_out)
        reader, done = self._readers.get(IMAGE.name), None
        if isinstance(reader, PixelReader):
            done = f"central square, bicubic {reader.side} px, ImageNet mean and deviation"
        precision = str(self.dtype).removeprefix("torch.")
        return ModelSpace(name, self.manifest, self._config, self.device, done, precision)

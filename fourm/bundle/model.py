"""A model that embeds pictures, words, maps and more into the same space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fourm.bundle.devices import choose_device, choose_dtype
from fourm.bundle.kinds import FIRST
from fourm.bundle.manifest import Manifest, SpaceEntry
from fourm.bundle.readers import (
    Content,
    Lazy,
    Parts,
    PictureReader,
    Reader,
    reader_for,
)
from fourm.bundle.spaces import Space, Transform
from fourm.checkpoints import Checkpoint
from fourm.errors import BadInput, ConfigError, UnknownModality, UnknownSpace

if TYPE_CHECKING:
    import torch

    from fourm.modalities.registry import Modality
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.transformer.model import FM, EncoderOutput


class Prepared(NamedTuple):
    """One sample, ready for `Model.embed`: input kind -> content, in the order of the kinds."""

    contents: Mapping[str, Content]


class Model:
    """Any kinds of input in, unit vectors of an embedding space out.

    Weights are read when they are first needed, and only those that this model's kinds and spaces
    need. All methods may be called from several threads.

    Args:
        manifest: the parts.
        device: `auto` or a torch device.
        dtype: `auto`, `float32`, `bfloat16` or `float16`: precision of the transformer alone.

    Attributes:
        name, title: of the model.
        inputs: kinds that it reads, e.g. `("image", "text", "seg")`.
        spaces: name -> `Space`.
        default_space: the first of them.

    Raises:
        CheckpointError: a part is damaged, or does not go with the others.
        BadInput: a device or dtype that this machine does not have.
    """

    def __init__(self, manifest: Manifest, device: str = "auto", dtype: str = "auto") -> None:
        from fourm.transformer.config import FMConfig

        self.manifest = manifest
        self.name, self.title = manifest.name, manifest.title
        self.inputs: tuple[str, ...] = tuple(manifest.kinds)
        self.device = choose_device(device)
        self.dtype = choose_dtype(dtype, self.device)
        self._checkpoint = Checkpoint.open(manifest.locate(manifest.model))
        self._config = FMConfig.from_fields(self._checkpoint.fields)
        self._readers = {kind: self._reader(kind, name) for kind, name in manifest.kinds.items()}
        self._transforms = {
            name: Transform(manifest.locate(space.transform))
            for name, space in manifest.spaces.items()
            if space.transform
        }
        self._decoders: dict[str, Lazy[VQVAE]] = {
            name: Lazy(partial(self._load_decoder, space))
            for name, space in manifest.spaces.items()
        }
        self.spaces: Mapping[str, Space] = MappingProxyType(
            {name: self._space(name, space) for name, space in manifest.spaces.items()}
        )
        self.default_space = next(iter(self.spaces))
        self._fm: Lazy[FM] = Lazy(self._load_fm)
        self._further: dict[str, Lazy[str]] = {
            name: Lazy(partial(self._load_input, name))
            for kind, name in manifest.kinds.items()
            if kind not in FIRST
        }

    def __repr__(self) -> str:
        return f"Model({self.name!r}, inputs={self.inputs}, spaces={tuple(self.spaces)})"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the manifest and all weights: another one, other vectors."""
        return self.manifest.fingerprint()

    def prepare(self, inputs: Mapping[str, Any]) -> Prepared:
        """Check and shrink the inputs of one sample; no network runs.

        Args:
            inputs: any non-empty subset of the model's kinds: `image` a PIL image or uint8
                (H, W, 3); `text` a string; `seg` integers (H, W), COCO panoptic category ids,
                0 = nothing; `depth` numbers (H, W), small ones near; `normals`, `edges`,
                `sam_edges` pictures; `boxes` a list of `Box`; `palette` a list of colours;
                `metadata` a dict; `sam` a list of `Mask`; `poses` `People`; `t5` numbers (n, 4096);
                `..._features` and `..._embedding` numbers of the other network's shape. All of
                them describe the same sample.

        Raises:
            UnknownModality: a kind that this model does not read.
            BadInput: no input at all, or one that is empty, of the wrong type or out of range.
        """
        if not inputs:
            raise BadInput("nothing was given: the model needs at least one input")
        for kind in inputs:
            if kind not in self._readers:
                raise UnknownModality(
                    f"{self.name} does not read {kind!r}; it reads {', '.join(self.inputs)}"
                )
        return Prepared(
            {
                kind: reader.prepare(inputs[kind])
                for kind, reader in self._readers.items()
                if kind in inputs
            }
        )

    def embed(
        self, prepared: Sequence[Prepared], /, *, space: str | None = None
    ) -> NDArray[np.float32]:
        """Vectors of several samples, each from one forward pass over all of its inputs.

        A space with an `image_share` reads a picture beside other inputs in a pass of its own.

        A vector does not depend on the others of its batch, whose samples may have different kinds.

        Args:
            prepared: what `prepare` gave.
            space: default: `default_space`.

        Returns:
            float32 (B, dim), rows of length 1, after the space's transform.

        Raises:
            UnknownSpace: this model has no such space.
        """
        chosen = self._known_space(space)
        vectors = np.zeros((len(prepared), self.spaces[chosen].dim), np.float32)
        # Samples of the same kinds have (nearly) the same length: together they need no filler.
        groups: dict[tuple[str, ...], list[int]] = {}
        for row, sample in enumerate(prepared):
            groups.setdefault(tuple(sample.contents), []).append(row)
        for kinds, rows in groups.items():
            vectors[rows] = self._embed_alike(kinds, [prepared[row] for row in rows], chosen)
        return vectors

    def _embed_alike(
        self, kinds: tuple[str, ...], samples: Sequence[Prepared], name: str
    ) -> NDArray[np.float32]:
        """Vectors of samples of the same kinds; see `SpaceEntry.image_share`."""
        others = tuple(kind for kind in kinds if kind != "image")
        share = self.manifest.spaces[name].image_share
        if not share or not others or "image" not in kinds:
            return self._embed_group(kinds, samples, name)
        mean = share * self._embed_group(("image",), samples, name)
        mean += (1 - share) * self._embed_group(others, samples, name)
        units: NDArray[np.float32] = mean / np.linalg.norm(mean, axis=1, keepdims=True).clip(1e-12)
        return units

    def _embed_group(
        self, kinds: tuple[str, ...], samples: Sequence[Prepared], name: str
    ) -> NDArray[np.float32]:
        import torch

        space = self.manifest.spaces[name]
        model = self._fm.get()
        for kind in kinds:
            if kind not in FIRST:
                self._further[self.manifest.kinds[kind]].get()
        with torch.no_grad():  # inference_mode would mark weights that are loaded within it
            inputs = {
                self.manifest.kinds[kind]: self._readers[kind].batch(
                    [sample.contents[kind] for sample in samples], self.device
                )
                for kind in kinds
            }
            encoded = model.encode(inputs)
            if space.image_readout == "register" and kinds == ("image",):
                vectors = encoded.tokens[:, 0]
            else:
                vectors = self._decode(model, encoded, name, space)
            vectors = vectors.float().cpu()
            if name in self._transforms:
                vectors = self._transforms[name](vectors)
            units: NDArray[np.float32] = torch.nn.functional.normalize(vectors, dim=1).numpy()
        return units

    def _decode(
        self, model: FM, encoded: EncoderOutput, name: str, space: SpaceEntry
    ) -> torch.Tensor:
        from fourm.predict import choose

        predicted = choose(
            model.decode_logits(encoded, space.modality).float(),
            space.decode,
            temperature=space.temperature,
            top_p=space.top_p,
            seed=space.seed,
        )
        tokenizer = self._decoders[name].get()
        if predicted.probabilities is not None:
            return tokenizer.decode_soft(predicted.probabilities)
        assert predicted.tokens is not None
        return tokenizer.decode_tokens(predicted.tokens)

    def _known_space(self, space: str | None) -> str:
        name = self.default_space if space is None else space
        if name not in self.spaces:
            raise UnknownSpace(
                f"{self.name} has no space {name!r}; it has {', '.join(self.spaces)}"
            )
        return name

    def _modality(self, name: str, domains: tuple[str, ...]) -> Modality:
        if name not in domains:
            raise ConfigError(f"{self._checkpoint.config_source}: the model has no {name}")
        return self._config.modalities[name]

    def _reader(self, kind: str, name: str) -> Reader:
        modality = self._modality(name, self._config.domains_in)
        manifest = self.manifest
        parts = (manifest.tokenizers, manifest.words, manifest.language_models)
        located = (partial(manifest.locate, kept[name]) if name in kept else None for kept in parts)
        reader = reader_for(kind, modality, Parts(*located))
        if reader is None:
            raise ConfigError(f"{self.name}: {kind} cannot be read as {name} ({modality.kind})")
        return reader

    def _space(self, name: str, entry: SpaceEntry) -> Space:
        modality = self._modality(entry.modality, self._config.domains_out)
        if modality.kind != "img" or entry.modality not in self.manifest.tokenizers:
            raise ConfigError(f"{self.name}: {entry.modality} has no tokenizer that decodes it")
        register = entry.image_readout == "register"
        if register and not self._config.num_register_tokens:
            raise ConfigError(f"{self.name}: image_readout needs a model with register tokens")
        dim = self._tokenizer_width(entry)
        if register and dim != self._config.dim:
            raise ConfigError(
                f"{self.name}: image_readout gives vectors of {self._config.dim}, the tokenizer of "
                f"{entry.modality} makes {dim}"
            )
        transform = self._transforms.get(name)
        if transform is not None and transform.dim_in != dim:
            raise ConfigError(
                f"{self.name}: the transform of {name} takes vectors of {transform.dim_in}, "
                f"its tokenizer makes {dim}"
            )
        readout = "register token" if register else f"{entry.modality} {entry.decode}"
        steps = (
            [f"image {readout}", f"else {entry.modality} {entry.decode}"] if register else [readout]
        )
        for reader in self._readers.values():
            if isinstance(reader, PictureReader):
                steps.insert(
                    0, f"central square, bicubic {reader.side} px, ImageNet mean and deviation"
                )
        if transform is not None:
            steps.append(f"linear transform {transform.dim_in} to {transform.dim_out}")
        return Space(
            name=name,
            dim=transform.dim_out if transform is not None else dim,
            title=entry.title or name,
            preprocessing="; ".join([*steps, "unit length"]),
        )

    def _tokenizer_width(self, entry: SpaceEntry) -> int:
        folder = self.manifest.locate(self.manifest.tokenizers[entry.modality])
        return Checkpoint.open(folder).fields.integer("n_channels", low=1)

    def _load_decoder(self, entry: SpaceEntry) -> VQVAE:
        from fourm.tokenizers.loading import load_tokenizer

        folder = self.manifest.locate(self.manifest.tokenizers[entry.modality])
        tokenizer = load_tokenizer(folder, encode=False)
        places = (tokenizer.config.num_codebooks, tokenizer.config.codebook_size)
        modality = self._config.modalities[entry.modality]
        if places != (modality.max_tokens, modality.vocabulary):
            raise ConfigError(
                f"{folder} has {places[0]} codebooks of {places[1]}, {entry.modality} of the model "
                f"{modality.max_tokens} tokens of {modality.vocabulary}"
            )
        return tokenizer.to(self.device)

    def _load_fm(self) -> FM:
        from fourm.bundle.unused_code import release_unused_code
        from fourm.transformer.builders import load_fm

        if self.device.type == "cpu":
            release_unused_code()
        model = load_fm(
            self._checkpoint,
            inputs=[name for kind, name in self.manifest.kinds.items() if kind in FIRST],
            outputs=[space.modality for space in self.manifest.spaces.values()],
        )
        return model.to(self.device, self.dtype).requires_grad_(False)

    def _load_input(self, name: str) -> str:
        from fourm.transformer.builders import add_input

        add_input(self._fm.get(), self._checkpoint, name)
        return name

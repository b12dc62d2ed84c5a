"""Generate modalities from any others, decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourm.checkpoints import Checkpoint
from fourm.errors import BadInput, ConfigError, UnknownModality
from fourm.generation.config import GenerationConfig
from fourm.generation.request import GenerationRequest
from fourm.generation.sampler import Sampler
from fourm.generation.schedule import Step
from fourm.generation.states import (
    InpaintBox,
    ModalityState,
    given,
    inpainting_mask,
    partly_masked,
)
from fourm.generation.texts import SENTINEL, infilling_text
from fourm.modalities import (
    MODALITIES,
    Codec,
    Decoded,
    Decoder,
    ModelPart,
    generation_order,
    image_modalities,
)
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.diffusion.config import DiffusionConfig
from fourm.tokenizers.diffusion.divae import check_decoding
from fourm.tokenizers.loading import load_tokenizer
from fourm.tokenizers.wordpiece import TextTokenizer
from fourm.transformer import FMConfig

if TYPE_CHECKING:
    from fourm.model.model import Model
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokens import TokenSpec

TEXT, IMAGE_TOKENS = "text", "image_tokens"
"""The modalities that can be given in part."""


class Generator:
    """Generates modalities with a model (4M-21 reference, sec. 4), and decodes them.

        generator = Generator(fourm.load_model("4M-21_B"))
        depth, text = generator.generate({"image": image}, ["depth", "text"])
        depth.value     # float32 (224, 224)
        text.value      # "a dog on the beach"

    The transformer is shared with the model. The embeddings of a modality and the tokenizers are
    loaded when they are first needed.

    Args:
        model: reads the inputs; its device and dtype are used.

    Attributes:
        outputs: modalities that the model predicts and that can be decoded.
        missing: modalities that it predicts, and the tokenizers without which they cannot be
            decoded.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        manifest = model.manifest
        checkpoint = Checkpoint.open(manifest.locate(manifest.model))
        self._config = FMConfig.from_fields(checkpoint.fields)
        order = generation_order()
        self.outputs: tuple[str, ...] = tuple(name for name in order if self._predicts(name))
        self.missing = {
            name: model.missing[name]
            for name in order
            if name in model.missing and self._domain(name) in self._config.domains_out
        }
        self._text_tokenizers: dict[Path, TextTokenizer] = {}
        self._tokenizers: dict[Path, VQVAE] = {}
        self._decoders: dict[str, Decoder] = {}

    def generate(
        self,
        inputs: Mapping[str, Any],
        to: Sequence[str],
        config: GenerationConfig | None = None,
        *,
        inpaint: Sequence[InpaintBox] = (),
        started: Callable[[Sequence[Step]], None] | None = None,
        finished: Callable[[Decoded], None] | None = None,
        progress: bool = False,
    ) -> list[Decoded]:
        """Generate modalities one after another, each conditioned on the inputs and those before.

        Args:
            inputs: as `Model.prepare`. Words are filled in at the sentinels `[S_1]`, `[S_2]` ... of
                a text.
            to: modalities to predict, in this order. Those that are given in part come first.
            config: options; default: the defaults of each modality.
            inpaint: boxes (xmin, ymin, xmax, ymax as fractions of the square that the model sees)
                of the image to regenerate. The rest of it is given as tokens.
            started: called with the schedule before its first step.
            finished: called with each modality as soon as it is decoded.
            progress: show progress bars on stderr.

        Returns:
            The predicted modalities, in the order of generation.

        Raises:
            UnknownModality: a modality that this model does not read or predict.
            BadInput: inputs, numbers or boxes that are not valid; nothing to generate.
            CheckpointError: a tokenizer is missing or damaged.
        """
        chosen = GenerationConfig() if config is None else config
        request = self._request(inputs, to, inpaint)
        schedule = request.schedule(chosen)
        for name in request.targets:
            self._check(name, chosen.diffusion)
        sampler = self._sampler(request)
        if started is not None:
            started(schedule)
        modality_of = {spec.name: name for name, spec in request.specs.items()}
        done: list[Decoded] = []

        def decode(domain: str, state: ModalityState) -> None:
            name = modality_of[domain]
            tokens = state.content[0][~state.input_mask[0]].tolist()
            if name == TEXT and name in request.incomplete:
                # An end that is predicted within the text does not end it.
                tokens = [token for token in tokens if token != sampler.ids.end]
            decoder = self._decoder(name)
            done.append(decoder.decode(tokens, chosen.seeded_diffusion, progress=progress))
            if finished is not None:
                finished(done[-1])

        conditions = {request.specs[name].name: state for name, state in request.given.items()}
        targets = {request.specs[name].name: state for name, state in request.incomplete.items()}
        options: dict[str, Any] = {
            "seed": chosen.seed,
            "top_k": chosen.top_k,
            "top_p": chosen.top_p,
            "progress": progress,
            "finished": decode,
        }
        if chosen.weights:
            each = [{domain: state} for domain, state in conditions.items()]
            sampler.generate_weighted(each, schedule, targets=targets, **options)
        else:
            sampler.generate({**conditions, **targets}, schedule, **options)
        return done

    def decode_inputs(
        self,
        inputs: Mapping[str, Any],
        diffusion: DiffusionConfig | None = None,
        *,
        progress: bool = False,
    ) -> list[Decoded]:
        """Decode the tokens that the model is given of the inputs.

        Modalities that are not given as tokens (pixels, embeddings) are left out.

        Args, errors: as `generate`.
        """
        chosen = DiffusionConfig() if diffusion is None else diffusion
        decoded = []
        for name, content in self.model.prepare(inputs).contents.items():
            if not self._decodes(name):
                continue
            self._check(name, chosen)
            read = self.model.readers[name].batch([content], self.model.device)
            tokens = read.content[0] if read.masked is None else read.content[0][~read.masked[0]]
            decoded.append(self._decoder(name).decode(tokens.tolist(), chosen, progress=progress))
        return decoded

    def require(self, modalities: Iterable[str]) -> None:
        """Check that the model predicts modalities.

        Raises:
            UnknownModality: for the first that it does not predict.
        """
        for name in modalities:
            if name in self.outputs:
                continue
            known = ", ".join(self.outputs) or "nothing that can be decoded"
            reason = f"{self.model.name} does not predict {name!r}; it predicts {known}"
            if name in self.missing:
                reason = f"{reason}; {self.missing[name]}"
            raise UnknownModality(reason)

    def _domain(self, name: str) -> str:
        """The name of a modality in the config of the transformer."""
        return self.model.manifest.inputs.get(name, MODALITIES[name].tokens.name)

    def _spec(self, name: str) -> TokenSpec:
        return self._config.modalities[self._domain(name)]

    def _predicts(self, name: str) -> bool:
        return self._domain(name) in self._config.domains_out and self._decodes(name)

    def _decodes(self, name: str) -> bool:
        domain, manifest = self._domain(name), self.model.manifest
        spec = self._config.modalities.get(domain)
        codec = None if spec is None else MODALITIES[name].codec(spec.kind)
        if codec is None or codec.decoder is None:
            return False
        available = {
            "tokenizer": domain in manifest.tokenizers,
            "text_tokenizer": domain in manifest.text_tokenizers,
        }
        return all(available.get(part, False) for part in codec.needs)

    def _codec(self, name: str) -> Codec:
        codec = MODALITIES[name].codec(self._spec(name).kind)
        assert codec is not None
        return codec

    def _request(
        self, inputs: Mapping[str, Any], to: Sequence[str], inpaint: Sequence[InpaintBox]
    ) -> GenerationRequest:
        """Read the inputs, and separate those that are given in part."""
        values = dict(inputs)
        if inpaint:
            images = [name for name in image_modalities() if name in values]
            if len(images) != 1:
                raise BadInput(
                    "give one image, of which the boxes are regenerated", where="inpaint"
                )
            values[IMAGE_TOKENS] = values.pop(images[0])
        infill = isinstance(values.get(TEXT), str) and SENTINEL.search(values[TEXT]) is not None
        incomplete = [*([IMAGE_TOKENS] if inpaint else []), *([TEXT] if infill else [])]
        targets = tuple(dict.fromkeys([*incomplete, *to]))
        if not targets:
            raise BadInput("nothing to generate: name at least one modality")
        self.require(targets)
        if known := [name for name in targets if name in values and name not in incomplete]:
            hint = "; write [S_1] where words are to be filled in" if known[0] == TEXT else ""
            raise BadInput(f"{known[0]} is given and cannot be predicted{hint}")
        text = values.pop(TEXT) if infill else None
        conditions = self._read(values)
        states = {}
        if inpaint:
            spec = self._spec(IMAGE_TOKENS)
            mask = inpainting_mask(inpaint, spec.grid, self.model.device)
            states[IMAGE_TOKENS] = partly_masked(conditions.pop(IMAGE_TOKENS).content, spec, mask)
        if text is not None:
            tokenizer = self._text_tokenizer(self._domain(TEXT))
            states[TEXT] = infilling_text(text, tokenizer, self.model.device)
        specs = {name: self._spec(name) for name in (*conditions, *targets)}
        return GenerationRequest(conditions, states, targets, specs)

    def _read(self, values: Mapping[str, Any]) -> dict[str, ModalityState]:
        if not values:
            return {}
        states = {}
        for name, content in self.model.prepare(values).contents.items():
            read = self.model.readers[name].batch([content], self.model.device)
            states[name] = given(read.content, self._spec(name), read.masked)
        return states

    def _sampler(self, request: GenerationRequest) -> Sampler:
        """A sampler with the model's transformer, which gets the embeddings of a request."""
        domains = {spec.name for spec in request.specs.values()}
        outputs = {request.specs[name].name for name in request.targets}
        sampler = Sampler(self.model.transformer(domains & set(self._config.domains_in), outputs))
        texts = [
            domain for domain in sorted(outputs) if domain in self.model.manifest.text_tokenizers
        ]
        if texts:
            sampler.ids = self._text_tokenizer(texts[0]).special_ids
        return sampler

    def _check(self, name: str, diffusion: DiffusionConfig) -> None:
        """Check that a modality can be decoded, before it is generated."""
        needs, domain = self._codec(name).needs, self._domain(name)
        if "text_tokenizer" in needs:
            self._text_tokenizer(domain)
        if "tokenizer" in needs:
            folder = self._tokenizer_folder(domain)
            fields = Checkpoint.open(folder).fields
            config = TokenizerConfig.from_mapping(fields.values, fields.where)
            check_decoding(config, diffusion)
            vocabulary = self._spec(name).vocabulary
            if "text_tokenizer" not in needs and config.codebook_size != vocabulary:
                raise ConfigError(
                    f"the tokenizer has {config.codebook_size} codes, but {domain} of the model "
                    f"has {vocabulary} ids",
                    where=folder,
                )

    def _decoder(self, name: str) -> Decoder:
        if name not in self._decoders:
            domain, parts = self._domain(name), dict[ModelPart, Any]()
            if "tokenizer" in (needs := self._codec(name).needs):
                parts["tokenizer"] = self._tokenizer(self._tokenizer_folder(domain))
            if "text_tokenizer" in needs:
                parts["text_tokenizer"] = self._text_tokenizer(domain)
            self._decoders[name] = MODALITIES[name].decoder(parts, self._spec(name).kind)
        return self._decoders[name]

    def _tokenizer(self, folder: Path) -> VQVAE:
        """Loaded once, since modalities may share a tokenizer."""
        if folder not in self._tokenizers:
            loaded = load_tokenizer(folder, encode=False)
            self._tokenizers[folder] = loaded.to(self.model.device)
        return self._tokenizers[folder]

    def _tokenizer_folder(self, domain: str) -> Path:
        return self.model.manifest.locate(self.model.manifest.tokenizers[domain])

    def _text_tokenizer(self, domain: str) -> TextTokenizer:
        path = self.model.manifest.locate(self.model.manifest.text_tokenizers[domain])
        if path not in self._text_tokenizers:
            file = path / "tokenizer.json" if path.is_dir() else path
            self._text_tokenizers[path] = TextTokenizer(file)
        return self._text_tokenizers[path]

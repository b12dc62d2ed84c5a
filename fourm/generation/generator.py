"""Generate modalities from any others, decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fourm.checkpoints import Checkpoint
from fourm.errors import BadInput, UnknownModality
from fourm.generation.config import GenerationConfig
from fourm.generation.decoders import ModelDecoders
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
from fourm.modalities import MODALITIES, Decoded, generation_order, image_modalities
from fourm.tokenizers.diffusion.config import DiffusionConfig
from fourm.transformer import FMConfig

if TYPE_CHECKING:
    from fourm.model.model import Model
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
        checkpoint = Checkpoint.open(model.manifest.locate(model.manifest.model))
        self._config = FMConfig.from_fields(checkpoint.fields)
        self._decoders = ModelDecoders(model.manifest, self._config, model.device)
        predicted = [
            name
            for name in generation_order()
            if model.manifest.predicted_as(name) in self._config.domains_out
        ]
        self.outputs: tuple[str, ...] = tuple(
            name
            for name in predicted
            if self._decoders.can_decode(name, model.manifest.predicted_as(name))
        )
        self.missing = {name: model.missing[name] for name in predicted if name in model.missing}

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
            self._decoders.check(name, request.specs[name].name, chosen.diffusion)
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
            diffusion = chosen.seeded_diffusion
            done.append(self._decoders.decode(name, domain, tokens, diffusion, progress=progress))
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

        Arguments and errors as `generate`.
        """
        chosen = DiffusionConfig() if diffusion is None else diffusion
        decoded = []
        for name, content in self.model.prepare(inputs).contents.items():
            domain = self.model.manifest.inputs.get(name, MODALITIES[name].tokens.name)
            if not self._decoders.can_decode(name, domain):
                continue
            self._decoders.check(name, domain, chosen)
            read = self.model.readers[name].batch([content], self.model.device)
            tokens = read.content[0] if read.masked is None else read.content[0][~read.masked[0]]
            ids = tokens.tolist()
            decoded.append(self._decoders.decode(name, domain, ids, chosen, progress=progress))
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
        for name in incomplete:
            if self._predicted_spec(name).name not in self._config.domains_in:
                raise BadInput(f"{self.model.name} does not complete {name}; it predicts all of it")
        text = values.pop(TEXT) if infill else None
        conditions = self._read(values)
        states = {}
        if inpaint:
            spec = self._read_spec(IMAGE_TOKENS)
            mask = inpainting_mask(inpaint, spec.grid, self.model.device)
            states[IMAGE_TOKENS] = partly_masked(conditions.pop(IMAGE_TOKENS).content, spec, mask)
        if text is not None:
            tokenizer = self._decoders.text_tokenizer(self.model.manifest.predicted_as(TEXT))
            states[TEXT] = infilling_text(text, tokenizer, self.model.device)
        specs = {name: self._read_spec(name) for name in conditions}
        specs |= {name: self._predicted_spec(name) for name in targets}
        defaults = self.model.manifest.generation
        return GenerationRequest(conditions, states, targets, specs, defaults)

    def _read(self, values: Mapping[str, Any]) -> dict[str, ModalityState]:
        if not values:
            return {}
        states = {}
        for name, content in self.model.prepare(values).contents.items():
            read = self.model.readers[name].batch([content], self.model.device)
            states[name] = given(read.content, self._read_spec(name), read.masked)
        return states

    def _read_spec(self, name: str) -> TokenSpec:
        inputs = self.model.manifest.inputs
        return self._config.modalities[inputs.get(name, MODALITIES[name].tokens.name)]

    def _predicted_spec(self, name: str) -> TokenSpec:
        return self._config.modalities[self.model.manifest.predicted_as(name)]

    def _sampler(self, request: GenerationRequest) -> Sampler:
        """A sampler with the model's transformer, which gets the embeddings of a request."""
        domains = {spec.name for spec in request.specs.values()}
        outputs = {request.specs[name].name for name in request.targets}
        sampler = Sampler(self.model.transformer(domains & set(self._config.domains_in), outputs))
        written = self.model.manifest.text_tokenizers
        texts = [name for name in request.targets if request.specs[name].name in written]
        if texts:
            domain = request.specs[texts[0]].name
            sampler.ids = self._decoders.text_tokenizer(domain).special_ids
        return sampler

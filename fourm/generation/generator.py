"""From any kinds of input to any kinds that the model predicts, decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourm.checkpoints import Checkpoint
from fourm.errors import BadInput, ConfigError, UnknownModality
from fourm.generation.parts import Part as SamplePart
from fourm.generation.parts import given as given_part
from fourm.generation.plan import HOLE, HideBox, Plan, hidden_places, opened_text
from fourm.generation.sampler import Sampler
from fourm.generation.schedule import Step
from fourm.generation.settings import Settings
from fourm.generation.text_ids import TextIds
from fourm.modalities import (
    MODALITIES,
    Codec,
    Decoded,
    Decoder,
    Part,
    Quality,
    generation_order,
    image_modalities,
)
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.diffusion.divae import check_request
from fourm.tokenizers.loading import load_tokenizer
from fourm.tokenizers.wordpiece import TextTokenizer
from fourm.transformer import FMConfig

if TYPE_CHECKING:
    from fourm.model.model import Model
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokens import TokenSpec


class Generator:
    """Generates with a model (4M-21 reference, sec. 4), and decodes what comes out.

        generator = Generator(fourm.load_model("4M-21_B"))
        depth, words = generator.generate({"image": photo}, ["depth", "text"])
        depth.value     # float32 (224, 224)
        words.value     # "a dog on the beach"

    The transformer is the model's own; the tables of a kind are read when it is first asked for,
    and so are the tokenizers.

    Args:
        model: reads the inputs; its device and precision are used.

    Attributes:
        outputs: kinds that the model predicts and that can be decoded.
        missing: kinds that it predicts, but whose tokenizers are not on this disk -> the way to
            them, in words.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        manifest = model.manifest
        checkpoint = Checkpoint.open(manifest.locate(manifest.model))
        self._config = FMConfig.from_fields(checkpoint.fields)
        order = generation_order()
        self.outputs: tuple[str, ...] = tuple(kind for kind in order if self._predicts(kind))
        self.missing = {
            kind: model.missing[kind]
            for kind in order
            if kind in model.missing and self.modality(kind) in self._config.domains_out
        }
        self._words: dict[Path, TextTokenizer] = {}
        self._tokenizers: dict[Path, VQVAE] = {}
        self._decoders: dict[str, Decoder] = {}

    def modality(self, kind: str) -> str:
        """What this model knows a kind as."""
        return self.model.manifest.kinds.get(kind, MODALITIES[kind].tokens.name)

    def generate(
        self,
        inputs: Mapping[str, Any],
        to: Sequence[str],
        settings: Settings | None = None,
        *,
        hide: Sequence[HideBox] = (),
        started: Callable[[Sequence[Step]], None] | None = None,
        finished: Callable[[Decoded], None] | None = None,
        progress: bool = False,
    ) -> list[Decoded]:
        """Generate one kind after another; each sees the inputs and those before it.

        Args:
            inputs: as `Model.prepare`. A text with `[S_1]`, `[S_2]` ... is completed.
            to: kinds to predict, in this order; what is completed comes before them.
            settings: choices; default: the recipes.
            hide: boxes (xmin, ymin, xmax, ymax, fractions of the square that the model sees) of
                the picture that are to be made up anew. The rest of it is given as tokens.
            started: called with the schedule before its first step.
            finished: called with each kind as soon as it is decoded.
            progress: show the steps on stderr, those of diffusion decoders as well.

        Returns:
            What was predicted and completed, in the order in which that happened.

        Raises:
            UnknownModality: a kind that this model does not read or predict.
            BadInput: inputs, numbers or boxes that cannot be; nothing to generate.
            CheckpointError: a tokenizer that is not there, or damaged.
        """
        chosen = Settings() if settings is None else settings
        plan = self._plan(inputs, to, hide)
        schedule = plan.schedule(self._config.modalities, chosen)
        for kind in plan.wanted:
            self._check(kind, chosen.quality)
        sampler = self._sampler_of(plan)
        if started is not None:
            started(schedule)
        kinds = {name: kind for kind, name in plan.names.items()}
        done: list[Decoded] = []

        def finish(name: str, part: SamplePart) -> None:
            kind = kinds[name]
            tokens = part.content[0][~part.input_mask[0]].tolist()
            if kind == "text" and kind in plan.opened:
                tokens = _closed(tokens, sampler.ids)
            done.append(self._decoder(kind).decode(tokens, chosen.decoding, progress=progress))
            if finished is not None:
                finished(done[-1])

        conditions = {plan.names[kind]: part for kind, part in plan.given.items()}
        opened = {plan.names[kind]: part for kind, part in plan.opened.items()}
        if chosen.weights:
            sampler.generate_weighted(
                [{name: part} for name, part in conditions.items()],
                schedule,
                targets=opened,
                seed=chosen.seed,
                top_k=chosen.top_k,
                top_p=chosen.top_p,
                progress=progress,
                finished=finish,
            )
        else:
            sampler.generate(
                {**conditions, **opened},
                schedule,
                seed=chosen.seed,
                top_k=chosen.top_k,
                top_p=chosen.top_p,
                progress=progress,
                finished=finish,
            )
        return done

    def decode_inputs(
        self, inputs: Mapping[str, Any], quality: Quality | None = None, *, progress: bool = False
    ) -> list[Decoded]:
        """What the model was given of the inputs, decoded from its tokens.

        Kinds that are not tokens (pixels, embeddings) are left out.

        Args, errors: as `generate`.
        """
        decoded = []
        for kind, content in self.model.prepare(inputs).contents.items():
            if not self._decodes(kind):
                continue
            self._check(kind, quality or Quality())
            read = self.model.readers[kind].batch([content], self.model.device)
            tokens = read.content[0] if read.masked is None else read.content[0][~read.masked[0]]
            decoder = self._decoder(kind)
            decoded.append(decoder.decode(tokens.tolist(), quality or Quality(), progress=progress))
        return decoded

    def _predicts(self, kind: str) -> bool:
        return self.modality(kind) in self._config.domains_out and self._decodes(kind)

    def _decodes(self, kind: str) -> bool:
        name, manifest = self.modality(kind), self.model.manifest
        spec = self._config.modalities.get(name)
        codec = None if spec is None else MODALITIES[kind].codec(spec.kind)
        if codec is None or codec.decoder is None:
            return False
        here = {"tokenizer": name in manifest.tokenizers, "text_tokenizer": name in manifest.words}
        return all(here.get(part, False) for part in codec.needs)

    def _codec(self, kind: str) -> Codec:
        codec = MODALITIES[kind].codec(self._modality(kind).kind)
        assert codec is not None
        return codec

    def _plan(self, inputs: Mapping[str, Any], to: Sequence[str], hide: Sequence[HideBox]) -> Plan:
        """Read the inputs, and tell those that are to be completed from those that are given."""
        values = dict(inputs)
        if hide:
            photos = [kind for kind in image_modalities() if kind in values]
            if len(photos) != 1:
                raise BadInput("hide: give one picture of which a part is to be made up")
            values["image_tokens"] = values.pop(photos[0])
        holes = isinstance(values.get("text"), str) and HOLE.search(values["text"]) is not None
        opened = [*(["image_tokens"] if hide else []), *(["text"] if holes else [])]
        wanted = tuple(dict.fromkeys([*opened, *to]))
        if not wanted:
            raise BadInput("nothing to generate: name at least one kind")
        self.require(wanted)
        if known := [kind for kind in wanted if kind in values and kind not in opened]:
            hint = "; write [S_1] where words are to be filled in" if known[0] == "text" else ""
            raise BadInput(f"{known[0]} is given already{hint}")
        text = values.pop("text") if holes else None
        parts = self._read(values)
        known_part = {}
        if hide:
            part, modality = parts.pop("image_tokens"), self._modality("image_tokens")
            places = hidden_places(hide, modality.grid, self.model.device)
            known_part["image_tokens"] = SamplePart(part.content, places, ~places)
        if text is not None:
            words = self._word_pieces(self.modality("text"))
            known_part["text"] = opened_text(text, words, self.model.device)
        names = {kind: self.modality(kind) for kind in (*parts, *wanted)}
        return Plan(parts, known_part, wanted, names)

    def require(self, kinds: Iterable[str]) -> None:
        """Raise UnknownModality for the first kind that this model does not predict."""
        for kind in kinds:
            if kind in self.outputs:
                continue
            known = ", ".join(self.outputs) or "nothing that can be decoded"
            said = f"{self.model.name} does not predict {kind!r}; it predicts {known}"
            if kind in self.missing:
                said = f"{said}; {self.missing[kind]}"
            raise UnknownModality(said)

    def _read(self, values: Mapping[str, Any]) -> dict[str, SamplePart]:
        if not values:
            return {}
        parts = {}
        for kind, content in self.model.prepare(values).contents.items():
            read = self.model.readers[kind].batch([content], self.model.device)
            parts[kind] = given_part(read.content, self._modality(kind), read.masked)
        return parts

    def _modality(self, kind: str) -> TokenSpec:
        return self._config.modalities[self.modality(kind)]

    def _sampler_of(self, plan: Plan) -> Sampler:
        """With the model's transformer, which gets the tables of a plan."""
        every = {plan.names[kind] for kind in (*plan.given, *plan.wanted)}
        inputs = every & set(self._config.domains_in)
        outputs = {plan.names[kind] for kind in plan.wanted}
        sampler = Sampler(self.model.transformer(inputs, outputs))
        written = [name for name in sorted(outputs) if name in self.model.manifest.words]
        if written:
            sampler.ids = TextIds.of(self._word_pieces(written[0]))
        return sampler

    def _check(self, kind: str, quality: Quality) -> None:
        """Refuse what cannot be decoded before hours are spent on generating it."""
        needs, name = self._codec(kind).needs, self.modality(kind)
        if "text_tokenizer" in needs:
            self._word_pieces(name)
        if "tokenizer" in needs:
            folder = self._part(name)
            fields = Checkpoint.open(folder).fields
            config = TokenizerConfig.from_mapping(fields.values, fields.where)
            check_request(config, quality.steps, quality.size)
            vocabulary = self._modality(kind).vocabulary
            if "text_tokenizer" not in needs and config.codebook_size != vocabulary:
                raise ConfigError(
                    f"{folder} has {config.codebook_size} codes, {name} of the model predicts "
                    f"{vocabulary} ids"
                )

    def _decoder(self, kind: str) -> Decoder:
        if kind not in self._decoders:
            name, parts = self.modality(kind), dict[Part, Any]()
            if "tokenizer" in (needs := self._codec(kind).needs):
                parts["tokenizer"] = self._tokenizer(self._part(name))
            if "text_tokenizer" in needs:
                parts["text_tokenizer"] = self._word_pieces(name)
            spec = self._modality(kind)
            self._decoders[kind] = MODALITIES[kind].decoder(parts, spec.kind)
        return self._decoders[kind]

    def _tokenizer(self, folder: Path) -> VQVAE:
        """Read once: both kinds of edges have the same."""
        if folder not in self._tokenizers:
            loaded = load_tokenizer(folder, encode=False)
            self._tokenizers[folder] = loaded.to(self.model.device)
        return self._tokenizers[folder]

    def _part(self, name: str) -> Path:
        return self.model.manifest.locate(self.model.manifest.tokenizers[name])

    def _word_pieces(self, name: str) -> TextTokenizer:
        path = self.model.manifest.locate(self.model.manifest.words[name])
        if path not in self._words:
            self._words[path] = TextTokenizer(path / "tokenizer.json" if path.is_dir() else path)
        return self._words[path]


def _closed(tokens: Sequence[int], ids: TextIds) -> list[int]:
    """A completed text: an end that was predicted in its middle does not cut off the rest."""
    return [token for token in tokens if token != ids.end]

"""From any modalities to any others, one target after another."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from fourm.errors import BadInput, UnknownModality
from fourm.generation import parts as making
from fourm.generation.guidance import Branches, guided, weighted
from fourm.generation.images import image_step
from fourm.generation.parts import Part, Sample
from fourm.generation.prediction import Decode, Prediction, choose
from fourm.generation.sampling import TokenSampler
from fourm.generation.schedule import Step
from fourm.generation.sequences import sequence_step
from fourm.generation.text_ids import OFFICIAL_IDS, TextIds
from fourm.tokens import TokenSpec
from fourm.transformer import FM, load_fm

Finished = Callable[[str, Part], None]


class Sampler:
    """Generates modalities with a model (4M-21 reference, sec. 4).

        sampler = Sampler.load("4M-21_B")
        sample = {"rgb@224": sampler.given("rgb@224", pixels)}
        schedule = build_schedule([
            Target("tok_depth@224", 196, "maskgit", steps=20, split="cosine", temperature=2.0),
            Target("caption", scheme="autoregressive", temperature=0.3),
        ])
        sample = sampler.generate(sample, schedule, top_p=0.8, seed=0)
        sample["caption"].content    # (B, n) token ids

    Args:
        model: the transformer, in evaluation mode.
        ids: special tokens of its text tokenizer (`TextIds.of(tokenizer)`).
    """

    def __init__(self, model: FM, ids: TextIds = OFFICIAL_IDS) -> None:
        self.model, self.ids = model, ids

    @classmethod
    def load(
        cls,
        source: str | os.PathLike[str],
        inputs: Iterable[str] | None = None,
        outputs: Iterable[str] | None = None,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        ids: TextIds = OFFICIAL_IDS,
    ) -> Sampler:
        """With the transformer of a checkpoint's folder, in the official format.

        Args:
            source: the folder.
            inputs, outputs: modalities wanted; the tables of the others are not read. A target
                that takes more than one step has to be an input, too.
            device, dtype: of the transformer.
            ids: as in the class.

        Raises:
            CheckpointError, ConfigError, UnknownModality: as `load_fm`.
        """
        return cls(load_fm(Path(source), inputs, outputs, dtype).to(device), ids)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.mask_token.device

    def given(self, name: str, content: Tensor, masked: Tensor | None = None) -> Part:
        """A condition; see `fourm.generation.given`."""
        return making.given(content, self._modality(name), masked)

    def empty(self, name: str, batch: int = 1, places: int | None = None) -> Part:
        """A target of which nothing is known; see `fourm.generation.empty`."""
        modality = self._modality(name)
        return making.empty(modality, batch, places, ids=self.ids, device=self.device)

    def partly_hidden(self, name: str, content: Tensor, hidden: Tensor) -> Part:
        """Image tokens with holes to be filled; see `fourm.generation.partly_hidden`."""
        return making.partly_hidden(content, self._modality(name), hidden)

    def generate(
        self,
        sample: Sample,
        schedule: Sequence[Step],
        *,
        seed: int | Sequence[int] | None = 0,
        top_k: int | float = 0,
        top_p: float = 0.0,
        last: int | None = None,
        progress: bool = False,
        finished: Finished | None = None,
    ) -> dict[str, Part]:
        """Run the steps of a schedule; every target sees the sample and the targets before it.

        Args:
            sample: modality -> what is given and wanted of it. A target that is not in it is
                wholly predicted, and is no part of the sample before its turn. One that is in it
                is generated as it stands (`partly_hidden`, `hidden_spans`); an empty text among
                them shows the other targets its `[S_1]`, as in the reference.
            schedule: see `build_schedule`.
            seed: for all samples, or one for each; None: unlike any other run.
            top_k, top_p: see `fourm.generation.keep_likely`; 0: every token can be drawn.
            last: id that ends a text; default: each text's own closing sentinel.
            progress: show the steps on stderr.
            finished: called with the name and the part of each target after its last step.

        Returns:
            The sample with all its targets. Its parts share memory with the given ones.

        Raises:
            UnknownModality: a modality that the model does not take in or predict.
            BadInput: batch sizes, masks, numbers or guidance that do not fit.
        """
        state = self._moved(sample)
        if not state:
            raise BadInput("nothing was given: the sample has no modality")
        sampler = TokenSampler(seed, top_k, top_p)
        batch = len(next(iter(state.values())).content)
        for number, step in self._walk(schedule, progress):
            part = state.pop(step.target, None)
            part = self.empty(step.target, batch) if part is None else part
            branches = guided(self.model, state, step, self.ids)
            sampler.begin(number, batch, self.device)
            state[step.target] = self._step(branches, part, step, sampler, last)
            _tell(finished, schedule, number, state)
        return state

    def generate_weighted(
        self,
        conditions: Sequence[Sample],
        schedule: Sequence[Step],
        *,
        targets: Sample | None = None,
        seed: int | Sequence[int] | None = 0,
        top_k: int | float = 0,
        top_p: float = 0.0,
        last: int | None = None,
        progress: bool = False,
        finished: Finished | None = None,
    ) -> dict[str, Part]:
        """Guidance by several conditions, each with a weight of its own.

        Logits are u + sum of w_i (c_i - u): c_i with condition i, u without any. A negative
        weight leads away from its condition. A finished target is one more condition for the
        targets after it, so each of those has one weight more (4M-21 reference, sec. 4.4).

        Args:
            conditions: what each pass is given.
            schedule: steps whose `guidance` is one weight for each condition, or one for all.
            targets: targets of which something is known; default: nothing is.
            seed, top_k, top_p, last, progress, finished: as `generate`.

        Returns:
            The targets.

        Raises:
            UnknownModality, BadInput: as `generate`; another number of weights than conditions.
        """
        known = [self._moved(condition) for condition in conditions]
        if not known or not all(known):
            raise BadInput("nothing was given: each condition needs a modality")
        waiting = self._moved(targets or {})
        done: dict[str, Part] = {}
        sampler = TokenSampler(seed, top_k, top_p)
        sizes = {len(part.content) for one in (*known, waiting) for part in one.values()}
        if len(sizes) > 1:
            raise BadInput(f"the conditions are not of one batch: {sorted(sizes)} samples")
        if both := {step.target for step in schedule} & {name for one in known for name in one}:
            raise BadInput(
                f"{', '.join(sorted(both))}: what is known of a target goes into `targets`"
            )
        batch = sizes.pop()
        for number, step in self._walk(schedule, progress):
            if done and step.target not in done:  # the target before this one is finished
                name, latest = list(done.items())[-1]
                known.append({name: latest})
            part = done.get(step.target) or waiting.pop(step.target, None)
            part = self.empty(step.target, batch) if part is None else part
            branches = weighted([{**waiting, **one} for one in known], waiting, step)
            sampler.begin(number, batch, self.device)
            done[step.target] = self._step(branches, part, step, sampler, last)
            _tell(finished, schedule, number, done)
        return done

    @torch.no_grad()
    def predict(
        self,
        sample: Sample,
        targets: Sequence[str],
        decode: Decode = "argmax",
        *,
        temperature: float = 1.0,
        top_k: int | float = 0,
        top_p: float = 0.0,
        seed: int = 0,
    ) -> dict[str, Prediction]:
        """All tokens of several image-kind targets, from one pass of encoder and decoder.

        No target sees another: the result is that of `fourm.generation.predict` for each.

        Args:
            sample: what is given.
            targets: image-kind outputs.
            decode, temperature, top_k, top_p, seed: as `fourm.generation.choose`.

        Raises:
            UnknownModality, BadInput: as `FM.encode`, `FM.decode_all_logits` and `choose`.
        """
        inputs = {name: part.as_input() for name, part in self._moved(sample).items()}
        logits = self.model.decode_all_logits(self.model.encode(inputs), targets)
        return {
            name: choose(one, decode, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
            for name, one in logits.items()
        }

    @torch.no_grad()
    def _step(
        self, branches: Branches, part: Part, step: Step, sampler: TokenSampler, last: int | None
    ) -> Part:
        if self._modality(step.target).kind == "img":
            return image_step(self.model, branches, part, step, sampler)
        return sequence_step(self.model, branches, part, step, sampler, self.ids, last)

    def _walk(self, schedule: Sequence[Step], progress: bool) -> Iterator[tuple[int, Step]]:
        """The steps with their numbers, all checked before the first runs."""
        counts = Counter(step.target for step in schedule)
        for step in schedule:
            step.check()
            kind = self._modality(step.target, self.model.outputs).kind
            if (step.scheme == "autoregressive") != (kind == "seq"):
                raise BadInput(f"{step.target} ({kind}) cannot be generated by {step.scheme}")
            if counts[step.target] > 1 and step.target not in self.model.inputs:
                raise BadInput(
                    f"{step.target} is no input of this model, so that later steps cannot see "
                    "earlier ones: generate it in one step"
                )
        shown = tqdm(schedule, desc="generating", unit="step", disable=not progress)
        for number, step in enumerate(shown):
            shown.set_postfix_str(step.target, refresh=False)
            yield number, step

    def _moved(self, sample: Sample) -> dict[str, Part]:
        """The sample on the model's device, its masks and batch sizes checked."""
        moved = {}
        sizes = {name: len(part.content) for name, part in sample.items()}
        if len(set(sizes.values())) > 1:
            raise BadInput(f"the modalities are not of one batch: {sizes}")
        for name, part in sample.items():
            self._modality(name)
            if part.input_mask.shape != part.target_mask.shape:
                raise BadInput(f"{name}: the masks of input and target have different shapes")
            moved[name] = Part(*(value.to(self.device) for value in part))
        return moved

    def _modality(self, name: str, known: Sequence[str] | None = None) -> TokenSpec:
        known = (*self.model.inputs, *self.model.outputs) if known is None else known
        if name not in known:
            listed = ", ".join(dict.fromkeys(known))
            raise UnknownModality(f"{name!r} is none of this model's modalities: {listed}")
        return self.model.config.modalities[name]


def _tell(finished: Finished | None, schedule: Sequence[Step], number: int, state: Sample) -> None:
    """Hand on the target of a step if no later step works on it."""
    name = schedule[number].target
    if finished is not None and all(step.target != name for step in schedule[number + 1 :]):
        finished(name, state[name])

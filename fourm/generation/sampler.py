"""Generate modalities from any others, one target after another."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from fourm.errors import BadInput, UnknownModality
from fourm.generation import states
from fourm.generation.guidance import Branches, guided, weighted
from fourm.generation.images import image_step
from fourm.generation.prediction import Prediction, choose
from fourm.generation.sampling import TokenSampler
from fourm.generation.schedule import Step
from fourm.generation.sequences import sequence_step
from fourm.generation.states import ModalityState, Sample
from fourm.tokenizers.wordpiece import OFFICIAL_IDS, SpecialIds
from fourm.tokens import Decode, TokenSpec
from fourm.transformer import FM, load_fm

Finished = Callable[[str, ModalityState], None]


class Sampler:
    """Generates the tokens of modalities with a transformer (4M-21 reference, sec. 4).

        sampler = Sampler.load("4M-21_B")
        sample = {"rgb@224": sampler.given("rgb@224", pixels)}
        schedule = build_schedule([
            TargetSchedule("tok_depth@224", 196, "maskgit", steps=20, split="cosine"),
            TargetSchedule("caption", scheme="autoregressive", temperature=0.3),
        ])
        sample = sampler.generate(sample, schedule, top_p=0.8, seed=0)
        sample["caption"].content    # (B, n) token ids

    Args:
        model: the transformer, in evaluation mode.
        ids: special tokens of its text tokenizer (`TextTokenizer.special_ids`).
    """

    def __init__(self, model: FM, ids: SpecialIds = OFFICIAL_IDS) -> None:
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
        ids: SpecialIds = OFFICIAL_IDS,
    ) -> Sampler:
        """Load the transformer of a checkpoint in the official format.

        Args:
            source: its folder.
            inputs, outputs: modalities; default: all. A target that takes more than one step must
                be an input, too.
            device, dtype: of the transformer.
            ids: special tokens of the text tokenizer.

        Raises:
            CheckpointError, ConfigError, UnknownModality: as `load_fm`.
        """
        return cls(load_fm(Path(source), inputs, outputs, dtype).to(device), ids)

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return self.model.mask_token.device

    def given(self, name: str, content: Tensor, masked: Tensor | None = None) -> ModalityState:
        """A condition; see `fourm.generation.given`."""
        return states.given(content, self._spec(name), masked)

    def empty(self, name: str, batch: int = 1, length: int | None = None) -> ModalityState:
        """A target of which nothing is given; see `fourm.generation.empty`."""
        return states.empty(self._spec(name), batch, length, ids=self.ids, device=self.device)

    def partly_masked(self, name: str, content: Tensor, mask: Tensor) -> ModalityState:
        """Image tokens to inpaint; see `fourm.generation.partly_masked`."""
        return states.partly_masked(content, self._spec(name), mask)

    def generate(
        self,
        sample: Sample,
        schedule: Sequence[Step],
        *,
        seed: int | Sequence[int] | None = 0,
        top_k: int | float = 0,
        top_p: float = 0.0,
        stop: int | None = None,
        progress: bool = False,
        finished: Finished | None = None,
    ) -> dict[str, ModalityState]:
        """Run a schedule; every target is conditioned on the sample and the targets before it.

        Args:
            sample: modality -> what is given and what is to be predicted of it. A target that is
                not in it is predicted completely, and is no part of the sample before its turn. A
                target in it may be given in part (`partly_masked`, `masked_spans`); an empty text
                shows the other targets its `[S_1]`, as in the reference.
            schedule: see `build_schedule`.
            seed: random seed of all samples, or one for each; None: another one in each run.
            top_k, top_p: see `fourm.generation.keep_likely`; 0 disables them.
            stop: id that ends a text; default: the closing sentinel of each text.
            progress: show a progress bar on stderr.
            finished: called with the name and the state of each target after its last step.

        Returns:
            The sample with all its targets. Its states share memory with the given ones.

        Raises:
            UnknownModality: a modality that the model does not read or predict.
            BadInput: batch sizes, masks, numbers or guidance that do not fit.
        """
        current = self._checked(sample)
        if not current:
            raise BadInput("the sample needs at least one modality")
        sampler = TokenSampler(seed, top_k, top_p)
        batch = len(next(iter(current.values())).content)
        for number, step in self._steps(schedule, progress):
            state = current.pop(step.target, None)
            state = self.empty(step.target, batch) if state is None else state
            branches = guided(self.model, current, step, self.ids)
            sampler.begin(number, batch, self.device)
            current[step.target] = self._step(branches, state, step, sampler, stop)
            _notify(finished, schedule, number, current)
        return current

    def generate_weighted(
        self,
        conditions: Sequence[Sample],
        schedule: Sequence[Step],
        *,
        targets: Sample | None = None,
        seed: int | Sequence[int] | None = 0,
        top_k: int | float = 0,
        top_p: float = 0.0,
        stop: int | None = None,
        progress: bool = False,
        finished: Finished | None = None,
    ) -> dict[str, ModalityState]:
        """Run a schedule guided by several conditions, each with a weight of its own.

        Logits are u + sum of w_i (c_i - u): c_i given condition i, u given none. A negative weight
        guides away from its condition. A finished target is one more condition of the targets after
        it, so that each of those has one more weight (4M-21 reference, sec. 4.4).

        Args:
            conditions: what each pass is given.
            schedule: steps whose `guidance` is one weight for each condition, or one for all.
            targets: targets that are given in part; default: none is.
            seed, top_k, top_p, stop, progress, finished: as `generate`.

        Returns:
            The targets.

        Raises:
            UnknownModality, BadInput: as `generate`; another number of weights than conditions.
        """
        known = [self._checked(condition) for condition in conditions]
        if not known or not all(known):
            raise BadInput("each condition needs at least one modality")
        waiting = self._checked(targets or {})
        done: dict[str, ModalityState] = {}
        sampler = TokenSampler(seed, top_k, top_p)
        sizes = {len(state.content) for one in (*known, waiting) for state in one.values()}
        if len(sizes) > 1:
            raise BadInput(f"the conditions have different batch sizes: {sorted(sizes)}")
        if both := {step.target for step in schedule} & {name for one in known for name in one}:
            raise BadInput(f"{', '.join(sorted(both))} must be given in `targets`")
        batch = sizes.pop()
        for number, step in self._steps(schedule, progress):
            if done and step.target not in done:  # the target before this one is finished
                name, latest = list(done.items())[-1]
                known.append({name: latest})
            state = done.get(step.target) or waiting.pop(step.target, None)
            state = self.empty(step.target, batch) if state is None else state
            branches = weighted([{**waiting, **one} for one in known], waiting, step)
            sampler.begin(number, batch, self.device)
            done[step.target] = self._step(branches, state, step, sampler, stop)
            _notify(finished, schedule, number, done)
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
        """Predict all image tokens of several targets in one pass of encoder and decoder.

        The targets are independent: each result is that of `fourm.generation.predict`.

        Args:
            sample: the conditions.
            targets: outputs made of image tokens.
            decode, temperature, top_k, top_p, seed: as `fourm.generation.choose`.

        Raises:
            UnknownModality, BadInput: as `FM.encode`, `FM.decode_all_logits` and `choose`.
        """
        inputs = {name: state.as_input() for name, state in self._checked(sample).items()}
        logits = self.model.decode_all_logits(self.model.encode(inputs), targets)
        return {
            name: choose(one, decode, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
            for name, one in logits.items()
        }

    @torch.no_grad()
    def _step(
        self,
        branches: Branches,
        state: ModalityState,
        step: Step,
        sampler: TokenSampler,
        stop: int | None,
    ) -> ModalityState:
        if self._spec(step.target).kind == "img":
            return image_step(self.model, branches, state, step, sampler)
        return sequence_step(self.model, branches, state, step, sampler, self.ids, stop)

    def _steps(self, schedule: Sequence[Step], progress: bool) -> Iterator[tuple[int, Step]]:
        """The steps with their numbers, all checked before the first."""
        counts = Counter(step.target for step in schedule)
        for step in schedule:
            step.check()
            kind = self._spec(step.target, self.model.outputs).kind
            if (step.scheme == "autoregressive") != (kind == "seq"):
                raise BadInput(f"{step.target} ({kind}) cannot be generated by {step.scheme}")
            if counts[step.target] > 1 and step.target not in self.model.inputs:
                raise BadInput(
                    f"{step.target} is not an input of this model, so that it can be generated in "
                    "one step alone"
                )
        bar = tqdm(schedule, desc="generating", unit="step", disable=not progress)
        for number, step in enumerate(bar):
            bar.set_postfix_str(step.target, refresh=False)
            yield number, step

    def _checked(self, sample: Sample) -> dict[str, ModalityState]:
        """The sample on the model's device."""
        sizes = {name: len(state.content) for name, state in sample.items()}
        if len(set(sizes.values())) > 1:
            raise BadInput(f"the modalities have different batch sizes: {sizes}")
        checked = {}
        for name, state in sample.items():
            self._spec(name)
            if state.input_mask.shape != state.target_mask.shape:
                raise BadInput(f"{name}: the masks of input and target have different shapes")
            checked[name] = ModalityState(*(value.to(self.device) for value in state))
        return checked

    def _spec(self, name: str, known: Sequence[str] | None = None) -> TokenSpec:
        known = (*self.model.inputs, *self.model.outputs) if known is None else known
        if name not in known:
            listed = ", ".join(dict.fromkeys(known))
            raise UnknownModality(f"{name!r} is not one of this model's modalities: {listed}")
        return self.model.config.modalities[name]


def _notify(
    finished: Finished | None, schedule: Sequence[Step], number: int, current: Sample
) -> None:
    """Call back with the target of a step, if it is the last step of this target."""
    name = schedule[number].target
    if finished is not None and all(step.target != name for step in schedule[number + 1 :]):
        finished(name, current[name])

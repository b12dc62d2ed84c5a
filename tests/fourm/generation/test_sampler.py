import pytest
import torch

import fourm.generation.sequences as sequences
from fourm.errors import BadInput, UnknownModality
from fourm.generation import (
    Sampler,
    Step,
    TargetSchedule,
    TokenSampler,
    build_schedule,
    masked_spans,
)
from tests.fourm.small_generator import (
    CAPTION,
    GLOBAL,
    IDS,
    LABELS,
    TOKENS,
    WORDS,
    random_images,
    small_generator,
)

SCHEMES = [("roar", "linear"), ("maskgit", "linear"), ("maskgit", "cosine")]


@pytest.fixture(scope="module")
def sampler():
    return Sampler(small_generator(), IDS)


def images(sampler, count=2):
    return {"rgb@224": sampler.given("rgb@224", random_images(count))}


def steps_of(name, scheme="roar", split="linear", steps=3, **more):
    return build_schedule([TargetSchedule(name, TOKENS[name], scheme, steps, split, **more)])


def row_of(sample, row):
    return {name: type(part)(*(v[row, None] for v in part)) for name, part in sample.items()}


def test_fourm_exports_the_sampler():
    import fourm

    assert fourm.Sampler is Sampler


@pytest.mark.parametrize(("scheme", "split"), SCHEMES)
def test_every_token_is_predicted_once_and_seeds_repeat(sampler, scheme, split):
    sample, schedule = images(sampler), steps_of(LABELS, scheme, split, temperature=3.0)
    before = torch.random.get_rng_state()
    first = sampler.generate(sample, schedule, seed=3)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert list(sample) == ["rgb@224"]
    assert not first[LABELS].input_mask.any()
    assert first[LABELS].target_mask.all()
    assert torch.equal(
        first[LABELS].content, sampler.generate(sample, schedule, seed=3)[LABELS].content
    )
    others = [sampler.generate(sample, schedule, seed=seed)[LABELS].content for seed in (4, None)]
    assert all(not torch.equal(other, first[LABELS].content) for other in others)


@pytest.mark.parametrize(("scheme", "split"), SCHEMES)
def test_inpainting_a_sample_does_not_depend_on_its_batch(sampler, scheme, split):
    """Given tokens are kept, masked ones are predicted; samples have different numbers of them."""
    torch.manual_seed(2)
    ids = torch.randint(20, (3, 9))
    masked = torch.zeros(3, 9, dtype=torch.bool)
    masked[0] = True
    masked[1, [1, 4, 8]] = True  # and none of the third
    sample = {**images(sampler, 3), LABELS: sampler.partly_masked(LABELS, ids, masked)}
    schedule = steps_of(LABELS, scheme, split, temperature=2.0)
    seeds = [5, 6, 7]
    together = sampler.generate(sample, schedule, seed=seeds)[LABELS]
    assert torch.equal(together.content[~masked], ids[~masked])
    assert not together.input_mask.any()
    assert not together.remaining.any()
    for row in range(3):
        alone = sampler.generate(row_of(sample, row), schedule, seed=[seeds[row]])[LABELS]
        assert torch.equal(alone.content[0], together.content[row])


def test_masked_patches_of_an_image_are_ignored(sampler):
    masked = torch.zeros(1, 9, dtype=torch.bool)
    masked[:, :4] = True
    image = random_images(1)
    other = image.clone()
    other[:, :, :8] = 7.0  # the first three of nine patches
    schedule = steps_of(GLOBAL, steps=1, temperature=0.0)
    results = [
        sampler.generate({"rgb@224": sampler.given("rgb@224", pixels, mask)}, schedule)[GLOBAL]
        for pixels, mask in ((image, masked), (other, masked), (other, None))
    ]
    assert torch.equal(results[0].content, results[1].content)
    assert not torch.equal(results[0].content, results[2].content)


def test_a_finished_target_is_a_condition_of_the_next(sampler):
    first, second = steps_of(LABELS, temperature=1.0), steps_of(GLOBAL, temperature=0.0, steps=2)
    both = sampler.generate(images(sampler), [*first, *second], seed=1)
    labels = sampler.generate(images(sampler), first, seed=1)[LABELS].content
    assert torch.equal(both[LABELS].content, labels)
    condition = {**images(sampler), LABELS: sampler.given(LABELS, labels)}
    # Greedy, so that only the order of the positions is random: the same with the seed moved on.
    following = sampler.generate(condition, second, seed=1 + len(first))[GLOBAL].content
    assert torch.equal(both[GLOBAL].content, following)
    without = sampler.generate(images(sampler), second, seed=1 + len(first))[GLOBAL].content
    assert not torch.equal(without, following)


def test_an_empty_text_is_an_input_only_if_it_is_part_of_the_sample(sampler):
    schedule = steps_of(LABELS, steps=1, temperature=0.0)
    waiting = {**images(sampler), CAPTION: sampler.empty(CAPTION, 2, 8)}
    seen = sampler.generate(waiting, schedule)
    assert torch.equal(seen[CAPTION].content, waiting[CAPTION].content)
    unseen = sampler.generate(images(sampler), schedule)
    assert not torch.equal(seen[LABELS].content, unseen[LABELS].content)


@pytest.mark.parametrize("steps", [1, 3])
def test_maskgit_keeps_the_most_confident_tokens_at_temperature_0(sampler, steps):
    schedule = steps_of(LABELS, "maskgit", steps=steps, temperature=0.0)
    part = sampler.generate(images(sampler), schedule[:1])[LABELS]
    with torch.no_grad():
        encoded = sampler.model.encode({"rgb@224": images(sampler)["rgb@224"].as_input()})
        chances = sampler.model.decode_logits(encoded, LABELS).softmax(-1).max(-1)
    for row in range(2):
        best = chances.values[row].topk(schedule[0].tokens).indices
        assert set(best.tolist()) == set((~part.input_mask[row]).nonzero().flatten().tolist())
        assert torch.equal(part.content[row, best], chances.indices[row, best])


def caption_step(temperature=0.0):
    return [Step(CAPTION, "autoregressive", None, temperature)]


class Scripted:
    """A decoder that predicts given tokens, and records its inputs."""

    def __init__(self, script):
        self.script, self.given, self.made = script, [], 0

    def __call__(self, model, encoded, target, most):
        self.made += 1
        return self

    def next_logits(self, ids):
        said = torch.tensor([row[len(self.given)] for row in self.script])
        self.given.append(ids.tolist())
        return torch.nn.functional.one_hot(said, WORDS).float()


def test_predicted_spans_replace_their_sentinels(sampler, monkeypatch):
    s1, s2, s3, end = (*(IDS.sentinel(number) for number in (1, 2, 3)), IDS.end)
    part = masked_spans([[30, s1, 31, s2], [s1, 32], [33]], 6, ids=IDS)
    script = Scripted([[20, s2, 21, 22, s3, 9], [23, end, s2, 9, 9, 9], [24, 25, 26, 27, 28, 29]])
    monkeypatch.setattr(sequences, "SequenceDecoder", script)
    sample = {**images(sampler, 3), CAPTION: part}
    result = sampler.generate(sample, caption_step())[CAPTION]
    rows = sequences.visible_ids(result)
    assert rows == [[30, 20, 31, 21, 22], [23, end, 32], [33, 24, 25, 26, 27, 28, 29]]
    assert result.content[1].tolist() == [23, end, 32, 0, 0, 0, 0]
    assert script.given == [
        [s1] * 3,
        [20, 23, 24],
        [s2, end, 25],
        [21, s2, 26],
        [22, 9, 27],
        [s3, 9, 28],
    ]
    assert not result.remaining.any()


def test_a_text_stops_when_all_samples_have_ended(sampler, monkeypatch):
    script = Scripted([[20, 9, 21, 22, 22, 22], [23, 24, 9, 22, 22, 22]])
    monkeypatch.setattr(sequences, "SequenceDecoder", script)
    sample = {**images(sampler), CAPTION: sampler.empty(CAPTION, 2)}
    result = sampler.generate(sample, caption_step(), stop=9)[CAPTION]
    assert sequences.visible_ids(result) == [[20], [23, 24]]  # 9 is [S_5]: a sentinel, not a word
    assert len(script.given) == 3
    script = Scripted([[20, 30, 21], [23, 24, 30]])
    monkeypatch.setattr(sequences, "SequenceDecoder", script)
    result = sampler.generate(sample, caption_step(), stop=30)[CAPTION]
    assert sequences.visible_ids(result) == [[20, 30], [23, 24, 30]]


def test_a_text_does_not_depend_on_its_batch(sampler):
    sample = {**images(sampler), CAPTION: sampler.empty(CAPTION, 2, 9)}
    together = sampler.generate(sample, caption_step(2.0), seed=[3, 4], top_p=0.95)[CAPTION]
    for row in range(2):
        alone = sampler.generate(row_of(sample, row), caption_step(2.0), seed=3 + row, top_p=0.95)
        kept = alone[CAPTION].content.shape[1]
        assert torch.equal(together.content[row, :kept], alone[CAPTION].content[0])
        assert together.input_mask[row, kept:].all()


def test_a_complete_text_is_not_changed(sampler):
    words = torch.tensor([[20, 21, IDS.end], [22, IDS.end, 0]])
    masked = torch.tensor([[False] * 3, [False, False, True]])
    sample = {**images(sampler), CAPTION: sampler.given(CAPTION, words, masked)}
    result = sampler.generate(sample, caption_step())[CAPTION]
    assert torch.equal(result.content, words)
    assert torch.equal(result.input_mask, masked)


def test_a_target_that_is_not_an_input():
    sampler = Sampler(small_generator(inputs=["rgb@224"]), IDS)
    schedule = [*steps_of(GLOBAL, steps=1), *steps_of(LABELS, steps=1), *caption_step()]
    result = sampler.generate(images(sampler), schedule)
    assert [name for name, part in result.items() if part.target_mask.all()] == list(result)
    alone = sampler.generate(images(sampler), caption_step())[CAPTION]
    assert torch.equal(result[CAPTION].content, alone.content)
    with pytest.raises(BadInput, match="in one step alone"):
        sampler.generate(images(sampler), steps_of(LABELS, steps=2))


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Step("tok_clip@224", "roar", 4, 1.0), UnknownModality),
        (Step("rgb@224", "roar", 9, 1.0), UnknownModality),
        (Step(CAPTION, "roar", 9, 1.0), BadInput),
        (Step(GLOBAL, "autoregressive", None, 1.0), BadInput),
        (Step(GLOBAL, "roar", 4, 1.0, (1.0, 2.0)), BadInput),
        (Step(GLOBAL, "roar", 4, 1.0, 2.0, (LABELS,)), BadInput),
        (Step(GLOBAL, "roar", 4, -1.0), BadInput),
        (Step(GLOBAL, "roar", -4, 1.0), BadInput),
        (Step(GLOBAL, "all at once", 4, 1.0), BadInput),
        (Step(GLOBAL, "roar", 4, 1.0, float("nan")), BadInput),
    ],
)
def test_invalid_steps(sampler, step, error):
    with pytest.raises(error):
        sampler.generate(images(sampler), [step])


def test_invalid_samples(sampler):
    schedule = steps_of(GLOBAL)
    with pytest.raises(BadInput, match="at least one modality"):
        sampler.generate({}, schedule)
    with pytest.raises(BadInput, match="different batch sizes"):
        sampler.generate({**images(sampler), GLOBAL: sampler.empty(GLOBAL, 3)}, schedule)
    with pytest.raises(UnknownModality, match="tok_clip@224"):
        sampler.generate({"tok_clip@224": sampler.empty(GLOBAL, 2)}, schedule)
    with pytest.raises(UnknownModality, match="tok_clip@224"):
        sampler.given("tok_clip@224", torch.zeros(1, 4).long())
    part = sampler.empty(GLOBAL, 2)._replace(target_mask=torch.zeros(2, 3).bool())
    with pytest.raises(BadInput, match="masks"):
        sampler.generate({GLOBAL: part}, schedule)
    with pytest.raises(BadInput, match="one seed for each"):
        sampler.generate(images(sampler), schedule, seed=[1, 2, 3])


def test_random_choices_do_not_depend_on_padding():
    logits = torch.randn(1, 4, 30, generator=torch.Generator().manual_seed(0))
    draws = []
    for padding in (None, torch.tensor([[False, False, False, False, True, True]])):
        sampler = TokenSampler(3, top_p=0.9)
        sampler.begin(2, 1, torch.device("cpu"))
        padded = logits if padding is None else torch.cat([logits, logits[:, :2]], dim=1)
        draws.append(sampler.draw(padded, 1.5, padding).tokens[:, :4])
    assert torch.equal(*draws)

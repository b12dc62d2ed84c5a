import pytest
import torch

from fourm.errors import BadInput
from fourm.generation import Sampler, Step, TargetSchedule, build_schedule, full_text, unconditional
from fourm.transformer.embeddings import ModalityInput
from tests.fourm.small_generator import CAPTION, GLOBAL, IDS, LABELS, random_images, small_generator


@pytest.fixture(scope="module")
def sampler():
    return Sampler(small_generator(), IDS)


def image(sampler, count=2):
    return {"rgb@224": sampler.given("rgb@224", random_images(count))}


def text(count=2):
    return {CAPTION: full_text([[20 + row, 21, 22][: 3 - row] for row in range(count)], ids=IDS)}


def steps(guidance, conditions=(), name=LABELS, count=9, passes=3, scheme="roar"):
    target = TargetSchedule(name, count, scheme, passes, temperature=2.0, guidance=guidance)
    return build_schedule([target], conditions)


def logits_given(model, inputs):
    with torch.no_grad():
        return model.decode_logits(model.encode(inputs), GLOBAL)


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
@pytest.mark.parametrize("ways", ["scale", "weights"])
def test_all_passes_of_a_step_predict_the_same_positions(sampler, monkeypatch, scheme, ways):
    """Also without a seed, and after the first step."""
    seen = []
    decode = sampler.model.decode_logits

    def spy(encoded, target, positions=None, padding=None):
        seen.append(positions)
        return decode(encoded, target, positions, padding)

    monkeypatch.setattr(sampler.model, "decode_logits", spy)
    if ways == "scale":
        passes = 2
        sample = {**image(sampler), **text()}
        schedule = steps(3.0, ["rgb@224"], scheme=scheme)
        sampler.generate(sample, schedule, seed=None)
    else:
        passes = 3
        schedule = steps([2.0, -1.0], scheme=scheme)
        sampler.generate_weighted([image(sampler), text()], schedule, seed=None)
    assert len(seen) == 3 * passes
    left = set(range(9))
    for step in range(3):
        positions = seen[passes * step : passes * (step + 1)]
        assert all(torch.equal(other, positions[0]) for other in positions)
        if scheme == "roar":
            assert set(positions[0][0].tolist()) <= left
            left -= set(positions[0][0].tolist())


def test_one_weight_is_a_scale(sampler):
    scaled = sampler.generate(image(sampler), steps(2.5, ["rgb@224"]), seed=3)[LABELS]
    weighed = sampler.generate_weighted([image(sampler)], steps([2.5]), seed=3)[LABELS]
    assert torch.equal(scaled.content, weighed.content)
    assert not weighed.remaining.any()


def test_a_weight_of_0_drops_a_condition(sampler):
    plain = sampler.generate(text(), steps(1.0), seed=3)[LABELS].content
    conditions = [image(sampler), text()]
    weighed = sampler.generate_weighted(conditions, steps([0.0, 1.0]), seed=3)[LABELS].content
    assert torch.equal(plain, weighed)
    for weights in ([1.0, 1.0], [-1.0, 1.0]):
        other = sampler.generate_weighted(conditions, steps(weights), seed=3)[LABELS].content
        assert not torch.equal(other, plain)


def test_weighted_logits_are_their_formula(sampler):
    model = sampler.model
    nothing = {GLOBAL: ModalityInput(torch.zeros(2, 4).long(), torch.ones(2, 4).bool())}
    empty = logits_given(model, nothing)
    total = empty.clone()
    for weight, part in ((2.0, image(sampler)["rgb@224"]), (-0.5, text()[CAPTION])):
        name = "rgb@224" if weight > 0 else CAPTION
        total += weight * (logits_given(model, {name: part.as_input()}) - empty)
    schedule = [Step(GLOBAL, "roar", 4, 0.0, (2.0, -0.5))]
    result = sampler.generate_weighted([image(sampler), text()], schedule)[GLOBAL]
    assert torch.equal(result.content, total.argmax(-1))


def test_a_finished_target_is_one_more_condition(sampler):
    first = steps([2.0, 0.5])
    second = [Step(GLOBAL, "roar", 4, 0.0, (1.0, 0.5, 3.0))]
    conditions = [image(sampler), text()]
    both = sampler.generate_weighted(conditions, [*first, *second], seed=1)
    assert list(both) == [LABELS, GLOBAL]
    labels = {LABELS: sampler.given(LABELS, both[LABELS].content)}
    alone = sampler.generate_weighted([*conditions, labels], second, seed=1)
    assert torch.equal(alone[GLOBAL].content, both[GLOBAL].content)


def test_texts_are_guided_by_scale_and_by_weights(sampler):
    steps = [Step(CAPTION, "autoregressive", None, 1.5, 2.0, ("rgb@224",))]
    scaled = sampler.generate(image(sampler), steps, seed=3)[CAPTION]
    weights = [Step(CAPTION, "autoregressive", None, 1.5, (2.0,))]
    weighed = sampler.generate_weighted([image(sampler)], weights, seed=3)[CAPTION]
    assert torch.equal(scaled.content, weighed.content)
    plain = sampler.generate(image(sampler), [Step(CAPTION, "autoregressive", None, 1.5)], seed=3)
    assert not torch.equal(plain[CAPTION].content, scaled.content)


def test_inpainting_is_guided(sampler):
    ids = torch.arange(18).view(2, 9)
    masked = torch.zeros(2, 9, dtype=torch.bool)
    masked[0, :5] = masked[1, 3] = True
    part = sampler.partly_masked(LABELS, ids, masked)
    schedule = steps([2.0])
    result = sampler.generate_weighted([image(sampler)], schedule, targets={LABELS: part}, seed=2)
    assert torch.equal(result[LABELS].content[~masked], ids[~masked])
    assert not result[LABELS].remaining.any()
    sample = {**image(sampler), LABELS: part}
    scaled = sampler.generate(sample, steps(2.0, ["rgb@224"]), seed=2)[LABELS]
    assert torch.equal(scaled.content, result[LABELS].content)


def test_a_model_whose_targets_are_not_inputs():
    sampler = Sampler(small_generator(inputs=["rgb@224", CAPTION]), IDS)
    schedule = [Step(GLOBAL, "roar", 4, 0.0, (2.0, 1.0))]
    result = sampler.generate_weighted([image(sampler), text()], schedule)[GLOBAL]
    scaled = sampler.generate(image(sampler), steps(3.0, ["rgb@224"], GLOBAL, 4, 1))[GLOBAL]
    assert result.content.shape == scaled.content.shape == (2, 4)


def test_a_dropped_text_is_one_masked_span(sampler):
    part = text()[CAPTION].as_input()
    dropped = unconditional({CAPTION: part}, [CAPTION], sampler.model.config.modalities)[CAPTION]
    assert dropped.content[:, 0].tolist() == [IDS.sentinel(1)] * 2
    assert dropped.masked.tolist() == [[False, True, True, True]] * 2


def test_invalid_weights(sampler):
    with pytest.raises(BadInput, match="one weight for each of 1 conditions, got 2"):
        sampler.generate_weighted([image(sampler)], steps([1.0, 2.0]))
    with pytest.raises(BadInput, match="at least one modality"):
        sampler.generate_weighted([], steps([1.0]))
    with pytest.raises(BadInput, match="at least one modality"):
        sampler.generate_weighted([image(sampler), {}], steps([1.0, 1.0]))
    with pytest.raises(BadInput, match="different batch sizes"):
        sampler.generate_weighted([image(sampler), text(1)], steps([1.0, 1.0]))
    with pytest.raises(BadInput, match="targets"):
        condition = {**image(sampler), LABELS: sampler.empty(LABELS, 2)}
        sampler.generate_weighted([condition], steps([1.0]))

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourm.errors import BadInput
from fourm.generation import Step, TargetSchedule, build_schedule, temperatures, tokens_per_step
from tests.fourm.recorded import recorded_path


@pytest.fixture(scope="module")
def recorded_schedules():
    return json.loads(recorded_path("gen/schedules.json").read_text())


def test_tokens_per_step_match_the_reference(recorded_schedules):
    checked = 0
    for name, counts in recorded_schedules.items():
        split, *numbers = name.split("_")
        if split in ("linear", "cosine"):
            steps, tokens = map(int, numbers)
            assert tokens_per_step(tokens, steps, split) == counts, name
            checked += 1
    assert checked == 14


def test_temperatures_match_the_reference(recorded_schedules):
    checked = 0
    for name, heat in recorded_schedules.items():
        if name.startswith("temp_"):
            _, word, start, *rest, steps, tokens = name.split("_")
            temperature_schedule = ":".join([word, *rest])
            counts = tokens_per_step(int(tokens), int(steps), "linear")
            assert temperatures(float(start), counts, temperature_schedule) == pytest.approx(
                heat, abs=1e-9
            )
            checked += 1
    assert checked == 6


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 300), st.integers(1, 400), st.sampled_from(["linear", "cosine"]))
def test_all_tokens_are_predicted(tokens, steps, split):
    counts = tokens_per_step(tokens, steps, split)
    assert sum(counts) == tokens
    assert min(counts) >= 0
    assert len(counts) <= steps
    for temperature_schedule in ("constant", "linear", "onex:0.5:0.5"):
        heat = temperatures(3.0, counts, temperature_schedule)
        assert len(heat) == len(counts)
        assert all(0 < value <= 3 for value in heat)


def test_steps_of_several_targets():
    targets = [
        TargetSchedule("tok_clip@224", 196, "maskgit", 3, "linear", 1.0, "linear", guidance=2.0),
        TargetSchedule("caption", scheme="autoregressive", temperature=0.3, guidance=[1, 2]),
        TargetSchedule("tok_dinov2_global", 16, temperature=0),
    ]
    clip, caption = "tok_clip@224", "caption"
    steps = build_schedule(targets, ["rgb@224"])
    assert steps[0] == Step(clip, "maskgit", 66, 1.0, 2.0, ("rgb@224",))
    assert [step.tokens for step in steps] == [66, 65, 65, None, 16]
    assert [step.temperature for step in steps[:3]] == pytest.approx([1.0, 130 / 196, 65 / 196])
    # A finished image is one more condition, a finished sequence is not.
    assert steps[3] == Step(caption, "autoregressive", None, 0.3, (1.0, 2.0), ("rgb@224", clip))
    assert steps[4] == Step("tok_dinov2_global", "roar", 16, 0.0, 1.0, ("rgb@224", clip))
    alone = build_schedule(targets, ["rgb@224"], grow=False)
    assert {step.conditions for step in alone} == {("rgb@224",)}


@pytest.mark.parametrize(
    "changes",
    [
        {"tokens": None},
        {"tokens": 0},
        {"steps": 0},
        {"scheme": "diffusion"},
        {"split": "cosine"},
        {"scheme": "maskgit", "split": "square"},
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"scheme": "autoregressive", "temperature": -1.0},
        {"temperature_schedule": "onex"},
        {"temperature_schedule": "onex:a:b"},
        {"temperature_schedule": "onex:0.5:0"},
        {"temperature_schedule": "slow"},
    ],
)
def test_invalid_schedules(changes):
    with pytest.raises(BadInput):
        build_schedule([TargetSchedule(**{"name": "tok_dinov2_global", "tokens": 16, **changes})])

"""Weights, negative prompts, and the three ways of combining inputs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import Gallery, Query, QueryError, UsageError
from retrieval.queries import prepare
from retrieval.queries.combining import COMBINATIONS, read_weights
from retrieval.report.panels import panels
from retrieval.report.results import Results
from retrieval.report.sheet import draw_sheet
from tests.retrieval.files import striped, write

RED = np.full((8, 8), 4, np.uint8)  # a motorcycle


def weighed(query):
    return {
        (entry.modality, entry.value if entry.modality == "text" else ""): entry.weight
        for entry in query.inputs
    }


def test_without_weights_all_inputs_go_together(model):
    query = Query.read(text="red", seg=RED)
    assert query.combine == "together"
    prepare(query, model)
    assert model.fusions == []


def test_weights_guide_by_default(model):
    for way, wanted in [(None, "guided"), ("guided", "guided"), ("late", "late")]:
        query = Query.read(text="red", seg=RED, weights={"text": 2, "seg": -0.5}, combine=way)
        assert query.combine == wanted
        prepare(query, model)
        assert model.fusions.pop() == (wanted, [2.0, -0.5])


def test_the_default_weight_is_one_and_zero_drops_an_input(model):
    query = Query.read(text="red", seg=RED, image=striped((1, 2, 3)), weights={"seg": 0})
    prepare(query, model)
    assert model.fusions == [("guided", [1.0, 1.0])]
    prepare(Query.read(text="red", seg=RED, combine="late"), model)
    assert model.fusions[-1] == ("late", [1.0, 1.0])


def test_negative_prompts_have_a_default_weight():
    query = Query.read(text="red", negative_text=["blue", " green "])
    assert query.combine == "guided"
    assert weighed(query) == {("text", "red"): 1, ("text", "blue"): -0.5, ("text", "green"): -0.5}
    query = Query.read(
        text="red", negative_text="blue", weights={"text": 3, "not": 0.25}, combine="late"
    )
    assert weighed(query) == {("text", "red"): 3, ("text", "blue"): -0.25}
    assert weighed(Query.read(negative_text="blue")) == {("text", "blue"): -0.5}


def test_weights_are_named_like_inputs(tmp_path):
    photo = striped((200, 10, 10))
    for name in ("canny", "edges"):
        query = Query.read(canny=photo, text="red", weights=[f"{name}=0.5"])
        assert weighed(query)["edges", ""] == 0.5
    assert Query.read(sam_edges=photo, weights="sam-edges=2").inputs[0].weight == 2


def test_a_negative_prompt_changes_the_hits(model, tmp_path):
    for name, colour in [("red", (250, 0, 0)), ("mixed", (250, 0, 250)), ("blue", (0, 0, 250))]:
        write(tmp_path / f"p/{name}.png", striped(colour))
    with Gallery.build(tmp_path / "p", tmp_path / "i", model) as gallery:
        first = [hit.path for hit in gallery.search(text="magenta")]
        assert first[0] == "mixed.png"
        for pushed, wanted in [("blue", "red.png"), ("red", "blue.png")]:
            hits = gallery.search(text="magenta", negative_text=pushed, weights={"not": 2})
            assert hits[0].path == wanted


@pytest.mark.parametrize("weights", [{"text": 2}, {"text": 1}])
def test_one_pass_over_all_has_no_weights(weights):
    with pytest.raises(UsageError, match="guided or late"):
        Query.read(text="red", weights=weights, combine="together")
    with pytest.raises(UsageError, match="need guided or late"):
        Query.read(text="red", negative_text="blue", combine="together")


@pytest.mark.parametrize("weight", [2, np.float32(2), np.int64(2)])
def test_weights_may_be_numbers_of_numpy(weight):
    (entry,) = Query.read(text="red", weights={"text": weight}).inputs
    assert entry.weight == 2 and type(entry.weight) is float


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"smell": 1}, "'smell' is not among the inputs of this query: text, seg"),
        ({"image": 1}, "'image' is not among"),
        ({"not": 1}, "'not' is not among"),
        ({"text": math.nan}, "between -100 and 100, got nan"),
        ({"text": math.inf}, "got inf"),
        ({"text": 10**5000}, "got a value of type int"),
        ({"text": "2"}, "must be a number"),
        ({"text": True}, "must be a number"),
        ({"text": None}, "must be a number"),
        ({"text": 101}, "between -100 and 100"),
        ({"text": 0, "seg": 0}, "must not be all 0"),
        ({3: 1}, "name of an input"),
        ({"sam_edges": 1, "sam-edges": 1}, "sam_edges is given twice"),
        ({}, "expected at least one weight"),
        ([], "expected at least one weight"),
        (["text"], "for example text=2, got 'text'"),
        (["text="], "expected for example text=2"),
        (["text=two"], "'text=two'"),
        (["text=1_0"], "'text=1_0'"),
        (["text=٢"], "text=2, got"),
        (["text=1", "text=2"], "text is given twice"),
        (["text=nan"], "got 'text=nan'"),
        (3, "expected text=2 or a mapping, got 3"),
        ([3], "expected text=2 or a mapping"),
    ],
)
def test_bad_weights_are_named(weights, words):
    with pytest.raises(QueryError) as caught:
        Query.read(text="red", seg=RED, weights=weights)
    assert str(caught.value).startswith("weight: ") and words in str(caught.value)


def test_negative_prompts_are_checked():
    for wrong in ([], "", [" "], 3, [3], ["a", None], {"a": 1}):
        with pytest.raises(QueryError, match="not: "):
            Query.read(text="red", negative_text=wrong)
    with pytest.raises(QueryError, match="must be >= 0, got -1"):
        Query.read(text="red", negative_text="blue", weights={"not": -1})
    with pytest.raises(QueryError, match="must not be all 0"):
        Query.read(negative_text="blue", weights={"not": 0})


@pytest.mark.parametrize("way", ["", "Late", "both", 3, []])
def test_combine_is_one_of_three(way):
    with pytest.raises(QueryError, match=", ".join(COMBINATIONS)):
        Query.read(text="red", combine=way)


@given(st.text(max_size=12) | st.from_regex(r"text=[-+0-9.einf_]{0,8}", fullmatch=True))
def test_any_weight_is_read_or_refused(text):
    try:
        (value,) = read_weights([text]).values()
        assert abs(value) <= 100
    except QueryError as error:
        assert str(error).startswith("weight: ") and "\n" not in str(error)


def test_pages_show_weights_and_negative_prompts(model, photos, tmp_path):
    query = Query.read(text="red", seg=RED, negative_text="people", weights={"seg": 0.5})
    shown = panels(query)
    assert [panel.note for panel in shown] == [
        "weight 1",
        "weight 0.5",
        "weight -0.5, negative prompt",
    ]
    assert shown[2].title == "Not: text" and shown[2].summary == "not “people”"
    with Gallery.build(photos, tmp_path / "i", model) as gallery:
        results = Results.of(gallery, query, gallery.search_batch([query], 2)[0])
        plain = Query.read(text="red", seg=RED)
        together = Results.of(gallery, plain, gallery.search_batch([plain], 2)[0])
    assert "weighted guidance" in results.heading and "together" in together.heading
    assert [panel.note for panel in together.panels] == ["", ""]
    assert draw_sheet(results).height > draw_sheet(together).height

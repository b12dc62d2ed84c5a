import json

import pytest
import torch

from fourm.errors import BadInput
from fourm.generation import (
    empty,
    full_text,
    given,
    masked_spans,
    merge_spans,
    partly_masked,
    up_to_end,
)
from fourm.tokenizers.wordpiece import SpecialIds
from fourm.tokens import OFFICIAL
from tests.fourm.recorded import recorded_path

IDS = SpecialIds()
S1, S2, S3 = (IDS.sentinel(number) for number in (1, 2, 3))


@pytest.fixture(scope="module")
def texts():
    return json.loads(recorded_path("text.json").read_text())


def check(part, wanted):
    assert part.content.tolist() == wanted["tensor"]
    assert part.input_mask.int().tolist() == wanted["input_mask"]
    assert part.target_mask.int().tolist() == wanted["target_mask"]


def test_special_ids_match_the_reference(texts):
    ids = texts["special_ids"]
    assert (IDS.pad, IDS.end, IDS.sentinel(0)) == (ids["[PAD]"], ids["[EOS]"], ids["[S_0]"])
    assert (S1, IDS.sentinel(199)) == (ids["[S_1]"], ids["[S_199]"])
    assert len(IDS.sentinels) == texts["n_sentinels"]
    with pytest.raises(BadInput, match=r"\[S_200\]"):
        IDS.sentinel(200)


def test_a_text_to_be_continued(texts):
    wanted = texts["custom_text"]["result"]
    ids = wanted["tensor"][0][:8]
    check(masked_spans([ids], texts["custom_text"]["target_max_len"], stop=IDS.end), wanted)


def test_empty_targets(texts):
    check(empty(OFFICIAL["caption"], 1, 4), texts["empty_targets"]["caption"])
    part = empty(OFFICIAL["tok_dinov2_global"], 2)
    assert part.content.tolist() == [[0] * 16] * 2
    assert part.input_mask.all()
    assert part.remaining.tolist() == [16, 16]
    assert empty(OFFICIAL["caption"], 1).content.shape == (1, 256)
    assert empty(OFFICIAL["caption"], 1, 2).content.tolist() == [[S1, S2]]


def test_a_complete_text_ends_at_its_own_end(texts):
    check(up_to_end(torch.tensor([[7, 8, 3, 0, 0]])), texts["full_input_with_eos"])
    rows = up_to_end(torch.tensor([[7, 8, 3, 3, 0], [9, 3, 8, 8, 8], [7, 8, 9, 10, 11]]))
    assert rows.content.tolist()[2] == [7, 8, 9, 10, 11]  # without an end, all of it is visible
    assert rows.input_mask.int().tolist() == [[0, 0, 0, 1, 1], [0, 0, 1, 1, 1], [0] * 5]
    assert not rows.remaining.any()


def test_texts_of_different_lengths():
    part = full_text([[7, 8, 9], [], [10, 3]])
    assert part.content.tolist() == [[7, 8, 9, 3], [3, 0, 0, 0], [10, 3, 0, 0]]
    assert part.input_mask.int().tolist() == [[0, 0, 0, 0], [0, 1, 1, 1], [0, 0, 1, 1]]
    left_open = full_text([[7, 8], []], end=False)
    assert left_open.input_mask.int().tolist() == [[0, 0], [1, 1]]
    assert full_text([[], []], end=False).content.shape == (2, 0)


def test_targets_of_masked_spans_end_with_a_sentinel():
    part = masked_spans([[700, S1, 701, S2], [702, S2]], 5)
    assert part.content.tolist() == [
        [700, S1, 701, S2, S1, 0, 0, 0, S3],
        [702, S2, 0, 0, S2, 0, 0, 0, S3],
    ]
    assert part.input_mask.int().tolist() == [[0, 0, 0, 0, *[1] * 5], [0, 0, *[1] * 7]]
    assert part.target_mask.int().tolist() == [[*[1] * 4, *[0] * 5]] * 2


@pytest.mark.parametrize("text", [[S2, S1], [S1, 700, S1], [S1, S3]])
def test_sentinels_that_are_not_consecutive(text):
    with pytest.raises(BadInput, match="must be consecutive"):
        masked_spans([text], 5)


@pytest.mark.parametrize(
    ("shown", "predicted", "merged"),
    [
        ([S1], [S1, 707, 708, IDS.end, S2], [707, 708, IDS.end]),
        ([707, S1, 708, S2], [S1, 709, 710, S2, 711, S3, 712], [707, 709, 710, 708, 711]),
        ([707, S1, 708], [S1, S2], [707, 708]),
        ([707, S1, 708, S2], [S1, 709], [707, 709, 708]),  # the second span is not predicted
        ([707, S1], [S1, 709, S2, 710, S1, 711], [707, 709, 711]),  # it is predicted in two pieces
        ([707, S1, 708], [706, S1, 709], [707, 709, 708]),  # a token that belongs to no span
        ([707, 708], [S1, 709], [707, 708]),
        ([], [S1, 709], []),
    ],
)
def test_spans_replace_their_sentinels(shown, predicted, merged):
    assert merge_spans(shown, predicted, IDS) == merged


def test_invalid_states():
    with pytest.raises(BadInput, match="not an output"):
        empty(OFFICIAL["rgb@224"], 1)
    with pytest.raises(BadInput, match="must be >= 2, got 1"):
        empty(OFFICIAL["caption"], 1, 1)
    with pytest.raises(BadInput, match="must be >= 2, got 1"):
        masked_spans([[7]], 1)
    with pytest.raises(BadInput, match="not made of image tokens"):
        partly_masked(torch.zeros(1, 5).long(), OFFICIAL["caption"], torch.zeros(1, 5).bool())
    pixels = torch.zeros(1, 3, 224, 224)
    assert given(pixels, OFFICIAL["rgb@224"]).input_mask.shape == (1, 196)
    for mask in (torch.zeros(1, 224).bool(), torch.zeros(2, 196).bool(), torch.zeros(1, 196)):
        with pytest.raises(BadInput, match="mask"):
            given(pixels, OFFICIAL["rgb@224"], mask)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_image_tokens_of_either_integer_type_are_inpainted(dtype):
    ids = torch.arange(16, dtype=dtype)[None]
    mask = torch.arange(16)[None] >= 12
    state = partly_masked(ids, OFFICIAL["tok_dinov2_global"], mask)
    assert state.content.dtype == torch.int64
    assert state.content.tolist() == [[*range(12), 0, 0, 0, 0]]
    assert torch.equal(state.input_mask, mask) and torch.equal(state.target_mask, ~mask)


@pytest.mark.parametrize(
    "ids", [torch.zeros(1, 16), torch.zeros(1, 15).long(), torch.zeros(16).long()]
)
def test_image_tokens_that_are_not_integers_of_the_modality(ids):
    with pytest.raises(BadInput, match=r"takes int64 or int32 ids \(B, 16\), got torch"):
        partly_masked(ids, OFFICIAL["tok_dinov2_global"], torch.zeros(1, 16).bool())

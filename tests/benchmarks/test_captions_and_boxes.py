"""BLEU, CIDEr and precision of boxes on cases that can be computed by hand."""

import math

import pytest

from benchmarks.captions import bleu, cider, words_of
from benchmarks.detections import intersection_over_union, mean_average_precision
from fourm.modalities.boxes import Box

DOGS = words_of("Two dogs run on the beach.")
DOG = Box(0.0, 0.0, 0.5, 0.5, "dog")


def test_a_caption_that_is_a_reference_scores_most():
    cat = words_of("a cat sleeps on a red chair")
    assert bleu([DOGS, cat], [[DOGS, cat], [cat]]) == pytest.approx(1)
    assert cider([DOGS, cat], [[DOGS], [cat]]) == pytest.approx(10)


def test_bleu_of_a_short_caption_is_penalised():
    assert bleu([DOGS[:5]], [[DOGS]]) == pytest.approx(math.exp(1 - 6 / 5))


def test_bleu_counts_a_word_as_often_as_a_reference_has_it():
    four = words_of("the the the the the")
    assert bleu([four], [[words_of("the cat sat on the mat")]]) == 0


def test_bleu_is_the_mean_of_four_precisions():
    written = words_of("two dogs run on a beach")
    shares = (5 / 6, 3 / 5, 2 / 4, 1 / 3)
    assert bleu([written], [[DOGS]]) == pytest.approx(math.prod(shares) ** 0.25)


def test_a_caption_of_another_photo_scores_nothing():
    other = words_of("a cat sleeps in its red chair")
    assert cider([other], [[DOGS]]) == 0
    assert cider([other, DOGS], [[DOGS], [other]]) == 0


def test_boxes_overlap_by_their_areas():
    assert intersection_over_union(DOG, DOG) == pytest.approx(1)
    assert intersection_over_union(DOG, Box(0.25, 0.0, 0.75, 0.5, "dog")) == pytest.approx(1 / 3)
    assert intersection_over_union(DOG, Box(0.5, 0.5, 1, 1, "dog")) == 0


def test_precision_of_boxes_counts_each_true_box_once():
    assert mean_average_precision([[DOG]], [[DOG]]) == 1
    assert mean_average_precision([[DOG, DOG]], [[DOG]]) == 0.5
    cat = Box(0.5, 0.5, 1, 1, "cat")
    assert mean_average_precision([[DOG]], [[DOG, cat]]) == 0.5
    assert mean_average_precision([[Box(0, 0, 0.5, 0.5, "cat")]], [[DOG]]) == 0

"""The table of sources and the readers know the same things."""

from retrieval.queries import READERS
from retrieval.queries.query import DEPTH_NEAR
from retrieval.sources import NAMES


def test_every_source_has_a_reader_and_the_order_is_the_same():
    assert [name for name in NAMES if name != DEPTH_NEAR] == list(READERS)

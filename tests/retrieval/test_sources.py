"""The tables of what can be said of a query, of how it is read and of how it is drawn know the
same things."""

from fourm.modalities.kinds import KINDS as KINDS_OF_MODELS
from retrieval.queries import READERS
from retrieval.queries.parts import COMPUTED, PARTS
from retrieval.report.panels import PAINTERS
from retrieval.sources import ALIASES, KINDS, MODIFIERS, NAMES, SETTINGS, TITLES


def test_every_source_has_a_reader_and_the_order_is_the_same():
    assert list(NAMES) == list(READERS)


def test_every_kind_has_a_title_and_a_painter_and_is_one_of_the_models():
    assert set(KINDS) == set(PAINTERS) == set(KINDS_OF_MODELS)
    assert list(KINDS) == list(PAINTERS) and all(TITLES.values())


def test_nothing_is_called_the_same():
    for names in (
        [s.name for s in SETTINGS],
        [s.flag for s in SETTINGS],
        [s.key for s in SETTINGS],
    ):
        assert len(set(names)) == len(names)
    assert not {setting.key for setting in MODIFIERS} & set(KINDS)


def test_what_is_computed_is_a_part_and_aliases_are_kinds():
    assert set(COMPUTED) < set(PARTS) < set(KINDS)
    assert ALIASES == {"canny": "edges", "palette_of": "palette"}

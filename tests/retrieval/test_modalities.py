"""Each modality is one object; options, readers and painters know the same modalities."""

import pytest

from fourm.modalities import MODALITIES as OF_THE_MODEL
from retrieval.modalities import MODALITIES, Modality, Source, register, sources
from retrieval.queries import READERS
from retrieval.queries.options import COMBINING, query_options
from retrieval.queries.parts import COMPUTED, PARTS
from retrieval.report.panels import PAINTERS


def test_every_source_has_a_reader_and_the_order_is_the_same():
    assert list(sources()) == list(READERS)


def test_every_modality_has_a_title_and_a_painter_and_is_one_of_the_models():
    assert set(MODALITIES) == set(PAINTERS) == set(OF_THE_MODEL)
    assert list(MODALITIES) == list(PAINTERS)
    assert all(modality.title for modality in MODALITIES.values())


def test_the_first_source_of_a_modality_has_its_name_and_all_give_it():
    for name, modality in MODALITIES.items():
        assert modality.name == modality.sources[0].name == name
        assert {source.modality for source in modality.sources} == {name}


def test_names_flags_and_keys_are_unique():
    options = query_options()
    for names in (
        [option.name for option in options],
        [option.flag for option in options],
        [option.key for option in options],
    ):
        assert len(set(names)) == len(names)
    assert not {option.key for option in COMBINING} & set(MODALITIES)


def test_computed_modalities_are_parts_of_photos():
    assert set(COMPUTED) < set(PARTS) < set(MODALITIES)


@pytest.mark.parametrize("name", ["depth", "canny"])
def test_a_name_is_registered_once(name):
    with pytest.raises(ValueError, match=f"modality '{name}' is already registered"):
        register(Modality(name, "Again", (Source(name, "FILE", "Again."),)))

"""Each modality is one object, and everything that a user does with it is derived from that."""

import inspect

import pytest
import typer.main

import cli
from fourm.modalities import MODALITIES as OF_MODELS
from retrieval import Gallery, UsageError, evaluate, generate
from retrieval.modalities import (
    MODALITIES,
    Items,
    Modality,
    Modifier,
    Source,
    find,
    modifiers,
    parts_of_photos,
    register,
    source_named,
    sources,
)
from retrieval.modalities.names import RESERVED
from retrieval.queries.options import COMBINING, query_options
from retrieval.query_inputs import QueryInputs


def test_the_modalities_are_those_of_the_models():
    assert set(MODALITIES) == set(OF_MODELS)
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


def test_the_typed_keywords_of_a_query_are_the_options():
    assert set(QueryInputs.__annotations__) == {option.name for option in query_options()}
    assert set(modifiers()) == {"depth_near", "seg_format", "bgr"}


def test_what_is_computed_from_photos_is_a_part_of_them():
    computed = {name for name, modality in MODALITIES.items() if modality.compute is not None}
    assert computed < set(parts_of_photos()) < set(MODALITIES)


def test_every_modality_but_pixels_and_t5_can_be_generated():
    written = {name for name, modality in MODALITIES.items() if modality.output is not None}
    assert set(MODALITIES) - written == {"image", "t5"}
    previews = [m.output.preview for m in MODALITIES.values() if m.output and m.output.preview]
    assert sorted(previews) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("depth", "depth"),
        ("SAM-edges", "sam_edges"),
        ("canny", "edges"),
        ("colors", "palette"),
        ("tok_depth@224", "depth"),
        ("rgb", "image"),
    ],
)
def test_a_modality_answers_to_several_names(name, modality):
    assert find(name).name == modality


def test_names_lead_to_one_modality_each():
    names = [*sources(), *(alias for one in MODALITIES.values() for alias in one.aliases)]
    assert len(set(names)) == len(names) and not {"not", "all"} & set(names)
    assert find("smell") is None


def test_unknown_sources_are_refused():
    assert source_named("dinov2-embedding").name == "dinov2_embedding"
    for name in ("smell", 3, None):
        with pytest.raises(UsageError, match=f"unknown modality {name!r}; known: text, image"):
            source_named(name)


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="modality 'depth' is already registered"):
        register(MODALITIES["depth"])


def _new(name="smell", aliases=(), modifiers=(), **options):
    source = Source(
        options.pop("source", name),
        "FILE",
        "",
        read=lambda given: None,
        items=Items("smells", frozenset({".smell"})),
        modifiers=modifiers,
        **options,
    )
    return Modality(name, "Smell", (source,), draw=lambda entry, title: None, aliases=aliases)


@pytest.mark.parametrize(
    ("modality", "reason"),
    [
        (_new("not a name"), "'not a name' is not a valid keyword"),
        (_new("class"), "'class' is not a valid keyword"),
        (_new("smell", source="k"), "the option name 'k' is reserved"),
        (_new("smell", source="use_only"), "'use_only' is reserved"),
        (_new("smell", option="format"), "'format' is reserved"),
        (_new("smell", option="canny"), "'canny' is taken"),
        (_new("smell", file_key="relevant"), "'relevant' is reserved"),
        (_new("smell", file_key="text"), "'text' is taken"),
        (_new("smell", aliases=("depth",)), "the alias 'depth' is taken"),
        (_new("smell", modifiers=(Modifier("smell", "", ""),)), "'smell' is taken"),
        (_new("smell", modifiers=(Modifier("bgr", "", ""),)), "'bgr' is taken"),
        (_new("smell", modifiers=(Modifier("seed", "", ""),)), "'seed' is reserved"),
    ],
)
def test_a_name_that_stands_for_something_else_is_refused(modality, reason):
    with pytest.raises(ValueError, match=reason):
        register(modality)
    assert modality.name not in MODALITIES


def test_a_modifier_may_be_shared(monkeypatch):
    modality = _new("smell", modifiers=(modifiers()["bgr"],))
    monkeypatch.delitem(MODALITIES, "none", raising=False)
    register(modality)
    assert "smell" in sources()
    del MODALITIES["smell"]


def test_keywords_and_options_of_commands_are_reserved():
    """One that is missing here belongs into `retrieval.modalities.names`."""
    own = {option.name for option in query_options()} - {option.name for option in COMBINING}
    names = set()
    for function in (Gallery.search, Gallery.search_batch, evaluate, generate):
        names |= set(inspect.signature(function).parameters)
    for command in ("query", "generate"):
        for one in typer.main.get_command(cli.app).commands[command].params:
            names.add(one.name)
            names |= {flag.lstrip("-").replace("-", "_") for flag in one.opts}
    names -= {"self", "positional", "inputs", "0"} | {n.replace("-", "_") for n in own}
    assert names <= RESERVED

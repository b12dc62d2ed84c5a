"""A reader reads any value, or refuses it with a named error."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from fourm.errors import BadInput
from fourm.modalities import MODALITIES
from fourm.modalities.boxes import BOXES_WIDTH, Box, thing_names
from fourm.modalities.metadata import METADATA_WIDTH
from fourm.modalities.palette import PALETTE_WIDTH
from fourm.modalities.poses import People, Person
from fourm.modalities.sam import Mask
from fourm.tokens import TokenSpec
from tests.fourm.small_tokenizers import sentence_tokenizer, text_tokenizer

ITEMS = {
    modality: TokenSpec(modality, "seq_emb", 8, "learned", 8, width=width)
    for modality, width in {
        "boxes": BOXES_WIDTH,
        "palette": PALETTE_WIDTH,
        "metadata": METADATA_WIDTH,
    }.items()
}
READ = (*MODALITIES, *(f"{modality} as items" for modality in ITEMS))
VECTORS = {"tok_dinov2_global": 768, "tok_imagebind_global": 1280}


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    """A reader of each modality; those that ask their tokenizer's config find one."""
    scratch = tmp_path_factory.mktemp("parts")

    def tokenizer(name):
        folder = scratch / name
        folder.mkdir()
        vector = {"enc_type": "BottleneckMLP/B_1-Wi_16"} if name in VECTORS else {}
        channels = VECTORS.get(name, 6)
        config = {"n_channels": channels, "patch_size": 2, **vector}
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "model.safetensors").touch()
        return lambda: folder

    words = scratch / "words.json"
    text_tokenizer(["person", "human", "pose", "none", "point", "polygon"]).save(str(words))
    made = {
        name: one.reader(
            one.tokens, {"tokenizer": tokenizer(one.tokens.name), "text_tokenizer": lambda: words}
        )
        for name, one in MODALITIES.items()
    }
    made |= {f"{name} as items": MODALITIES[name].reader(spec, {}) for name, spec in ITEMS.items()}
    assert all(made.values())
    return made


odd_numbers = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.complex_numbers(), st.none()
)
letters = st.text(st.characters(), max_size=8)  # surrogates, too: argv may hold any bytes
scalars = st.one_of(odd_numbers, letters, st.binary(max_size=8))
plain = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.text(max_size=5), st.integers()), inner, max_size=3),
        st.sets(st.integers(), max_size=3),
    ),
    max_leaves=12,
)
shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9)
some_arrays = st.one_of(
    arrays.arrays(arrays.scalar_dtypes(), shapes),
    arrays.arrays(np.dtype(object), shapes, elements=scalars, fill=st.none()),
    st.sampled_from(sorted(VECTORS.values())).flatmap(
        lambda size: arrays.arrays(np.float64, st.sampled_from([(size,), (1, size), (size, 1)]))
    ),
    st.sampled_from([(6, 14, 14), (196, 6), (256, 6)]).map(np.ones),
    arrays.arrays(np.float32, (3, 4096), elements=st.floats(width=32), fill=st.just(0.0)),
)
modes = (
    "1",
    "L",
    "P",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "F",
    "LA",
    "I;16",
    "RGBa",
)
images = st.builds(
    Image.new, st.sampled_from(modes), st.tuples(st.integers(0, 9), st.integers(0, 9))
)
numbers = st.one_of(st.floats(), st.integers(-5, 5), st.floats(0, 1))
maybe = st.one_of(numbers, scalars)
names = st.one_of(st.sampled_from(sorted(thing_names())), scalars)
boxes = st.one_of(
    st.builds(Box, numbers, numbers, numbers, numbers, names, st.floats()),
    st.builds(Box, maybe, maybe, maybe, maybe, names, maybe),
)
masks = st.builds(Mask, st.one_of(some_arrays, plain), st.one_of(st.none(), plain))
colours = st.lists(st.tuples(numbers, numbers, numbers), max_size=9)
metadata = st.dictionaries(
    st.one_of(st.sampled_from(["brightness", "n_humans", "aesthetic_score"]), scalars), maybe
)
groups = st.one_of(st.lists(numbers, max_size=12).map(tuple), plain)
people = st.builds(Person, groups, groups, groups, groups, groups)


@st.composite
def crowds(draw):
    parts = (
        draw(st.one_of(st.tuples(st.integers(-2, 50), st.integers(-2, 50)), plain)),
        draw(st.one_of(st.lists(people, max_size=2).map(tuple), plain)),
        draw(st.one_of(st.lists(groups, max_size=2).map(tuple), plain)),
    )
    try:
        return People(*parts)
    except BadInput:
        return parts


junk = st.one_of(
    plain,
    some_arrays,
    images,
    st.lists(boxes, max_size=3),
    st.lists(masks, max_size=3),
    colours,
    metadata,
    crowds(),
    people,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=junk)
@pytest.mark.parametrize("modality", READ)
def test_every_reader_with_any_value(readers, modality, value):
    try:
        readers[modality].prepare(value)
    except BadInput as error:
        assert str(error)


OWN = {
    "boxes": st.lists(boxes, min_size=1, max_size=3),
    "palette": colours,
    "metadata": metadata,
    "sam": st.lists(masks, min_size=1, max_size=3),
    "poses": crowds(),
    "image": st.one_of(images, arrays.arrays(np.uint8, shapes)),
    "seg": arrays.arrays(arrays.integer_dtypes(), arrays.array_shapes(min_dims=2, max_dims=2)),
    "depth": arrays.arrays(arrays.scalar_dtypes(), arrays.array_shapes(min_dims=2, max_dims=2)),
}


OWN |= {f"{modality} as items": OWN[modality] for modality in ITEMS}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("modality", OWN)
def test_every_reader_with_nearly_valid_values(readers, modality, data):
    value = data.draw(OWN[modality])
    try:
        readers[modality].prepare(value)
    except BadInput as error:
        assert str(error)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=junk)
def test_sentences(tmp_path_factory, value):
    from fourm.language.sentences import SentenceTokenizer

    path = tmp_path_factory.mktemp("words", numbered=True) / "tokenizer.json"
    sentence_tokenizer(["a", "dog"]).save(str(path))
    try:
        assert SentenceTokenizer(path, 8, 6)(value)
    except BadInput as error:
        assert str(error)

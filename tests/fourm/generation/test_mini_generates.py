"""The bundled model predicts everything that it lists, from a photo or from other inputs."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

import fourm
from fourm.generation import GenerationConfig, Generator
from fourm.modalities.boxes import Box, boxes_text
from fourm.modalities.seg import panoptic_classes
from fourm.transformer import sequence_logits

OUTPUTS = ("seg", "edges", "text", "boxes", "palette", "metadata")


def photo():
    """A sky above grass, and a sun."""
    pixels = np.zeros((200, 260, 3), np.uint8)
    pixels[:110] = (110, 170, 250)
    pixels[110:] = (60, 140, 50)
    pixels[20:50, 200:230] = (250, 230, 120)
    return Image.fromarray(pixels)


def encoded_photo(model):
    """What the encoder makes of the photo."""
    reader = model.readers["image"]
    given = reader.batch([reader.prepare(photo())], model.device)
    with torch.no_grad():
        return model.transformer(["rgb@224"]).encode({"rgb@224": given})


@pytest.fixture(scope="module")
def generator():
    return Generator(fourm.load_4m("mini"))


@pytest.fixture(scope="module")
def made(generator):
    """Everything that mini predicts from the photo."""
    return {one.modality: one for one in generator.generate({"image": photo()}, OUTPUTS)}


def test_all_outputs_are_listed(generator):
    assert set(generator.outputs) == set(OUTPUTS)


def test_a_map_has_category_ids(made):
    ids = {row.id for row in panoptic_classes()} | {0}
    assert made["seg"].value.shape == (112, 112)
    assert set(np.unique(made["seg"].value).tolist()) <= ids
    assert len(made["seg"].tokens) == 256


def test_sky_lies_above_the_ground(made):
    sky = next(row.id for row in panoptic_classes() if row.name == "sky-other-merged")
    assert (made["seg"].value[:30] == sky).mean() > 0.5
    assert (made["seg"].value[-30:] == sky).mean() < 0.1


def test_edges_are_a_grey_image(made):
    edges = made["edges"].value
    assert (edges.shape, edges.dtype) == ((112, 112), np.uint8)


def test_a_caption_is_a_few_words_without_repetition(generator):
    data = pytest.importorskip("skimage.data")
    (made,) = generator.generate({"image": data.astronaut()}, ["text"])
    words = made.value.split()
    assert 5 <= len(words) <= 20
    assert all(one != other for one, other in pairwise(words))


def test_a_person_in_a_photo_is_found(generator):
    data = pytest.importorskip("skimage.data")
    boxes, caption = generator.generate({"image": data.astronaut()}, ["boxes", "text"])
    assert any(box.name == "person" for box in boxes.value)
    assert {"man", "woman", "person", "boy", "girl"} & set(caption.value.split())


def test_values_can_be_given_to_the_model_again(generator, made):
    values = {name: made[name].value for name in ("seg", "edges", "text", "palette", "metadata")}
    assert generator.model.prepare(values).contents.keys() == values.keys()
    assert isinstance(boxes_text(made["boxes"].value), str)


def test_the_palette_has_five_colours(made):
    assert len(made["palette"].value) == 5
    assert all(0 <= part <= 255 for colour in made["palette"].value for part in colour)


def test_the_same_seed_generates_the_same(generator, made):
    again = generator.generate({"image": photo()}, ["text", "seg"])
    assert again[0].text == made["text"].text
    assert np.array_equal(again[1].value, made["seg"].value)


@pytest.mark.parametrize(
    "given",
    [
        {"text": "two dogs run through the snow"},
        {"boxes": [Box(0.1, 0.3, 0.5, 0.9, "dog"), Box(0.5, 0.3, 0.9, 0.9, "person")]},
        {"seg": np.full((50, 60), 187)},
        {"palette": [(250, 250, 250), (20, 30, 90)], "text": "a snowy street"},
    ],
)
def test_other_inputs_are_enough(generator, given):
    wanted = [name for name in ("seg", "text", "boxes", "palette") if name not in given]
    made = generator.generate(given, wanted)
    assert [one.modality for one in made] == wanted


def test_cached_and_uncached_captions_are_the_same(generator, made):
    tokens = made["text"].tokens.tolist()
    model = generator.model
    start = generator._decoders.text_tokenizer("caption").special_ids.sentinel(1)
    ids = torch.tensor([[start, *tokens]])
    with torch.no_grad():
        transformer = model.transformer(outputs=["caption"])
        logits = sequence_logits(transformer, encoded_photo(model), "caption", ids)
    assert logits[0, :-1].argmax(-1).tolist() == tokens


def test_a_higher_temperature_writes_other_captions(generator, made):
    config = GenerationConfig(temperature=1.5, seed=3)
    assert generator.generate({"image": photo()}, ["text"], config)[0].text != made["text"].text


def test_words_are_not_filled_in(generator):
    with pytest.raises(fourm.BadInput, match="does not complete text"):
        generator.generate({"text": "two [S_1] in the snow"}, [])

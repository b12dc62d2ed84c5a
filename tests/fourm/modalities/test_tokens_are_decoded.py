"""Decoded values have the form of inputs, and can be given to the model again."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import fourm
from fourm import DiffusionConfig
from fourm.errors import BadInput, ConfigError, UnknownModality
from fourm.modalities import MODALITIES
from fourm.modalities.boxes import Box
from fourm.modalities.metadata import KEYS, metadata_text, parse_writable_metadata
from fourm.modalities.poses import People, Person
from fourm.modalities.sam import Mask
from fourm.tokenizers.loading import build_tokenizer, load_tokenizer
from fourm.tokenizers.wordpiece import TextTokenizer
from tests.fourm.recorded import assert_close, model_folder, recorded
from tests.fourm.small_shelf import CONFIGS, WIDTH, small_shelf, small_words

RNG = np.random.default_rng(0)
DISC = np.hypot(*np.mgrid[-50:50, -80:80]) < 30
PERSON = Person(
    (20, 10, 90, 95), (1, 2, 3, 4, 5, 6, 700, 1023), (1, 0, 0) * 3, (0, 0, 5), (0,) * 10
)
FAST = DiffusionConfig(steps=2)
VALUES = {
    "text": "a dog running on the beach",
    "depth": RNG.random((40, 60)),
    "normals": Image.fromarray(RNG.integers(0, 256, (50, 40, 3), np.uint8)),
    "edges": Image.fromarray(RNG.integers(0, 256, (50, 40), np.uint8)),
    "sam_edges": Image.fromarray(RNG.integers(0, 256, (50, 40), np.uint8)),
    "image_tokens": Image.fromarray(RNG.integers(0, 256, (50, 40, 3), np.uint8)),
    "seg": np.full((40, 40), 184),
    "boxes": [Box(0.1, 0.2, 0.4, 0.9, "person"), Box(0.5, 0.5, 0.6, 0.6, "sports ball")],
    "palette": [(30, 144, 255), (255, 255, 255)],
    "metadata": {"brightness": 200, "n_humans": 3, "aesthetic_score": 7, "original_width": 640},
    "sam": [Mask(DISC), Mask(np.roll(DISC, 40, axis=1), (115, 50))],
    "poses": People((160, 100), (PERSON,), (None,)),
    "clip_features": RNG.standard_normal((WIDTH, 2, 2)),
    "dinov2_features": RNG.standard_normal((WIDTH, 2, 2)),
    "imagebind_features": RNG.standard_normal((WIDTH, 2, 2)),
    "dinov2_embedding": RNG.standard_normal(WIDTH),
    "imagebind_embedding": RNG.standard_normal(WIDTH),
}
SHAPES = {
    "depth": ((32, 32), np.float32),
    "normals": ((32, 32, 3), np.uint8),
    "edges": ((32, 32), np.uint8),
    "sam_edges": ((32, 32), np.uint8),
    "image_tokens": ((32, 32, 3), np.uint8),
    "seg": ((32, 32), np.uint8),
    "clip_features": ((WIDTH, 2, 2), np.float32),
    "dinov2_features": ((WIDTH, 2, 2), np.float32),
    "imagebind_features": ((WIDTH, 2, 2), np.float32),
    "dinov2_embedding": ((WIDTH,), np.float32),
    "imagebind_embedding": ((WIDTH,), np.float32),
}


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    folder = small_shelf(tmp_path_factory.mktemp("shelf"))
    return fourm.Generator(fourm.load_model(folder, device="cpu", dtype="float32"))


@pytest.fixture(scope="module")
def text_tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "words.json"
    small_words().save(str(path))
    return TextTokenizer(path)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


def decoder_of(name, tokenizer=None, text_tokenizer=None):
    """The decoder of a modality, from loaded parts."""
    parts = {"tokenizer": tokenizer, "text_tokenizer": text_tokenizer}
    return MODALITIES[name].decoder({part: one for part, one in parts.items() if one is not None})


def again(modality, value):
    """As a user would give it: images as PIL images, not arrays of three axes."""
    return Image.fromarray(value) if modality in ("normals", "image_tokens") else value


@pytest.mark.parametrize("modality", VALUES)
def test_an_input_is_decoded_and_can_be_given_again(generator, modality):
    (decoded,) = generator.decode_inputs({modality: VALUES[modality]}, FAST)
    assert decoded.modality == modality
    if modality in SHAPES:
        assert (decoded.value.shape, decoded.value.dtype) == SHAPES[modality]
    if modality == "sam" and not decoded.value:
        return  # random weights may paste nothing at all
    (twice,) = generator.decode_inputs({modality: again(modality, decoded.value)}, FAST)
    if (
        "text_tokenizer" in MODALITIES[modality].codec().needs and modality != "sam"
    ):  # whose masks change on their way through tokens
        assert twice.text == decoded.text


def test_pixels_and_embeddings_of_texts_are_not_tokens(generator):
    assert generator.decode_inputs({"image": Image.new("RGB", (9, 9)), "t5": np.ones((2, 8))}) == []


def test_boxes_are_those_that_were_given(generator):
    (decoded,) = generator.decode_inputs({"boxes": VALUES["boxes"]})
    for box, given_box in zip(decoded.value, VALUES["boxes"], strict=True):
        assert box.name == given_box.name
        for edge in ("xmin", "ymin", "xmax", "ymax"):
            assert getattr(box, edge) == pytest.approx(getattr(given_box, edge), abs=1 / 999)


def test_palettes_texts_and_people_are_those_that_were_given(generator):
    inputs = {modality: VALUES[modality] for modality in ("text", "palette", "poses")}
    text, palette, poses = generator.decode_inputs(inputs)
    assert text.value == VALUES["text"]
    assert palette.value == VALUES["palette"]
    (person,) = poses.value.people
    assert person.pose == PERSON.pose
    assert person.box == pytest.approx([20 / 160 * 224, 22.4, 90 / 160 * 224, 95 * 2.24], abs=0.2)
    assert poses.rotations.shape == (1, 23, 3, 3)


@pytest.mark.parametrize("name", KEYS)
def test_every_written_number_has_a_value_that_is_written_the_same(name):
    key = KEYS[name]
    highest = {"binned": 49, "steps": len(key.thresholds)}.get(key.scale, 999)
    for number in range(highest + 1):
        value = key.value_of(number)
        assert key.low <= value <= key.high
        assert key.encode(value) == number
    assert key.low <= key.value_of(999) <= key.high
    written = metadata_text({name: key.value_of(1)})
    assert parse_writable_metadata(written) == {name: key.value_of(1)}


def test_masks_are_pasted_into_their_boxes(text_tokenizer):
    tokenizer = build_tokenizer(CONFIGS["sam_instance"]).eval()
    codes = " ".join(["v0=1"] * 16)
    text = f"point v0=50 v1=40 polygon v0=30 v1=41 v2=69 v3=140 {codes} point v0=0 v1=0 none"
    text += f" point v0=60 v1=40 polygon v0=30 v1=41 v2=69 v3=140 {codes}"
    decoded = decoder_of("sam", tokenizer, text_tokenizer).decode(text_tokenizer.encode(text), FAST)
    with torch.no_grad():
        logits = tokenizer.decode_tokens(torch.ones(1, 16, dtype=torch.int64))[0, 0]
    part = Image.fromarray((logits > 0).byte().numpy()).resize((40, 100), Image.Resampling.NEAREST)
    (mask,) = decoded.value
    assert mask.pixels.shape == (224, 224)
    np.testing.assert_array_equal(mask.pixels[41:141, 30:70], np.array(part))
    assert mask.pixels.sum() == np.array(part).sum()
    assert mask.point is None or mask.pixels[int(mask.point[1]), int(mask.point[0])]


def test_an_object_that_the_square_cuts_off_is_pasted(text_tokenizer):
    tokenizer = build_tokenizer(CONFIGS["sam_instance"]).eval()
    codes = " ".join(["v0=1"] * 16)
    text = f"point v0=223 v1=200 polygon v0=200 v1=190 v2=224 v3=224 {codes}"
    text += f" point v0=1 v1=1 polygon v0=224 v1=0 v2=224 v3=9 {codes}"
    decoded = decoder_of("sam", tokenizer, text_tokenizer).decode(text_tokenizer.encode(text), FAST)
    with torch.no_grad():
        logits = tokenizer.decode_tokens(torch.ones(1, 16, dtype=torch.int64))[0, 0]
    part = Image.fromarray((logits > 0).byte().numpy()).resize((24, 34), Image.Resampling.NEAREST)
    (mask,) = decoded.value
    np.testing.assert_array_equal(mask.pixels[190:, 200:], np.array(part))
    assert mask.pixels.sum() == np.array(part).sum()


def test_malformed_text_is_skipped(text_tokenizer):
    text = "v0=5 v1=5 v2=9 v3=9 person v0=9 v1=9 v2=5 v3=5 dog v0=1 v1=1 v2=7 v3=7 grass v0=3"
    boxes = decoder_of("boxes", None, text_tokenizer).decode(text_tokenizer.encode(text), FAST)
    assert [box.name for box in boxes.value] == ["person"]
    assert boxes.text.split()[-1] == "v0=3"


def test_a_text_ends_at_its_end_token(text_tokenizer):
    first, second = (text_tokenizer.encode(text) for text in ("[S_1] a dog", "on grass [S_2]"))
    ids = [*first, text_tokenizer.end, *second, text_tokenizer.pad]
    assert decoder_of("text", None, text_tokenizer).decode(ids, FAST).value == "a dog"


@pytest.mark.parametrize("modality", ["text", "boxes", "palette", "metadata", "poses", "sam"])
@settings(deadline=None)  # the first call loads what all share
@given(data=st.data())
def test_no_sequence_of_tokens_breaks_a_decoder(modality, data):
    decoder = _written_decoder(modality)
    ids = st.integers(0, decoder.text_tokenizer.size - 1)
    likely = st.sampled_from(
        decoder.text_tokenizer.encode("human pose global camera shape point polygon")
    )
    tokens = data.draw(st.lists(st.one_of(ids, likely), max_size=60))
    decoded = decoder.decode(tokens, FAST)
    if modality == "metadata" and decoded.value:
        assert parse_writable_metadata(metadata_text(decoded.value)) == pytest.approx(decoded.value)


@cache
def _written_decoder(modality):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text_tokenizer.json"
        small_words().save(str(path))
        text_tokenizer = TextTokenizer(path)
    name = {"poses": "human_poses", "sam": "sam_instance"}.get(modality)
    tokenizer = build_tokenizer(CONFIGS[name]).eval() if name else None
    return decoder_of(modality, tokenizer, text_tokenizer)


class TestRecordedTokenizers:
    """What the reference decoded from the same tokens, in the form of the modality."""

    def test_segmentation_maps(self, scratch):
        from fourm.modalities.seg import ids_of_labels

        stored = recorded("tok/vq_semseg_nano.safetensors")
        tokenizer = load_tokenizer(model_folder("vq_semseg_nano", scratch))
        decoder = decoder_of("seg", tokenizer)
        for row, labels in zip(stored["tokens"], stored["labels"], strict=True):
            decoded = decoder.decode(row.flatten().tolist(), FAST)
            np.testing.assert_array_equal(decoded.value, ids_of_labels(labels.numpy()))

    @pytest.mark.parametrize("modality", ["dinov2_embedding", "imagebind_embedding"])
    def test_embeddings_are_not_normalised(self, scratch, modality):
        name = f"vq_{modality.removesuffix('_embedding')}_global_nano"
        stored = recorded(f"tok/{name}.safetensors")
        decoder = decoder_of(modality, load_tokenizer(model_folder(name, scratch), encode=False))
        for row, vector in zip(stored["tokens"], stored["decoded"], strict=True):
            decoded = decoder.decode(row.flatten().tolist(), FAST)
            assert_close(torch.from_numpy(decoded.value), vector.flatten())

    def test_poses_are_rotations_of_23_joints(self, scratch, text_tokenizer):
        stored = recorded("tok/vq_human_poses_nano.safetensors")
        tokenizer = load_tokenizer(model_folder("vq_human_poses_nano", scratch))
        decoder = decoder_of("poses", tokenizer, text_tokenizer)
        turned = decoder.parts(stored["tokens_raw"].flatten(1).tolist())
        assert_close(torch.from_numpy(turned), stored["decoded"].flatten(1))

    def test_images_from_minus_one_to_one_become_bytes(self, scratch):
        stored = recorded("tok/divae_rgb_nano.safetensors")
        tokenizer = load_tokenizer(model_folder("divae_rgb_nano", scratch))
        decoder = decoder_of("image_tokens", tokenizer)
        row = stored["tokens"][0].flatten()
        with torch.no_grad():
            noise = torch.Generator().manual_seed(5)
            want = tokenizer.decode_tokens(row[None], 64, 3, noise)[0]
        got = decoder.decode(row.tolist(), DiffusionConfig(steps=3, size=64, seed=5)).value
        bytes_ = ((want / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(got, bytes_.astype(np.uint8))


@pytest.mark.parametrize(
    ("modality", "tokenizer"),
    [
        ("depth", "tok_rgb@224"),
        ("image_tokens", "tok_depth@224"),
        ("seg", "tok_rgb@224"),
        ("edges", "tok_semseg@224"),
        ("dinov2_embedding", "tok_dinov2@224"),
        ("dinov2_features", "tok_dinov2_global"),
        ("sam", "human_poses"),
        ("poses", "sam_instance"),
    ],
)
def test_the_tokenizer_of_another_modality_is_refused(text_tokenizer, modality, tokenizer):
    with pytest.raises(ConfigError, match=modality):
        decoder_of(modality, build_tokenizer(CONFIGS[tokenizer]), text_tokenizer)


def test_a_decoder_needs_its_parts(text_tokenizer):
    for modality in ("image", "t5"):
        assert MODALITIES[modality].codec().decoder is None
        with pytest.raises(UnknownModality, match=modality):
            decoder_of(modality, None, text_tokenizer)
    with pytest.raises(UnknownModality, match="sam"):
        decoder_of("sam", None, text_tokenizer)


@pytest.mark.parametrize("tokens", [[0, 1, 2], [0, 1, 2, 99], [[0, 1], [2, 3]], [0.5] * 4])
def test_tokens_that_do_not_fit_are_refused(tokens):
    decoder = decoder_of("seg", build_tokenizer(CONFIGS["tok_semseg@224"]))
    with pytest.raises(BadInput):
        decoder.decode(tokens, FAST)

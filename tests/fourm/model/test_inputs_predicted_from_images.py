"""`Model.prepare(..., predict=...)`: inputs that the model itself predicts from an image."""

import numpy as np
import pytest
import torch

import fourm
from fourm import TokenIds
from fourm.model.predicted_inputs import Prediction, with_predicted_inputs
from fourm.tokenizers.wordpiece import SpecialIds
from tests.fourm.model.test_models_embed import layout, make_photo
from tests.fourm.model.test_several_spaces_come_from_one_pass import counted
from tests.fourm.three_spaces import SPACES, make_three_spaces
from tests.fourm.tiny_model import make_tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_three_spaces(tmp_path_factory.mktemp("bundle") / "three")


@pytest.fixture(scope="module")
def model(folder):
    return fourm.load_model(folder, device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def fm(folder):
    from fourm.transformer import load_fm

    return load_fm(folder / "model")


def encoded(model, fm, photo):
    content = model.prepare({"image": photo}).contents["image"]
    return fm.encode({"rgb@224": model._readers["image"].batch([content], torch.device("cpu"))})


def predicted(model, photo, names):
    """The tokens of the first pass, as the second is given them."""
    sample = model.prepare({"image": photo}, predict=names)
    domains = {name: model._network.modalities[name] for name in names}
    prediction = Prediction(domains, lambda modality: SpecialIds(), lambda modality, ids: None)
    with torch.no_grad():
        (whole,) = with_predicted_inputs(model._network, [sample], prediction)
    return {modality: content.ids.tolist() for modality, content in whole.contents.items()}


def test_what_can_be_predicted(model):
    """Both ways of the model, and no tokenizer needed: it reads no depth maps and no boxes."""
    assert model.inputs == ("image", "text", "seg")
    assert model.predictable == ("seg", "depth", "boxes")


def test_maps_are_the_likeliest_tokens(model, fm):
    from fourm.generation import choose

    with torch.no_grad():
        seen = encoded(model, fm, make_photo(2))
        expected = {
            modality: choose(fm.decode_logits(seen, name)).tokens[0].tolist()
            for modality, name in (("seg", "tok_semseg@224"), ("depth", "tok_depth@224"))
        }
    assert predicted(model, make_photo(2), ["depth", "seg"]) == expected


def test_texts_are_the_likeliest_next_tokens(model, fm):
    """Compared with decoding the whole prefix for each."""
    from fourm.transformer import sequence_logits

    ids, special = [5], range(4, 204)
    with torch.no_grad():
        seen = encoded(model, fm, make_photo(2))
        while len(ids) < 12:
            latest = sequence_logits(fm, seen, "det", torch.tensor([ids]))[0, -1].argmax().item()
            if latest == 3 or latest in special:
                break
            ids.append(latest)
    assert predicted(model, make_photo(2), ["boxes"]) == {"boxes": [*ids[1:], 3]}


def test_the_second_pass_is_given_the_tokens_and_not_the_image(model):
    photo = make_photo(2)
    tokens = predicted(model, photo, ["seg", "depth", "boxes"])
    given = {modality: TokenIds(np.array(ids)) for modality, ids in tokens.items()}
    for names in (["seg"], ["depth", "boxes"], ["seg", "depth", "boxes"]):
        chained = model.prepare({"image": photo, "text": "snow"}, predict=names)
        direct = model.prepare(
            {"text": "snow", **{modality: given[modality] for modality in names}}
        )
        vectors = model.embed_spaces([chained, direct], spaces=SPACES)
        for name in SPACES:
            np.testing.assert_allclose(*vectors[name], atol=1e-5)
    whole = model.embed([model.prepare({"image": photo, "text": "snow"}), direct])
    assert np.abs(np.diff(whole, axis=0)).max() > 1e-2


def test_a_map_that_is_given_as_tokens_is_what_its_reader_would_make_of_it(model):
    content = model.prepare({"seg": layout(1)}).contents["seg"]
    ids = model._readers["seg"].batch([content], torch.device("cpu")).content[0].numpy()
    samples = [{"seg": layout(1)}, {"seg": TokenIds(ids)}, {"seg": layout(2)}]
    vectors = model.embed([model.prepare(sample) for sample in samples])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)
    assert np.abs(vectors[0] - vectors[2]).max() > 1e-3


def test_a_batch_equals_each_alone(model):
    asked = [
        ({"image": make_photo(0)}, ["seg"]),
        ({"image": make_photo(1)}, ["boxes"]),
        ({"image": make_photo(1), "text": "sea"}, ["boxes"]),
        ({"image": make_photo(2)}, ["depth", "boxes"]),
        ({"text": "sea"}, []),
        ({"image": make_photo(2)}, ()),
        ({"image": make_photo(3)}, ["boxes"]),
    ]
    prepared = [model.prepare(inputs, predict=names) for inputs, names in asked]
    together = model.embed(prepared)
    apart = np.stack([model.embed([one])[0] for one in prepared])
    np.testing.assert_allclose(together, apart, atol=2e-4)


def test_one_pass_for_all_modalities_of_an_image(model, monkeypatch):
    photo = make_photo(0)
    sample = model.prepare({"image": photo}, predict=["seg", "depth"])
    fused = model.fuse([(sample, 1), (model.prepare({"text": "sea"}), -0.5)])
    counts = counted(monkeypatch, "encode", "decode")
    model.embed([sample])
    assert counts == {"encode": 2, "decode": 2}
    monkeypatch.undo()
    counts = counted(monkeypatch, "encode", "decode")
    vectors = model.embed([fused, sample])
    assert counts["encode"] == 3  # the photo, its parts, the words
    np.testing.assert_allclose(vectors[1], model.embed([sample])[0], atol=1e-5)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


@pytest.mark.parametrize(
    ("inputs", "names", "error", "words"),
    [
        ({"image": make_photo()}, ["smell"], fourm.UnknownModality, "only seg, depth, boxes"),
        ({"image": make_photo()}, ["image"], fourm.UnknownModality, "only seg, depth, boxes"),
        ({"image": make_photo()}, ["text"], fourm.UnknownModality, "cannot predict 'text'"),
        ({"image": make_photo()}, ["dinov2_embedding"], fourm.UnknownModality, "cannot predict"),
        ({"text": "sea"}, ["seg"], fourm.BadInput, "give one"),
        ({"image": make_photo(), "seg": layout()}, ["seg"], fourm.BadInput, "leave one out"),
        ({}, ["seg"], fourm.BadInput, "at least one input"),
        ({"image": "photo.jpg"}, ["seg"], fourm.BadInput, "PIL image"),
    ],
)
def test_what_cannot_be_predicted(model, inputs, names, error, words):
    with pytest.raises(error, match=words):
        model.prepare(inputs, predict=names)


@pytest.mark.parametrize(
    ("modality", "ids", "words"),
    [
        ("seg", np.zeros(15, int), "takes 16 integer ids"),
        ("seg", np.zeros((4, 4), int), "takes 16 integer ids"),
        ("seg", np.zeros(16), "takes 16 integer ids"),
        ("seg", np.full(16, 32), "0 to 31"),
        ("seg", np.full(16, -1), "0 to 31"),
        ("boxes", np.zeros(0, int), "1 to 512 integer ids"),
        ("boxes", np.zeros(513, int), "1 to 512 integer ids"),
        ("text", np.zeros(3, int), "not made of tokens"),
        ("image", np.zeros(16, int), "not made of tokens"),
    ],
)
def test_invalid_tokens(model, modality, ids, words):
    with pytest.raises(fourm.BadInput, match=words):
        model.prepare({modality: TokenIds(ids)})


def test_models_that_predict_no_input(tmp_path):
    model = fourm.load_model(make_tiny_model(tmp_path / "tiny"), device="cpu")
    assert model.predictable == ()
    with pytest.raises(fourm.UnknownModality, match="predicts nothing"):
        model.prepare({"image": make_photo()}, predict=["seg"])

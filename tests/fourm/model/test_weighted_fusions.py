"""`Model.fuse`: several samples as one vector, guided or late (4M-21 reference, sec. 4.4)."""

import json

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fourm
from fourm import WeightedFusion
from tests.fourm.model.test_models_embed import layout, make_photo
from tests.fourm.three_spaces import SPACES, make_three_spaces
from tests.fourm.tiny_model import make_tiny_model

QUERIES = {
    "photo": {"image": make_photo(0)},
    "words": {"text": "two dogs"},
    "more": {"text": "sea at sunset"},
    "map": {"seg": layout(0)},
    "pair": {"image": make_photo(1), "text": "snow"},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = make_three_spaces(tmp_path_factory.mktemp("bundle") / "three")
    return fourm.load_model(folder, device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def parts(model):
    return {name: model.prepare(inputs) for name, inputs in QUERIES.items()}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A model whose space reads an image at the register token, and in a pass of its own."""
    folder = make_tiny_model(tmp_path_factory.mktemp("bundle") / "tiny")
    path = folder / "bundle.json"
    bundle = json.loads(path.read_text())
    bundle["spaces"]["dinov2"]["image_share"] = 0.5
    path.write_text(json.dumps(bundle))
    return fourm.load_model(folder, device="cpu", dtype="float32")


def unit(vector):
    return vector / np.linalg.norm(vector)


def alone(model, *samples, space=None):
    return model.embed([model.prepare(sample) for sample in samples], space=space)


class TestGuided:
    @pytest.mark.parametrize("space", ["dinov2", "clip"])
    @pytest.mark.parametrize(
        "weights", [(2.0, 0.5, 1.0), (1.0, -0.5, 0.0), (-1.0, -2.0, -0.25), (40.0, 1.0, 1.0)]
    )
    def test_is_what_the_sampler_generates(self, model, parts, weights, space):
        from fourm.generation import Sampler, Step

        chosen = [parts[name] for name in ("photo", "words", "pair")]
        target = model.manifest.spaces[space].modality
        network = model._network
        sampler = Sampler(network.model([*network.config.domains_in][:3], [target]))
        conditions = []
        for sample in chosen:
            readers = {
                network.modalities[modality]: model._readers[modality]
                for modality in sample.contents
            }
            contents = sample.contents.values()
            inputs = {
                name: reader.batch([content], torch.device("cpu"))
                for (name, reader), content in zip(readers.items(), contents, strict=True)
            }
            conditions.append({name: sampler.given(name, *one) for name, one in inputs.items()})
        places = network.config.modalities[target].max_tokens
        steps = [Step(target, "roar", places, 0.0, weights)]
        tokens = sampler.generate_weighted(conditions, steps, seed=3)[target].content
        decoder = model._spaces[space].decoder
        with torch.no_grad():
            expected = decoder._units(decoder._decode(tokens))[0]
        fused = model.fuse(list(zip(chosen, weights, strict=True)))
        np.testing.assert_allclose(model.embed([fused], space=space)[0], expected, atol=2e-4)

    def test_one_part_of_weight_one_is_that_part(self, model, shared, parts):
        for name, part in parts.items():
            fused = model.fuse([(part, 1.0), (parts["map"], 0.0)])
            np.testing.assert_allclose(model.embed([fused, part])[0], model.embed([part])[0])
            part = shared.prepare(QUERIES[name])
            vectors = shared.embed([shared.fuse([(part, 1)]), part])
            np.testing.assert_allclose(*vectors, atol=1e-6)

    def test_a_negative_weight_lowers_the_similarity(self):
        """A trained model."""
        mini = fourm.load_model("mini", device="cpu", dtype="float32")
        dogs, grass = (
            mini.prepare({"text": text}) for text in ("two dogs running on the grass", "grass")
        )
        away = [mini.fuse([(dogs, 1), (grass, -weight)]) for weight in (0, 0.25, 0.5, 1)]
        closeness = mini.embed(away) @ mini.embed([dogs, grass]).T
        assert np.all(np.diff(closeness[:, 1]) < -0.05)
        assert np.all(closeness[:3, 0] > closeness[:3, 1] + 0.3)
        strong = [mini.fuse([(dogs, weight)]) for weight in (2, 1000)]
        np.testing.assert_allclose(np.linalg.norm(mini.embed(strong), axis=1), 1, atol=1e-5)

    def test_fusions_and_samples_share_a_batch(self, model, parts):
        guided = model.fuse([(parts["photo"], 1.5), (parts["words"], 0.5)])
        late = model.fuse([(parts["photo"], 1), (parts["more"], -0.5)], method="late")
        batch = [parts["words"], guided, parts["photo"], late, guided]
        together = model.embed_spaces(batch, spaces=SPACES)
        for name in SPACES:
            apart = np.stack([model.embed([one], space=name)[0] for one in batch])
            np.testing.assert_allclose(together[name], apart, atol=2e-4)
            np.testing.assert_array_equal(together[name][1], together[name][4])

    def test_each_part_is_encoded_once_for_all_spaces(self, model, parts, monkeypatch):
        from tests.fourm.model.test_several_spaces_come_from_one_pass import counted

        fusions = [
            model.fuse([(parts["photo"], weight), (parts["words"], 1.0)]) for weight in (1, 2, 3)
        ]
        counts = counted(monkeypatch, "encode")
        model.embed_spaces(fusions, spaces=SPACES)
        assert counts == {"encode": 2}

    def test_seeds_sample_from_the_guided_logits(self, model, parts):
        fused = model.fuse([(parts["photo"], 1.5), (parts["words"], 0.5)])
        once, more = (model.embed([fused], seeds=seeds)[0] for seeds in (1, 6))
        assert abs(np.linalg.norm(more) - 1) < 1e-5
        assert np.abs(once - more).max() > 1e-3


class TestImagesReadInAPassOfTheirOwn:
    def test_an_image_is_added_to_what_the_others_guide(self, shared):
        photo, words, sea = (shared.prepare(QUERIES[name]) for name in ("photo", "words", "more"))
        guided = [(words, 1.0), (sea, -0.5)]
        fused = shared.fuse([(photo, 0.5), *guided])
        mean = 0.5 * shared.embed([photo])[0] + shared.embed([shared.fuse(guided)])[0]
        np.testing.assert_allclose(shared.embed([fused])[0], unit(mean), atol=1e-5)

    def test_a_negative_part_alone_does_not_flip_the_others(self, shared):
        photo, words = (shared.prepare(QUERIES[name]) for name in ("photo", "words"))
        away = shared.embed([shared.fuse([(words, -2.0)])])[0]
        mean = shared.embed([photo])[0] + 2 * away
        fused = shared.fuse([(photo, 1), (words, -2.0)])
        np.testing.assert_allclose(shared.embed([fused])[0], unit(mean), atol=1e-5)

    def test_a_part_with_an_image_and_a_text_is_embedded_as_if_alone(self, shared):
        pair, words = shared.prepare(QUERIES["pair"]), shared.prepare(QUERIES["more"])
        mean = 2 * shared.embed([pair])[0] + shared.embed([words])[0]
        fused = shared.fuse([(pair, 2), (words, 1)])
        np.testing.assert_allclose(shared.embed([fused])[0], unit(mean), atol=1e-5)

    def test_a_negative_weight_of_an_image_alone(self, shared):
        photo = shared.prepare(QUERIES["photo"])
        vectors = shared.embed([photo, shared.fuse([(photo, -3)])])
        np.testing.assert_allclose(vectors[0], -vectors[1], atol=1e-6)


class TestLate:
    def test_is_the_sum_of_unit_vectors(self, model, parts):
        fused = model.fuse(
            [(parts["photo"], 1), (parts["words"], -0.25), (parts["map"], 2)], "late"
        )
        for space in SPACES:
            photo, words, seg = alone(
                model, QUERIES["photo"], QUERIES["words"], QUERIES["map"], space=space
            )
            expected = unit(photo - 0.25 * words + 2 * seg)
            np.testing.assert_allclose(model.embed([fused], space=space)[0], expected, atol=1e-5)

    def test_a_negative_weight_subtracts(self, shared):
        towards, from_ = shared.prepare({"seg": layout(3)}), shared.prepare({"text": "dog"})
        fusions = [shared.fuse([(towards, 1), (from_, -w)], "late") for w in (0, 0.5, 1, 2)]
        closeness = shared.embed(fusions) @ shared.embed([from_])[0]
        assert np.all(np.diff(closeness) < 0)


class TestBadInput:
    @pytest.mark.parametrize(
        ("weights", "words"),
        [
            ([], "at least one part"),
            ([0.0, 0], "all 0"),
            ([float("nan")], "must lie between"),
            ([float("inf")], "must lie between"),
            ([-1001.0], "must lie between"),
            (["2"], "number"),
            ([True], "number"),
            ([None], "number"),
        ],
    )
    @pytest.mark.parametrize("method", ["guided", "late"])
    def test_weights(self, model, parts, weights, words, method):
        with pytest.raises(fourm.BadInput, match=words):
            model.fuse([(parts["words"], weight) for weight in weights], method)

    def test_invalid_parts_and_methods(self, model, parts):
        inner = model.fuse([(parts["words"], 1)])
        for wrong in ([(inner, 1)], [("words", 1)], [parts["words"]], 3, [3]):
            with pytest.raises(fourm.BadInput):
                model.fuse(wrong)
        with pytest.raises(fourm.BadInput, match="guided, late"):
            model.fuse([(parts["words"], 1)], method="loud")
        with pytest.raises(fourm.BadInput, match="all 0"):
            WeightedFusion(((parts["words"], 0.0),))

    @pytest.mark.parametrize("method", ["guided", "late"])
    def test_inputs_that_cancel_each_other_out(self, model, shared, parts, method):
        """Whatever is left is rounding: no vector is made of it."""
        for one in (model, shared):
            words = one.prepare(QUERIES["words"])
            again = one.prepare(QUERIES["words"])
            with pytest.raises(fourm.BadInput, match="cancel each other out"):
                one.embed([one.fuse([(words, 0.7), (again, -0.7)], method)])

    def test_images_that_cancel_each_other_out(self, shared):
        photo = shared.prepare(QUERIES["photo"])
        with pytest.raises(fourm.BadInput, match="cancel"):
            shared.embed([shared.fuse([(photo, 1), (photo, -1)])])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    weights=st.lists(st.floats(-1000, 1000), min_size=1, max_size=4),
    method=st.sampled_from(["guided", "late"]),
    soft=st.booleans(),
)
def test_any_weights_give_a_unit_vector_or_a_reason(model, shared, parts, weights, method, soft):
    one = shared if soft else model
    prepared = [one.prepare(QUERIES[name]) for name in ("photo", "words", "map", "pair")]
    try:
        fused = one.fuse(list(zip(prepared, weights, strict=False)), method)
        vectors = one.embed_spaces([fused], spaces=tuple(one.spaces))
    except fourm.BadInput as error:
        assert "all 0" in str(error) or "cancel" in str(error)
        return
    for vector in vectors.values():
        assert np.isfinite(vector).all()
        assert abs(np.linalg.norm(vector) - 1) < 1e-4

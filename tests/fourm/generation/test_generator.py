"""Whole generations: any modalities to any others, with a small model that has all of them."""

import numpy as np
import pytest
import torch
from PIL import Image

import fourm
from fourm import DiffusionConfig, GenerationConfig
from fourm.generation import Sampler, TargetSchedule, build_schedule
from fourm.generation.states import inpainting_mask
from fourm.modalities import MODALITIES, generation_defaults, generation_order
from fourm.modalities.boxes import Box
from fourm.tokenizers.wordpiece import TextTokenizer
from fourm.transformer import load_fm
from tests.fourm.small_shelf import small_shelf

IMAGE = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8))
FAST = DiffusionConfig(steps=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def model(folder):
    return fourm.load_model(folder, device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def generator(model):
    return fourm.Generator(model)


def run(generator, inputs, to, **choices):
    inpaint = choices.pop("inpaint", ())
    config = GenerationConfig(diffusion=FAST, **choices)
    return generator.generate(inputs, to, config, inpaint=inpaint)


def tokens_of(decoded):
    return {one.modality: one.tokens.tolist() for one in decoded}


def test_everything_but_pixels_and_t5_is_predicted(generator):
    assert set(generator.outputs) == set(MODALITIES) - {"image", "t5"}
    assert set(generation_order()) == set(generator.outputs)


def test_each_modality_is_conditioned_on_those_before_it(folder, model, generator):
    """The chain is that of the sampler with the same seed, written out."""
    made = run(generator, {"image": IMAGE}, ["seg", "depth"], steps=2, guidance=1.5, seed=4)
    names = ["tok_semseg@224", "tok_depth@224"]
    sampler = Sampler(load_fm(folder, ["rgb@224", *names], names))
    content = model.readers["image"].batch(
        [model.prepare({"image": IMAGE}).contents["image"]], torch.device("cpu")
    )
    targets = [TargetSchedule(name, 4, "roar", 2, temperature=0.01, guidance=1.5) for name in names]
    sample = sampler.generate(
        {"rgb@224": sampler.given("rgb@224", content.content)},
        build_schedule(targets, ["rgb@224"]),
        seed=4,
        top_p=0.8,
    )
    for one, name in zip(made, names, strict=True):
        assert one.tokens.tolist() == sample[name].content[0].tolist()


def test_modalities_are_generated_in_the_order_of_the_arguments(generator):
    finished = []
    config = GenerationConfig(diffusion=FAST)
    modalities = list(generator.outputs)
    made = generator.generate({"image": IMAGE}, modalities, config, finished=finished.append)
    assert [one.modality for one in made] == modalities
    assert finished == made


def test_diffusion_decoders_show_a_progress_bar(generator, monkeypatch):
    from fourm.tokenizers.diffusion import divae

    bars = []

    class Recorded(divae.tqdm):
        def __init__(self, **options):
            super().__init__(**options)
            self.moved = 0
            bars.append((options["desc"], options["total"], options["disable"], self))

        def update(self, count=1):
            self.moved += count
            return super().update(count)

    monkeypatch.setattr(divae, "tqdm", Recorded)
    options = DiffusionConfig(steps=4)
    for progress in (True, False):
        generator.generate(
            {"text": "a dog"},
            ["depth", "seg"],
            GenerationConfig(diffusion=options),
            progress=progress,
        )
    (shown, silent) = bars
    assert shown[:3] == ("decoding depth", 4, False) and shown[3].moved == 4
    assert silent[2] is True


def test_a_seed_fixes_the_result(generator):
    modalities = ["depth", "dinov2_embedding"]
    first, same, other = (
        run(generator, {"text": "a dog"}, modalities, seed=seed, temperature=2.0)
        for seed in (1, 1, 2)
    )
    assert tokens_of(first) == tokens_of(same) != tokens_of(other)
    np.testing.assert_array_equal(first[0].value, same[0].value)


def test_each_modality_is_reported_as_soon_as_it_is_decoded(generator):
    seen = []

    def stop(decoded):
        seen.append(decoded.modality)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generator.generate(
            {"image": IMAGE}, ["seg", "depth"], GenerationConfig(diffusion=FAST), finished=stop
        )
    assert seen == ["seg"]


class TestInpainting:
    def test_tokens_outside_the_box_are_kept(self, model, generator):
        reader = model.readers["image_tokens"]
        content = model.prepare({"image_tokens": IMAGE}).contents["image_tokens"]
        known = reader.batch([content], model.device).content[0].tolist()
        made = run(
            generator, {"image": IMAGE}, [], inpaint=[(0, 0, 0.5, 0.5)], temperature=9.0, seed=1
        )
        (image,) = made
        assert image.modality == "image_tokens" and image.value.shape == (32, 32, 3)
        assert image.tokens.tolist()[1:] == known[1:]
        warm = {"inpaint": [(0, 0, 0.5, 0.5)], "temperature": 9.0, "top_p": 0.0}
        drawn = [run(generator, {"image": IMAGE}, [], seed=seed, **warm) for seed in range(8)]
        assert len({one.tokens[0] for (one,) in drawn}) > 1

    def test_the_content_of_the_box_is_ignored(self, generator):
        """It is neither an input nor part of the result."""
        modalities = ["depth"]
        boxes = [(0.0, 0.0, 1.0, 1.0)]
        other = Image.new("RGB", (40, 40), "red")
        first = run(generator, {"image": IMAGE, "text": "a dog"}, modalities, inpaint=boxes)
        second = run(generator, {"image": other, "text": "a dog"}, modalities, inpaint=boxes)
        assert tokens_of(first) == tokens_of(second)

    def test_boxes_mask_all_tokens_that_they_overlap(self):
        mask = inpainting_mask([(0.25, 0.0, 0.5, 0.26), (0.9, 0.9, 1, 1)], 4, torch.device("cpu"))
        want = np.zeros((4, 4), bool)
        want[:2, 1] = want[3, 3] = True
        np.testing.assert_array_equal(mask[0].reshape(4, 4).numpy(), want)

    @pytest.mark.parametrize("box", [(0, 0, 0, 1), (0.5, 0, 0.2, 1), (0, 0, 1.1, 1), (-1, 0, 1, 1)])
    def test_invalid_boxes(self, box):
        with pytest.raises(fourm.BadInput, match="within 0 and 1"):
            inpainting_mask([box], 4, torch.device("cpu"))

    def test_inpainting_needs_an_image(self, generator):
        with pytest.raises(fourm.BadInput, match="give one image"):
            run(generator, {"text": "a dog"}, ["depth"], inpaint=[(0, 0, 1, 1)])


class TestInfilling:
    def test_given_words_are_kept(self, generator):
        made = run(generator, {"image": IMAGE, "text": "a [S_1] on the [S_2]"}, ["seg"])
        text, seg = made
        assert (text.modality, seg.modality) == ("text", "seg")
        assert text.value.startswith("a ") and " on the" in text.value
        assert "[S_" not in text.value and "[EOS]" not in text.value

    def test_the_result_is_that_of_the_sampler(self, folder, generator):
        from fourm.generation import masked_spans
        from fourm.hub.official import TEXT_TOKENIZER

        (text,) = run(generator, {"text": "a dog [S_1] grass"}, [], seed=3)
        tokenizer = TextTokenizer(folder.parent / TEXT_TOKENIZER)
        ids = [*tokenizer.encode("a dog [S_1] grass"), tokenizer.end]
        sampler = Sampler(load_fm(folder, ["caption"], ["caption"]), tokenizer.special_ids)
        part = masked_spans([ids], 64, ids=sampler.ids)
        schedule = build_schedule(
            [TargetSchedule("caption", None, "autoregressive", temperature=0.3)]
        )
        done = sampler.generate({"caption": part}, schedule, seed=3, top_p=0.8)["caption"]
        kept = [token for token in done.content[0].tolist() if token != tokenizer.end]
        assert text.tokens.tolist() == kept

    def test_sentinels_must_be_consecutive(self, generator):
        with pytest.raises(fourm.BadInput, match="must be consecutive"):
            run(generator, {"text": "a [S_1] on [S_3]"}, [])


class TestWeights:
    def test_the_result_is_that_of_the_sampler(self, folder, model, generator):
        inputs = {"text": "a dog", "boxes": [Box(0.1, 0.1, 0.5, 0.5, "dog")]}
        made = run(generator, inputs, ["seg", "depth"], weights={"text": 2.0, "seg": -1.0}, steps=1)
        names = ["tok_semseg@224", "tok_depth@224"]
        sampler = Sampler(load_fm(folder, ["caption", "det", *names], names))
        contents = model.prepare(inputs).contents
        conditions = []
        for modality, name in (("text", "caption"), ("boxes", "det")):
            read = model.readers[modality].batch([contents[modality]], model.device)
            conditions.append({name: sampler.given(name, read.content, read.masked)})
        targets = [
            TargetSchedule(
                name,
                4,
                "roar",
                1,
                temperature=3.0,
                temperature_schedule="onex:0.5:0.5",
                guidance=weights,
            )
            for name, weights in zip(names, ([2.0, 1.0], [2.0, 1.0, -1.0]), strict=True)
        ]
        schedule = build_schedule(targets)
        sample = sampler.generate_weighted(conditions, schedule, seed=0, top_p=0.8)
        for one, name in zip(made, names, strict=True):
            assert one.tokens.tolist() == sample[name].content[0].tolist()

    def test_weights_of_modalities_that_are_not_given(self, generator):
        with pytest.raises(fourm.BadInput, match="weight of seg"):
            run(generator, {"text": "a dog"}, ["depth"], weights={"seg": 2.0})

    def test_weights_need_an_input_that_is_given_completely(self, generator):
        with pytest.raises(fourm.BadInput, match="weights need at least one input"):
            run(generator, {"text": "a [S_1]"}, ["depth"], weights={"text": 2.0})


class TestErrors:
    @pytest.mark.parametrize("modality", ["image", "t5", "smell"])
    def test_modalities_that_are_not_predicted(self, generator, modality):
        with pytest.raises(fourm.UnknownModality, match=r"predicts clip_features, dinov2"):
            run(generator, {"text": "a dog"}, [modality])

    def test_mini_refuses_what_it_does_not_predict(self):
        mini = fourm.Generator(fourm.load_model("mini", dtype="float32"))
        assert set(mini.outputs) == {"seg", "edges", "text", "boxes", "palette", "metadata"}
        with pytest.raises(fourm.UnknownModality, match="mini does not predict 'depth'"):
            run(mini, {"image": IMAGE}, ["depth"])

    def test_modalities_that_are_given(self, generator):
        with pytest.raises(fourm.BadInput, match=r"given and cannot be predicted; write \[S_1\]"):
            run(generator, {"text": "a dog"}, ["text"])
        with pytest.raises(fourm.BadInput, match="nothing to generate"):
            run(generator, {"text": "a dog"}, [])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (DiffusionConfig(steps=1001), "between 1 and 1000, got 1001"),
            (DiffusionConfig(size=40), "multiple of 32, got 40"),
            (DiffusionConfig(size=8192), "image size must be <= 4096, got 8192"),
        ],
    )
    def test_invalid_options_of_decoders_before_anything_runs(self, generator, options, message):
        finished = []
        with pytest.raises(fourm.BadInput, match=message):
            generator.generate(
                {"text": "a dog"},
                ["seg", "depth"],
                GenerationConfig(diffusion=options),
                finished=finished.append,
            )
        assert finished == []

    @pytest.mark.parametrize(
        "choice",
        [
            {"steps": 0},
            {"scheme": "autoregressive"},
            {"temperature": -1.0},
            {"temperature": float("nan")},
            {"top_p": 2.0},
            {"top_k": -1},
            {"guidance": float("inf")},
            {"weights": {"text": float("nan")}},
            {"weights": {"text": 1.0}, "guidance": 2.0},
            {"seed": -1},
        ],
        ids=lambda choice: "-".join(choice),
    )
    def test_invalid_options(self, choice):
        with pytest.raises(fourm.BadInput):
            GenerationConfig(**choice)

    def test_a_tokenizer_with_another_codebook(self, tmp_path):
        import json

        folder = small_shelf(tmp_path)
        config = json.loads((folder / "config.json").read_text())
        config["modality_info"]["tok_depth@224"]["vocabulary"] = 17
        (folder / "config.json").write_text(json.dumps(config))
        generator = fourm.Generator(fourm.load_model(folder, device="cpu", dtype="float32"))
        with pytest.raises(
            fourm.ConfigError, match="16 codes, but tok_depth@224 of the model has 17"
        ):
            run(generator, {"text": "a dog"}, ["depth"])


def test_only_needed_embeddings_are_loaded_into_the_transformer_of_the_model(folder, monkeypatch):
    import fourm.transformer

    loaded = []

    def spy(*arguments, **named):
        loaded.append(load_fm(*arguments, **named))
        return loaded[-1]

    monkeypatch.setattr(fourm.transformer, "load_fm", spy)
    model = fourm.load_model(folder, device="cpu", dtype="float32")
    generator = fourm.Generator(model)
    run(generator, {"text": "a dog"}, ["depth"])
    run(generator, {"text": "a cat"}, ["depth"])
    own = model.transformer()
    tables = (set(own.inputs), set(own.outputs))
    assert tables == ({"caption", "tok_depth@224"}, {"tok_depth@224"})
    model.embed([model.prepare({"text": "a dog"})])
    assert loaded == [own]


def test_defaults_of_every_modality():
    for modality in generation_order():
        assert generation_defaults(modality, ["image"]).steps == 1
        assert generation_defaults(modality, ["text"]).steps >= 1
    assert generation_defaults("image_tokens", ["text"]).steps == 25
    assert generation_defaults("text", []).scheme == "autoregressive"

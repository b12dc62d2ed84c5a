"""Whole generations: any kinds in, any kinds out, with a small model that has all of them."""

import numpy as np
import pytest
import torch
from PIL import Image

import fourm
from fourm.generation import Sampler, Settings, TextIds, build_schedule
from fourm.generation.plan import hidden_places
from fourm.generation.schedule import Target
from fourm.modalities import MODALITIES, Quality, generation_defaults, generation_order
from fourm.modalities.boxes import Box
from fourm.tokenizers.wordpiece import TextTokenizer
from fourm.transformer import load_fm
from tests.fourm.small_shelf import small_shelf

PHOTO = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8))
FAST = Quality(steps=2)


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
    hide = choices.pop("hide", ())
    return generator.generate(inputs, to, Settings(quality=FAST, **choices), hide=hide)


def tokens_of(decoded):
    return {one.modality: one.tokens.tolist() for one in decoded}


def test_everything_but_pixels_and_t5_is_predicted(generator):
    assert set(generator.outputs) == set(MODALITIES) - {"image", "t5"}
    assert set(generation_order()) == set(generator.outputs)


def test_each_kind_sees_those_before_it(folder, model, generator):
    """The chain is that of the sampler with the same seed, written out."""
    made = run(generator, {"image": PHOTO}, ["seg", "depth"], steps=2, guidance=1.5, seed=4)
    names = ["tok_semseg@224", "tok_depth@224"]
    sampler = Sampler(load_fm(folder, ["rgb@224", *names], names))
    content = model.readers["image"].batch(
        [model.prepare({"image": PHOTO}).contents["image"]], torch.device("cpu")
    )
    targets = [Target(name, 4, "roar", 2, temperature=0.01, guidance=1.5) for name in names]
    sample = sampler.generate(
        {"rgb@224": sampler.given("rgb@224", content.content)},
        build_schedule(targets, ["rgb@224"]),
        seed=4,
        top_p=0.8,
    )
    for one, name in zip(made, names, strict=True):
        assert one.tokens.tolist() == sample[name].content[0].tolist()


def test_all_kinds_come_out_in_the_order_asked_for(generator):
    finished = []
    settings = Settings(quality=FAST)
    kinds = list(generator.outputs)
    made = generator.generate({"image": PHOTO}, kinds, settings, finished=finished.append)
    assert [one.modality for one in made] == kinds
    assert finished == made


def test_every_pass_of_a_diffusion_decoder_moves_a_bar(generator, monkeypatch):
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
    quality = Quality(steps=4)
    for progress in (True, False):
        generator.generate(
            {"text": "a dog"}, ["depth", "seg"], Settings(quality=quality), progress=progress
        )
    (shown, silent) = bars
    assert shown[:3] == ("decoding depth", 4, False) and shown[3].moved == 4
    assert silent[2] is True


def test_the_seed_decides(generator):
    kinds = ["depth", "dinov2_embedding"]
    first, same, other = (
        run(generator, {"text": "a dog"}, kinds, seed=seed, temperature=2.0) for seed in (1, 1, 2)
    )
    assert tokens_of(first) == tokens_of(same) != tokens_of(other)
    np.testing.assert_array_equal(first[0].value, same[0].value)


def test_what_was_finished_is_handed_on_before_the_next_kind(generator):
    seen = []

    def stop(decoded):
        seen.append(decoded.modality)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generator.generate(
            {"image": PHOTO}, ["seg", "depth"], Settings(quality=FAST), finished=stop
        )
    assert seen == ["seg"]


class TestHiddenParts:
    def test_tokens_outside_the_box_stay(self, model, generator):
        reader = model.readers["image_tokens"]
        content = model.prepare({"image_tokens": PHOTO}).contents["image_tokens"]
        known = reader.batch([content], model.device).content[0].tolist()
        made = run(
            generator, {"image": PHOTO}, [], hide=[(0, 0, 0.5, 0.5)], temperature=9.0, seed=1
        )
        (picture,) = made
        assert picture.modality == "image_tokens" and picture.value.shape == (32, 32, 3)
        assert picture.tokens.tolist()[1:] == known[1:]
        warm = {"hide": [(0, 0, 0.5, 0.5)], "temperature": 9.0, "top_p": 0.0}
        drawn = [run(generator, {"image": PHOTO}, [], seed=seed, **warm) for seed in range(8)]
        assert len({one.tokens[0] for (one,) in drawn}) > 1

    def test_the_hidden_part_does_not_matter(self, generator):
        """What lies in the box is neither seen nor kept."""
        kinds = ["depth"]
        boxes = [(0.0, 0.0, 1.0, 1.0)]
        other = Image.new("RGB", (40, 40), "red")
        first = run(generator, {"image": PHOTO, "text": "a dog"}, kinds, hide=boxes)
        second = run(generator, {"image": other, "text": "a dog"}, kinds, hide=boxes)
        assert tokens_of(first) == tokens_of(second)

    def test_boxes_cover_all_tokens_that_they_touch(self):
        hidden = hidden_places([(0.25, 0.0, 0.5, 0.26), (0.9, 0.9, 1, 1)], 4, torch.device("cpu"))
        want = np.zeros((4, 4), bool)
        want[:2, 1] = want[3, 3] = True
        np.testing.assert_array_equal(hidden[0].reshape(4, 4).numpy(), want)

    @pytest.mark.parametrize("box", [(0, 0, 0, 1), (0.5, 0, 0.2, 1), (0, 0, 1.1, 1), (-1, 0, 1, 1)])
    def test_boxes_that_cannot_be(self, box):
        with pytest.raises(fourm.BadInput, match="within 0 and 1"):
            hidden_places([box], 4, torch.device("cpu"))

    def test_without_a_picture_there_is_nothing_to_hide(self, generator):
        with pytest.raises(fourm.BadInput, match="one picture"):
            run(generator, {"text": "a dog"}, ["depth"], hide=[(0, 0, 1, 1)])


class TestCompletedTexts:
    def test_given_words_stay_where_they_are(self, generator):
        made = run(generator, {"image": PHOTO, "text": "a [S_1] on the [S_2]"}, ["seg"])
        text, seg = made
        assert (text.modality, seg.modality) == ("text", "seg")
        assert text.value.startswith("a ") and " on the" in text.value
        assert "[S_" not in text.value and "[EOS]" not in text.value

    def test_the_sampler_would_say_the_same(self, folder, generator):
        from fourm.generation import hidden_spans
        from fourm.hub.official import WORDS

        (text,) = run(generator, {"text": "a dog [S_1] grass"}, [], seed=3)
        words = TextTokenizer(folder.parent / WORDS)
        ids = [*words.encode("a dog [S_1] grass"), words.end]
        sampler = Sampler(load_fm(folder, ["caption"], ["caption"]), TextIds.of(words))
        part = hidden_spans([ids], 64, ids=sampler.ids)
        schedule = build_schedule([Target("caption", None, "autoregressive", temperature=0.3)])
        done = sampler.generate({"caption": part}, schedule, seed=3, top_p=0.8)["caption"]
        kept = [token for token in done.content[0].tolist() if token != words.end]
        assert text.tokens.tolist() == kept

    def test_sentinels_count_up(self, generator):
        with pytest.raises(fourm.BadInput, match="count up"):
            run(generator, {"text": "a [S_1] on [S_3]"}, [])


class TestWeights:
    def test_equal_to_the_sampler_with_the_same_weights(self, folder, model, generator):
        inputs = {"text": "a dog", "boxes": [Box(0.1, 0.1, 0.5, 0.5, "dog")]}
        made = run(generator, inputs, ["seg", "depth"], weights={"text": 2.0, "seg": -1.0}, steps=1)
        names = ["tok_semseg@224", "tok_depth@224"]
        sampler = Sampler(load_fm(folder, ["caption", "det", *names], names))
        contents = model.prepare(inputs).contents
        conditions = []
        for kind, name in (("text", "caption"), ("boxes", "det")):
            read = model.readers[kind].batch([contents[kind]], model.device)
            conditions.append({name: sampler.given(name, read.content, read.masked)})
        schedule = build_schedule(
            [
                Target(names[0], 4, "roar", 1, temperature=3.0, cooling="onex:0.5:0.5",
                       guidance=[2.0, 1.0]),
                Target(names[1], 4, "roar", 1, temperature=3.0, cooling="onex:0.5:0.5",
                       guidance=[2.0, 1.0, -1.0]),
            ]
        )  # fmt: skip
        sample = sampler.generate_weighted(conditions, schedule, seed=0, top_p=0.8)
        for one, name in zip(made, names, strict=True):
            assert one.tokens.tolist() == sample[name].content[0].tolist()

    def test_of_what_is_not_given(self, generator):
        with pytest.raises(fourm.BadInput, match="weight of seg"):
            run(generator, {"text": "a dog"}, ["depth"], weights={"seg": 2.0})

    def test_need_something_that_guides(self, generator):
        with pytest.raises(fourm.BadInput, match="weights need inputs"):
            run(generator, {"text": "a [S_1]"}, ["depth"], weights={"text": 2.0})


class TestRefused:
    @pytest.mark.parametrize("kind", ["image", "t5", "smell"])
    def test_kinds_that_are_not_predicted_and_those_that_are(self, generator, kind):
        with pytest.raises(fourm.UnknownModality, match=r"predicts clip_features, dinov2"):
            run(generator, {"text": "a dog"}, [kind])

    def test_mini_predicts_one_kind(self):
        mini = fourm.Generator(fourm.load_model("mini", dtype="float32"))
        assert mini.outputs == ("dinov2_embedding",)
        (made,) = run(mini, {"image": PHOTO}, ["dinov2_embedding"])
        assert made.value.shape == (384,) and np.isfinite(made.value).all()
        with pytest.raises(fourm.UnknownModality, match="mini does not predict 'depth'"):
            run(mini, {"image": PHOTO}, ["depth"])

    def test_what_is_given_already(self, generator):
        with pytest.raises(fourm.BadInput, match=r"given already; write \[S_1\]"):
            run(generator, {"text": "a dog"}, ["text"])
        with pytest.raises(fourm.BadInput, match="nothing to generate"):
            run(generator, {"text": "a dog"}, [])

    @pytest.mark.parametrize(
        ("quality", "words"), [(Quality(steps=1001), "1 to 1000"), (Quality(size=40), "of 32")]
    )
    def test_decodings_that_cannot_be_before_anything_runs(self, generator, quality, words):
        finished = []
        with pytest.raises(fourm.BadInput, match=words):
            generator.generate(
                {"text": "a dog"},
                ["seg", "depth"],
                Settings(quality=quality),
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
    def test_numbers_that_cannot_be(self, choice):
        with pytest.raises(fourm.BadInput):
            Settings(**choice)

    def test_a_tokenizer_with_another_codebook(self, tmp_path):
        import json

        folder = small_shelf(tmp_path)
        config = json.loads((folder / "config.json").read_text())
        config["modality_info"]["tok_depth@224"]["vocabulary"] = 17
        (folder / "config.json").write_text(json.dumps(config))
        generator = fourm.Generator(fourm.load_model(folder, device="cpu", dtype="float32"))
        with pytest.raises(fourm.ConfigError, match="16 codes, tok_depth@224 of the model"):
            run(generator, {"text": "a dog"}, ["depth"])


def test_only_the_tables_that_are_needed_are_read_into_the_models_own_transformer(
    folder, monkeypatch
):
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


def test_recipes_know_every_kind():
    for kind in generation_order():
        assert generation_defaults(kind, ["image"]).steps == 1
        assert generation_defaults(kind, ["text"]).steps >= 1
    assert generation_defaults("image_tokens", ["text"]).steps == 25
    assert generation_defaults("text", []).scheme == "autoregressive"

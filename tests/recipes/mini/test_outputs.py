"""The stages that teach mini to generate, up to a model folder that does."""

import json
import random
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from fourm import load_4m
from fourm.generation import Generator
from fourm.modalities.boxes import Box
from fourm.tokenizers.wordpiece import TextTokenizer
from recipes.mini import add_outputs, contexts, decoder, generation, outputs


def lines(photo):
    """A few lines that depend on the photo."""
    drawn = np.zeros((1, outputs.OUT_SIDE, outputs.OUT_SIDE), np.uint8)
    drawn[0, photo[0, :5, 0] // 3, :] = drawn[0, :, photo[0, :5, 1] // 3] = 255
    return drawn


@pytest.fixture(scope="module")
def taught(made, tmp_path_factory):
    """A copy of the model folder with outputs."""
    folder = tmp_path_factory.mktemp("outputs") / "bundle"
    shutil.copytree(made.bundle, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outputs, "outlines", lines)  # noise has none
        outputs.fit_output_tokenizers(made.run, made.data, made.language, steps=2)
    generation.encode_contexts(made.run, made.data, folder)
    generation.teach(made.run, made.data, made.language, steps=3)
    add_outputs.add_outputs(made.run, folder)
    return folder


def test_all_outputs_are_predicted(made, taught):
    generator = Generator(load_4m(taught))
    wanted = set(add_outputs.GENERATION)
    assert set(generator.outputs) == wanted
    with Image.open(made.data.captioned[0].path) as photo:
        found = generator.generate({"image": photo.convert("RGB")}, sorted(wanted))
    assert {one.modality for one in found} == wanted


def test_what_is_read_stays_byte_by_byte(made, taught):
    before = load_file(made.bundle / "model/model.safetensors")
    after = load_file(taught / "model/model.safetensors")
    for name, tensor in before.items():
        if not decoder.is_decoder(name):
            assert torch.equal(tensor, after[name])


def test_targets_are_the_texts_of_the_photo(made, taught):
    tokenizer = TextTokenizer(made.run.path(outputs.WORDS))
    rows = json.loads(made.run.path("outputs/texts.json").read_text())
    assert tokenizer.decode(rows[0]["caption"][0]) == "two dogs on snow"
    assert tokenizer.decode(rows[0]["det"]).endswith(" dog")
    assert len(rows) == len(made.data.captioned)


def test_a_given_modality_is_no_target(made, taught):
    examples = decoder.Examples(made.run, made.data)
    rng = random.Random(0)
    shown = torch.arange(256)
    every = examples.targets("captioned", 0, frozenset({"image"}), shown, rng)
    given = frozenset({"text", "seg", "boxes"})
    others = examples.targets("captioned", 0, given, shown, rng)
    left = {target.name for target in every} - {target.name for target in others}
    assert left == {"caption", outputs.SEG_OUT, "det"}


def test_interrupted_training_resumes_at_its_checkpoint(made, taught, monkeypatch):
    steps = []
    monkeypatch.setattr(decoder, "update_average", lambda *arguments: steps.append(arguments))
    made.run.path("decoder.safetensors").unlink()
    generation.teach(made.run, made.data, made.language, steps=5)
    assert len(steps) == 2


def test_tokens_of_grids_are_drawn_from_the_patches_that_are_shown(made, taught):
    rng = random.Random(1)
    places = torch.zeros(256, 384)
    known = contexts.Contexts(made.run, ["captioned"], places, mixed=True)
    tokens, where, shown = known.read("captioned", 0, frozenset({"image"}), 32, rng)
    assert (len(tokens), len(where), len(shown)) == (33, 33, 32)
    tokens, _, shown = known.read("captioned", 0, frozenset({"text"}), 32, rng)
    assert len(shown) == 256 and len(tokens) < 20


def test_edges_of_boxes_are_coarse_and_boxes_never_empty():
    box = outputs.coarse(Box(0.101, 0.5, 0.102, 1.0, "dog"))
    assert box.xmin < box.xmax and box.ymin < box.ymax
    for edge in (box.xmin, box.ymin, box.xmax, box.ymax):
        assert round(edge * 999) % outputs.EDGE_STEP == 0

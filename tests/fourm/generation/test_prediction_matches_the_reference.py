import json

import pytest
import torch

from fourm.generation import choose, guide, keep_likely, predict, unconditional
from fourm.transformer import load_fm
from fourm.transformer.embeddings import ModalityInput
from tests.fourm.recorded import model_folder, recorded, recorded_path
from tests.fourm.recorded_generation import needs_recorded_draws
from tests.fourm.recorded_inputs import images, inputs_of, metadata, t5_embeddings
from tests.fourm.recorded_text import save_recorded_tokenizer

TOLERANCE = 2e-4
GREEDY = [
    "roar1_rgb_to_dinov2_global",
    "roar1_rgb_to_imagebind_global",
    "roar1_caption_to_imagebind_global",
    "roar1_customtext_to_imagebind_global",
    "roar1_caption_metadata_to_dinov2_global",
    "roar1_rgb_to_tok_clip",
    "roar1_rgb_to_tok_dinov2",
]
SAMPLED = [
    "roar1_rgb_to_dinov2_global_topk1",
    "roar1_rgb_to_dinov2_global_notebook_seed0",
    "roar1_rgb_to_dinov2_global_T1_topk50",
]


def conditions(name):
    about = metadata(name)
    return [c for c in json.loads(about["conds"]) if c != about["target"]], about["target"]


def check_logits(logits, stored, prefix):
    best = logits.gather(-1, stored[f"{prefix}/top5_idx"].long())
    assert (best - stored[f"{prefix}/top5_val"]).abs().max() < TOLERANCE
    assert (logits.logsumexp(-1) - stored[f"{prefix}/lse"]).abs().max() < TOLERANCE
    if f"{prefix}/logits" in stored:
        assert (logits - stored[f"{prefix}/logits"]).abs().max() < TOLERANCE
    if f"{prefix}/logits_strided" in stored:
        strided = stored[f"{prefix}/logits_strided"]
        assert (logits[..., ::16] - strided).abs().max() < TOLERANCE


@pytest.mark.parametrize("case", GREEDY)
@torch.no_grad()
def test_greedy_tokens_and_logits(fm_mod21, case):
    name = f"gen/{case}.safetensors"
    stored = recorded(name)
    names, target = conditions(name)
    result = predict(fm_mod21, inputs_of(stored, names), target)
    check_logits(result.logits, stored, "pass0")
    assert torch.equal(result.tokens, stored[f"out/{target}/tensor"].long())


@pytest.mark.parametrize("case", SAMPLED)
@torch.no_grad()
def test_sampled_tokens_of_the_same_seed(fm_mod21, case):
    name = f"gen/{case}.safetensors"
    stored = recorded(name)
    names, target = conditions(name)
    about = metadata(name)
    top_k = float(about["top_k"])
    result = predict(
        fm_mod21,
        inputs_of(stored, names),
        target,
        "sample",
        temperature=json.loads(about["schedule"])[0]["temperature"],
        top_k=int(top_k) if top_k >= 1 else top_k,
        top_p=float(about["top_p"]),
        seed=int(about["seed"]),
    )
    check_logits(result.logits, stored, "pass0")
    needs_recorded_draws()
    assert torch.equal(result.tokens, stored[f"out/{target}/tensor"].long())


@pytest.mark.parametrize("case", ["cfg_rgb_to_dinov2_global", "cfg_t5_to_imagebind_global"])
@torch.no_grad()
def test_guided_tokens_and_logits(fm_mod21, case):
    name = f"gen/{case}.safetensors"
    stored = recorded(name)
    names, target = conditions(name)
    step = json.loads(metadata(name)["schedule"])[0]
    inputs = inputs_of(stored, names)
    emptied = unconditional(inputs, step["cfg_cond_domains"], fm_mod21.config.modalities)
    with_condition = predict(fm_mod21, inputs, target).logits
    without = predict(fm_mod21, emptied, target).logits
    check_logits(with_condition, stored, "pass0")
    check_logits(without, stored, "pass1")
    tokens = choose(guide([with_condition], [step["cfg_scale"]], without)).tokens
    assert torch.equal(tokens, stored[f"out/{target}/tensor"].long())


@torch.no_grad()
def test_every_modality_alone(fm_mod21):
    name = "gen/single_modality_queries.safetensors"
    stored = recorded(name)
    names = sorted({key.split("/")[0] for key in stored})
    assert len(names) == 19
    for modality in names:
        own = modality == "tok_dinov2_global"
        target = "tok_imagebind_global" if own else "tok_dinov2_global"
        renamed = {
            key.replace(f"{modality}/in/", f"in/{modality}/"): value
            for key, value in stored.items()
        }
        result = predict(fm_mod21, inputs_of(renamed, [modality]), target)
        check_logits(result.logits, stored, f"{modality}/logits")
        assert torch.equal(result.tokens, stored[f"{modality}/tokens"].long()), modality


@torch.no_grad()
def test_the_bundled_small_model():
    model = load_fm(recorded_path("models/fm_small_real"))
    stored = recorded("gen/fm_small_real.safetensors")
    words = torch.arange(16)[None] >= 9
    inputs = {
        "rgb@224": ModalityInput(images(1)),
        "t5_caption": ModalityInput(t5_embeddings(1), words),
    }
    for case, names in (("rgb", ["rgb@224"]), ("rgb_t5", list(inputs))):
        result = predict(model, {name: inputs[name] for name in names}, "tok_dinov2_global")
        check_logits(result.logits, stored, f"{case}/logits")
        assert torch.equal(result.tokens, stored[f"{case}/tokens"].long())


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("k5", {"top_k": 5}),
        ("k0.1", {"top_k": 0.1}),
        ("p0.1", {"top_p": 0.1}),
        ("p0.8", {"top_p": 0.8}),
        ("k10p0.5", {"top_k": 10, "top_p": 0.5}),
    ],
)
def test_top_k_and_top_p(key, settings):
    stored = recorded("gen/top_k_top_p.safetensors")
    assert torch.equal(keep_likely(stored["logits"], **settings), stored[key])


@pytest.mark.slow
@torch.no_grad()
def test_the_official_size(tmp_path):
    from tokenizers import Tokenizer

    stored = recorded("true/true_4M-21_B.safetensors")
    folder = model_folder("true_4M-21_B", tmp_path)
    targets = ["tok_dinov2_global", "tok_imagebind_global"]
    model = load_fm(folder, inputs=["rgb@224", "caption"], outputs=targets)
    words = Tokenizer.from_file(str(save_recorded_tokenizer(tmp_path / "text.json")))
    ids = words.encode(metadata("true/true_4M-21_B.safetensors")["caption"]).ids
    inputs = {"rgb": ("rgb@224", images(1)), "caption": ("caption", torch.tensor([ids]))}
    for short, (name, content) in inputs.items():
        for target in targets:
            result = predict(model, {name: ModalityInput(content)}, target)
            check_logits(result.logits, stored, f"{short}_to_{target}/logits")
            assert torch.equal(result.tokens, stored[f"{short}_to_{target}/tokens"].long())

import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from fourm import CheckpointError, ConfigError, ModelNotFound, TensorMismatch, UnknownSpace
from fourm.teachers import ClipTeacher, Dinov2Teacher
from tests.fourm.teachers.small_teachers import (
    CLIP_CONFIG,
    noise,
    save_clip,
    small_dinov2,
    tensors,
)


def refused(teacher, error, match):
    with pytest.raises(error, match=match) as caught:
        teacher.embed_pixels(noise(1))
    assert "\n" not in str(caught.value)


def change_config(folder, name, change):
    path = folder / name
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


@pytest.mark.parametrize("name", ["absent.safetensors", "/nowhere/at/all", "absent.pth"])
def test_a_path_that_is_not_there(name):
    refused(Dinov2Teacher(name), ModelNotFound, "no such file or folder")


def test_an_empty_path_is_not_the_current_folder():
    refused(Dinov2Teacher(""), ModelNotFound, "got an empty string")


def test_a_folder_without_weights(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    refused(Dinov2Teacher(tmp_path), CheckpointError, "model.safetensors")
    refused(ClipTeacher(tmp_path), CheckpointError, "open_clip_model.safetensors")


class Bomb:
    def __reduce__(self):
        return print, ("this must not run",)


@pytest.mark.parametrize("make", [ClipTeacher, Dinov2Teacher])
def test_a_file_that_would_run_code(tmp_path, capsys, make):
    torch.save({"state_dict": Bomb()}, tmp_path / "a.pth")
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Bomb()))
    for name in ("a.pth", "b.pth"):
        refused(make(tmp_path / name), CheckpointError, "not a torch file of tensors alone")
    assert "must not run" not in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_torchscript_program(tmp_path):
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), tmp_path / "a.pt")
    refused(ClipTeacher(tmp_path / "a.pt"), CheckpointError, "TorchScript program")


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x08\x00\x00\x00\x00\x00\x00\x00{}"])
@pytest.mark.parametrize("name", ["a.safetensors", "a.pth"])
def test_a_damaged_file(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    refused(Dinov2Teacher(tmp_path / name), CheckpointError, name)


@pytest.mark.parametrize(
    "content",
    [{}, [torch.zeros(2)], {"a": 3}, {1: torch.zeros(2)}, {"a": torch.zeros(2, dtype=torch.int64)}],
)
def test_a_torch_file_of_other_things(tmp_path, content):
    torch.save(content, tmp_path / "a.pth")
    refused(Dinov2Teacher(tmp_path / "a.pth"), CheckpointError, "a.pth")


def test_another_networks_tensors(clip_folder, dinov2_folder):
    swapped = ClipTeacher(clip_folder)
    (clip_folder / "open_clip_model.safetensors").write_bytes(
        (dinov2_folder / "model.safetensors").read_bytes()
    )
    refused(swapped, TensorMismatch, "missing tensors.*unknown tensors")


def test_a_missing_a_wrong_and_an_unknown_tensor(dinov2_folder):
    path = dinov2_folder / "model.safetensors"
    state = load_file(path)
    state["blocks.0.norm1.weight"] = torch.zeros(5)
    state["head.weight"] = torch.zeros(2, 32)
    del state["norm.bias"]
    save_file(state, path)
    with pytest.raises(TensorMismatch) as error:
        Dinov2Teacher(dinov2_folder).embed_pixels(noise(1))
    assert error.value.missing == ["norm.bias"]
    assert error.value.unknown == ["head.weight"]
    assert "blocks.0.norm1.weight has shape [5], not [32]" in str(error.value)


def test_dinov2_with_registers(dinov2_folder):
    state = {**tensors(small_dinov2()), "register_tokens": torch.zeros(1, 4, 32)}
    save_file(state, dinov2_folder / "model.safetensors")
    refused(Dinov2Teacher(dinov2_folder), CheckpointError, "register tokens")


@pytest.mark.parametrize(
    ("field", "value", "match"),
    [
        ("architecture", "resnet50", "a DINOv2 such as"),
        ("architecture", "hf-hub:somebody/dinov2", "a DINOv2 such as"),
        ("architecture", "vit_none_dinov2", "no network can be built"),
        ("model_args", {"checkpoint_path": "evil.pth"}, "checkpoint_path"),
        ("model_args", {"global_pool": "avg"}, "global_pool"),
        ("model_args", {"depth": "many"}, "no network can be built"),
        ("model_args", 3, "an object"),
    ],
)
def test_a_config_of_another_network(dinov2_folder, field, value, match):
    change_config(dinov2_folder, "config.json", lambda config: config.update({field: value}))
    refused(
        Dinov2Teacher(dinov2_folder),
        ConfigError if match != "no network can be built" else CheckpointError,
        match,
    )


@pytest.mark.parametrize(
    ("part", "field", "value", "match"),
    [
        ("vision_cfg", "timm_model_name", "vit_base_patch16_224", "timm_model_name"),
        ("text_cfg", "hf_model_name", "roberta-base", "hf_model_name"),
        ("text_cfg", "hf_tokenizer_name", "roberta-base", "hf_tokenizer_name"),
        ("vision_cfg", "pool_type", "avg", "not a plain ViT"),
        ("vision_cfg", "final_ln_after_pool", True, "not a plain ViT"),
        ("vision_cfg", "attentional_pool", True, "not a plain ViT"),
        ("vision_cfg", "layers", [1, 1, 1, 1], "not a plain ViT"),
        ("vision_cfg", "image_size", 256, "256"),
        ("vision_cfg", "colour", "red", "colour"),
        ("text_cfg", "width", "wide", "no network can be built"),
    ],
)
def test_a_config_of_another_clip(clip_folder, part, field, value, match):
    change_config(
        clip_folder,
        "open_clip_config.json",
        lambda config: config["model_cfg"][part].update({field: value}),
    )
    refused(ClipTeacher(clip_folder), CheckpointError, match)


def test_a_config_without_towers(clip_folder):
    change_config(clip_folder, "open_clip_config.json", lambda config: config["model_cfg"].clear())
    with pytest.raises(CheckpointError):
        ClipTeacher(clip_folder).spaces  # noqa: B018
    refused(ClipTeacher(clip_folder), CheckpointError, "no network can be built")


def test_a_vocabulary_that_is_too_small(tmp_path):
    from tests.fourm.teachers.small_teachers import small_clip

    config = {**CLIP_CONFIG, "text_cfg": {**CLIP_CONFIG["text_cfg"], "vocab_size": 1000}}
    folder = save_clip(tmp_path / "clip", small_clip(**config), config)
    with pytest.raises(CheckpointError, match="1000 word pieces"):
        ClipTeacher(folder).embed_texts(["a dog"])


def test_a_space_that_it_does_not_have(clip_folder):
    with pytest.raises(UnknownSpace, match="clip_joint, clip"):
        ClipTeacher(clip_folder).space_fingerprint("dinov2")
    with pytest.raises(UnknownSpace, match="clip_joint, clip"):
        ClipTeacher(clip_folder).embed_pixels(noise(1), "dinov2")

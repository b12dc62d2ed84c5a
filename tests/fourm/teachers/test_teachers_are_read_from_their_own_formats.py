"""The same weights are the same teacher, from folders, bare files or the hub."""

import shutil

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file

from fourm import ModelNotFound
from fourm.hub.teachers import TEACHERS
from fourm.teachers import ClipTeacher, Dinov2Teacher, make_teacher
from fourm.teachers.weights import digest
from tests.fourm.teachers.small_teachers import (
    CLIP_CONFIG,
    DINO_ARGS,
    noise,
    save_clip,
    save_dinov2,
    small_clip,
    small_dinov2,
    tensors,
)


@pytest.fixture
def small_by_default(monkeypatch):
    """Bare files say nothing of sizes; here they are small ones, not ViT-B's."""
    import open_clip

    plain = {name: value for name, value in CLIP_CONFIG.items() if name != "quick_gelu"}
    monkeypatch.setattr(open_clip, "get_model_config", lambda name: plain)
    args = ("vit_base_patch14_dinov2", DINO_ARGS)
    original = Dinov2Teacher._architecture
    monkeypatch.setattr(
        Dinov2Teacher,
        "_architecture",
        lambda self: args if self._config() is None else original(self),
    )


def same(one, other):
    torch.testing.assert_close(one.embed_pixels(noise()), other.embed_pixels(noise()))
    space = one.card.predicted
    assert one.fingerprint == other.fingerprint
    assert one.space_fingerprint(space) == other.space_fingerprint(space)


def test_a_torch_file_of_clip(tmp_path, clip_folder, small_by_default):
    path = tmp_path / "open_clip.pt"
    state = {f"module.{name}": value for name, value in tensors(small_clip()).items()}
    torch.save({"epoch": 3, "state_dict": state}, path)
    same(ClipTeacher(clip_folder), ClipTeacher(path))


def test_a_safetensors_file_of_clip(tmp_path, clip_folder, small_by_default):
    path = shutil.copy(clip_folder / "open_clip_model.safetensors", tmp_path / "clip.safetensors")
    same(ClipTeacher(clip_folder), ClipTeacher(path))


def test_the_file_in_its_folder_is_read_with_the_folders_config(clip_folder):
    same(ClipTeacher(clip_folder), ClipTeacher(clip_folder / "open_clip_model.safetensors"))


def test_a_folder_with_torchs_file_of_clip(tmp_path, clip_folder):
    other = shutil.copytree(clip_folder, tmp_path / "other")
    (other / "open_clip_model.safetensors").unlink()
    torch.save(tensors(small_clip()), other / "open_clip_pytorch_model.bin")
    same(ClipTeacher(clip_folder), ClipTeacher(other))


def test_the_file_that_dinov2_publishes(tmp_path, dinov2_folder, small_by_default):
    path = tmp_path / "dinov2_vitb14_pretrain.pth"
    state = {**tensors(small_dinov2()), "mask_token": torch.zeros(1, DINO_ARGS["embed_dim"])}
    torch.save(state, path)
    same(Dinov2Teacher(dinov2_folder), Dinov2Teacher(path))


def test_half_precision_files_count_as_what_they_hold(tmp_path):
    network = small_clip().half().float()
    exact = save_clip(tmp_path / "exact", network)
    half = save_clip(tmp_path / "half", network)
    path = half / "open_clip_model.safetensors"
    save_file({name: value.half() for name, value in load_file(path).items()}, path)
    same(ClipTeacher(exact), ClipTeacher(half))


def test_other_weights_have_another_fingerprint(tmp_path, dinov2_folder, clip_folder):
    other = Dinov2Teacher(save_dinov2(tmp_path / "other", small_dinov2(seed=1)))
    one = Dinov2Teacher(dinov2_folder)
    assert one.space_fingerprint("dinov2") != other.space_fingerprint("dinov2")
    clip, own = ClipTeacher(clip_folder), ClipTeacher(clip_folder, pixels="clip")
    assert clip.fingerprint == own.fingerprint
    assert clip.space_fingerprint("clip") != own.space_fingerprint("clip")
    assert clip.space_fingerprint("clip_joint") == own.space_fingerprint("clip_joint")


def test_the_digest_sees_names_shapes_and_values():
    state = {"a": torch.zeros(2, 3), "b": torch.ones(2)}
    others = [
        {"a": torch.zeros(3, 2), "b": torch.ones(2)},
        {"a": torch.zeros(2, 3), "c": torch.ones(2)},
        {"a": torch.zeros(2, 3), "b": torch.ones(2) * (1 + 1e-6)},
        {"a": torch.zeros(2, 3)},
    ]
    assert digest(state) == digest({name: state[name] for name in ("b", "a")})
    assert len({digest(other) for other in (state, *others)}) == 5


def test_names(clip_folder):
    assert tuple(TEACHERS) == ("clip-b16", "dinov2-b14")
    for name in ("clip", "clip-b16"):
        assert isinstance(make_teacher(name, clip_folder), ClipTeacher)
    assert isinstance(make_teacher("dinov2"), Dinov2Teacher)
    with pytest.raises(ModelNotFound, match=r"clip-b16 \(clip\), dinov2-b14"):
        make_teacher("imagebind")


def test_a_hub_name_fetches_only_what_is_needed(clip_folder, dinov2_folder, monkeypatch):
    asked = {}

    def snapshot(repository, allow_patterns):
        asked[repository] = allow_patterns
        return str(clip_folder if "clip" in repository else dinov2_folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    same(ClipTeacher(), ClipTeacher(clip_folder))
    same(Dinov2Teacher("somebody/dinov2"), Dinov2Teacher(dinov2_folder))
    assert asked == {
        "timm/vit_base_patch16_clip_224.openai": [
            "open_clip_config.json",
            "open_clip_model.safetensors",
        ],
        "somebody/dinov2": ["config.json", "model.safetensors"],
    }


def test_nothing_is_looked_for_before_it_is_needed(monkeypatch):
    def snapshot(repository, allow_patterns):
        raise OSError("no network\nat all")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    teacher = Dinov2Teacher()
    assert "class token" in teacher.preprocessing("dinov2")
    with pytest.raises(
        ModelNotFound, match=r"timm/vit_base_patch14_dinov2.lvd142m is not .*\(no network\)"
    ) as error:
        teacher.spaces  # noqa: B018
    assert "\n" not in str(error.value)

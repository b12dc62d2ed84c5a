"""An index knows its model again by content, wherever its folder lies."""

import shutil

import pytest

from fourm import load_model
from fourm.hub.official import tokenizer_repositories
from tests.fourm.small_shelf import small_shelf


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return small_shelf(tmp_path_factory.mktemp("a") / "shelf").parent


def prints(folder):
    model = load_model(folder, device="cpu", dtype="float32")
    return {name: model.space_fingerprint(name) for name in model.spaces}


def test_by_any_path(shelf, tmp_path, monkeypatch):
    whole = prints(shelf / "4M-21_B")
    assert len(whole) == len(set(whole.values())) == 3
    monkeypatch.chdir(shelf)
    assert prints("4M-21_B") == prints("../shelf/4M-21_B") == whole
    shutil.copytree(shelf, tmp_path / "z" / "copy")
    assert prints(tmp_path / "z/copy/4M-21_B") == whole


def test_another_transformer_is_another_model(shelf, tmp_path):
    from safetensors.torch import load_file, save_file

    whole = prints(shelf / "4M-21_B")
    shutil.copytree(shelf, tmp_path / "shelf")
    file = tmp_path / "shelf/4M-21_B/model.safetensors"
    tensors = load_file(file)
    name = next(name for name in tensors if name.endswith("weight"))
    save_file({**tensors, name: tensors[name] + 1}, file)
    assert not set(prints(file.parent).values()) & set(whole.values())
    file.unlink()
    shutil.copy(shelf / "4M-21_B/model.safetensors", file)
    assert prints(file.parent) == whole
    shutil.rmtree(tmp_path / "shelf" / tokenizer_repositories()["tok_clip@224"])
    assert prints(file.parent) == {name: whole[name] for name in ("dinov2", "imagebind")}

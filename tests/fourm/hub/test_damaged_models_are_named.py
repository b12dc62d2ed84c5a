"""A damaged file of a model is reported as damaged, not as another model."""

import shutil

import pytest

from fourm import CheckpointError, load_model
from fourm.hub.names import WEIGHTS
from fourm.hub.sums import SUMS, read_sums, write_sums
from fourm.hub.verifying import verify

FILES = [
    "model/model.safetensors",
    "language_model/model.safetensors",
    "tok_dinov2_global/model.safetensors",
    "tok_semseg/model.safetensors",
]


@pytest.fixture
def mini(tmp_path):
    return shutil.copytree(WEIGHTS / "mini", tmp_path / "mini")


def flipped(path):
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"x" * 5000),
        flipped,
    ],
    ids=["cut short", "empty", "another file", "a flipped bit"],
)
def test_the_damaged_file_is_named(file, damage, mini):
    damage(mini / file)
    with pytest.raises(CheckpointError, match="damaged") as error:
        load_model(str(mini)).space_fingerprint("dinov2-s14")
    assert file in str(error.value)
    with pytest.raises(CheckpointError, match="damaged"):
        _ = load_model(str(mini)).fingerprint


def test_a_file_that_is_gone_is_named(mini):
    (mini / "language_model/model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"language_model/model.safetensors.*missing"):
        _ = load_model(str(mini)).fingerprint


def test_a_cut_file_is_named_without_a_list_of_digests(mini):
    (mini / SUMS).unlink()
    path = mini / "tok_semseg/model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match=r"tok_semseg.*damaged"):
        _ = load_model(str(mini)).fingerprint


def test_a_changed_model_is_another_one_once_its_digests_are_written(mini):
    before = load_model(str(mini)).fingerprint
    flipped(mini / "model/model.safetensors")
    write_sums(mini)
    assert load_model(str(mini)).fingerprint != before


def test_verify_compares_the_digests_of_a_bundled_model(mini):
    assert not any(one.differences for one in verify(str(mini), hashes=True))
    assert sum(one.hashed for one in verify(str(mini), hashes=True)) > 5
    flipped(mini / "model/model.safetensors")
    wrong = [one for one in verify(str(mini), hashes=True) if one.differences]
    assert [one.path.name for one in wrong] == ["model"]
    assert "SHA-256" in wrong[0].differences[0]


def test_the_digests_of_mini_are_those_of_its_files(tmp_path):
    """After a change: python -c "from fourm.hub.sums import *; write_sums(Path('fourm/...'))"."""
    copy = shutil.copytree(WEIGHTS / "mini", tmp_path / "mini")
    (copy / SUMS).unlink()
    write_sums(copy)
    assert read_sums(copy) == read_sums(WEIGHTS / "mini")

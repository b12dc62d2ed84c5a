"""A build that fails keeps what it committed; a new index without vectors is removed."""

import shutil

import pytest

import fourm
from fourm import CheckpointError
from retrieval import Gallery
from tests.retrieval.fake_model import FakeModel


def damaged_in_batch(number):
    """A model whose weights turn out to be damaged in that batch."""

    def fail(batch):
        if batch == number:
            raise CheckpointError("truncated", where="model.safetensors")

    return FakeModel(before_embed=fail)


def test_a_first_build_with_a_damaged_model_leaves_no_index(photos, tmp_path):
    (photos / "link.png").symlink_to("nowhere.png")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CheckpointError, match=r"model\.safetensors: truncated"):
        Gallery.build(photos, tmp_path / "a" / "index", damaged_in_batch(0))
    assert not (tmp_path / "a" / "index").exists()
    shutil.rmtree(tmp_path / "a")
    assert sorted(tmp_path.rglob("*")) == before
    with Gallery.build(photos, tmp_path / "a" / "index", FakeModel()) as gallery:
        assert gallery.report.indexed == 40


def test_a_model_folder_without_valid_weights_leaves_no_index(photos, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(fourm.__path__[0] + "/weights/mini", model)
    for file in model.rglob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(CheckpointError):
        Gallery.build(photos, tmp_path / "index", model)
    assert not (tmp_path / "index").exists()


def test_what_was_committed_before_the_failure_is_kept(photos, tmp_path):
    with pytest.raises(CheckpointError):
        Gallery.build(photos, tmp_path / "index", damaged_in_batch(1), batch_size=8)
    with Gallery.open(tmp_path / "index", FakeModel()) as gallery:
        assert gallery.index.counts().indexed == 8


def test_an_existing_index_is_kept(photos, tmp_path):
    only_bad = tmp_path / "bad"
    only_bad.mkdir()
    (only_bad / "a.png").write_bytes(b"bad")
    Gallery.build(only_bad, tmp_path / "index", FakeModel()).close()
    shutil.copy(photos / "b" / "00.png", only_bad / "b.png")
    with pytest.raises(CheckpointError):
        Gallery.build(only_bad, tmp_path / "index", damaged_in_batch(0))
    with Gallery.open(tmp_path / "index", FakeModel()) as gallery:
        assert gallery.index.counts().skipped == 1


def test_a_damaged_model_is_not_a_reason_to_skip_an_item(photos, tmp_path, model):
    def prepare(inputs, **options):
        raise CheckpointError("truncated", where="tokenizer.safetensors")

    model.prepare = prepare
    with pytest.raises(CheckpointError, match="tokenizer"):
        Gallery.build(photos, tmp_path / "index", model)
    assert not (tmp_path / "index").exists()

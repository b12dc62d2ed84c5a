import pytest

from tests.fourm.teachers.small_teachers import save_clip, save_dinov2


@pytest.fixture
def clip_folder(tmp_path):
    return save_clip(tmp_path / "clip")


@pytest.fixture
def dinov2_folder(tmp_path):
    return save_dinov2(tmp_path / "dinov2")

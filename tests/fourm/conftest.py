import pytest

from tests.fourm.recorded import model_folder


@pytest.fixture(scope="session")
def fm_mod21_folder(tmp_path_factory):
    """The small recorded model that has all 19 modalities."""
    return model_folder("fm_mod21_d64", tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def fm_mod21(fm_mod21_folder):
    from fourm.transformer import load_fm

    return load_fm(fm_mod21_folder)

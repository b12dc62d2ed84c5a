import pytest
from PIL import Image
from typer.testing import CliRunner

import cli
import fourm
from tests.retrieval.conftest import numbered
from tests.retrieval.fake_model import FakeModel
from tests.retrieval.files import write


@pytest.fixture
def loaded(monkeypatch):
    """What `load_model` was asked for; it gives a fake model of that name."""
    asked = []

    def load_model(name, *, device, dtype):
        asked.append((name, device, dtype))
        return FakeModel(name=name, fingerprint=f"of {name}")

    monkeypatch.setitem(vars(fourm), "load_model", load_model)
    return asked


@pytest.fixture
def run(loaded):
    """Run the command in this process; `.stdout`, `.stderr`, `.exit_code`."""
    runner = CliRunner()

    def running(*arguments):
        result = runner.invoke(cli.app, [str(argument) for argument in arguments])
        assert "Traceback" not in result.stderr
        if result.exception is not None:
            assert isinstance(result.exception, SystemExit), result.exception
        return result

    return running


@pytest.fixture
def photos(tmp_path):
    for number in range(12):
        write(tmp_path / f"photos/{number:02}.png", numbered(number))
    write(tmp_path / "photos/red one.png", Image.new("RGB", (30, 20), "red"))
    (tmp_path / "photos/bad.jpg").write_bytes(b"bad")
    return tmp_path / "photos"


@pytest.fixture
def index(run, photos):
    folder = photos.parent / "photos.index"
    assert run("index", photos, "--to", folder).exit_code == 0
    return folder

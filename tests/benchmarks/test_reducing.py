import json

import numpy as np
from PIL import Image

from benchmarks import reducing
from tests.retrieval.files import write


def test_what_reducing_saves_and_changes(tmp_path, capsys):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (20, 30, 3), np.uint8)
    write(tmp_path / "photo.png", Image.fromarray(pixels))
    options = ["--count", "1", "--rounds", "1", "--size", "tiny", "--sizes", "1"]
    assert reducing.main([str(tmp_path), *options]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    named = {row["what"]: row for row in rows}
    for form in reducing.FORMS:
        time = named[f"1920 x 1080 {form}: decoding and resizing"]
        assert min(time["value"], time["baseline"]) > 0
        assert named[f"1920 x 1080 {form}: mean difference of a pixel, of 255"]["reached"]
        assert 0.99 < named[f"1920 x 1080 {form}: mini, lowest"]["value"] <= 1.00001

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks import panoramas
from tests.retrieval.files import write


@pytest.fixture
def data(tmp_path):
    lines = []
    for number in range(6):
        cells = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8)
        photo = Image.fromarray(np.kron(cells, np.ones((56, 56, 1), np.uint8)))
        write(tmp_path / f"flickr8k/images/{number}.jpg", photo, "JPEG")
        captions = [f"photo {number} of colours"] * 5
        lines.append({"image": f"{number}.jpg", "split": "dev", "captions": captions})
    file = tmp_path / "flickr8k/captions.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def test_recall_with_and_without_squares(data, capsys):
    options = ["--others", "2", "--pieces", "2", "--ratios", "1"]
    assert panoramas.main([str(data), *options]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert len(rows) == 5 and rows[-1]["value"] == 3
    for row in rows[:4]:
        assert 0 <= row["baseline"] <= 100 and 0 <= row["value"] <= 100

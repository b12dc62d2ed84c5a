"""Small files that ask for much work: limits are checked before the work."""

import json

import pytest

from fourm import CheckpointError
from fourm.checkpoints import Fields
from fourm.errors import ConfigError
from fourm.language.bert import BertConfig
from fourm.transformer.config import FMConfig
from retrieval import Query, QueryError
from retrieval.inputs.json_files import parse_text
from retrieval.modalities import box_files, object_masks


def saved(path, content):
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("size", [[13000, 13000], [[13000, 13000]]], ids=["flat", "nested"])
def test_masks_of_gigapixels_in_a_small_file(size, tmp_path, monkeypatch):
    entry = {"segmentation": {"size": size, "counts": [13000 * 13000]}}
    file = saved(tmp_path / "masks.json", [entry] * 200)
    assert file.stat().st_size < 20_000
    monkeypatch.setattr(object_masks, "_run_lengths", None)  # not called
    with pytest.raises(QueryError, match="pixels together; give at most"):
        Query.read(sam=file)


def test_a_negative_mask_does_not_outweigh_the_others(tmp_path, monkeypatch):
    entry = {"segmentation": {"size": [13000, 13000], "counts": [13000 * 13000]}}
    negative = {"segmentation": {"size": [-(10**9), 10**9], "counts": [1]}}
    monkeypatch.setattr(object_masks, "_run_lengths", None)  # not called
    with pytest.raises(QueryError, match="object 200: size must be height and width"):
        Query.read(sam=saved(tmp_path / "masks.json", [*[entry] * 199, negative]))


def test_polygons_of_gigapixels(tmp_path, monkeypatch):
    entry = {"segmentation": [[0, 0, 9, 0, 9, 9]]}
    content = {"images": [{"width": 13000, "height": 13000}], "annotations": [entry] * 200}
    monkeypatch.setattr(object_masks, "_polygons", None)  # not called
    with pytest.raises(QueryError, match="pixels together; give at most"):
        Query.read(sam=saved(tmp_path / "masks.json", content))


def test_boxes_by_the_hundred_thousand(tmp_path, monkeypatch):
    entry = {"bbox": [0, 0, 9, 9], "category_id": 1}
    content = {"images": [{"width": 99, "height": 99}], "annotations": [entry] * 200_000}
    monkeypatch.setattr(box_files, "_box", None)  # not called
    with pytest.raises(QueryError, match="200000"):
        Query.read(boxes=saved(tmp_path / "boxes.json", content))
    content["annotations"] = content["annotations"][:2000]
    with pytest.raises(QueryError, match="2000 boxes; give at most 1000"):
        Query.read(boxes=saved(tmp_path / "boxes.json", content))
    shape = {"label": "dog", "points": [[0, 0], [9, 9]]}
    content = {"imageWidth": 99, "imageHeight": 99, "shapes": [shape] * 2000}
    with pytest.raises(QueryError, match="2000 boxes; give at most 1000"):
        Query.read(boxes=saved(tmp_path / "boxes.json", content))
    (tmp_path / "boxes.txt").write_text("0 0.5 0.5 0.1 0.1\n" * 2000)
    with pytest.raises(QueryError, match="2000 boxes; give at most 1000"):
        Query.read(boxes=tmp_path / "boxes.txt")
    with pytest.raises(QueryError, match="2000 boxes; give at most 1000"):
        Query.read(boxes=["dog:0,0,1,1"] * 2000)


def test_doubled_keys_are_found_in_one_pass():
    """Quadratic before: 200 000 keys took hours."""
    keys = [f'"{number}": 0' for number in range(200_000)]
    text = "{" + ", ".join([*keys, keys[-1]]) + "}"
    with pytest.raises(QueryError, match="has the key '199999' twice"):
        parse_text(text, "file")


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, "1" * 100_000])
def test_deep_and_long_json(text):
    with pytest.raises(QueryError, match="not JSON"):
        parse_text(text, "file")


def test_a_json_file_of_gigabytes_is_not_read(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(1 << 33)  # sparse
    with pytest.raises(QueryError, match="larger than 64 MiB"):
        Query.read(poses=path)


@pytest.mark.parametrize("depth", [100_000, 2**31])
def test_a_language_model_of_a_hundred_thousand_layers(depth):
    values = {
        "vocab_size": 100,
        "hidden_size": 8,
        "num_hidden_layers": depth,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "max_position_embeddings": 16,
    }
    with pytest.raises(ConfigError, match="num_hidden_layers must be between 1 and 512"):
        BertConfig.from_fields(Fields(values))
    assert issubclass(ConfigError, CheckpointError) and FMConfig is not None

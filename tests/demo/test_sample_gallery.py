"""The sample gallery and its query files."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.layouts import coarse, cow_in_a_field, street_with_a_car
from demo.make_gallery import SampleGallery, make_gallery
from demo.photographs import photographs
from demo.queries import alter
from demo.run import own_photos
from demo.scenes import labels


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> SampleGallery:
    return make_gallery(tmp_path_factory.mktemp("demo") / "gallery", scenes=4)


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_every_photo_has_a_caption(gallery: SampleGallery) -> None:
    captioned = {str(line["image"]) for line in lines(gallery.folder / "captions.jsonl")}
    on_disk = {p.relative_to(gallery.root).as_posix() for p in gallery.root.rglob("*.jpg")}
    assert captioned == on_disk
    assert len([path for path in on_disk if path.startswith("scenes/")]) == 4


def test_every_scene_has_a_mask_of_its_size(gallery: SampleGallery) -> None:
    for photo in (gallery.root / "scenes").iterdir():
        with (
            Image.open(photo) as image,
            Image.open(gallery.folder / "masks" / f"{photo.stem}.png") as mask,
        ):
            assert mask.mode == "L"
            assert mask.size == image.size


def test_query_files_name_files_that_exist(gallery: SampleGallery) -> None:
    files = sorted(gallery.queries.glob("*.jsonl"))
    assert {file.stem for file in files} == {"image", "seg", "text", "text+seg"}
    for file in files:
        queries = lines(file)
        assert queries, file
        for query in queries:
            assert set(query) - {"relevant"} == set(file.stem.split("+"))
            for name in ("image", "seg"):
                if name in query:
                    assert (file.parent / str(query[name])).is_file()
            relevant = query["relevant"]
            assert isinstance(relevant, list) and relevant
            assert all((gallery.root / path).is_file() for path in relevant)


def test_a_finished_gallery_is_kept_until_its_arguments_change(tmp_path: Path) -> None:
    made = make_gallery(tmp_path / "g", scenes=1)
    marked = next((made.root / "scenes").iterdir())
    marked.write_bytes(b"")
    make_gallery(tmp_path / "g", scenes=1)
    assert marked.stat().st_size == 0
    make_gallery(tmp_path / "g", scenes=2)
    assert marked.stat().st_size > 0


def test_an_interrupted_gallery_is_written_again(tmp_path: Path) -> None:
    made = make_gallery(tmp_path / "g", scenes=1)
    (made.folder / "gallery.json").unlink()
    make_gallery(tmp_path / "g", scenes=1)
    assert (made.folder / "gallery.json").is_file()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match=r"thesis\.tex"):
        make_gallery(tmp_path, scenes=1)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_drawn_layouts_hold_only_what_they_show() -> None:
    field = set(np.unique(np.asarray(cow_in_a_field())).tolist())
    assert field == {labels.SKY, labels.TREE, labels.GRASS, labels.COW}
    street = set(np.unique(np.asarray(street_with_a_car())).tolist())
    assert street == {labels.SKY, labels.BUILDING, labels.ROAD, labels.CAR}


def test_a_coarse_map_has_no_new_classes() -> None:
    mask = np.zeros((90, 120), np.uint8)
    mask[45:] = labels.SEA
    assert set(np.unique(np.asarray(coarse(mask))).tolist()) == {0, labels.SEA}


def test_an_altered_photo_is_a_smaller_darker_mirror_image() -> None:
    ramp = np.tile(np.linspace(0, 250, 100, dtype=np.uint8), (80, 1))
    photo = Image.fromarray(ramp).convert("RGB")
    altered = alter(photo, 3)
    assert altered.width < photo.width and altered.height < photo.height
    row = np.asarray(altered)[0, :, 0].astype(int)
    assert row[0] > row[-1]
    assert row.max() < 0.85 * 250
    assert alter(photo, 3).tobytes() == altered.tobytes()


def test_photographs_come_with_scikit_image() -> None:
    pytest.importorskip("skimage")
    found = {photo.name: photo for photo in photographs()}
    assert {"astronaut", "chelsea", "coffee", "rocket"} <= set(found)
    assert all(photo.image.mode == "RGB" and photo.caption for photo in found.values())


def test_own_photos_skip_other_files(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"not an image")
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "deep").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "deep" / "b.png")
    assert list(own_photos(tmp_path)) == [tmp_path / "deep" / "b.png"]

"""`python -m demo.make_gallery OUT`: write the sample gallery and its queries.

OUT/photos/scenes/*.jpg          rendered scenes
OUT/photos/photographs/*.jpg     photographs from scikit-image
OUT/masks/*.png                  the segmentation map of each scene, COCO panoptic ids
OUT/captions.jsonl               {"image": relative to photos/, "caption": ...}
OUT/queries/*.jsonl              for `fourm eval`: text, seg, text+seg, image
OUT/layout-field.png, OUT/layout-street.png    hand-drawn maps
OUT/altered.jpg                  an altered crop of one photograph
"""

import argparse
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from demo import layouts
from demo.photographs import photographs
from demo.queries import Entry, save_altered, write_queries
from demo.scenes import render_scene
from retrieval.progress import Progress

#: Increment it when the same arguments produce other files.
VERSION = 1


@dataclass(frozen=True)
class SampleGallery:
    """Paths of a written gallery."""

    folder: Path

    @property
    def root(self) -> Path:
        """The folder to index."""
        return self.folder / "photos"

    @property
    def queries(self) -> Path:
        """The folder of query files."""
        return self.folder / "queries"


def make_gallery(folder: Path, *, scenes: int = 200, first_seed: int = 0) -> SampleGallery:
    """Write the gallery, or keep an existing one that was written with the same arguments.

    Raises:
        FileExistsError: `folder` holds other files.
    """
    made = SampleGallery(folder)
    recipe = {"version": VERSION, "scenes": scenes, "first_seed": first_seed}
    stamp = folder / "gallery.json"
    if stamp.is_file() and json.loads(stamp.read_text(encoding="utf-8")) == recipe:
        return made
    _empty(folder)
    entries = _write_scenes(folder, scenes, first_seed) + _write_photographs(folder)
    captions = [{"image": entry.path, "caption": entry.caption} for entry in entries]
    text = "".join(json.dumps(line) + "\n" for line in captions)
    (folder / "captions.jsonl").write_text(text, encoding="utf-8")
    made.queries.mkdir()
    write_queries(made.root, entries, made.queries)
    layouts.cow_in_a_field().save(folder / "layout-field.png")
    layouts.street_with_a_car().save(folder / "layout-street.png")
    chosen = next((e for e in entries if e.path.endswith("coffee.jpg")), entries[0])
    save_altered(made.root / chosen.path, folder / "altered.jpg", 1)
    # Written last, so that an interrupted run is repeated.
    stamp.write_text(json.dumps(recipe), encoding="utf-8")
    return made


def _empty(folder: Path) -> None:
    ours = {"photos", "masks", "queries", "captions.jsonl", "gallery.json", "layout-field.png",
            "layout-street.png", "altered.jpg"}  # fmt: skip
    if folder.is_dir():
        foreign = sorted(p.name for p in folder.iterdir() if p.name not in ours)
        if foreign:
            raise FileExistsError(
                f"{folder} is not a sample gallery (it has {foreign[0]}): choose another folder"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _write_scenes(folder: Path, count: int, first_seed: int) -> list[Entry]:
    (folder / "photos" / "scenes").mkdir(parents=True)
    (folder / "masks").mkdir()
    entries = []
    seeds = range(first_seed, first_seed + count)
    with Progress(count, "rendering", "scenes") as bar:
        for seed in seeds:
            scene = render_scene(seed)
            name = f"{scene.kind}-{seed:04d}"
            path = f"scenes/{name}.jpg"
            scene.image.save(folder / "photos" / path, quality=90)
            mask = folder / "masks" / f"{name}.png"
            Image.fromarray(scene.mask).save(mask)
            entries.append(Entry(path, scene.caption, mask))
            bar.update(1)
    return entries


def _write_photographs(folder: Path) -> list[Entry]:
    (folder / "photos" / "photographs").mkdir()
    entries = []
    for photo in photographs():
        path = f"photographs/{photo.name}.jpg"
        photo.image.save(folder / "photos" / path, quality=92)
        entries.append(Entry(path, photo.caption, None))
    if not entries:
        print(
            "scikit-image is not installed: the gallery holds rendered scenes only", file=sys.stderr
        )
    return entries


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Write the sample gallery.")
    parser.add_argument("out", type=Path, help="new folder, or one with a sample gallery")
    parser.add_argument(
        "--scenes", type=int, default=200, help="number of rendered scenes (default: 200)"
    )
    parser.add_argument(
        "--first-seed", type=int, default=0, help="seed of the first scene (default: 0)"
    )
    options = parser.parse_args()
    try:
        made = make_gallery(options.out, scenes=options.scenes, first_seed=options.first_seed)
    except FileExistsError as error:
        sys.exit(f"error: {error}")
    print(made.root)


if __name__ == "__main__":
    main()

"""`python -m demo.run`: index photos, search them in four ways, write pages to look at.

It types what a user would type: each step is a `fourm` command, shown before it runs.
"""

import argparse
import html
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from demo.layouts import cow_in_a_field, street_with_a_car
from demo.make_gallery import make_gallery
from demo.queries import save_altered

BUNDLED = "mini"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Search:
    """One search of the demo: the name of its pages, its title and its arguments."""

    name: str
    title: str
    arguments: tuple[str, ...]


def fourm(*arguments: str | Path) -> None:
    """Run one command with its output on the terminal.

    Raises subprocess.CalledProcessError if it fails.
    """
    words = [str(a) for a in arguments]
    print(f"\n$ fourm {shlex.join(words)}", flush=True)
    # The script beside this interpreter, so that no activated environment is needed.
    subprocess.run([Path(sys.executable).with_name("fourm"), *words], check=True)


def searches(altered: Path, field: Path, street: Path) -> tuple[Search, ...]:
    """The four searches, with the files they search with."""
    words = "people flying kites"
    return (
        Search("words", f"words: {words}", (words,)),
        Search("photo", "a darker, mirrored, badly compressed crop of a photo",
               ("--image", str(altered))),
        Search("layout", "a hand-drawn layout: sky, trees, grass, cow", ("--seg", str(field))),
        Search("words-and-layout", "words and layout in one pass: at night; a street, a car",
               ("at night", "--seg", str(street))),
    )  # fmt: skip


def own_photos(root: Path) -> Iterator[Path]:
    """Photos of a folder that Pillow can open, in the order of their paths."""
    for folder, below, files in os.walk(root):
        below.sort()
        for path in (Path(folder, name) for name in sorted(files)):
            if path.suffix.lower() not in SUFFIXES:
                continue
            try:
                with Image.open(path) as picture:
                    picture.verify()
            except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
                continue
            yield path


def write_page(out: Path, pages: Iterable[Search]) -> Path:
    """One page that shows the contact sheets and leads to the pages of hits."""
    parts = [
        f'<h2><a href="{page.name}.html">{html.escape(page.title)}</a></h2>'
        f'<a href="{page.name}.html"><img src="{page.name}.png" alt=""></a>'
        for page in pages
    ]
    page = out / "index.html"
    page.write_text(
        '<!doctype html><meta charset="utf-8"><title>fourm: demo</title>'
        "<style>body{font:16px system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
        "padding:0 1rem}img{max-width:100%}</style><h1>What was found</h1>" + "\n".join(parts),
        encoding="utf-8",
    )
    return page


def demo(out: Path, photos: Path | None, model: str) -> Path:
    """Run everything and return the page to look at.

    Raises FileNotFoundError if `photos` holds no photo.
    """
    out.mkdir(parents=True, exist_ok=True)
    judged: list[Path] = []
    if photos is None:
        made = make_gallery(out / "gallery")
        root, altered = made.root, made.folder / "altered.jpg"
        field, street = made.folder / "layout-field.png", made.folder / "layout-street.png"
        judged = sorted(made.queries.glob("*.jsonl"))
    else:
        root, altered = photos, out / "altered.jpg"
        first = next(islice(own_photos(photos), 1), None)
        if first is None:
            raise FileNotFoundError(f"{photos}: no photo in this folder that can be read")
        save_altered(first, altered, 1)
        field, street = out / "layout-field.png", out / "layout-street.png"
        cow_in_a_field().save(field)
        street_with_a_car().save(street)
    index = out / ("sample.index" if photos is None else "photos.index")
    # An index knows its model by name; only one that is not in the box has to be told each time.
    choice = () if model == BUNDLED else ("--model", model)
    fourm("index", root, "--to", index, *choice)
    fourm("info", index)
    pages = searches(altered, field, street)
    for page in pages:
        files = out / f"{page.name}.html", out / f"{page.name}.png"
        shown = ("-k", "10", "--html", files[0], "--sheet", files[1])
        fourm("query", index, *page.arguments, *choice, *shown)
    for file in judged:
        fourm("eval", index, "--queries", file, *choice)
    return write_page(out, pages)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Index photos and search them in four ways.")
    parser.add_argument("--out", type=Path, default=Path("demo/out"), help="default: demo/out")
    parser.add_argument("--photos", help="a folder of your own photos instead of the sample")
    parser.add_argument("--model", default=BUNDLED, help="default: mini")
    asked = parser.parse_args()
    photos = Path(asked.photos).expanduser() if asked.photos else None
    try:
        page = demo(asked.out, photos, asked.model)
    except FileNotFoundError as problem:
        sys.exit(str(problem))
    except subprocess.CalledProcessError as problem:
        sys.exit(problem.returncode)
    print(f"\nLook at {page.resolve()}")


if __name__ == "__main__":
    main()

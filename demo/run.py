"""`python -m demo.run`: index photos, search them in four ways, generate, write result pages.

Each step is a `fourm` command as a user would type it, printed before it runs.
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
GENERATED, SHOWN = "generated", "photographs/astronaut.jpg"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Search:
    """One search: the name of its pages, its title and its arguments."""

    name: str
    title: str
    arguments: tuple[str, ...]


def fourm(*arguments: str | Path) -> None:
    """Run one command, its output on the terminal.

    Raises:
        subprocess.CalledProcessError: the command fails.
    """
    words = [str(a) for a in arguments]
    print(f"\n$ fourm {shlex.join(words)}", flush=True)
    # The script next to this interpreter works without an activated environment.
    subprocess.run([Path(sys.executable).with_name("fourm"), *words], check=True)


def searches(altered: Path, field: Path, street: Path) -> tuple[Search, ...]:
    """The four searches."""
    text = "people flying kites"
    return (
        Search("text", f"text: {text}", (text,)),
        Search("photo", "a darker, mirrored crop of a photo, compressed to low quality",
               ("--image", str(altered))),
        Search("layout", "a hand-drawn layout: sky, trees, grass, cow", ("--seg", str(field))),
        Search("text-and-layout", "text and layout in one pass: at night; a street, a car",
               ("at night", "--seg", str(street))),
    )  # fmt: skip


def own_photos(root: Path) -> Iterator[Path]:
    """Photos of a folder that Pillow can open, sorted by path."""
    for folder, below, files in os.walk(root):
        below.sort()
        for path in (Path(folder, name) for name in sorted(files)):
            if path.suffix.lower() not in SUFFIXES:
                continue
            try:
                with Image.open(path) as image:
                    image.verify()
            except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
                continue
            yield path


def write_page(out: Path, pages: Iterable[Search], generated: str) -> Path:
    """Write a page that shows the contact sheets and links to the pages of hits.

    Args:
        out: where they are.
        pages: the searches.
        generated: sheet of what was generated.
    """
    parts = [
        f'<h2><a href="{page.name}.html">{html.escape(page.title)}</a></h2>'
        f'<a href="{page.name}.html"><img src="{page.name}.png" alt=""></a>'
        for page in pages
    ]
    parts.append(f'<h2>generated from one photo</h2><img src="{generated}" alt="">')
    page = out / "index.html"
    page.write_text(
        '<!doctype html><meta charset="utf-8"><title>fourm: demo</title>'
        "<style>body{font:16px system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
        "padding:0 1rem}img{max-width:100%}</style><h1>Results</h1>" + "\n".join(parts),
        encoding="utf-8",
    )
    return page


def demo(out: Path, photos: Path | None, model: str) -> Path:
    """Run all commands and return the page with their results.

    Raises:
        FileNotFoundError: `photos` holds no photos.
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
            raise FileNotFoundError(f"{photos} contains no readable photos")
        save_altered(first, altered, 1)
        field, street = out / "layout-field.png", out / "layout-street.png"
        cow_in_a_field().save(field)
        street_with_a_car().save(street)
    index = out / ("sample.index" if photos is None else "photos.index")
    # An index stores the name of its model, which is enough to find a bundled one.
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
    chosen = root / SHOWN
    if not chosen.is_file():
        chosen = next(own_photos(root))
    fourm("generate", chosen, "--to", "all", "--out", out / GENERATED, *choice)
    return write_page(out, pages, f"{GENERATED}/sheet.png")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Index photos and search them in four ways.")
    parser.add_argument(
        "--out", type=Path, default=Path("demo/out"), help="output folder (default: demo/out)"
    )
    parser.add_argument("--photos", help="folder of your own photos (default: the sample gallery)")
    parser.add_argument("--model", default=BUNDLED, help="name or folder (default: mini)")
    options = parser.parse_args()
    photos = Path(options.photos).expanduser() if options.photos else None
    try:
        page = demo(options.out, photos, options.model)
    except FileNotFoundError as error:
        sys.exit(f"error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    print(f"\nResults: {page.resolve()}")


if __name__ == "__main__":
    main()

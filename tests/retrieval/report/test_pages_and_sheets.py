import io
import re
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from retrieval import Gallery, Query, UsageError
from retrieval.escaping import printable
from retrieval.gallery import Hit
from retrieval.items import read_item
from retrieval.modalities import source_named
from retrieval.modalities.panoptic import coco_panoptic
from retrieval.report.outputs import check_apart, check_folder, check_output, keep_stored
from retrieval.report.page import write_page
from retrieval.report.panels import panels
from retrieval.report.results import Results, _tile
from retrieval.report.sheet import draw_sheet, save_sheet
from tests.retrieval.conftest import numbered
from tests.retrieval.files import striped, write

ATTACK = "<img src=x onerror=alert(1)>\"'&"


class Page(HTMLParser):
    """Tags with attributes, and the text, as a browser would see them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def picture_of(uri):
    head, content = uri.split(",", 1)
    assert re.fullmatch(r"data:image/(png|jpeg);base64", head)
    return Image.open(io.BytesIO(b64decode(content, validate=True)))


@pytest.fixture
def gallery(photos, model):
    write(photos / ("a/" + ATTACK.replace("/", "") + ".png"), striped((255, 0, 0)))
    with Gallery.build(photos, photos.parent / "i", model) as built:
        yield built


@pytest.fixture
def seg():
    ids = np.zeros((20, 30), np.uint8)
    ids[:10, :15], ids[10:, :] = 4, 187
    return ids


def page_of(gallery, tmp_path, k=5, **sources):
    query = Query.read(**sources)
    results = Results.of(gallery, query, gallery.search_batch([query], k)[0])
    write_page(results, tmp_path / "p.html")
    return Page((tmp_path / "p.html").read_text(encoding="utf-8")), results


def test_the_page_shows_the_query_as_given_and_every_hit(gallery, tmp_path, seg):
    page, results = page_of(gallery, tmp_path, text="red", image=numbered(3), seg=seg)
    pictures = [picture_of(attributes["src"]) for attributes in page.all("img")]
    assert len(pictures) == 2 + 5
    photo, layout = pictures[:2]
    assert np.abs(np.asarray(photo.convert("RGB"), int) - np.asarray(numbered(3), int)).mean() < 12
    assert layout.mode == "RGBA"
    colours = coco_panoptic().colours
    assert layout.getpixel((5, 5)) == (*colours[4], 255)
    assert layout.getpixel((layout.width - 5, 5))[3] == 0  # nothing is transparent
    assert layout.getpixel((5, layout.height - 5)) == (*colours[187], 255)
    assert page.all("blockquote") and "red" in page.text
    for tile in results.tiles:
        assert f"{tile.hit.score:.3f}" in page.text and tile.name in page.text
    for found, tile in zip(pictures[2:], results.tiles, strict=True):
        with Image.open(gallery.root / tile.hit.path) as original:
            expected = np.asarray(original.convert("RGB"), int)
        assert np.abs(np.asarray(found.convert("RGB"), int) - expected).mean() < 12


def test_the_legend_names_the_classes_that_are_there(gallery, tmp_path, seg):
    page, _ = page_of(gallery, tmp_path, seg=seg)
    assert re.search(r"sky-other-merged 50 % motorcycle 25 %", page.text)
    swatches = [attributes["style"] for attributes in page.all("i")]
    assert len(swatches) == 2  # nothing has no entry
    assert "motorcycle 25 %" in page.all("img")[0]["alt"]


def test_the_page_is_self_contained(gallery, tmp_path, seg):
    page, _ = page_of(gallery, tmp_path, text="red", seg=seg)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "iframe", "object", "a"})
    for attributes in page.all("img"):
        assert attributes["src"].startswith("data:image/")
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert (
        "url(" not in text
        and "@import" not in text
        and "http" not in text.replace("http-equiv", "")
    )
    assert "default-src 'none'" in text and "prefers-color-scheme: dark" in text
    assert str(gallery.root) not in text


def test_every_image_of_the_page_has_a_description(gallery, tmp_path, seg):
    page, _ = page_of(gallery, tmp_path, image=numbered(2), seg=seg)
    assert all(attributes.get("alt") for attributes in page.all("img"))
    assert page.all("html")[0]["lang"] == "en" and page.all("h1")


def test_text_and_names_cannot_become_markup(gallery, tmp_path):
    page, results = page_of(gallery, tmp_path, k=40, text=ATTACK + " red")
    assert any("onerror" in tile.name for tile in results.tiles)
    assert all("onerror" not in attributes for _, attributes in page.tags)
    assert len(page.all("img")) == 40
    assert ATTACK in page.text


def test_a_missing_image_leaves_a_note(gallery, tmp_path):
    query = Query.read(text="red")
    hits = gallery.search_batch([query], 3)[0]
    (gallery.root / hits[1].path).unlink()
    results = Results.of(gallery, query, hits)
    assert [tile.note for tile in results.tiles] == [None, "file is missing", None]
    write_page(results, tmp_path / "p.html")
    page = Page((tmp_path / "p.html").read_text(encoding="utf-8"))
    assert "Not shown: file is missing" in page.text and len(page.all("img")) == 2
    save_sheet(results, tmp_path / "s.png")


@pytest.mark.parametrize("path", ["../../etc/passwd.png", "/etc/passwd.png"])
def test_a_path_that_leads_out_of_the_gallery_is_not_read(tmp_path, path):
    (tmp_path / "g").mkdir()
    hit = Hit(1, 0.5, path, 1, "s")
    tile = _tile(
        hit, lambda hit: read_item(tmp_path / "g", source_named("image"), "", hit.path), 0.5
    )
    assert tile.thumbnail is None and "out of the gallery" in tile.note


def test_the_sheet_shows_the_query_and_the_hits(gallery, tmp_path, seg):
    query = Query.read(text="red", image=numbered(3), seg=seg)
    results = Results.of(gallery, query, gallery.search_batch([query], 7)[0])
    save_sheet(results, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as opened:
        assert opened.format == "PNG" and opened.mode == "RGB"
        pixels = np.asarray(opened).reshape(-1, 3)
    colours = coco_panoptic().colours
    for wanted in (colours[4], colours[187]):
        assert (pixels == wanted).all(axis=1).sum() > 2000
    first = np.asarray(results.tiles[0].thumbnail).reshape(-1, 3)[0]
    assert (np.abs(pixels.astype(int) - first).max(axis=1) < 8).sum() > 500


def test_the_sheet_grows_with_the_hits(gallery):
    heights = []
    for k in (1, 5, 6, 41):
        query = Query.read(text="red")
        results = Results.of(gallery, query, gallery.search_batch([query], k)[0])
        heights.append(draw_sheet(results).height)
    assert heights[0] == heights[1] < heights[2] < heights[3]


@pytest.mark.parametrize("words", ["x" * 4000, "word " * 900, "🐕‍🦺 狗 كلب", "\x00\x1b[0m \u202e"])
def test_long_and_strange_texts_fit(gallery, tmp_path, words):
    page, results = page_of(gallery, tmp_path, k=2, text=words + " red")
    sheet = draw_sheet(results)
    assert sheet.width == 1544 and sheet.height < 2500
    assert "\x1b" not in page.text and "\u202e" not in page.text


def test_extreme_shapes_fit(model, tmp_path):
    write(tmp_path / "p/wide.png", Image.new("RGB", (4000, 2), "red"))
    write(tmp_path / "p/tall.png", Image.new("RGB", (2, 4000), "red"))
    with Gallery.build(tmp_path / "p", tmp_path / "i", model) as gallery:
        thin = np.ones((1, 300), np.uint8)
        page, results = page_of(gallery, tmp_path, text="red", seg=thin)
        assert len(page.all("img")) == 3
        draw_sheet(results)


def test_an_empty_gallery_has_pages_too(model, tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p/bad.jpg").write_bytes(b"")
    with Gallery.build(tmp_path / "p", tmp_path / "i", model) as gallery:
        page, results = page_of(gallery, tmp_path, text="red")
        assert "The gallery is empty" in page.text
        draw_sheet(results)


def test_a_map_of_all_classes_has_a_legend_of_all(gallery, tmp_path):
    ids = np.array([list(coco_panoptic().names)])
    query = Query.read(seg=ids)
    assert len(panels(query)[0].legend) == 133
    page, results = page_of(gallery, tmp_path, seg=ids)
    assert "<1 %" in page.text or "1 %" in page.text
    draw_sheet(results)


def test_outputs_that_cannot_be_written_are_named(gallery, tmp_path):
    query = Query.read(text="red")
    results = Results.of(gallery, query, [])
    for writing in (write_page, save_sheet):
        with pytest.raises(UsageError, match="cannot be written"):
            writing(results, tmp_path)
        with pytest.raises(UsageError, match="cannot be written"):
            writing(results, tmp_path / "no/folder/x")


def test_an_output_may_not_be_an_input(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "link.png").symlink_to("a.png")
    check_output(tmp_path / "a.png", [tmp_path / "b.png", None])
    with pytest.raises(UsageError, match="would be replaced"):
        check_output(tmp_path / "link.png", [tmp_path / "a.png"])


def test_an_output_may_not_lie_in_the_index_or_replace_what_it_holds(gallery, tmp_path):
    index = gallery.index
    photo = next(iter(index.snapshot()))
    (tmp_path / "link.png").symlink_to(gallery.root / photo)
    for output, words in (
        (index.folder / "catalogue.sqlite3", "is in the folder of the index"),
        (index.folder, "is in the folder of the index"),
        (index.folder / "new.html", "is in the folder of the index"),
        (gallery.root / photo, "in the gallery"),
        (tmp_path / "link.png", "in the gallery"),
    ):
        with pytest.raises(UsageError, match=words):
            keep_stored(output, index)
    for output in (None, tmp_path / "page.html", gallery.root / "new page.html", tmp_path):
        keep_stored(output, index)


def test_a_file_whose_lines_are_items_may_not_be_replaced(model, tmp_path):
    lines = tmp_path / "texts/a.txt"
    lines.parent.mkdir()
    lines.write_text("a lake\n")
    for number, root in enumerate((lines.parent, lines)):
        with Gallery.build(root, tmp_path / f"i{number}", model, modality="text") as gallery:
            with pytest.raises(UsageError, match="in the gallery"):
                keep_stored(lines, gallery.index)
            keep_stored(lines.with_suffix(".html"), gallery.index)


def test_a_folder_of_results_is_not_a_file_and_keeps_inputs(tmp_path):
    (tmp_path / "sheet.png").write_bytes(b"x")
    check_folder(tmp_path / "new", [tmp_path / "sheet.png"])
    check_folder(tmp_path, [tmp_path / "other.png"])
    with pytest.raises(UsageError, match="is an input of this query"):
        check_folder(tmp_path, [tmp_path / "sheet.png"])
    with pytest.raises(UsageError, match="is a file; give the name of a folder"):
        check_folder(tmp_path / "sheet.png")


def test_two_outputs_may_not_be_one_file(tmp_path):
    check_apart([tmp_path / "a", None, tmp_path / "b", None])
    with pytest.raises(UsageError, match="written twice"):
        check_apart([tmp_path / "a", tmp_path / "b/../a"])


def test_printable_escapes_what_acts_and_keeps_what_shows():
    assert printable("a\nb\x1b[1m\u202ec\udcff") == r"a\nb\x1b[1m\u202ec\udcff"
    assert printable("Größe 狗 👩‍👧 <b>") == "Größe 狗 👩‍👧 <b>"

"""Texts of image files: cleaned, and the keywords of XMP and IPTC data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from PIL import Image

MOST_KEYWORDS = 200
LONGEST_TEXT = 200
LARGEST_XMP = 1 << 20

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_SUBJECT = "{http://purl.org/dc/elements/1.1/}subject"
_RATING = "{http://ns.adobe.com/xap/1.0/}Rating"

_PHOTOSHOP_IPTC, _TIFF_IPTC, _TIFF_XMP = 0x0404, 33723, 700
_IPTC_MARK, _IPTC_CHARSET, _IPTC_KEYWORD = 0x1C, (1, 90), (2, 25)
_UTF_8 = b"\x1b%G"


def clean(value: object) -> str:
    """A text of at most 200 printable characters on one line; "" if it is none."""
    if not isinstance(value, str):
        return ""
    # Cut before anything else is done: a text may have many megabytes.
    shown = (char if char.isprintable() else " " for char in value[: 4 * LONGEST_TEXT])
    return " ".join("".join(shown).split())[:LONGEST_TEXT].strip()


def distinct(keywords: Iterable[str]) -> tuple[str, ...]:
    """At most 200 keywords, cleaned; of those that differ in case only, the first."""
    found: dict[str, str] = {}
    for keyword in keywords:
        if text := clean(keyword):
            found.setdefault(text.casefold(), text)
        if len(found) == MOST_KEYWORDS:
            break
    return tuple(found.values())


def read_xmp(image: Image.Image) -> tuple[tuple[str, ...], int | None]:
    """The keywords (`dc:subject`) and the rating, -1 to 5, of the XMP data of an opened image."""
    packet = next(
        (
            image.info[key]
            for key in ("xmp", "XML:com.adobe.xmp")
            if isinstance(image.info.get(key), (bytes, str))
        ),
        _tiff_tag(image, _TIFF_XMP),
    )
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "replace")
    if not isinstance(packet, bytes) or not 0 < len(packet) <= LARGEST_XMP:
        return (), None
    # Imported at first use: most images have no XMP data.
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(packet.strip(b"\0 \r\n\t"), forbid_dtd=True)
    except (ParseError, ValueError, LookupError):  # damaged, hostile, or of an unknown encoding
        return (), None
    keywords, rating = [], None
    for element in root.iter():
        if element.tag == _SUBJECT:
            keywords += [item.text or "" for item in element.iter(f"{_RDF}li")]
        if len(keywords) > MOST_KEYWORDS:
            break
    for element in root.iter():
        if (stars := _stars(element)) is not None:
            rating = stars
    return distinct(keywords), rating


def _stars(element: Element) -> int | None:
    """The rating that an element has as an attribute or is."""
    text = element.text if element.tag == _RATING else element.get(_RATING)
    if not re.fullmatch(r"\s*(-1|[0-5])(\.0*)?\s*", text or "", re.ASCII):
        return None
    return int(float(text or ""))


def read_iptc(image: Image.Image) -> tuple[str, ...]:
    """The keywords of the IPTC data of an opened image."""
    photoshop = image.info.get("photoshop")
    data = photoshop.get(_PHOTOSHOP_IPTC) if isinstance(photoshop, dict) else None
    if data is None:
        data = _tiff_tag(image, _TIFF_IPTC)
    if not isinstance(data, bytes):
        return ()
    encoding, keywords = "latin-1", []
    for dataset, value in _datasets(data):
        if dataset == _IPTC_CHARSET and value == _UTF_8:
            encoding = "utf-8"
        elif dataset == _IPTC_KEYWORD:
            keywords.append(value)
        if len(keywords) > MOST_KEYWORDS:
            break
    return distinct(_decoded(keyword, encoding) for keyword in keywords)


def _datasets(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Record and number of each dataset, and its value; ends where the data are damaged."""
    start = 0
    while start + 5 <= len(data) and data[start] == _IPTC_MARK:
        size = int.from_bytes(data[start + 3 : start + 5], "big")
        end = start + 5 + size
        if size >= 1 << 15 or end > len(data):
            return
        yield (data[start + 1], data[start + 2]), data[start + 5 : end]
        start = end


def _decoded(keyword: bytes, encoding: str) -> str:
    """Many programs write UTF-8 and do not say so."""
    try:
        return keyword.decode("utf-8")
    except UnicodeDecodeError:
        return keyword.decode(encoding, "replace")


def _tiff_tag(image: Image.Image, tag: int) -> Any:
    tags: Any = getattr(image, "tag_v2", None)
    return None if tags is None else tags.get(tag)

"""Camera, lens, place, rating and keywords of image files, and what damaged files do to them."""

import io
import struct
from contextlib import suppress
from datetime import datetime

import pillow_heif
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from retrieval.errors import ItemError
from retrieval.images.decoding import decode
from retrieval.images.exif import _claims_too_much

PACKET = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
 <rdf:Description {attribute}>{rating}
  <dc:subject><rdf:Bag><rdf:li>Beach</rdf:li><rdf:li>Z\u00fcrich </rdf:li></rdf:Bag></dc:subject>
 </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def packet(attribute="", rating=""):
    return PACKET.format(attribute=attribute, rating=rating).encode()


def exif_data(**changes):
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon\0", "Canon EOS 5D "
    exif[0x4746] = 4
    exif[0x9C9E] = "Family;beach\0".encode("utf-16-le")
    exif.get_ifd(0x8769).update({0x9003: "2024:05:01 12:30:00", 0xA434: "EF 50mm"})
    gps = {1: "S", 2: (48.0, 30.0, 36.0), 3: "E", 4: (16.0, 15.0, 0.0)}
    exif.get_ifd(0x8825).update(gps)
    for tag, value in changes.items():
        folder = exif.get_ifd(0x8825) if tag.startswith("gps") else exif
        folder[int(tag.removeprefix("gps").removeprefix("tag"), 0)] = value
    return exif


def info(form="JPEG", **options):
    with io.BytesIO() as file:
        Image.new("RGB", (30, 20), "red").save(file, form, **options)
        return decode(file.getvalue()).info


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_exif_data_of_every_format_are_read(form):
    if form == "HEIF":
        pillow_heif.register_heif_opener()
    found = info(form, exif=exif_data())
    assert (found.camera, found.lens, found.rating) == ("Canon EOS 5D", "EF 50mm", 4)
    assert found.place == pytest.approx((-48.51, 16.25))
    assert found.taken == datetime(2024, 5, 1, 12, 30)
    assert found.tags == ("Family", "beach")


def test_the_tags_of_a_tiff_are_its_exif_data():
    assert info("TIFF", tiffinfo={0x010F: "SONY", 0x0110: "ILCE-7"}).camera == "SONY ILCE-7"


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("SONY", "ILCE-7", "SONY ILCE-7"),
        ("", "Pixel 8", "Pixel 8"),
        ("Apple", "", "Apple"),
        ("\x1b[31mEvil\n\x07", "x" * 5000, "[31mEvil " + "x" * 200),
        ("\0", " ", None),
    ],
)
def test_the_camera_is_its_make_and_model(make, model, camera):
    assert info(exif=exif_data(tag0x010F=make, tag0x0110=model)).camera == camera


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_keywords_and_rating_of_xmp_are_read(form):
    if form == "PNG":
        from PIL.PngImagePlugin import PngInfo

        texts = PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", packet('xmp:Rating="5"').decode())
        found = info(form, pnginfo=texts)
    elif form == "TIFF":
        found = info(form, tiffinfo={700: packet('xmp:Rating="5"')})
    else:
        found = info(form, xmp=packet('xmp:Rating="5"'))
    assert (found.tags, found.rating) == (("Beach", "Z\u00fcrich"), 5)


def test_keywords_of_all_kinds_are_one_list_and_the_rating_of_xmp_counts():
    rated = packet(rating="<xmp:Rating>-1</xmp:Rating>")
    found = info(xmp=rated, exif=exif_data())
    assert (found.tags, found.rating) == (("Beach", "Z\u00fcrich", "Family"), -1)


@pytest.mark.parametrize("value", ["7", "-2", "4.5", "x", "", "1e1", "\u0665"])
def test_other_ratings_are_none(value):
    assert info(xmp=packet(f'xmp:Rating="{value}"')).rating is None


def with_iptc(*datasets):
    data = b"".join(
        b"\x1c" + bytes(number) + struct.pack(">H", len(value)) + value
        for number, value in datasets
    )
    block = b"8BIM\x04\x04\0\0" + struct.pack(">L", len(data)) + data + b"\0" * (len(data) % 2)
    segment = b"Photoshop 3.0\0" + block
    with io.BytesIO() as file:
        Image.new("RGB", (8, 8)).save(file, "JPEG")
        plain = file.getvalue()
    return plain[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]


def test_keywords_of_iptc_are_read():
    content = with_iptc(
        ((1, 90), b"\x1b%G"), ((2, 25), "K\u00f6ln".encode()), ((2, 80), b"me"), ((2, 25), b"Cat")
    )
    assert decode(content).info.tags == ("K\u00f6ln", "Cat")
    old = with_iptc(((2, 25), "K\u00f6ln".encode("latin-1")))
    assert decode(old).info.tags == ("K\u00f6ln",)


def test_a_dataset_that_ends_early_ends_the_keywords():
    content = with_iptc(((2, 25), b"Cat"), ((2, 25), b"Dog"))
    damaged = content.replace(b"\x1c\x02\x19\0\x03Dog", b"\x1c\x02\x19\x7f\xffDog")
    assert decode(damaged).info.tags == ("Cat",)


@pytest.mark.parametrize(
    "changes",
    [
        {"gps2": (91.0, 0.0, 0.0)},
        {"gps4": (181.0, 0.0, 0.0)},
        {"gps2": (IFDRational(1, 0), 0.0, 0.0)},
        {"gps2": (48.0,)},
        {"gps2": (0.0, 0.0, 0.0), "gps4": (0.0, 0.0, 0.0)},
    ],
)
def test_places_that_are_none_are_left_out(changes):
    found = info(exif=exif_data(**changes))
    assert found.place is None and found.camera == "Canon EOS 5D"


BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "'
    + b"a" * 1000
    + b'">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in b"bcdefgh"
    )
    + b"]><x>&h;</x>"
)


@pytest.mark.parametrize(
    "xmp",
    [
        BOMB,
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        b"<x" * 1000,
        b"<x>" * 200_000,
        b"<x>" * 150_000 + b"</x>" * 149_000,
        b"\0" * 1000,
        b"",
        b'<?xml version="1.0" encoding="nonsense"?><x/>',
        packet()[:-60],
        packet().replace(b"Beach", b"\xff\xfe"),
        b" " * (1 << 20) + packet(),
    ],
)
def test_hostile_and_damaged_xmp_data_are_read_as_missing(xmp):
    with io.BytesIO() as file:
        Image.new("RGB", (8, 8)).save(file, "WEBP", xmp=xmp)
        found = decode(file.getvalue()).info
    assert (found.tags, found.rating, found.width) == ((), None, 8)


def test_the_deepest_xmp_data_that_are_read_are_no_harm():
    deep = packet(rating="<x>" * 100_000 + "</x>" * 100_000)
    with io.BytesIO() as file:
        Image.new("RGB", (8, 8)).save(file, "WEBP", xmp=deep)
        assert decode(file.getvalue()).info.tags == ("Beach", "Z\u00fcrich")


def test_keywords_without_end_are_cut():
    many = "".join(f"<rdf:li>{n} {'x' * 300}</rdf:li>" for n in range(1000))
    found = info("WEBP", xmp=packet().replace(b"<rdf:li>Beach</rdf:li>", many.encode()))
    assert len(found.tags) == 200 and all(len(tag) <= 200 for tag in found.tags)


def test_exif_values_that_overlap_are_not_copied_one_by_one():
    """5000 values of 60 kB in 60 kB of data: 300 MB for Pillow."""
    entry = struct.pack("<HHLL", 0x9999, 7, 60_000, 0)
    data = b"II*\0" + struct.pack("<L", 8) + struct.pack("<H", 5000) + entry * 5000
    assert _claims_too_much(b"Exif\0\0" + data)
    assert info("WEBP", exif=b"Exif\0\0" + data).camera is None
    assert not _claims_too_much(exif_data().tobytes())


@pytest.mark.parametrize(
    "data",
    [
        b"II*\0\x08\0\0\0",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"II*\0\xff\xff\xff\xff",
        b"Exif\0\0",
        b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0",
        b"x" * 100,
    ],
)
def test_damaged_exif_data_are_read_as_missing(data):
    found = info("WEBP", exif=data)
    assert (found.camera, found.place, found.orientation, found.width) == (None, None, None, 30)


def test_flipped_bytes_never_stop_an_image():
    with io.BytesIO() as file:
        Image.new("RGB", (8, 8)).save(file, "WEBP", exif=exif_data(), xmp=packet())
        content = bytearray(file.getvalue())
    start, read = content.index(b"EXIF"), 0
    for position in range(start + 8, len(content), 3):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        with suppress(ItemError):  # where the byte is of the container
            assert len(decode(bytes(damaged)).info.tags) <= 5
            read += 1
    assert read > 100

"""The tag by which the contact sheets that this program writes are recognised in a gallery."""

from __future__ import annotations

from PIL.PngImagePlugin import PngInfo

_KEY, _VALUE = "Software", "fourm-retrieval contact sheet"
_PNG_START = b"\x89PNG\r\n\x1a\n"
# Pillow writes the texts before the pixels.
_HEAD = 4096


def contact_sheet_tag() -> PngInfo:
    """The text to write into the PNG file of a contact sheet."""
    tag = PngInfo()
    tag.add_text(_KEY, _VALUE)
    return tag


def is_contact_sheet(content: bytes) -> bool:
    """Whether a file is a contact sheet of this program, which shows images of the gallery."""
    text = f"tEXt{_KEY}\0{_VALUE}".encode()
    return content.startswith(_PNG_START) and text in content[:_HEAD]

"""Files of a gallery: finding and reading them, decoding images, and their EXIF data."""

from retrieval.pictures.decoding import decode
from retrieval.pictures.facts import Facts
from retrieval.pictures.finding import Found, Listing, Unreadable, find_files
from retrieval.pictures.reading import FileBytes, read_file

__all__ = [
    "Facts",
    "FileBytes",
    "Found",
    "Listing",
    "Unreadable",
    "decode",
    "find_files",
    "read_file",
]

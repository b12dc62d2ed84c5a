"""From a folder of files to RGB pixels: finding, decoding, and the facts a file tells."""

from retrieval.pictures.decoding import Decoded, decode, to_rgb
from retrieval.pictures.facts import Facts
from retrieval.pictures.finding import Found, Listing, Unreadable, find_files, find_pictures
from retrieval.pictures.reading import FileBytes, read_file

__all__ = [
    "Decoded",
    "Facts",
    "FileBytes",
    "Found",
    "Listing",
    "Unreadable",
    "decode",
    "find_files",
    "find_pictures",
    "read_file",
    "to_rgb",
]

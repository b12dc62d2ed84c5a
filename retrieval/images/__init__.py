"""Files of a gallery: finding and reading them, decoding images, and their EXIF data."""

from retrieval.images.decoding import decode
from retrieval.images.finding import FoundItem, Listing, Unreadable, find_files
from retrieval.images.info import ImageInfo
from retrieval.images.leaving_out import LeftOut
from retrieval.images.reading import FileBytes, read_file

__all__ = [
    "FileBytes",
    "FoundItem",
    "ImageInfo",
    "LeftOut",
    "Listing",
    "Unreadable",
    "decode",
    "find_files",
    "read_file",
]

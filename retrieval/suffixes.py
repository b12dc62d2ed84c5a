"""Suffixes of the files that galleries hold, in lower case."""

from __future__ import annotations

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".jp2", ".j2k", ".jpx", ".avif", ".heic", ".heif"}
    | {".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".jxl"}
)
RAW_SUFFIXES = frozenset(
    {".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".srf", ".dng", ".orf", ".rw2"}
    | {".raf", ".pef", ".srw", ".3fr", ".erf", ".kdc", ".mrw", ".raw", ".rwl", ".x3f", ".iiq"}
)
"""Camera RAW, of which the embedded preview is read."""

ARRAY_SUFFIXES = frozenset({".npy"})
LINE_SUFFIXES = frozenset({".txt", ".jsonl"})

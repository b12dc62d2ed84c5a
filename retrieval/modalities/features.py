"""What modalities share that are arrays of another network's features."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source


def array_modality(name: str, title: str, help: str) -> Modality:
    """A modality whose items are `.npy` files."""
    return Modality(name, title, (Source(name, "FILE", help),))

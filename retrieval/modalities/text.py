"""Text: a caption, a sentence, a few words."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

TEXT = Modality("text", "Text", (Source("text", "TEXT", "Text to search for.", typed=True),))

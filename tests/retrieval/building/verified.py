"""Builds whose index is verified."""

from retrieval import Gallery


def build(folder, model, **options):
    """An open gallery; `model.batches` holds what this build embedded."""
    model.batches.clear()
    gallery = Gallery.build(folder, folder.parent / "index", model, **options)
    gallery.index.verify()
    return gallery

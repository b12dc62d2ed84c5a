"""What an index was made of: its galleries, spaces and recipes."""

from __future__ import annotations

from pathlib import Path

from indexes.catalogue import Catalogue
from indexes.compatibility import require_reading, require_recipe
from indexes.recipe import Reading, Recipe


class IndexInfo:
    """The part of `indexes.Index` that describes it; nothing is read from the disk."""

    _folder: Path
    _catalogue: Catalogue

    @property
    def folder(self) -> Path:
        """The folder of the index."""
        return self._folder

    @property
    def root(self) -> Path:
        """Root of the first gallery: the paths of its items are relative to it."""
        return next(iter(self.roots.values()))

    @property
    def roots(self) -> dict[str, Path]:
        """Modality -> root of that gallery, the first gallery first."""
        galleries = self._catalogue.contents.galleries
        return {modality: Path(gallery.root) for modality, gallery in galleries.items()}

    @property
    def readings(self) -> dict[str, Reading]:
        """Modality -> how the items of that gallery are read, the first gallery first."""
        galleries = self._catalogue.contents.galleries
        return {modality: gallery.reading for modality, gallery in galleries.items()}

    @property
    def exclude(self) -> dict[str, tuple[str, ...]]:
        """Modality -> patterns of names that its gallery leaves out."""
        galleries = self._catalogue.contents.galleries
        return {modality: gallery.exclude for modality, gallery in galleries.items()}

    @property
    def recipe(self) -> Recipe:
        """How the vectors of the first space were made."""
        return next(iter(self.recipes.values()))

    @property
    def recipes(self) -> dict[str, Recipe]:
        """Space -> how its vectors were made, the first space first."""
        return self._catalogue.contents.recipes

    @property
    def index_id(self) -> str | None:
        """A random id that no other index has; None if the format is older than 3."""
        return self._catalogue.contents.index_id

    def require(self, recipe: Recipe, *, space: str | None = None) -> None:
        """Check that vectors can be compared with those of a space.

        Args:
            recipe: how the other vectors are made.
            space: the space; None: the one that the recipe names.

        Raises:
            RecipeMismatch: names what differs.
        """
        name = recipe.space if space is None else space
        require_recipe(self.recipes.get(name, self.recipe), recipe, self._folder)

    def require_reading(self, reading: Reading) -> None:
        """Check that items are read as those of the gallery of that modality were.

        Raises:
            ReadingMismatch: names what differs.
        """
        own = self._catalogue.contents.gallery(reading.modality).reading
        require_reading(own, reading, self._folder)

"""What to generate, regions to inpaint and guidance weights, typed or as numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from retrieval.assignments import read_numbers
from retrieval.errors import UsageError
from retrieval.modalities import MODALITIES, find, sources

if TYPE_CHECKING:
    from fourm.generation import InpaintBox

EVERYTHING = "all"


def outputs_named(names: str | Iterable[str], predicted: Sequence[str]) -> list[str]:
    """Modalities to generate, each once.

    Args:
        names: lists with commas between, e.g. `depth,normals`; `all` is all that is predicted.
        predicted: what the model predicts; only `all` depends on it.

    Raises:
        UsageError: no name, or an unknown one.
    """
    found: list[str] = []
    for name in _listed(names):
        found += predicted if name.lower() == EVERYTHING else [output_named(name)]
    if not found:
        raise UsageError(
            "expected at least one modality, for example depth,normals,seg,text", where="to"
        )
    return list(dict.fromkeys(found))


def asks_for_all(names: str | Iterable[str]) -> bool:
    """Whether `all` is among the names; see `outputs_named`."""
    return EVERYTHING in (name.lower() for name in _listed(names))


def _listed(names: str | Iterable[str]) -> list[str]:
    joined = names if isinstance(names, str) else ",".join(names)
    return joined.replace(",", " ").split()


def output_named(name: str) -> str:
    """The modality that is generated for a name: `image_tokens` for `image`.

    Raises:
        UsageError: an unknown name.
    """
    modality = find(name)
    if modality is None:
        known = [name for name, modality in MODALITIES.items() if modality.output is not None]
        raise UsageError(f"unknown modality {name!r}; known: {', '.join(known)}")
    return modality.generated_as or modality.name


def given_modalities(given: Mapping[str, object]) -> frozenset[str]:
    """The modalities of the inputs that were given, by the names of their sources."""
    return frozenset(
        source.modality for name, source in sources().items() if given.get(name) is not None
    )


def read_inpaint(given: Sequence[InpaintBox | str]) -> list[InpaintBox]:
    """Boxes (xmin, ymin, xmax, ymax) in fractions of the central square, or written with commas.

    Raises:
        UsageError: anything else.
    """
    boxes = []
    for entry in given:
        numbers = entry.split(",") if isinstance(entry, str) else entry
        try:
            xmin, ymin, xmax, ymax = map(float, numbers)
        except (TypeError, ValueError):
            raise UsageError(
                f"{entry!r} is not a valid box; expected xmin,ymin,xmax,ymax as fractions, "
                "for example 0.25,0.25,0.75,0.75",
                where="inpaint",
            ) from None
        boxes.append((xmin, ymin, xmax, ymax))
    return boxes


def read_weights(
    given: Mapping[str, float] | Sequence[str], inputs: Collection[str]
) -> dict[str, float]:
    """Guidance weights by modality.

    Args:
        given: modality -> weight, or strings such as `text=2`.
        inputs: modalities of the inputs: `image` is the photo if there is one, else the image
            that is generated.

    Raises:
        UsageError: any other form, an unknown modality, or one that is given twice.
    """
    if not given:
        raise UsageError("expected at least one weight, for example text=2", where="weight")
    if not isinstance(given, Mapping):
        given = read_numbers(given, "weight", "text=2")
    weights: dict[str, float] = {}
    for name, weight in given.items():
        modality = name if name in inputs else output_named(name)
        if modality in weights:
            raise UsageError(f"{modality} is given twice", where="weight")
        weights[modality] = weight
    return weights

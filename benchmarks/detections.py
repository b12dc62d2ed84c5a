"""Mean average precision of boxes."""

from __future__ import annotations

from collections.abc import Sequence

from fourm.modalities.boxes import Box

OVERLAP = 0.5


def mean_average_precision(
    found: Sequence[Sequence[Box]], truth: Sequence[Sequence[Box]], overlap: float = OVERLAP
) -> float:
    """Mean over the classes in `truth` of the area under precision and recall.

    Boxes that a sequence model writes have no scores. All of them count at once: the curve is a
    single point, and the area is precision times recall. With scores it would be larger.

    Args:
        found: of each photo.
        truth: of each photo.
        overlap: least intersection over union of a box that is found.
    """
    areas = []
    for name in sorted({box.name for boxes in truth for box in boxes}):
        right = made = wanted = 0
        for mine, theirs in zip(found, truth, strict=True):
            left = [box for box in theirs if box.name == name]
            wanted += len(left)
            for box in (one for one in mine if one.name == name):
                made += 1
                best = max(left, key=lambda one: intersection_over_union(box, one), default=None)
                if best is not None and intersection_over_union(box, best) >= overlap:
                    right += 1
                    left.remove(best)
        areas.append(right / made * right / wanted if made else 0.0)
    return sum(areas) / len(areas)


def intersection_over_union(one: Box, other: Box) -> float:
    """0 to 1."""
    width = min(one.xmax, other.xmax) - max(one.xmin, other.xmin)
    height = min(one.ymax, other.ymax) - max(one.ymin, other.ymin)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    areas = sum((box.xmax - box.xmin) * (box.ymax - box.ymin) for box in (one, other))
    return both / (areas - both)

"""Names of classes in other spellings: capitals, short forms, names of other data sets."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache

from fourm.messages import shown
from fourm.modalities.seg import PanopticClass, panoptic_classes
from retrieval.errors import QueryError
from retrieval.modalities.panoptic import NOTHING
from retrieval.modalities.segmentation.formats import formats, short_name

_SYNONYMS = {
    "bike": "bicycle",
    "motorbike": "motorcycle",
    "motor": "motorcycle",
    "plane": "airplane",
    "aeroplane": "airplane",
    "aircraft": "airplane",
    "automobile": "car",
    "people": "person",
    "man": "person",
    "woman": "person",
    "human": "person",
    "pedestrian": "person",
    "rider": "person",
    "hydrant": "fire hydrant",
    "puppy": "dog",
    "kitten": "cat",
    "bag": "handbag",
    "purse": "handbag",
    "frisbee disc": "frisbee",
    "ball": "sports ball",
    "bat": "baseball bat",
    "racket": "tennis racket",
    "glass": "wine glass",
    "doughnut": "donut",
    "hotdog": "hot dog",
    "sofa": "couch",
    "settee": "couch",
    "potted plant": "potted plant",
    "houseplant": "potted plant",
    "plant": "potted plant",
    "table": "dining table",
    "tv monitor": "tv",
    "television": "tv",
    "tele": "tv",
    "monitor": "tv",
    "notebook": "laptop",
    "phone": "cell phone",
    "mobile phone": "cell phone",
    "smartphone": "cell phone",
    "telephone": "cell phone",
    "fridge": "refrigerator",
    "teddy": "teddy bear",
    "hairdryer": "hair drier",
    "hair dryer": "hair drier",
}
"""Of things; other names that differ by spaces and signs alone are found without this."""


def class_named(name: str, where: object, *, things: bool = False) -> PanopticClass:
    """The class of a name.

    Args:
        name: COCO's name in any case, with or without spaces, or a well-known other name.
        where: for messages.
        things: only one of the 80 classes that boxes can have.

    Raises:
        QueryError: no class has it; the nearest name is offered.
    """
    known = _known(things)
    asked = _key(name)
    # A plural counts for its singular, which no list has.
    found = known.get(asked) or (known.get(asked[:-1]) if asked.endswith("s") else None)
    if found is not None:
        return found
    near = get_close_matches(asked, known, 1, cutoff=0.65)
    offered = known[near[0]].name if near else ""
    which = (
        "80 COCO classes that `fourm classes` lists as things"
        if things
        else ("COCO panoptic classes that `fourm classes` lists")
    )
    hint = f"; did you mean {offered}?" if offered else ""
    raise QueryError(f"{shown(name)} is not one of the {which}{hint}", where=where)


@cache
def _known(things: bool) -> dict[str, PanopticClass]:
    """Name without spaces and signs -> class; COCO's own names come first."""
    rows = [row for row in panoptic_classes() if row.is_thing or not things]
    known = {_key(row.name): row for row in rows}
    for row in rows:
        known.setdefault(_key(short_name(row.name)), row)
    by_name, by_id = {row.name: row for row in rows}, {row.id: row for row in rows}
    if not things:
        # Of stuff, a data set's name says more than a synonym of a thing: a table, a plant.
        _add_other_names(known, by_id)
    for other, name in _SYNONYMS.items():
        known.setdefault(_key(other), by_name[name])
    known.pop(_key("nothing"), None)
    return known


def _add_other_names(known: dict[str, PanopticClass], by_id: dict[int, PanopticClass]) -> None:
    for entry in formats().values():
        for number, name in entry.names.items():
            if (category := entry.categories[number]) != NOTHING:
                known.setdefault(_key(name), by_id[category])


def _key(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())

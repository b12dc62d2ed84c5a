"""Human poses: people with SMPL parameters."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from retrieval.drawing.panel import Panel, empty_panel
from retrieval.errors import QueryError
from retrieval.inputs import Input, errors_of
from retrieval.modalities.modality import Items, Modality, Output, Source

if TYPE_CHECKING:
    from PIL import Image

    from fourm.modalities import Decoded
    from fourm.modalities.poses import Person

_CODES = 8


def read_poses(source: object) -> Input:
    """People of an image, in its central square.

    Args:
        source: a JSON file or its content: `width`, `height` and `people`, each with `box` (xmin,
            ymin, xmax, ymax in pixels), `pose` (8 codes, or 23 rotation matrices), `orientation`
            (3 x 3), `camera` (3 numbers) and `shape` (10 numbers).

    Raises:
        QueryError: another form.
    """
    from fourm.modalities.pixels import square_box
    from fourm.modalities.poses import People, poses_text
    from retrieval.inputs.json_files import load_json, objects, size_of

    content, where, name = load_json(source, "poses")
    if isinstance(content, People):
        return Input("poses", content, name)
    width, height = size_of(content, where)
    left, top, right, bottom = square_box(width, height)
    size = (right - left, bottom - top)
    people, rotations = [], []
    for number, entry in enumerate(objects(content, "people", where), start=1):
        with errors_of(f"{where}: person {number}"):
            person, matrices = _person(entry, f"{where}: person {number}", (left, top))
            # Refuses wrong lengths and ranges here, where the person's number is known.
            filled = person if matrices is None else replace(person, pose=(0,) * _CODES)
            poses_text([filled], size)
        people.append(person)
        rotations.append(matrices)
    with errors_of(where):
        return Input("poses", People(size, tuple(people), tuple(rotations)), name)


def _person(
    entry: dict[str, Any], where: str, corner: tuple[int, int]
) -> tuple[Person, tuple[float, ...] | None]:
    from fourm.modalities.poses import JOINT_NUMBERS, Person
    from retrieval.inputs.json_files import flat_numbers

    parts = {
        key: flat_numbers(entry.get(key), f"{where}: {key}")
        for key in ("box", "pose", "orientation", "camera", "shape")
    }
    if len(parts["box"]) != 4:
        raise QueryError("box must be xmin, ymin, xmax, ymax in pixels", where=where)
    xmin, ymin, xmax, ymax = parts["box"]
    pose = parts["pose"]
    coded = len(pose) == _CODES
    if not coded and len(pose) != JOINT_NUMBERS:
        raise QueryError(
            f"pose must be {_CODES} codes or {JOINT_NUMBERS} numbers, got {len(pose)}",
            where=where,
        )
    if coded and not all(isinstance(code, int) for code in pose):
        raise QueryError("codes of a pose must be integers", where=where)
    person = Person(
        box=(xmin - corner[0], ymin - corner[1], xmax - corner[0], ymax - corner[1]),
        pose=tuple(int(code) for code in pose) if coded else (),
        orientation=parts["orientation"],
        camera=parts["camera"],
        shape=parts["shape"],
    )
    return person, None if coded else pose


def _draw(entry: Input, title: str) -> Panel:
    from retrieval.escaping import printable

    name = printable(entry.name) if entry.name else None
    rows = (("people", str(len(entry.value.people))),)
    return Panel(title, name or title, rows=rows, name=name)


def _draw_output(decoded: Decoded, title: str, ground: Image.Image | None) -> Panel:
    """Boxes of the people."""
    from fourm.modalities.boxes import Box
    from retrieval.drawing.painting import boxes_over

    width, height = decoded.value.size
    boxes = [
        Box(left / width, top / height, right / width, bottom / height, "person")
        for left, top, right, bottom in (person.box for person in decoded.value.people)
    ]
    if not boxes:
        return replace(empty_panel(title), summary="0 people")
    return Panel(title, f"{len(boxes)} people", image=boxes_over(boxes, ground))


def _write(decoded: Decoded, panel: Panel) -> tuple[Any, ...]:
    import numpy as np

    width, height = decoded.value.size
    assert decoded.rotations is not None
    people = [
        {
            "box": list(person.box),
            "pose": list(person.pose),
            "orientation": list(person.orientation),
            "camera": list(person.camera),
            "shape": list(person.shape),
            "rotations": np.round(matrices, 6).tolist(),
        }
        for person, matrices in zip(decoded.value.people, decoded.rotations, strict=True)
    ]
    content = {"width": width, "height": height, "people": people}
    return json.dumps(content, allow_nan=False) + "\n", panel.image


POSES = Modality(
    "poses",
    "Human poses",
    (
        Source(
            "poses",
            "FILE",
            "Human poses: JSON of boxes and SMPL parameters.",
            forms=("string", "object"),
            read=read_poses,
            items=Items("files of poses", frozenset({".json"})),
        ),
    ),
    draw=_draw,
    output=Output(
        (".json", ".png"),
        write=_write,
        draw=_draw_output,
        summary=lambda people: str(len(people.people)),
        title="People",
    ),
    aliases=("humans",),
)

"""Human poses as a query: a JSON file of people with SMPL parameters."""

from __future__ import annotations

from typing import Any

from fourm.modalities.pixels import square_box
from fourm.modalities.poses import JOINT_NUMBERS, People, Person, poses_text
from retrieval.errors import QueryError
from retrieval.queries.inputs import Input
from retrieval.queries.json_files import flat_numbers, load_json, objects, size_of
from retrieval.queries.named import named

_CODES = 8


def read_poses(source: object) -> Input:
    """People of a picture, in its central square.

    Args:
        source: a JSON file or its content: `width`, `height` and `people`, each with `box` (xmin,
            ymin, xmax, ymax in pixels), `pose` (8 codes, or 23 rotation matrices), `orientation`
            (3 x 3), `camera` (3 numbers) and `shape` (10 numbers).

    Raises:
        QueryError: another form.
    """
    content, where, name = load_json(source, "poses")
    if isinstance(content, People):
        return Input("poses", content, name)
    width, height = size_of(content, where)
    left, top, right, bottom = square_box(width, height)
    people, rotations = [], []
    for number, entry in enumerate(objects(content, "people", where), start=1):
        with named(f"{where}: person {number}"):
            person, turned = _person(entry, f"{where}: person {number}", (left, top))
            # Refuses wrong lengths and ranges here, where the person's number is known.
            filled = person if turned is None else _with(person, (0,) * _CODES)
            poses_text([filled], (right - left, bottom - top))
        people.append(person)
        rotations.append(turned)
    with named(where):
        return Input(
            "poses", People((right - left, bottom - top), tuple(people), tuple(rotations)), name
        )


def _person(
    entry: dict[str, Any], where: str, corner: tuple[int, int]
) -> tuple[Person, tuple[float, ...] | None]:
    parts = {
        key: flat_numbers(entry.get(key), f"{where}: {key}")
        for key in ("box", "pose", "orientation", "camera", "shape")
    }
    if len(parts["box"]) != 4:
        raise QueryError("box should be xmin, ymin, xmax, ymax in pixels", where=where)
    xmin, ymin, xmax, ymax = parts["box"]
    pose = parts["pose"]
    coded = len(pose) == _CODES
    if not coded and len(pose) != JOINT_NUMBERS:
        raise QueryError(
            f"pose should be {_CODES} codes or {JOINT_NUMBERS} numbers, got {len(pose)}",
            where=where,
        )
    if coded and not all(isinstance(code, int) for code in pose):
        raise QueryError("pose: codes are whole numbers", where=where)
    person = Person(
        box=(xmin - corner[0], ymin - corner[1], xmax - corner[0], ymax - corner[1]),
        pose=tuple(int(code) for code in pose) if coded else (),
        orientation=parts["orientation"],
        camera=parts["camera"],
        shape=parts["shape"],
    )
    return person, None if coded else pose


def _with(person: Person, pose: tuple[int, ...]) -> Person:
    return Person(person.box, pose, person.orientation, person.camera, person.shape)

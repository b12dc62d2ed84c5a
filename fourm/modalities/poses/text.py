"""People as SMPL parameters, and the text that 4M-21 reads them as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from fourm.checks import finite_numbers
from fourm.errors import BadInput
from fourm.modalities.number_words import LARGEST, code_words, read_codes, read_number, read_numbers

Part = Literal["pose", "global", "camera", "shape"]
PARTS: tuple[Part, ...] = ("pose", "global", "camera", "shape")
NOBODY = "none"

_LENGTHS: dict[Part, int] = {"pose": 8, "global": 9, "camera": 3, "shape": 10}
_MIDDLE = LARGEST / 2
_SHAPE_SCALE = LARGEST / 6
_CAMERA_SCALE = LARGEST / 20
_CAMERA_LOW, _CAMERA_HIGH = -1.0, 19.0


@dataclass(frozen=True)
class Person:
    """One person, as SMPL parameters.

    Attributes:
        box: xmin, ymin, xmax, ymax in pixels of the image.
        pose: 8 codes 0 .. 1023 of the pose tokenizer, which stand for the 23 joints' rotations.
        orientation: the body's rotation matrix row by row, 9 numbers from -1 to 1.
        camera: 3 numbers; clamped to -1 .. 19.
        shape: the 10 SMPL betas, about -3 to 3.
    """

    box: tuple[float, float, float, float]
    pose: tuple[int, ...]
    orientation: tuple[float, ...]
    camera: tuple[float, ...]
    shape: tuple[float, ...]


def poses_text(
    people: Iterable[Person], size: tuple[int, int], order: Sequence[Part] = PARTS
) -> str:
    """People as the model reads them: `human v0=394 ... pose v0=60 ... global ... `.

    Boxes are clipped to the image; people outside it, and those whose box is inverted,
    are left out. No people are written as `none`.

    Args:
        people: in the order in which they are to be written.
        size: width and height of the image in pixels.
        order: of the four parts of a person; training used all orders.

    Raises:
        BadInput: a part of a person that has the wrong length, is not finite or is out of range;
            an order that is not the four parts.
    """
    if sorted(order) != sorted(PARTS):
        raise BadInput(f"the parts of a person are {', '.join(PARTS)}, each once")
    width, height = finite_numbers(size, "the image's size", 2)
    if width < 1 or height < 1:
        raise BadInput(f"the image's size must be at least 1 x 1, got {width:g} x {height:g}")
    written = []
    for person in people:
        _check(person)
        xmin, ymin, xmax, ymax = person.box
        if xmax < 0 or ymax < 0 or xmin > width or ymin > height or xmin > xmax or ymin > ymax:
            continue
        x = [min(max(edge, 0.0), width) / width for edge in (xmin, xmax)]
        y = [min(max(edge, 0.0), height) / height for edge in (ymin, ymax)]
        edges = enumerate((x[0], y[0], x[1], y[1]))
        words = ["human", *(f"v{axis}={round(edge * LARGEST)}" for axis, edge in edges)]
        for part in order:
            words += [part, *_part_words(person, part)]
        # The reference ends every person with a space.
        written.append(" ".join(words) + " ")
    return "".join(written) or NOBODY


def parse_poses(text: str, size: tuple[int, int]) -> list[Person]:
    """People of a text that a model has written, in pixels of an image of this size.

    A person with a missing or malformed part is skipped.
    """
    people = []
    for chunk in text.split("human")[1:]:
        words = chunk.split()
        edges = read_numbers(words, range(4))
        parts = _read_parts(words[4:])
        if edges is None or parts is None:
            continue
        xmin, ymin, xmax, ymax = (edge / LARGEST for edge in edges)
        people.append(
            Person(
                box=(xmin * size[0], ymin * size[1], xmax * size[0], ymax * size[1]),
                pose=tuple(parts["pose"]),
                orientation=tuple((v - _MIDDLE) / _MIDDLE for v in parts["global"]),
                camera=tuple(v / _CAMERA_SCALE + _CAMERA_LOW for v in parts["camera"]),
                shape=tuple((v - _MIDDLE) / _SHAPE_SCALE for v in parts["shape"]),
            )
        )
    return people


def _part_words(person: Person, part: Part) -> list[str]:
    if part == "pose":
        return code_words(person.pose)
    if part == "global":
        numbers = [_MIDDLE * value + _MIDDLE for value in person.orientation]
    elif part == "camera":
        clipped = (min(max(value, _CAMERA_LOW), _CAMERA_HIGH) for value in person.camera)
        # The reference's order of operations: scale * (value - low) rounds some values otherwise.
        numbers = [_CAMERA_SCALE * value - _CAMERA_SCALE * _CAMERA_LOW for value in clipped]
    else:
        # As in training, not clamped: a beta beyond 3 has no token and falls into word pieces.
        numbers = [_SHAPE_SCALE * value + _MIDDLE for value in person.shape]
    return [f"v0={round(number)}" for number in numbers]


def _read_parts(words: Sequence[str]) -> dict[Part, list[int]] | None:
    parts: dict[Part, list[int]] = {}
    at = 0
    while at < len(words) and len(parts) < len(PARTS):
        part = next((name for name in PARTS if name == words[at]), None)
        if part is None:
            return None
        length = _LENGTHS[part]
        following = words[at + 1 : at + 1 + length]
        if part == "pose":
            numbers = read_codes(following, length)
        else:
            read = [read_number(word, 0) for word in following]
            numbers = [number for number in read if number is not None]
        if numbers is None or len(numbers) != length:
            return None
        parts[part] = numbers
        at += 1 + length
    return parts if len(parts) == len(PARTS) else None


def _check(person: Person) -> None:
    wanted = {
        "box": (person.box, 4),
        "pose": (person.pose, 8),
        "orientation": (person.orientation, 9),
        "camera": (person.camera, 3),
        "shape": (person.shape, 10),
    }
    for name, (values, length) in wanted.items():
        finite_numbers(values, f"a person's {name}", length)
    if not all(-1.01 <= value <= 1.01 for value in person.orientation):
        raise BadInput("a person's orientation must be a rotation matrix: numbers from -1 to 1")

"""People before their poses are tokens."""

from __future__ import annotations

from dataclasses import dataclass

from fourm.checks import finite_numbers
from fourm.errors import BadInput
from fourm.messages import shown
from fourm.modalities.poses.text import Person

JOINT_NUMBERS = 207
"""23 joints, each a 3 x 3 rotation matrix row by row."""


_ROTATIONS = "a pose that is not 8 codes (the rotation matrices of 23 joints)"


@dataclass(frozen=True)
class People:
    """The people of one image.

    Attributes:
        size: width and height of the image in pixels.
        people: boxes in pixels of it; `pose` empty where there are rotations.
        rotations: for each person 207 numbers for the pose tokenizer, or None if `pose` has its
            8 codes already.

    Raises:
        BadInput: not as many rotations as people, or not 207 finite numbers.
    """

    size: tuple[int, int]
    people: tuple[Person, ...] = ()
    rotations: tuple[tuple[float, ...] | None, ...] = ()

    def __post_init__(self) -> None:
        for name, values in (("people", self.people), ("rotations", self.rotations)):
            if not isinstance(values, (list, tuple)):
                raise BadInput(f"{name} must be a list, got {shown(values)}")
        if not all(isinstance(person, Person) for person in self.people):
            raise BadInput("people must be a list of Person")
        if len(self.people) != len(self.rotations):
            raise BadInput(f"{len(self.people)} people have {len(self.rotations)} poses")
        for numbers in self.rotations:
            if numbers is not None:
                finite_numbers(numbers, _ROTATIONS, JOINT_NUMBERS)

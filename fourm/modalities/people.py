"""People before their poses are tokens (4M-21 reference: human_poses as a query)."""

from __future__ import annotations

from dataclasses import dataclass

from fourm.errors import BadInput
from fourm.modalities.poses import Person

JOINT_NUMBERS = 207
"""23 joints, each a 3 x 3 rotation matrix row by row."""


@dataclass(frozen=True)
class People:
    """The people of one picture.

    Attributes:
        size: width and height of the picture in pixels.
        people: boxes in pixels of it; `pose` empty where there are rotations.
        rotations: for each person 207 numbers for the pose tokenizer, or None if `pose` has its
            8 codes already.

    Raises:
        BadInput: not as many rotations as people, or not 207 numbers.
    """

    size: tuple[int, int]
    people: tuple[Person, ...] = ()
    rotations: tuple[tuple[float, ...] | None, ...] = ()

    def __post_init__(self) -> None:
        if len(self.people) != len(self.rotations):
            raise BadInput(f"{len(self.people)} people have {len(self.rotations)} poses")
        for numbers in self.rotations:
            if numbers is not None and len(numbers) != JOINT_NUMBERS:
                raise BadInput(
                    f"a pose is 8 codes, or the rotation matrices of 23 joints, {JOINT_NUMBERS} "
                    f"numbers, not {len(numbers)}"
                )

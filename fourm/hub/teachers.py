"""The teachers by name: the networks whose vectors 4M-21 predicts. `fourm.teachers` runs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fourm.checkpoints.files import CONFIG, TENSORS


@dataclass(frozen=True)
class TeacherCard:
    """A teacher, described without its weights.

    Attributes:
        name: e.g. `dinov2-b14`.
        title: one-line description.
        repository: where its weights lie on the hub.
        files: those of the repository that are needed, the tensors last.
        predicted: the space in which 4M-21 predicts its vectors: `dinov2` or `clip`.
        outputs: space -> what is read of the network; the default space first.
        reads_text: whether it has a text tower.
    """

    name: str
    title: str
    repository: str
    files: tuple[str, ...]
    predicted: str
    outputs: Mapping[str, str]
    reads_text: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """The modalities that it reads."""
        return ("image", "text") if self.reads_text else ("image",)


CLIP_B16 = TeacherCard(
    name="clip-b16",
    title="CLIP ViT-B/16",
    repository="timm/vit_base_patch16_clip_224.openai",
    files=("open_clip_config.json", "open_clip_model.safetensors"),
    predicted="clip",
    outputs={
        "clip_joint": "projected class token, CLIP's own embedding",
        "clip": "mean of the projected patch tokens",
    },
    reads_text=True,
)

DINOV2_B14 = TeacherCard(
    name="dinov2-b14",
    title="DINOv2 ViT-B/14",
    repository="timm/vit_base_patch14_dinov2.lvd142m",
    files=(CONFIG, TENSORS),
    predicted="dinov2",
    outputs={"dinov2": "class token after the last norm"},
)

TEACHERS: Mapping[str, TeacherCard] = {card.name: card for card in (CLIP_B16, DINOV2_B14)}
"""Name -> card."""


def find_teacher(name: str) -> TeacherCard | None:
    """The card of a teacher by its name, or by the space that it is the teacher of; or None."""
    return next((card for card in TEACHERS.values() if name in (card.name, card.predicted)), None)

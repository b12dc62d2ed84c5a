"""The networks whose vectors 4M-21 predicts: their own vectors, for a gallery.

=============  =================================================================================
teacher        the base class: loaded when first needed, pixels in, vectors out
dinov2         DINOv2 ViT-B/14, run by timm: its class token
clip           CLIP ViT-B/16, run by open_clip: mean patch token, its own embedding, its text tower
weights        finding weights, reading them safely, their digest
known          a teacher by its name
samples        the samples of a teacher: images and texts
teacher_model  a teacher used as a model: `load_model("clip-b16")`
with_teachers  a 4M-21 model whose images are embedded by its teachers
=============  =================================================================================

    model = fourm.load_model("4M-21_B")
    model = ModelWithTeachers(model, [ClipTeacher(), Dinov2Teacher("dinov2_vitb14_pretrain.pth")])

Importing this package imports neither torch nor timm nor open_clip.
"""

from fourm.teachers.clip import ClipTeacher
from fourm.teachers.dinov2 import Dinov2Teacher
from fourm.teachers.known import make_teacher
from fourm.teachers.teacher import Teacher
from fourm.teachers.teacher_model import TeacherModel
from fourm.teachers.with_teachers import ModelWithTeachers

__all__ = [
    "ClipTeacher",
    "Dinov2Teacher",
    "ModelWithTeachers",
    "Teacher",
    "TeacherModel",
    "make_teacher",
]

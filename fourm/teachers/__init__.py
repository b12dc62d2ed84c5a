"""The networks whose vectors 4M-21 predicts, themselves: real vectors for a gallery.

=========  =====================================================================================
teacher    what every teacher is: made by name, loaded when first needed, pixels in, vectors out
dinov2     DINOv2 ViT-B/14, by timm: its class token
clip       CLIP ViT-B/16, by open_clip: its patch tokens' mean, its own embedding, its words
weights    finding weights, reading them safely, their digest
known      the teachers by name
samples    pictures and words on their way to a teacher
alone      a teacher as a whole model: `load_model("clip-b16")`
taught     a 4M-21 model whose pictures are embedded by its teachers
=========  =====================================================================================

    model = fourm.load_model("4M-21_B")
    taught = Taught(model, [ClipTeacher(), Dinov2Teacher("dinov2_vitb14_pretrain.pth")])

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

from fourm.modalities.seg import panoptic_classes
from recipes.mini.pseudo_maps import mention_bias


def test_captions_raise_the_classes_that_they_mention():
    bias = mention_bias(["A dog in the snow.", "Snow everywhere", "a dog"])
    names = [row.name for row in panoptic_classes()]
    assert bias[names.index("snow")] == 2
    assert bias[names.index("sea")] == -1.5
    assert bias[names.index("dog")] == 0

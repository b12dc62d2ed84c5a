import pytest

from fourm.training.run import Run
from recipes.mini import export, features, joint, pseudo_maps, tokenizers
from recipes.mini.flickr8k_coco import Flickr8kCoco
from tests.recipes.mini.small_material import Made, make_data, make_language, make_teacher


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A finished run of the stages up to `export`."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("training")
        run, data = Run(folder / "run"), Flickr8kCoco(make_data(folder / "data"))
        language = make_language(folder / "language", patch)
        run.save("teacher", make_teacher())
        features.extract(run, data)
        features.write_split(run, data)
        tokenizers.fit_space(run, rounds=2)
        pseudo_maps.predict(run, data, epochs=1)
        tokenizers.fit_seg_tokenizer(run, data, language, steps=2)
        joint.train(run, data, language, steps=2, save_every=1)
        export.write(run, data, language, folder / "bundle")
        return Made(run, data, language, folder / "bundle")

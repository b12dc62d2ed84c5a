import pytest

from fourm.training.run import Run
from recipes.mini import export, features, pseudo_maps, queries, spaces, texts
from recipes.mini.flickr8k_coco import Flickr8kCoco
from tests.recipes.mini.small_material import (
    Made,
    make_data,
    make_former,
    make_language,
    make_teacher,
)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A finished run of all stages."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("training")
        run, data = Run(folder / "run"), Flickr8kCoco(make_data(folder / "data"))
        language = make_language(folder / "language", patch)
        run.save("teacher", make_teacher())
        former = make_former(folder / "former", run.load("teacher"), language)
        features.extract(run, data)
        features.write_split(run, data)
        pseudo_maps.predict(run, data, epochs=1)
        texts.prune(run, data, language, former)
        texts.encode(run, data)
        queries.encode(run, data, former)
        spaces.fit(run, data, former)
        export.write(run, former, folder / "bundle")
        return Made(run, data, language, former, folder / "bundle")

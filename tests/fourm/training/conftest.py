import pytest

from fourm.training import export, features, joint, pseudo_maps, seg_tokenizer, space, split
from fourm.training.run import Run
from tests.fourm.training.small_material import make_data, make_language, make_teacher


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A finished run: (run, bundle folder, language folder)."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("training")
        run = Run(folder / "run", make_data(folder / "data"))
        language = make_language(folder / "language", patch)
        patch.setattr(joint, "SAVE_EVERY", 1)
        patch.setattr(space, "ROUNDS", 2)
        run.save("teacher", make_teacher())
        features.extract(run)
        split.fix(run)
        space.fit(run)
        pseudo_maps.draw(run, epochs=1)
        seg_tokenizer.fit(run, language, steps=2)
        joint.train(run, language, steps=2)
        export.write(run, language, folder / "bundle")
        return run, folder / "bundle", language

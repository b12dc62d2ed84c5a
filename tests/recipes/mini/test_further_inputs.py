"""Further inputs are added to a finished model, and its other vectors stay the same."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from fourm import BadInput, load_model
from fourm.imagenet import imagenet_normalised
from fourm.modalities.boxes import Box
from fourm.modalities.edges import canny_edges
from fourm.training import edges, inputs
from fourm.training.run import Run
from fourm.transformer import load_fm
from fourm.transformer.embeddings import input_embedding
from recipes.mini import further

PHOTO = Image.fromarray(np.random.default_rng(5).integers(0, 255, (90, 70, 3)).astype(np.uint8))
FURTHER = {
    "edges": Image.fromarray(canny_edges(PHOTO)[0]),
    "boxes": [Box(0.1, 0.2, 0.5, 0.9, "dog"), Box(0, 0, 1, 1, "person")],
    "palette": [(250, 10, 10), (0, 0, 90)],
    "metadata": {"brightness": 100.0, "n_humans": 2},
}
BEFORE = {"text": "two dogs", "image": PHOTO, "seg": np.full((50, 60), 193)}


@pytest.fixture(scope="module")
def bundles(made, tmp_path_factory):
    """Model folders before and after."""
    after = tmp_path_factory.mktemp("further") / "bundle"
    shutil.copytree(made.bundle, after)
    further.fit(made.run, made.data, after, steps=2, edge_steps=3, batch=8)
    further.add(made.run, made.data, after, vocabulary=1000)
    return made.bundle, after


def test_all_inputs_are_embedded_alone_and_together(bundles):
    model = load_model(bundles[1], dtype="float32")
    samples = [{name: value} for name, value in FURTHER.items()]
    samples += [{"text": "a cat", **one} for one in samples] + [{**BEFORE, **FURTHER}]
    vectors = model.embed([model.prepare(sample) for sample in samples])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert len(np.unique(vectors.round(4), axis=0)) == len(samples)


def test_vectors_of_earlier_inputs_do_not_change(bundles):
    old, new = (load_model(folder, dtype="float32") for folder in bundles)
    samples = [{name: value} for name, value in BEFORE.items()]
    samples.append({name: BEFORE[name] for name in ("text", "seg")})
    vectors = [one.embed([one.prepare(sample) for sample in samples]) for one in (old, new)]
    assert np.array_equal(*vectors)


def test_inputs_embedded_alone_are_combined_by_their_weights(bundles):
    model = load_model(bundles[1], dtype="float32")
    given = {"text": "two dogs", "edges": FURTHER["edges"], "palette": FURTHER["palette"]}
    text, edges, palette, all_three = model.embed(
        [*(model.prepare({name: value}) for name, value in given.items()), model.prepare(given)]
    )
    weights = further.WEIGHTS
    joined = text + weights["edges"] * edges + weights["palette"] * palette
    assert np.allclose(all_three, joined / np.linalg.norm(joined), atol=1e-5)


def test_edges_are_embedded_like_a_photo_with_equal_channels(made):
    model = load_fm(made.bundle / "model", inputs=[inputs.PHOTO], outputs=[])
    photo = model.encoder_embeddings[inputs.PHOTO]
    embedding = input_embedding(inputs.token_spec(inputs.EDGES), model.config.dim)
    embedding.load_state_dict(inputs.edge_embedding(model))
    grey = torch.randint(0, 256, (1, 1, edges.SIDE, edges.SIDE)).to(torch.uint8)
    large = (
        grey.repeat_interleave(2, 2).repeat_interleave(2, 3)[..., :224, :224].expand(-1, 3, -1, -1)
    )
    small = imagenet_normalised(large)[..., ::2, ::2]
    patches = small.reshape(1, 3, 8, 14, 8, 14).permute(0, 2, 4, 3, 5, 1).reshape(1, 64, -1)
    x, e = embedding(grey.float() / 255, None)
    own = x + e - embedding.pos_emb
    assert torch.allclose(own, photo.proj(patches) + photo.mod_emb, atol=1e-4)


def test_fitting_resumes_with_the_inputs_that_are_missing(made, bundles, monkeypatch):
    made.run.path(f"further/{inputs.PALETTE}.safetensors").unlink()
    fitted = []
    monkeypatch.setattr(inputs, "fit_items", lambda _, name, *__, **___: fitted.append(name) or {})
    further.fit(made.run, made.data, bundles[0], steps=1)
    assert fitted == [inputs.PALETTE]


def test_a_model_folder_that_grows_too_large_is_refused(made, bundles, tmp_path):
    run = Run(tmp_path)
    for name in further.NAMES.values():
        run.save(f"further/{name}", {"embedding.x": torch.zeros(3), "probe.mean": torch.zeros(3)})
    copy = tmp_path / "bundle"
    shutil.copytree(bundles[0], copy)
    with pytest.raises(BadInput, match="reduce the vocabulary"):
        further.add(run, made.data, copy, vocabulary=1000, most_bytes=1000)
    for path in bundles[0].rglob("*"):
        if path.is_file():
            assert (copy / path.relative_to(bundles[0])).read_bytes() == path.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []

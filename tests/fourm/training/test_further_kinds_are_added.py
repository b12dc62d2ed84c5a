"""A finished bundle learns further kinds, and what it could do before stays as it was."""

import shutil

import numpy as np
import pytest
from PIL import Image

from fourm import BadInput, load_model
from fourm.modalities.boxes import Box
from fourm.modalities.edges import canny_edges
from fourm.training import adding, drawings, export, further
from fourm.training.run import Run

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
    """Folders of the bundle before and after."""
    run, before, _ = made
    after = tmp_path_factory.mktemp("further") / "bundle"
    shutil.copytree(before, after)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(further, "EDGE_STEPS", 3)
        patch.setattr(further, "BATCH", 8)
        further.learn(run, after, steps=2)
        adding.add(run, after, vocabulary=1000)
    return before, after


def test_all_kinds_are_read_alone_and_together(bundles):
    model = load_model(bundles[1], dtype="float32")
    samples = [{kind: value} for kind, value in FURTHER.items()]
    samples += [{"text": "a cat", **one} for one in samples] + [{**BEFORE, **FURTHER}]
    vectors = model.embed([model.prepare(sample) for sample in samples])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert len(np.unique(vectors.round(4), axis=0)) == len(samples)


def test_what_it_could_do_before_has_not_changed_at_all(bundles):
    old, new = (load_model(folder, dtype="float32") for folder in bundles)
    samples = [{kind: value} for kind, value in BEFORE.items()]
    samples.append({kind: BEFORE[kind] for kind in ("text", "seg")})
    vectors = [one.embed([one.prepare(sample) for sample in samples]) for one in (old, new)]
    assert np.array_equal(*vectors)


def test_kinds_read_alone_are_joined_with_their_weights(bundles):
    model = load_model(bundles[1], dtype="float32")
    given = {"text": "two dogs", "edges": FURTHER["edges"], "palette": FURTHER["palette"]}
    text, edges, palette, all_three = model.embed(
        [*(model.prepare({kind: value}) for kind, value in given.items()), model.prepare(given)]
    )
    weights = adding.WEIGHTS
    joined = text + weights["edges"] * edges + weights["palette"] * palette
    assert np.allclose(all_three, joined / np.linalg.norm(joined), atol=1e-5)


def test_edges_are_embedded_as_a_photo_with_equal_channels_would_be(made):
    import torch

    from fourm.imagenet import imagenet_normalised
    from fourm.transformer import load_fm
    from fourm.transformer.embeddings import input_embedding

    model = load_fm(made[1] / "model", inputs=[further.PHOTO], outputs=[])
    photo = model.encoder_embeddings[further.PHOTO]
    edges = input_embedding(further.modality_of(further.EDGES), model.config.dim)
    edges.load_state_dict(further.edge_embedding(model))
    grey = torch.randint(0, 256, (1, 1, drawings.SIDE, drawings.SIDE)).to(torch.uint8)
    large = (
        grey.repeat_interleave(2, 2).repeat_interleave(2, 3)[..., :224, :224].expand(-1, 3, -1, -1)
    )
    small = imagenet_normalised(large)[..., ::2, ::2]
    patches = small.reshape(1, 3, 8, 14, 8, 14).permute(0, 2, 4, 3, 5, 1).reshape(1, 64, -1)
    x, e = edges(grey.float() / 255, None)
    own = x + e - edges.pos_emb
    assert torch.allclose(own, photo.proj(patches) + photo.mod_emb, atol=1e-4)


def test_learning_goes_on_with_the_kinds_that_are_missing(made, bundles, monkeypatch):
    run = made[0]
    run.path(f"further/{further.PALETTE}.safetensors").unlink()
    learnt = []
    monkeypatch.setattr(further._Items, "train", lambda self, *_: learnt.append(self.name) or {})
    further.learn(run, bundles[0], steps=1)
    assert learnt == [further.PALETTE]


def test_a_bundle_that_grows_too_large_is_refused(made, bundles, monkeypatch, tmp_path):
    run = Run(tmp_path, made[0].data)
    for name in further.KINDS.values():
        run.save(f"further/{name}", {"embedding.x": np_tensor(), "readout.mean": np_tensor()})
    monkeypatch.setattr(adding, "MOST_BYTES", 1000)
    copy = tmp_path / "bundle"
    shutil.copytree(bundles[0], copy)
    with pytest.raises(BadInput, match="lower the vocabulary"):
        adding.add(run, copy, vocabulary=1000)
    for path in bundles[0].rglob("*"):
        if path.is_file():
            assert (copy / path.relative_to(bundles[0])).read_bytes() == path.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def np_tensor():
    import torch

    return torch.zeros(3)


def test_edges_in_all_versions_are_drawings_of_the_models_size():
    import random

    pixels = np.asarray(PHOTO.resize((224, 224))).transpose(2, 0, 1)
    versions = [drawings.edges(pixels, name, random.Random(0)) for name in drawings.VERSIONS]
    assert {(one.shape, one.dtype.name) for one in versions} == {((1, 112, 112), "uint8")}
    assert all(one.max() > 100 for one in versions)
    assert export.MOST_BYTES <= 48_000_000

"""The closed-form parts of the recipe do what they claim."""

import json
import random

import pytest
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from fourm.errors import BadInput
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.vqvae import VQVAE
from fourm.training import batches, export, seg_tokenizer, space, teacher
from fourm.training.architecture import IMAGE, image_encoder
from fourm.training.pseudo_maps import mention_bias
from fourm.training.vocabulary import pruned
from fourm.transformer.embeddings import ModalityInput
from tests.fourm.training.small_material import make_language


def backbone(dim=64, depth=2):
    """A DINOv2 backbone as `read_onnx` returns it, with LayerScale and random weights."""
    generator = torch.Generator().manual_seed(0)

    def tensor(*shape):
        return torch.randn(*shape, generator=generator) * 0.2

    weights = {
        "embeddings.patch_embeddings.projection.weight": tensor(dim, 3, 14, 14) * 0.1,
        "embeddings.patch_embeddings.projection.bias": tensor(dim),
        "positions": tensor(1, 37 * 37, dim),
        "cls_with_position": tensor(1, 1, dim),
        "layernorm.weight": tensor(dim),
        "layernorm.bias": tensor(dim),
    }
    for i in range(depth):
        name = f"encoder.layer.{i}."
        shapes = {"attention.output.dense": (dim, dim), "mlp.fc1": (4 * dim, dim)}
        shapes |= {f"attention.attention.{n}": (dim, dim) for n in ("query", "key", "value")}
        shapes["mlp.fc2"] = (dim, 4 * dim)
        for layer, shape in shapes.items():
            weights[f"{name}{layer}.weight"] = tensor(*shape)
            weights[f"{name}{layer}.bias"] = tensor(shape[0])
        for half in "12":
            weights[f"{name}norm{half}.weight"] = 1 + tensor(dim)
            weights[f"{name}norm{half}.bias"] = tensor(dim)
            weights[f"{name}layer_scale{half}.lambda1"] = tensor(dim)
    return weights


def dinov2(w, pixels):
    """The network as DINOv2 defines it, LayerScale and all, one head."""
    patches = F.conv2d(
        pixels,
        w["embeddings.patch_embeddings.projection.weight"],
        w["embeddings.patch_embeddings.projection.bias"],
        stride=14,
    )
    dim = patches.shape[1]
    grid = w["positions"].view(1, 37, 37, dim).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(16, 16), mode="bicubic", align_corners=False)
    h = torch.cat([w["cls_with_position"], (patches + grid).flatten(2).transpose(1, 2)], 1)
    for i in range(2):
        p = f"encoder.layer.{i}."

        def linear(x, name, p=p):
            return F.linear(x, w[f"{p}{name}.weight"], w[f"{p}{name}.bias"])

        def norm(x, half, p=p):
            return F.layer_norm(
                x, (dim,), w[f"{p}norm{half}.weight"], w[f"{p}norm{half}.bias"], 1e-6
            )

        u = norm(h, 1)
        q, k, v = (linear(u, f"attention.attention.{n}") for n in ("query", "key", "value"))
        attention = (q @ k.transpose(1, 2) / dim**0.5).softmax(-1) @ v
        scaled = linear(attention, "attention.output.dense") * w[p + "layer_scale1.lambda1"]
        h = h + scaled
        inner = F.gelu(linear(norm(h, 2), "mlp.fc1"))
        h = h + linear(inner, "mlp.fc2") * w[p + "layer_scale2.lambda1"]
    return F.layer_norm(h, (dim,), w["layernorm.weight"], w["layernorm.bias"], 1e-6)


def test_the_encoder_is_the_backbone_with_its_layer_scale_folded_in():
    weights = backbone()
    pixels = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    model = image_encoder(teacher.encoder_state(weights))
    with torch.inference_mode():
        tokens = model.encode({IMAGE: ModalityInput(pixels)}).tokens
    assert torch.allclose(tokens, dinov2(weights, pixels), atol=1e-4)


@pytest.fixture(scope="module")
def fitted():
    """A space of the real sizes, fitted to vectors of uneven spread."""
    cls = torch.randn(600, 384, generator=torch.Generator().manual_seed(0))
    cls = cls * torch.linspace(4, 0.1, 384) + 3
    mean, matrix, inverse = space.whitening(cls, space.POWER)
    rotation = space._rotation(*matrix.shape)
    rotated = (cls - mean) @ matrix.T @ rotation
    codes = space.k_means((rotated / rotated.std()).reshape(-1, 24), 512, rounds=3)
    parts = {"mean": mean, "matrix": matrix, "inverse": inverse, "rotation": rotation}
    return cls, {**parts, "scale": rotated.std()[None], "codes": codes}


def test_half_whitening_leaves_the_root_of_each_spread(fitted):
    cls, parts = fitted
    white = (cls - parts["mean"]) @ parts["matrix"].T
    raw = torch.linalg.eigvalsh(torch.cov((cls - parts["mean"]).T)).flip(0)[:383]
    assert torch.allclose(white.var(0), raw.sqrt(), rtol=1e-2)


def test_the_global_tokenizer_takes_the_nearest_entry_and_decodes_as_training_does(fitted):
    cls, parts = fitted
    config, state = space.tokenizer(parts)
    tokenizer = VQVAE(TokenizerConfig.from_mapping(config))
    tokenizer.load_state_dict(state)
    chunks = (cls - parts["mean"]) @ parts["matrix"].T @ parts["rotation"] / parts["scale"]
    nearest = torch.cdist(chunks.view(-1, 16, 24), parts["codes"]).argmin(-1)
    with torch.inference_mode():
        tokens = tokenizer.encode(cls)
        assert (tokens == nearest).float().mean() > 0.999
        decoded = space.transformed(parts, tokenizer.decode_tokens(tokens))
    fast = space.decoded(parts, F.one_hot(tokens, 512).float())
    assert torch.allclose(decoded, fast, atol=1e-4)


def test_segmentation_tokens_are_decided_cell_by_cell():
    table = F.normalize(torch.randn(134, 64, generator=torch.Generator().manual_seed(0)), dim=-1)
    centres = torch.cat([table[1:], torch.randn(2048 - 133, 64)])
    model = seg_tokenizer.assemble(table, F.normalize(centres, dim=-1))
    labels = torch.arange(64).view(8, 8).repeat_interleave(8, 0).repeat_interleave(8, 1)[None] + 1
    with torch.inference_mode():
        assert model.encode(labels).flatten().tolist() == list(range(64))


def test_cells_share_their_labels():
    labels = torch.zeros(1, 64, 64, dtype=torch.uint8)
    labels[0, :8, :4] = 7
    share = seg_tokenizer.cells(labels)
    assert share[0, 0, 7] == 0.5
    assert torch.allclose(share.sum(-1), torch.ones(1, 64))


def test_captions_speak_for_what_they_mention():
    bias = mention_bias(["A dog in the snow.", "Snow everywhere", "a dog"])
    from fourm.modalities.seg import panoptic_classes

    names = [row.name for row in panoptic_classes()]
    assert bias[names.index("snow")] == 2
    assert bias[names.index("sea")] == -1.5
    assert bias[names.index("dog")] == 0


def test_sketches_only_coarsen_shift_confuse_or_leave_out():
    labels = torch.zeros(64, 64, dtype=torch.uint8)
    labels[10:30], labels[30:] = 5, 9
    rng = random.Random(0)
    drawn = [batches._sketch(labels, [(9, 11)], rng) for _ in range(60)]
    assert {int(v) for one in drawn for v in one.unique()} == {0, 5, 9, 11}
    assert any((one == labels).all() for one in drawn)
    assert any((one == labels).float().mean() < 0.9 for one in drawn)


def test_other_crops_of_the_own_photo_are_no_negatives():
    of, photos = torch.tensor([0, 1, 1, 2]), torch.tensor([1])
    same = batches.positives(of, photos)
    logits = torch.tensor([[0.0, 1.0, 50.0, 0.0]])
    loss = batches.masked_cross_entropy(logits, photos, same)
    assert torch.isclose(loss, -torch.tensor([0.0, 1.0, 0.0]).log_softmax(0)[1])


def test_a_stored_matrix_comes_back_within_half_a_step_of_its_row():
    matrix = torch.randn(80, 90)
    parts = export.stored("layer.weight", matrix)
    back = parts["layer.weight"].float() * parts["layer.weight.scale"][:, None]
    step = matrix.abs().amax(1, keepdim=True) / 127
    assert ((back - matrix).abs() <= step / 2 + 1e-6).all()


def test_a_pruned_vocabulary_spells_what_it_no_longer_knows(tmp_path, monkeypatch):
    folder = make_language(tmp_path / "language", monkeypatch)
    whole = json.loads((folder / "tokenizer.json").read_text())
    keep = {whole["model"]["vocab"]["dog"]}
    small, old_ids = pruned(whole, keep)
    tokenizer = Tokenizer.from_str(json.dumps(small))
    assert tokenizer.encode("dog").tokens == ["[CLS]", "dog", "[SEP]"]
    assert tokenizer.encode("cat").tokens == ["[CLS]", "c", "##a", "##t", "[SEP]"]
    words = {new: word for word, new in small["model"]["vocab"].items()}
    old_words = {old: word for word, old in whole["model"]["vocab"].items()}
    assert all(words[new] == old_words[old] for new, old in enumerate(old_ids))


def test_only_word_piece_vocabularies_are_pruned():
    with pytest.raises(BadInput, match="WordPiece"):
        pruned({"model": {"type": "BPE"}}, set())

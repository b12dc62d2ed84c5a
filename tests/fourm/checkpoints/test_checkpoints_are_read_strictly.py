import json
import shutil
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file, save_model

from fourm.checkpoints import Checkpoint, TensorFile, load_module, parse_value
from fourm.errors import (
    CheckpointError,
    ConfigError,
    TensorMismatch,
    UnknownModality,
)
from fourm.transformer import load_fm
from fourm.transformer.builders import add_input
from tests.fourm.edited import edit_config, edit_tensors, spoil_small_real
from tests.fourm.recorded import FIXTURES

SMALL = FIXTURES / "models" / "fm_small_real"


@pytest.fixture
def folder(tmp_path):
    """A copy of the small model, to be damaged."""
    copy = tmp_path / "model"
    shutil.copytree(SMALL, copy)
    return copy


def same(one, other):
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


class TestConfigs:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("768", 768),
            ("4.0", 4.0),
            ("1e-5", 1e-5),
            ("True", True),
            ("False", False),
            ("None", None),
            ("['caption', 'det']", ["caption", "det"]),
            ("('a', None)", ["a", None]),
            ("{'rgb@224': {'patch_size': 14}}", {"rgb@224": {"patch_size": 14}}),
            ("[1, null]", [1, None]),
            ("SiLU", "SiLU"),
            ("on", "on"),
            ("yes", "yes"),
            ("", ""),
            ("BottleneckMLP/B_6-Wi_1024", "BottleneckMLP/B_6-Wi_1024"),
            ("1+2j", "1+2j"),
            ("b'x'", "b'x'"),
            ("{1, 2}", "{1, 2}"),
            ("[b'x']", "[b'x']"),
        ],
    )
    def test_the_strings_of_a_header_become_values(self, text, value):
        parsed = parse_value(text)
        assert parsed == value
        assert type(parsed) is type(value)

    @pytest.mark.parametrize(
        "text", ["__import__('os').getcwd()", "[].__class__", "lambda: 0", "[" * 9000, "9" * 20000]
    )
    def test_nothing_is_evaluated(self, text):
        assert parse_value(text) == text

    def test_the_header_alone_is_enough(self, folder):
        with_config = load_fm(folder)
        (folder / "config.json").unlink()
        assert same(load_fm(folder), with_config)
        assert same(load_fm(folder / "model.safetensors"), with_config)

    def test_config_json_goes_before_the_header(self, folder):
        edit_config(folder, num_heads=4)
        assert load_fm(folder).config.num_heads == 4

    def test_a_file_without_a_config_has_the_one_beside_it(self, folder):
        edit_config(folder, num_heads=4)
        assert load_fm(folder / "model.safetensors").config.num_heads == 2
        edit_tensors(folder, lambda state: None)
        assert load_fm(folder / "model.safetensors").config.num_heads == 4

    def test_no_config_anywhere(self, folder):
        (folder / "config.json").unlink()
        edit_tensors(folder, lambda state: None)
        with pytest.raises(CheckpointError, match=r"neither config\.json nor"):
            load_fm(folder)

    @pytest.mark.parametrize("text", ["", "{", '{"dim": }', "[1, 2]", "null", "[" * 100_000])
    def test_bad_json_is_named(self, folder, text):
        (folder / "config.json").write_text(text)
        with pytest.raises(ConfigError, match=r"config\.json"):
            load_fm(folder)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("dim", "wide"),
            ("dim", 18),
            ("dim", -16),
            ("dim", 10**12),
            ("dim", True),
            ("encoder_depth", 10**9),
            ("num_heads", 0),
            ("num_heads", 3),
            ("mlp_ratio", float("nan")),
            ("mlp_ratio", "1e400"),
            ("allow_zero_attn", True),
            ("qkv_bias", 3),
            ("act_layer", "Module"),
            ("act_layer", "functional"),
            ("act_layer", ...),
            ("norm_bias", ...),
            ("domains_in", "rgb@224"),
            ("domains_in", ["rgb@224", "rgb@224"]),
            ("domains_out", ["rgb@224"]),
            ("modality_info", [1]),
            ("modality_info", {"rgb@224": {"patch": 14}}),
            ("modality_info", {"rgb@224": 14}),
            ("modality_info", {"rgb@224": {"patch_size": 0}}),
            ("modality_info", {"rgb@224": {"max_tokens": 200}}),
            ("modality_info", {"tok_dinov2_global": {"vocabulary": 0}}),
        ],
    )
    def test_an_impossible_field_is_named(self, folder, field, value):
        edit_config(folder, **{field: value})
        with pytest.raises(ConfigError, match=field):
            load_fm(folder)

    def test_unknown_fields_are_left_alone(self, folder):
        edit_config(folder, favourite_colour="green")
        load_fm(folder)

    def test_a_modality_that_nobody_describes(self, folder):
        edit_config(folder, domains_in=["rgb@224", "tok_smell@224"])
        with pytest.raises(UnknownModality, match="tok_smell@224"):
            load_fm(folder)


class TestFiles:
    def test_absent(self, tmp_path):
        with pytest.raises(CheckpointError, match=r"no model\.safetensors"):
            load_fm(tmp_path)

    @pytest.mark.parametrize("keep", [0, 4, 8, 100, 5000, -1])
    def test_cut_short(self, folder, keep):
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:keep])
        with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged"):
            load_fm(folder)

    def test_longer_than_its_header_says(self, folder):
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes() + b"more")
        with pytest.raises(CheckpointError, match="damaged"):
            load_fm(folder)

    @pytest.mark.parametrize(
        "entry",
        [
            {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]},
            {"dtype": "F32", "shape": [2], "data_offsets": [0, 1 << 40]},
            {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]},
            {"dtype": "F32", "shape": [1 << 62, 8], "data_offsets": [0, 8]},
            {"dtype": "P64", "shape": [2], "data_offsets": [0, 8]},
        ],
    )
    def test_a_header_that_lies(self, tmp_path, entry):
        header = json.dumps({"x": entry}).encode()
        path = tmp_path / "model.safetensors"
        path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
        with pytest.raises(CheckpointError, match="damaged"):
            TensorFile(path)

    def test_a_pickle_is_not_opened(self, folder):
        torch.save({"mask_token": torch.zeros(1)}, folder / "model.safetensors")
        with pytest.raises(CheckpointError, match="not a safetensors file"):
            load_fm(folder)

    def test_a_folder_in_the_files_place(self, folder):
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors").mkdir()
        with pytest.raises(CheckpointError):
            load_fm(folder)


class TestTensors:
    def test_all_differences_are_in_one_error(self, folder):
        edit_tensors(folder, spoil_small_real)
        with pytest.raises(TensorMismatch) as caught:
            load_fm(folder)
        error = caught.value
        assert sorted(error.missing) == ["encoder.1.mlp.fc3.weight", "mask_token"]
        assert error.unknown == ["encoder.2.norm1.weight"]
        assert len(error.wrong) == 2
        for name in (*error.missing, *error.unknown, "decoder_norm.weight", "encoder_norm.weight"):
            assert name in str(error)

    def test_modalities_that_are_not_asked_for_are_still_checked(self, folder):
        edit_tensors(folder, lambda s: s.pop("encoder_embeddings.t5_caption.emb_proj.bias"))
        with pytest.raises(TensorMismatch, match=r"t5_caption\.emb_proj\.bias"):
            load_fm(folder, inputs=["rgb@224"])

    def test_only_the_asked_modalities_are_read(self, folder, monkeypatch):
        read = []
        original = TensorFile._read
        monkeypatch.setattr(
            TensorFile, "_read", lambda self, name, d: read.append(name) or original(self, name, d)
        )
        model = load_fm(folder, inputs=["rgb@224"], outputs=["tok_dinov2_global"])
        assert model.inputs == ("rgb@224",)
        assert sorted(read) == sorted(model.state_dict())
        assert not [n for n in read if "t5_caption" in n or "encoder_embeddings.tok_" in n]
        with pytest.raises(UnknownModality, match="tok_rgb@224"):
            load_fm(folder, inputs=["tok_rgb@224"])

    def test_tied_tensors_in_either_form(self, folder):
        prefix = "decoder_embeddings.tok_dinov2_global"
        head, table = f"{prefix}.to_logits.weight", f"{prefix}.token_emb.weight"
        vector = "encoder_embeddings.tok_dinov2_global.mod_emb"
        stored = load_file(folder / "model.safetensors")
        assert not torch.equal(stored[head], stored[table])

        edit_tensors(folder, lambda s: (s.pop(head), s.pop(f"{prefix}.mod_emb")))
        state = load_fm(folder).state_dict()
        assert torch.equal(state[head], stored[table])
        assert torch.equal(state[f"{prefix}.mod_emb"], stored[vector])

        edit_tensors(folder, lambda s: s.update({head: stored[head]}) or s.pop(table))
        state = load_fm(folder).state_dict()
        assert torch.equal(state[head], stored[head])
        assert torch.equal(state[table], stored[head])
        # Neither shares memory with the other: both may be trained on.
        state[table].zero_()
        assert torch.equal(state[head], stored[head])

        edit_tensors(folder, lambda s: s.pop(head))
        with pytest.raises(TensorMismatch, match="to_logits"):
            load_fm(folder)

    def test_a_file_from_which_safetensors_left_out_what_is_tied(self, folder):
        """As the library saves a model in training, in which tied tensors are one."""
        model = load_fm(folder)
        for name, target in model.decoder_embeddings.items():
            target.to_logits.weight = target.token_emb.weight
            if name in model.encoder_embeddings:
                target.mod_emb = model.encoder_embeddings[name].mod_emb
        save_model(model, folder / "model.safetensors")
        kept = load_file(folder / "model.safetensors")
        left_out = model.state_dict().keys() - kept.keys()
        assert {name.rsplit(".", 2)[-1] for name in left_out} == {"mod_emb", "weight"}
        assert same(load_fm(folder), model)
        without = load_fm(folder, inputs=["rgb@224"])
        add_input(without, folder, "tok_dinov2_global")
        name = "encoder_embeddings.tok_dinov2_global.mod_emb"
        assert torch.equal(without.state_dict()[name], model.state_dict()[name])

    @pytest.mark.parametrize(
        ("dtype", "tolerance"), [(torch.float16, 1e-3), (torch.bfloat16, 8e-3), (torch.int8, 8e-3)]
    )
    def test_low_precision_is_expanded(self, folder, dtype, tolerance):
        exact = load_fm(folder).state_dict()

        def shrink(state):
            for name, value in list(state.items()):
                if dtype is not torch.int8:
                    state[name] = value.to(dtype)
                elif value.dim() >= 2:
                    rows = value.flatten(1).abs().amax(1).clamp(min=1e-12) / 127
                    scaled = value / rows.view(-1, *[1] * (value.dim() - 1))
                    state[name] = scaled.round().to(torch.int8)
                    state[f"{name}.scale"] = rows

        edit_tensors(folder, shrink)
        for name, value in load_fm(folder).state_dict().items():
            assert value.dtype == torch.float32
            assert (value - exact[name]).abs().max() <= tolerance * exact[name].abs().max(), name

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_what_is_converted_does_not_stay_mapped(self, folder, dtype, monkeypatch):
        from fourm.checkpoints import tensors

        opened, opens = [], tensors._open
        monkeypatch.setattr(tensors, "_open", lambda path: opened.append(path) or opens(path))
        monkeypatch.setattr(tensors, "MAPPED", 10_000)
        converted = load_fm(folder, dtype=dtype)
        assert converted.decoder_proj_context.weight.dtype == dtype
        assert same(converted.to(dtype), load_fm(folder).to(dtype))
        assert len(opened) > 3  # anew whenever 10 000 bytes have been converted

    @pytest.mark.parametrize(
        "scale", [None, torch.ones(3), torch.ones(16, 1), torch.ones(16, dtype=torch.int8)]
    )
    def test_int8_needs_one_scale_a_row(self, folder, scale):
        name = "decoder_proj_context.weight"

        def spoil(state):
            state[name] = torch.ones(16, 16, dtype=torch.int8)
            if scale is not None:
                state[f"{name}.scale"] = scale

        edit_tensors(folder, spoil)
        with pytest.raises(TensorMismatch, match=name):
            load_fm(folder)

    def test_reading_by_name(self):
        with Checkpoint.open(SMALL).tensors() as file:
            assert list(file.read(["mask_token"])) == ["mask_token"]
            with pytest.raises(CheckpointError, match="no tensor nonsense"):
                file.read(["nonsense"])

    def test_ignored_names_may_be_there_or_not(self, folder):
        layer = torch.nn.Linear(2, 2)
        save_file({"weight": torch.ones(2, 2), "bias": torch.ones(2), "extra": torch.ones(1)},
                  folder / "model.safetensors")  # fmt: skip
        checkpoint = Checkpoint.open(folder)
        with pytest.raises(TensorMismatch, match="extra"):
            load_module(layer, checkpoint)
        load_module(layer, checkpoint, ignore=lambda name: name == "extra")
        assert torch.equal(layer.weight.detach(), torch.ones(2, 2))
        assert layer.weight.requires_grad
        save_file({"weight": torch.ones(2, 2)}, folder / "model.safetensors")
        with pytest.raises(TensorMismatch, match="bias"):
            load_module(layer, checkpoint, ignore=lambda name: name == "bias")

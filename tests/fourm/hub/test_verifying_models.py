"""What `verify` says of whole, damaged and mislabelled folders, without loading them."""

import json
import os
import shutil
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import fourm
from fourm.checkpoints import TensorFile
from fourm.hub.expected import official_model_shapes, tokenizer_shapes
from fourm.hub.names import WEIGHTS
from fourm.hub.official import OWNER, TEXT_TOKENIZER, tokenizer_repositories, tokenizers
from fourm.hub.pulling import pull
from fourm.hub.verifying import verify
from tests.fourm.edited import edit_config, edit_tensors, spoil_small_real
from tests.fourm.hub.small_official import FM_CONFIG
from tests.fourm.recorded import FIXTURES
from tests.processes import run_python

TOKENIZERS = tokenizer_repositories()

MODEL = "model.safetensors"
RECORDED_MODELS = sorted(path.parent.name for path in FIXTURES.glob("models/*/model.safetensors"))


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(FIXTURES / "models" / "fm_small_real", tmp_path / "some-model")


def only(source, **options):
    (found,) = verify(str(source), **options)
    return found


def write_header(path, shapes, dtype="F32"):
    """A sparse file of the full size: a header, then holes."""
    entries, offset = {}, 0
    for name, shape in shapes.items():
        size = 4 * torch.Size(shape).numel()
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    header = json.dumps(entries).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + offset)


class TestWhole:
    @pytest.mark.parametrize("name", RECORDED_MODELS)
    def test_recorded_models(self, name):
        found = only(FIXTURES / "models" / name)
        assert found.differences == () and found.official is None
        assert found.kind == ("transformer" if name.startswith("fm_") else "tokenizer")
        stored = load_file(FIXTURES / "models" / name / MODEL)
        assert found.tensors == len(stored) and found.dtypes == {"F32": len(stored)}
        assert found.values == sum(tensor.numel() for tensor in stored.values())

    def test_the_bundled_model_part_by_part(self):
        found = verify("mini")
        assert [entry.differences for entry in found] == [()] * 21
        kinds = [*["file"] * 15, "language model", *["tokenizer"] * 4, "transformer"]
        assert sorted(entry.kind for entry in found) == kinds
        assert verify(str(WEIGHTS / "mini")) == found

    def test_a_config_in_the_header_is_enough(self, folder):
        (folder / "config.json").unlink()
        assert only(folder).differences == ()
        assert only(folder / MODEL).differences == ()

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
    def test_any_floats(self, folder, dtype):
        edit_tensors(folder, lambda s: s.update({k: v.to(dtype) for k, v in s.items()}))
        found = only(folder)
        assert found.differences == () and len(found.dtypes) == 1

    def test_a_tied_tensor_may_be_stored_once(self, folder):
        edit_tensors(
            folder, lambda s: s.pop("decoder_embeddings.tok_dinov2_global.to_logits.weight")
        )
        assert only(folder).differences == ()

    def test_no_tensor_is_read(self, folder, monkeypatch):
        monkeypatch.setattr(TensorFile, "_read", lambda *a: pytest.fail("a tensor was read"))
        assert only(folder).differences == ()


class TestOfficial:
    def test_a_model_of_full_size(self, tmp_path):
        shapes = official_model_shapes("4M-21_B")
        write_header(tmp_path / "4M-21_B" / MODEL, shapes)
        (tmp_path / "4M-21_B" / "config.json").write_text(json.dumps(official_b()))
        found = only(tmp_path / "4M-21_B")
        assert found.differences == () and found.official == "4M-21_B"
        assert (found.tensors, found.values, found.size > 3.3e9) == (433, 842_630_400, True)

    @pytest.mark.parametrize("name", tokenizers())
    def test_a_tokenizer_of_full_size(self, tmp_path, name):
        write_header(tmp_path / name / MODEL, tokenizer_shapes(tokenizers()[name].config))
        (tmp_path / name / "config.json").write_text(json.dumps(dict(tokenizers()[name].config)))
        found = only(tmp_path / name)
        assert (found.differences, found.official) == ((), name)

    def test_another_model_under_an_official_name(self, folder, tmp_path):
        named = folder.rename(tmp_path / "4M-21_B")
        found = only(named)
        assert found.official == "4M-21_B"
        sentences = "\n".join(found.differences)
        assert "describes mask_token of shape [1, 1, 16]; it is [1, 1, 768] in 4M-21_B" in sentences
        assert "describes no encoder.11.norm1.weight, which 4M-21_B has" in sentences

    def test_the_number_of_channels_of_edges_is_the_files(self, tmp_path):
        name = TOKENIZERS["tok_canny_edge@224"]
        config = {**tokenizers()[name].config, "n_channels": 3}
        write_header(tmp_path / name / MODEL, tokenizer_shapes(config))
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        assert only(tmp_path / name).differences == ()

    def test_that_of_depth_is_not(self, tmp_path):
        name = TOKENIZERS["tok_depth@224"]
        config = {**tokenizers()[name].config, "n_channels": 3}
        write_header(tmp_path / name / MODEL, tokenizer_shapes(config))
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        (difference, *_) = only(tmp_path / name).differences
        assert "config.json describes" in difference


def official_b():
    from fourm.tokens import OFFICIAL

    switches = dict.fromkeys(("qkv_bias", "proj_bias", "mlp_bias", "norm_bias"), False)
    return {
        "domains_in": sorted(OFFICIAL),
        "domains_out": sorted(name for name, spec in OFFICIAL.items() if spec.is_predictable),
        **switches,
        "act_layer": "SiLU",
        "gated_mlp": True,
    }


class TestDamaged:
    def test_every_difference_is_listed(self, folder):
        edit_tensors(folder, spoil_small_real)
        assert sorted(only(folder).differences) == [
            "decoder_norm.weight has shape [17], not [16]",
            "encoder.1.mlp.fc3.weight is missing",
            "encoder.2.norm1.weight is not a tensor of this model",
            "encoder_norm.weight is stored as I64, not as floats",
            "mask_token is missing",
        ]

    @pytest.mark.parametrize("keep", [0, 7, 8, 100, 5000, -1])
    def test_cut_short(self, folder, keep):
        (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:keep])
        (difference,) = only(folder).differences
        assert "model.safetensors is damaged" in difference

    @pytest.mark.parametrize("length", [0, 1, 1 << 20, 1 << 40, (1 << 64) - 1])
    def test_a_length_of_the_header_that_lies(self, folder, length):
        content = (folder / MODEL).read_bytes()
        (folder / MODEL).write_bytes(struct.pack("<Q", length) + content[8:])
        (difference,) = only(folder).differences
        assert "damaged" in difference

    @pytest.mark.parametrize(
        "fields",
        [
            {"dim": 10**12},
            {"dim": 65536, "encoder_depth": 512},
            {"encoder_depth": 10**9},
            {"mlp_ratio": "1e400"},
            {"domains_in": []},
            {"domains_in": ["rgb@224"] * 2},
            {"modality_info": {"t5_caption": {"width": 1 << 16, "position_rows": 1 << 16}}},
            {"modality_info": {"tok_dinov2_global": {"vocabulary": 2**31}}},
        ],
    )
    def test_an_absurd_config_of_a_model(self, folder, fields):
        edit_config(folder, **fields)
        assert only(folder).differences

    @pytest.mark.parametrize(
        "fields",
        [
            {"enc_type": "BottleneckMLP/B_99999999-Wi_8"},
            {"enc_type": "BottleneckMLP/B_" + "9" * 100_000 + "-Wi_8"},
            {"enc_type": "BottleneckMLP/B_1-Wi_99999999999"},
            {"latent_dim": 2**31, "num_codebooks": 2**31, "codebook_size": 2**31},
            {"codebook_size": 2**31},
            {"n_channels": 2**31, "n_labels": 2**31},
            {"image_size": 2**31 - 16, "enc_type": "vit_l_enc", "quant_type": "lucid"},
            {"codebook_size": float("nan")},
            {"codebook_size": "many"},
            {"enc_type": []},
        ],
    )
    def test_an_absurd_config_of_a_tokenizer(self, tmp_path, fields):
        copy = shutil.copytree(FIXTURES / "models" / "vq_human_poses_nano", tmp_path / "tokenizer")
        edit_config(copy, **fields)
        assert only(copy).differences

    @pytest.mark.parametrize("text", ["{", "[1]", "{}", '{"a": 1}', "[" * 100_000])
    def test_a_config_that_is_none(self, folder, text):
        (folder / "config.json").write_text(text)
        (difference,) = only(folder).differences
        assert "config.json" in difference

    def test_a_part_of_a_bundle(self, tmp_path):
        bundle = shutil.copytree(WEIGHTS / "mini", tmp_path / "bundle")
        (bundle / "tok_semseg" / MODEL).unlink()
        path = bundle / "transform.safetensors"
        path.write_bytes(path.read_bytes()[:-5])
        found = {entry.path.name: entry.differences for entry in verify(str(bundle))}
        assert "no model.safetensors" in found["tok_semseg"][0]
        assert "damaged" in found["transform.safetensors"][0]
        assert found["model"] == ()

    @pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
    def test_a_folder_without_permission(self, folder):
        folder.chmod(0)
        code = f"""
import os
from pathlib import Path
from fourm.hub.verifying import verify
try:
    import safetensors, torch, huggingface_hub, fourm.transformer
    from huggingface_hub import try_to_load_from_cache
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    print([entry.differences for entry in verify({str(folder)!r})])
except (OSError, Exception) as error:
    print(type(error).__name__, error)
"""
        try:
            done = run_python(code)
        finally:
            folder.chmod(0o755)
        assert "Traceback" not in done.stderr
        assert "ermission" in done.stdout and str(folder) in done.stdout


class TestNothingToCheck:
    @pytest.mark.parametrize("name", ["4M-21_B", "tokenizer/rgb", "tokenizer/text"])
    def test_a_name_that_is_not_on_this_disk(self, name):
        with pytest.raises(fourm.ModelNotFound, match=f"fourm models pull {name}"):
            verify(name)

    @pytest.mark.parametrize("name", ["nothing", "/no/such/folder", "owner/model", ""])
    def test_no_name_at_all(self, name, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(fourm.ModelNotFound):
            verify(name)

    def test_an_empty_folder(self, tmp_path):
        with pytest.raises(fourm.CheckpointError, match=r"none of model\.safetensors"):
            verify(str(tmp_path))


class TestPulled:
    def test_all_that_lies_in_a_folder(self, hub, tmp_path):
        list(pull("tokenizer/semseg", to=tmp_path))
        list(pull("tokenizer/text", to=tmp_path))
        tokenizer, words = sorted(verify(str(tmp_path)), key=lambda entry: entry.kind)[::-1]
        assert (tokenizer.kind, words.kind, words.path) == (
            "tokenizer",
            "file",
            tmp_path / TEXT_TOKENIZER,
        )
        # Its name is official, its size is not.
        assert all("describes" in line for line in tokenizer.differences)

    def test_hashes_find_silent_damage(self, hub, tmp_path):
        list(pull("4M-21_B", ["image"], to=tmp_path / "zoo"))
        name = TOKENIZERS["tok_dinov2_global"]
        folder = tmp_path / "zoo" / name
        found = only(folder, hashes=True)
        assert found.hashed == 3 and not any("SHA-256" in line for line in found.differences)
        content = bytearray((folder / MODEL).read_bytes())
        content[-1] ^= 1
        (folder / MODEL).write_bytes(content)
        assert not any("SHA-256" in line for line in only(folder).differences)
        assert any("SHA-256" in line for line in only(folder, hashes=True).differences)
        (folder / "README.md").unlink()
        assert any("README.md is missing" in line for line in only(folder).differences)

    def test_in_the_hubs_cache_by_name_and_by_folder(self, hub):
        (one,) = list(pull("tokenizer/semseg"))
        for source in ("tokenizer/semseg", f"{OWNER}/{TOKENIZERS['tok_semseg@224']}", one.path):
            found = only(source, hashes=True)
            assert found.hashed == 3 and found.official == TOKENIZERS["tok_semseg@224"]
        (one.path / "config.json").resolve().write_text("{}")
        assert any("bytes" in line for line in only(one.path).differences)

    def test_the_text_tokenizer(self, hub):
        (one,) = list(pull("tokenizer/text"))
        assert only("tokenizer/text", hashes=True).hashed == 1
        one.path.write_bytes(one.path.read_bytes()[:-1])
        (difference,) = only("tokenizer/text").differences
        assert TEXT_TOKENIZER in difference

    def test_without_a_record_hashes_cannot_be_compared(self, folder):
        (difference,) = only(folder, hashes=True).differences
        assert "no recorded hashes" in difference


def test_importing_the_hub_does_not_import_torch():
    modules = sorted((Path(fourm.__file__).parent / "hub").glob("*.py"))
    names = ", ".join(f"fourm.hub.{path.stem}" for path in modules)
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert run_python(code).returncode == 0


def test_the_small_model_of_these_tests_is_not_the_official_one(shelf):
    assert FM_CONFIG["dim"] == 16 and only(shelf / "4M-21_B").differences

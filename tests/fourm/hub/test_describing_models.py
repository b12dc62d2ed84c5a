"""What `info` and `list` say of models on this disk and elsewhere."""

import json
import shutil

import pytest

import fourm
from fourm.hub.availability import requirements
from fourm.hub.describing import describe
from fourm.hub.listing import list_models, list_tokenizers
from fourm.hub.names import entries, find
from fourm.hub.official import TEXT_TOKENIZER, spaces, tokenizer_repositories, tokenizers
from fourm.hub.pulling import pull
from fourm.hub.teachers import TEACHERS
from fourm.modalities import MODALITIES
from tests.fourm.recorded import FIXTURES

TOKENIZERS = tokenizer_repositories()


def missing(described):
    return {entry["for"]: entry["needs"] for entry in described["missing"]}


def test_mini():
    described = describe("mini")
    model = fourm.load_model("mini", device="cpu")
    assert described["type"] == "model" and described["fingerprint"] == model.fingerprint
    assert (described["dim"], described["heads"], described["missing"]) == (384, 6, [])
    assert tuple(described["queries"]) == model.inputs and described["spaces"] == list(model.spaces)
    assert json.loads(json.dumps(described)) == described


class TestFolders:
    def test_what_is_at_hand(self, shelf):
        described = describe(str(shelf / "4M-21_B"))
        model = fourm.load_model(shelf / "4M-21_B", device="cpu")
        assert tuple(described["queries"]) == model.inputs
        assert described["spaces"] == list(model.spaces)
        assert described["depth"] == [1, 1] and described["dtypes"] == {
            "F32": sum(described["dtypes"].values())
        }
        assert set(missing(described)).isdisjoint([*described["queries"], *described["spaces"]])
        assert missing(described)["depth"] == [TOKENIZERS["tok_depth@224"]]

    def test_what_is_missing_and_the_way_to_it(self, shelf, tmp_path):
        shutil.copytree(shelf / "4M-21_B", tmp_path / "4M-21_B")
        name = TOKENIZERS["tok_dinov2_global"]
        shutil.copytree(shelf / name, tmp_path / name)
        described = describe(str(tmp_path / "4M-21_B"))
        absent = missing(described)
        assert absent["seg"] == [TOKENIZERS["tok_semseg@224"]]
        assert absent["text"] == absent["palette"] == [TEXT_TOKENIZER]
        assert absent["imagebind"] == [TOKENIZERS["tok_imagebind_global"]]
        assert described["queries"] == ["image", "t5", "dinov2_embedding"]
        assert described["spaces"] == ["dinov2"]
        (seg,) = [entry["pull"] for entry in described["missing"] if entry["for"] == "seg"]
        assert seg == f"fourm models pull 4M-21_B --for seg --to {tmp_path}"

    def test_the_command_gets_it(self, hub, tmp_path):
        list(pull("4M-21_B", ["image"], to=tmp_path))
        assert "text" in missing(describe(str(tmp_path / "4M-21_B")))
        list(pull("4M-21_B", ["text"], to=tmp_path))
        assert "text" not in missing(describe(str(tmp_path / "4M-21_B")))

    def test_a_model_of_ones_own(self, shelf, tmp_path):
        shutil.copytree(shelf / "4M-21_B", tmp_path / "mine")
        described = describe(str(tmp_path / "mine"))
        (text,) = [entry["pull"] for entry in described["missing"] if entry["for"] == "text"]
        assert described["name"] == "mine" and text.startswith("fourm models pull tokenizer/text")

    @pytest.mark.parametrize("name", ["vq_human_poses_nano", "vq_sam_instance_nano"])
    def test_a_tokenizer(self, name):
        described = describe(str(FIXTURES / "models" / name))
        assert described["type"] == "tokenizer" and described["codebook"] == 1024
        assert all(count > 0 for count in described["parameters"].values())

    def test_what_cannot_be_described(self, tmp_path, shelf):
        with pytest.raises(fourm.CheckpointError):
            describe(str(tmp_path))
        broken = shutil.copytree(shelf / "4M-21_B", tmp_path / "broken")
        (broken / "model.safetensors").write_bytes(b"\0" * 100)
        with pytest.raises(fourm.CheckpointError, match="damaged"):
            describe(str(broken))
        (broken / "config.json").write_text('{"colour": "green"}')
        with pytest.raises(fourm.CheckpointError, match="neither a 4M model"):
            describe(str(broken))


class TestNames:
    def test_pulled_ones(self, hub):
        list(pull("4M-21_B"))
        described = describe("4M-21_B")
        model = fourm.load_model("4M-21_B", device="cpu")
        assert described["name"] == "4M-21_B" and described["available"]
        assert described["spaces"] == list(model.spaces) == ["dinov2"]
        assert tuple(described["queries"]) == model.inputs
        (entry,) = [entry for entry in described["missing"] if entry["for"] == "imagebind"]
        assert entry["pull"] == "fourm models pull 4M-21_B --for imagebind"

    @pytest.mark.parametrize("name", [name for name in entries() if name != "mini"])
    def test_those_that_are_not_here(self, name):
        described = describe(name)
        assert described["available"] is False and described["pull"] == f"fourm models pull {name}"
        assert json.dumps(described)

    def test_sizes_are_those_of_the_paper(self):
        millions = [describe(f"4M-21_{size}")["parameters"]["backbone"] / 1e6 for size in "BL"]
        assert millions == pytest.approx([198, 705], rel=0.01)

    @pytest.mark.parametrize("name", TEACHERS)
    def test_teachers(self, name):
        described = describe(name)
        assert (
            described["type"] == "teacher"
            and "image" in described["queries"]
            and described["spaces"]
        )
        assert json.dumps(described)

    def test_unknown_ones(self):
        with pytest.raises(fourm.ModelNotFound, match=r"mini.*4M-21_XL.*tokenizer/text"):
            describe("4M-99")


class TestTable:
    def test_every_official_tokenizer_has_a_name_and_a_builder(self):
        repositories = {str(entry.repository).rpartition("/")[2] for entry in entries().values()}
        assert set(TOKENIZERS.values()) == set(tokenizers()) <= repositories
        assert len(tokenizers()) == 12
        made = [name for entry in entries().values() for name in entry.modalities]
        assert sorted(made) == sorted(TOKENIZERS)

    @pytest.mark.parametrize("name", entries())
    def test_names_lead_to_themselves(self, name):
        entry = find(name)
        assert entry.name == name
        if entry.kind == "model" and entry.repository:
            assert find(entry.repository) == entry

    def test_everything_is_listed_once(self):
        names = [entry.name for entry in (*list_models(), *list_tokenizers())]
        assert names[0] == "mini" and set(entries()) <= set(names) and len(set(names)) == len(names)
        here = [entry for entry in (*list_models(), *list_tokenizers()) if entry.available]
        assert [entry.name for entry in here] == ["mini"] and here[0].size > 40e6

    @pytest.mark.parametrize("what", [*MODALITIES, *spaces()])
    def test_what_each_purpose_needs(self, what):
        repositories, words = requirements(find("4M-21_L"), [what])
        modality = spaces()[what].modality if what in spaces() else MODALITIES[what].tokens.name
        names = [name.rpartition("/")[2] for name in repositories]
        assert names[0] == "4M-21_L" and len(names) <= 3
        assert (TOKENIZERS.get(modality) in names) == (modality in TOKENIZERS)
        assert words == (modality in {"caption", "det", "metadata", "color_palette", *POSED})

    def test_all(self):
        repositories, words = requirements(find("4M-21_XL"), ["all"])
        assert len(repositories) == 13 and words


POSED = ("human_poses", "sam_instance")

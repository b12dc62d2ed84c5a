"""Fetching with the real clients from a hub on this machine, and loading what came."""

import hashlib
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock

import fourm
from fourm.hub import pulling, text_tokenizer
from fourm.hub.availability import find_tokenizer
from fourm.hub.cache import cache_folder
from fourm.hub.fetching import ATTEMPTS
from fourm.hub.listing import list_models, list_tokenizers
from fourm.hub.official import OWNER, TEXT_TOKENIZER, tokenizer_repositories
from fourm.hub.pulled import read_pulled
from fourm.hub.pulling import pull
from tests.fourm.hub.fake_hub import COMMIT, FakeHub, digest

TOKENIZERS = tokenizer_repositories()

MODEL = "model.safetensors"
USUAL = [f"{OWNER}/4M-21_B", f"{OWNER}/{TOKENIZERS['tok_semseg@224']}"]
USUAL += [f"{OWNER}/{TOKENIZERS['tok_dinov2_global']}", text_tokenizer.REPOSITORY]


def pulled(*arguments, **options):
    return list(pull(*arguments, **options))


def embedded(source):
    model = fourm.load_model(source, device="cpu", dtype="float32")
    assert list(model.spaces) == ["dinov2"]
    sample = model.prepare({"text": "a dog", "seg": np.full((8, 8), 17)})
    return model.embed([sample])


class TestWhatIsFetched:
    def test_by_name_it_is_found_by_name_without_a_network(self, hub, shelf):
        assert [one.repository for one in pulled("4M-21_B")] == USUAL
        hub.close()
        np.testing.assert_array_equal(embedded("4M-21_B"), embedded(shelf_with_dinov2(shelf)))
        assert (cache_folder() / TEXT_TOKENIZER).read_bytes() == (
            shelf / TEXT_TOKENIZER
        ).read_bytes()
        here = {entry.name for entry in (*list_models(), *list_tokenizers()) if entry.available}
        assert here == {
            *("mini", "4M-21_B", "tokenizer/semseg", "tokenizer/dinov2-global", "tokenizer/text"),
        }

    def test_other_programs_find_it_in_the_hubs_cache(self, hub):
        from huggingface_hub import snapshot_download

        pulled("4M-21_B")
        hub.close()
        folder = snapshot_download(f"{OWNER}/4M-21_B", local_files_only=True)
        assert (fourm.checkpoints.Checkpoint.open(folder)).config["dim"] == 16

    def test_into_a_folder_side_by_side(self, hub, shelf, tmp_path, caches):
        pulled("4M-21_B", to=tmp_path / "zoo")
        hub.close()
        names = {path.name for path in (tmp_path / "zoo").iterdir()}
        expected = {name.rpartition("/")[2] for name in USUAL[:3]} | {
            TEXT_TOKENIZER,
            "pulled.json",
        }
        assert {name for name in names if not name.startswith(".pulled.json")} == expected
        assert not (caches / "hub").exists() and not cache_folder().exists()
        np.testing.assert_array_equal(
            embedded(tmp_path / "zoo" / "4M-21_B"), embedded(shelf_with_dinov2(shelf))
        )

    def test_only_what_is_wanted(self, hub):
        (model, tokenizer) = pulled("4M-21_B", ["image", "imagebind"])
        assert model.repository == f"{OWNER}/4M-21_B"
        assert tokenizer.repository == f"{OWNER}/{TOKENIZERS['tok_imagebind_global']}"
        assert not hub.fetched(TEXT_TOKENIZER)

    def test_a_space_comes_along(self, hub):
        names = [one.repository for one in pulled("4M-21_B", ["palette"])]
        assert names == [USUAL[0], USUAL[2], USUAL[3]]

    @pytest.mark.parametrize(
        "name",
        [
            "tokenizer/semseg",
            TOKENIZERS["tok_semseg@224"],
            f"{OWNER}/{TOKENIZERS['tok_semseg@224']}",
        ],
    )
    def test_a_tokenizer_alone(self, hub, name):
        assert [one.repository for one in pulled(name)] == [USUAL[1]]

    def test_the_text_tokenizer_alone(self, hub):
        (one,) = pulled("tokenizer/text")
        assert one.path == cache_folder() / TEXT_TOKENIZER

    def test_files_that_nothing_reads_stay_away(self, hub):
        (one,) = pulled("tokenizer/semseg")
        names = {path.name for path in one.path.iterdir()}
        assert names == {"config.json", MODEL, "README.md"}

    def test_what_is_in_the_package_needs_nothing(self, no_hub):
        assert pulled("mini") == []

    def test_a_revision(self, hub, shelf):
        hub.add(f"{OWNER}/4M-21_B", shelf / "4M-21_B", commit="c" * 40)
        with pytest.raises(fourm.DownloadFailed, match="4M-21_B"):
            pulled("4M-21_B", ["image"], revision=COMMIT)
        (model, _) = pulled("4M-21_B", ["image"], revision="c" * 40)
        assert model.revision == "c" * 40 and model.path.name == "c" * 40
        hub.close()
        assert fourm.load_model("4M-21_B", device="cpu").spaces.keys() == {"dinov2"}

    def test_a_tokenizer_of_a_revision_is_at_hand(self, hub, tmp_path):
        name = TOKENIZERS["tok_semseg@224"]
        assert find_tokenizer(tmp_path / "4M-21_B", name) is None
        pulled("tokenizer/semseg", revision=COMMIT)
        hub.close()
        assert find_tokenizer(tmp_path / "4M-21_B", name) is not None

    def test_the_record(self, hub, shelf):
        pulled("4M-21_B")
        entry = read_pulled(cache_folder())[f"{OWNER}/4M-21_B"]
        assert entry.revision == COMMIT
        content = (shelf / "4M-21_B" / MODEL).read_bytes()
        about = entry.files[MODEL]
        assert (about.size, about.sha256) == (len(content), hashlib.sha256(content).hexdigest())

    @pytest.mark.parametrize("wanted", [["smell"], [""], ["image", "dinov3"]])
    def test_unknown_purposes_are_refused_before_anything_is_fetched(self, hub, wanted):
        with pytest.raises(fourm.BadInput, match=r"known: image, text, seg, .* all"):
            pulled("4M-21_B", wanted)
        assert hub.requests == []

    @pytest.mark.parametrize("name", ["4M-7_B", "EPFL-VILAB/nothing", "tokenizer/", "../x", ""])
    def test_unknown_names(self, hub, name):
        with pytest.raises(fourm.ModelNotFound, match=r"4M-21_B.*tokenizer/rgb"):
            pulled(name)
        assert hub.requests == []


def shelf_with_dinov2(shelf):
    """The model's folder, without the tokenizer of the other space."""
    fewer = shelf.parent / f"{shelf.name}-fewer"
    fewer.mkdir(exist_ok=True)
    for name in (
        "4M-21_B",
        TOKENIZERS["tok_semseg@224"],
        TOKENIZERS["tok_dinov2_global"],
        TEXT_TOKENIZER,
    ):
        if not (fewer / name).exists():
            (fewer / name).symlink_to(shelf / name)
    # resolve() would lead back to all of them.
    if (fewer / "4M-21_B").is_symlink():
        (fewer / "4M-21_B").unlink()
        shutil.copytree(shelf / "4M-21_B", fewer / "4M-21_B")
    return fewer / "4M-21_B"


class TestAgain:
    def test_nothing_is_fetched_twice(self, hub):
        pulled("4M-21_B")
        before = len(hub.requests)
        notes = [one.note for one in pulled("4M-21_B")]
        assert notes == ["up to date"] * 4
        assert all("/api/models/" in path for _, path, _ in hub.requests[before:])

    def test_without_a_network_what_is_complete_stays(self, hub):
        pulled("4M-21_B")
        hub.close()
        assert len(pulled("4M-21_B")) == 4

    def test_a_file_that_is_gone_comes_back(self, hub, tmp_path):
        pulled("tokenizer/semseg", to=tmp_path)
        path = tmp_path / TOKENIZERS["tok_semseg@224"] / MODEL
        content = path.read_bytes()
        path.unlink()
        (one,) = pulled("tokenizer/semseg", to=tmp_path)
        assert one.note == "downloaded" and path.read_bytes() == content
        assert len(hub.fetched("config.json")) == 1

    def test_a_newer_commit_replaces_the_files(self, hub, shelf, tmp_path):
        to = tmp_path / "zoo"
        pulled("tokenizer/semseg", to=to)
        newer = tmp_path / "newer"
        newer.mkdir()
        for name in ("config.json", MODEL):
            content = (shelf / TOKENIZERS["tok_semseg@224"] / name).read_bytes()
            (newer / name).write_bytes(content)
        (newer / MODEL).write_bytes((shelf / "4M-21_B" / MODEL).read_bytes())
        hub.add(USUAL[1], newer, commit="d" * 40)
        (one,) = pulled("tokenizer/semseg", to=to)
        assert (one.note, one.revision) == ("downloaded", "d" * 40)
        assert (one.path / MODEL).read_bytes() == (newer / MODEL).read_bytes()
        assert read_pulled(to)[USUAL[1]].revision == "d" * 40

    def test_what_is_complete_in_a_cache_that_cannot_be_written_to(self, hub):
        pulled("4M-21_B")

        def refuse(folder, *arguments):
            raise PermissionError(13, "Permission denied", str(folder))

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(pulling, "remember", refuse)
            assert [one.note for one in pulled("4M-21_B")] == ["up to date"] * 4

    def test_a_file_in_the_place_of_the_folder(self, hub, tmp_path):
        (tmp_path / "zoo").touch()
        with pytest.raises(fourm.DownloadFailed, match="zoo is a file"):
            pulled("4M-21_B", to=tmp_path / "zoo")

    def test_the_text_tokenizer_has_one_revision(self, hub):
        with pytest.raises(fourm.DownloadFailed, match="leave out the revision"):
            pulled("tokenizer/text", revision="main")

    def test_teachers_come_when_they_are_used(self, hub):
        with pytest.raises(fourm.ModelNotFound, match="clip-b16 is a teacher"):
            pulled("clip-b16")


class TestInterrupted:
    def test_it_goes_on_where_the_connection_broke(self, hub, shelf):
        hub.cuts[MODEL] = [1000, 70_000]
        (one,) = pulled("tokenizer/semseg")
        ranges = hub.fetched(MODEL)
        assert ranges == [None, "bytes=1000-", "bytes=71000-"]
        content = (shelf / TOKENIZERS["tok_semseg@224"] / MODEL).read_bytes()
        assert (one.path / MODEL).read_bytes() == content

    def test_it_goes_on_in_the_next_run(self, hub, shelf):
        hub.cuts[MODEL] = [5000, *[0] * ATTEMPTS]
        with pytest.raises(fourm.DownloadFailed, match=r"5,000 of .* bytes are here"):
            pulled("tokenizer/semseg")
        assert not [
            e
            for e in (*list_models(), *list_tokenizers())
            if e.name == "tokenizer/semseg" and e.available
        ]
        hub.requests.clear()
        pulled("tokenizer/semseg")
        assert hub.fetched(MODEL) == ["bytes=5000-"]

    def test_ctrl_c_keeps_what_came(self, hub, tmp_path, monkeypatch):
        from tqdm import tqdm

        counted = tqdm.update

        def stop(self, count):
            if self.total > 100_000:
                raise KeyboardInterrupt
            return counted(self, count)

        with monkeypatch.context() as patched:
            patched.setattr(tqdm, "update", stop)
            with pytest.raises(KeyboardInterrupt):
                pulled("tokenizer/semseg", to=tmp_path)
        (kept,) = [p for p in (tmp_path / ".partial").iterdir() if p.suffix != ".lock"]
        have = kept.stat().st_size
        pulled("tokenizer/semseg", to=tmp_path)
        assert have > 0 and hub.fetched(MODEL)[-1] == f"bytes={have}-"
        assert not kept.parent.exists()

    def test_weights_on_another_host_that_does_not_see_the_users_token(
        self, hub, shelf, monkeypatch
    ):
        other = FakeHub()
        try:
            other.add(
                f"{OWNER}/{TOKENIZERS['tok_semseg@224']}", shelf / TOKENIZERS["tok_semseg@224"]
            )
            other.cuts[MODEL] = [1000]
            hub.elsewhere[MODEL] = other.url
            monkeypatch.setenv("HF_TOKEN", "hf_secret")
            (one,) = pulled("tokenizer/semseg")
            content = (shelf / TOKENIZERS["tok_semseg@224"] / MODEL).read_bytes()
            assert (one.path / MODEL).read_bytes() == content
            assert other.fetched(MODEL) == [None, "bytes=1000-"]
            assert set(other.tokens) == {None} and "Bearer hf_secret" in hub.tokens
        finally:
            other.close()

    def test_a_server_that_starts_from_the_beginning(self, hub, shelf):
        hub.cuts[MODEL], hub.no_ranges = [5000], True
        (one,) = pulled("tokenizer/semseg")
        content = (shelf / TOKENIZERS["tok_semseg@224"] / MODEL).read_bytes()
        assert (one.path / MODEL).read_bytes() == content

    def test_the_text_tokenizer_goes_on_too(self, hub):
        hub.cuts[TEXT_TOKENIZER] = [100]
        pulled("tokenizer/text")
        assert hub.fetched(TEXT_TOKENIZER) == [None, "bytes=100-"]


class TestWrongContent:
    def spoilt(self, shelf):
        content = bytearray((shelf / TOKENIZERS["tok_semseg@224"] / MODEL).read_bytes())
        content[-1] ^= 1
        return bytes(content)

    def test_a_file_with_another_hash_is_deleted(self, hub, shelf, tmp_path):
        hub.instead[MODEL] = self.spoilt(shelf)
        with pytest.raises(
            fourm.DownloadFailed, match=r"model\.safetensors.*does not match its hash"
        ):
            pulled("tokenizer/semseg", to=tmp_path)
        assert not (tmp_path / TOKENIZERS["tok_semseg@224"] / MODEL).exists()
        assert not [path for path in tmp_path.rglob("*") if path.stat().st_size > 100_000]
        hub.instead.clear()
        pulled("tokenizer/semseg", to=tmp_path)

    def test_so_is_another_config_and_another_text_tokenizer(self, hub):
        hub.instead["config.json"] = b"x" * len(hub.files[config_path()][0])
        with pytest.raises(fourm.DownloadFailed, match=r"config\.json"):
            pulled("tokenizer/semseg")
        hub.instead[TEXT_TOKENIZER] = b"x" * text_tokenizer.SIZE
        with pytest.raises(fourm.DownloadFailed, match=TEXT_TOKENIZER):
            pulled("tokenizer/text")
        assert not (cache_folder() / TEXT_TOKENIZER).exists()

    def test_more_bytes_than_announced(self, hub, shelf):
        hub.instead[MODEL] = self.spoilt(shelf) + b"more" * 1000
        with pytest.raises(fourm.DownloadFailed, match="sent more than the announced"):
            pulled("tokenizer/semseg")

    def test_a_damaged_file_that_is_here_is_replaced(self, hub, shelf, tmp_path):
        pulled("tokenizer/semseg", to=tmp_path)
        (tmp_path / "pulled.json").unlink()
        path = tmp_path / TOKENIZERS["tok_semseg@224"] / MODEL
        path.write_bytes(self.spoilt(shelf))
        pulled("tokenizer/semseg", to=tmp_path)
        assert path.read_bytes() == (shelf / TOKENIZERS["tok_semseg@224"] / MODEL).read_bytes()

    def test_a_repository_without_weights(self, hub, tmp_path):
        (tmp_path / "config.json").write_text("{}")
        hub.add(USUAL[1], tmp_path)
        with pytest.raises(fourm.DownloadFailed, match=r"no model\.safetensors"):
            pulled("tokenizer/semseg")


def config_path():
    return f"/{USUAL[1]}/resolve/{COMMIT}/config.json"


class TestNotPossible:
    def test_no_network_is_one_line(self, no_hub):
        with pytest.raises(fourm.DownloadFailed) as caught:
            pulled("4M-21_B")
        message = str(caught.value)
        assert "\n" not in message and "EPFL-VILAB/4M-21_B" in message and "--to" in message

    def test_no_network_for_the_text_tokenizer(self, no_hub):
        with pytest.raises(fourm.DownloadFailed, match=TEXT_TOKENIZER):
            pulled("tokenizer/text")

    def test_offline_mode(self, hub, monkeypatch):
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(fourm.DownloadFailed, match="4M-21_B"):
            pulled("4M-21_B")

    def test_a_full_disk_is_seen_before(self, hub, monkeypatch):
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
        with pytest.raises(fourm.DownloadFailed, match="more bytes"):
            pulled("tokenizer/semseg")
        assert hub.fetched(MODEL) == []

    def test_two_at_once(self, hub, tmp_path):
        partial = tmp_path / ".partial" / digest("config.json", hub.files[config_path()][0])
        partial.parent.mkdir()
        failed = pytest.raises(fourm.DownloadFailed, match="another process")
        with FileLock(f"{partial}.lock"), failed:
            pulled("tokenizer/semseg", to=tmp_path)

    @pytest.mark.parametrize(
        "text",
        [
            "{",
            "[]",
            '{"format": 2, "pulled": {}}',
            '{"format": 1, "pulled": {"a/b": 3}}',
            '{"format": 1, "pulled": {"../a": {"revision": "x", "files": {}}}}',
            '{"format": 1, "pulled": {"a/b": {"revision": "x", "files": {"../f": {}}}}}',
            '{"format": 1, "pulled": {"a/b": {"revision": 3, "files": {}}}}',
            '{"format": 1, "pulled": {"a/b": {"revision": "x", "files": {"f": {"size": 1}}}}}',
        ],
    )
    def test_a_record_that_is_none(self, hub, tmp_path, text):
        (tmp_path / "pulled.json").write_text(text)
        with pytest.raises(fourm.ConfigError, match=r"pulled\.json"):
            pulled("tokenizer/semseg", to=tmp_path)
        assert (tmp_path / "pulled.json").read_text() == text


def test_the_record_is_plain_json(hub, tmp_path):
    pulled("tokenizer/semseg", to=tmp_path)
    content = json.loads((tmp_path / "pulled.json").read_text())
    assert content["format"] == 1
    assert set(content["pulled"][USUAL[1]]["files"]) == {"config.json", MODEL, "README.md"}

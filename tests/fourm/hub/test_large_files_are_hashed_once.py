"""Fingerprints of models need the SHA-256 of files of many gigabytes."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from fourm.hub import cache
from fourm.hub.cache import cache_folder


@pytest.fixture
def reads(monkeypatch):
    """The files that were read; every one counts as large, and as old enough."""
    opened = []
    original = Path.open

    def opening(path, *arguments, **options):
        if path.suffix == ".safetensors":
            opened.append(path.name)
        return original(path, *arguments, **options)

    monkeypatch.setattr(cache, "SMALLEST", 0)
    monkeypatch.setattr(cache, "SETTLED", -1.0)
    monkeypatch.setattr(Path, "open", opening)
    return opened


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"weights")
    return path


def hashed(path, reads):
    """Whether a new process reads the file to tell its digest."""
    cache._digest.cache_clear()
    reads.clear()
    found = cache.digest_of(path)
    read = bool(reads)
    assert found == hashlib.sha256(path.read_bytes()).hexdigest()
    return read


def test_once_for_all_processes(file, reads, tmp_path):
    assert hashed(file, reads)
    assert not hashed(file, reads)
    (tmp_path / "link.safetensors").symlink_to(file)
    assert not hashed(tmp_path / "link.safetensors", reads)


def test_again_when_it_changed_in_any_way(file, reads):
    hashed(file, reads)
    status = file.stat()
    file.write_bytes(b"WEIGHTS")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert hashed(file, reads)
    other = file.with_name("other.safetensors")
    other.write_bytes(b"wEIGHTS")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.replace(other, file)
    assert hashed(file, reads)


def test_again_while_it_is_new(file, reads, monkeypatch):
    monkeypatch.setattr(cache, "SETTLED", 3600.0)
    assert hashed(file, reads) and hashed(file, reads)


def test_small_files_are_not_remembered(file, reads, monkeypatch):
    monkeypatch.setattr(cache, "SMALLEST", 1000)
    assert hashed(file, reads)
    assert not (cache_folder() / cache.RECORD).exists()


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "3", "[" * 100_000),
        *('{"format": 2, "files": {}}', '{"format": 1, "files": 3}'),
        *('{"format": 1, "files": {"%s": 3}}', '{"format": 1, "files": {"%s": []}}'),
    ],
)
def test_a_damaged_record_costs_nothing_but_time(file, reads, text):
    record = cache_folder() / cache.RECORD
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(text.replace("%s", str(file)))
    assert hashed(file, reads)
    assert not hashed(file, reads)
    assert json.loads(record.read_text())["format"] == 1


def test_a_cache_that_cannot_be_written_to(file, reads, monkeypatch, tmp_path):
    (tmp_path / "taken").touch()
    monkeypatch.setenv("FOURM_CACHE", str(tmp_path / "taken"))
    assert hashed(file, reads) and hashed(file, reads)


def test_files_that_are_gone_are_forgotten(file, reads, tmp_path):
    hashed(file, reads)
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"others")
    file.unlink()
    hashed(other, reads)
    assert list(json.loads((cache_folder() / cache.RECORD).read_text())["files"]) == [str(other)]

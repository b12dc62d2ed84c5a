"""`pulled.json` is read as it was written, and refused if it is malformed."""

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fourm.errors import ConfigError
from fourm.hub.cache import cache_folder
from fourm.hub.pulled import PULLED, Pulled, PulledFile, read_pulled, remember

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True)
REPOSITORIES = st.tuples(NAMES, NAMES).map("/".join)
FILES = st.builds(
    PulledFile,
    st.integers(0, 1 << 50),
    st.binary(min_size=32, max_size=32).map(bytes.hex),
)
ENTRIES = st.builds(Pulled, st.text("0123456789abcdef", min_size=40, max_size=40),
                    st.dictionaries(NAMES, FILES, max_size=4))  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | REPOSITORIES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["format", "pulled", "a/b", "files", "revision", "size", "sha256"]),
            inner,
        )
    ),
    max_leaves=12,
)


# Files are written, and the machine may be busy.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)


@PATIENT
@given(st.dictionaries(REPOSITORIES, ENTRIES, max_size=4))
def test_what_was_written_comes_back(entries):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "new"
        assert read_pulled(folder) == {}
        for repository, entry in entries.items():
            remember(folder, repository, Pulled("0" * 40, {}))
            remember(folder, repository, entry)
        assert read_pulled(folder) == entries


@PATIENT
@given(VALUES, VALUES, st.sampled_from([1, 1, 1, 2, None]))
def test_anything_else_is_refused_by_name(entry, other, version):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / PULLED
        content = {"format": version, "pulled": {"a/b": entry, "c/d": other}}
        path.write_text(json.dumps(content))
        try:
            read = read_pulled(Path(name))
        except ConfigError as error:
            assert str(path) in str(error) and "delete the file" in str(error)
        else:
            assert all(isinstance(entry, Pulled) for entry in read.values())


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("FOURM_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("FOURM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "fourm-retrieval"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "fourm-retrieval"

"""A long run shows a bar on a terminal, and a line now and then anywhere else."""

import sys

from retrieval import Gallery
from retrieval.progress import SECONDS, Progress


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_line_is_written_by_time_and_not_by_count(capsys):
    clock = Clock()
    with Progress(200, "indexing", "images", clock=clock) as bar:
        for _ in range(10):
            clock.now += SECONDS / 4
            bar.update(10)
    assert capsys.readouterr().err.splitlines() == [
        "indexing: 40 of 200 images (20 %)",
        "indexing: 80 of 200 images (40 %)",
    ]


def test_a_short_or_silent_run_writes_nothing(capsys):
    clock = Clock()
    with Progress(2, "indexing", "images", clock=clock) as bar:
        bar.update(2)
    with Progress(2, "indexing", "images", shown=False, clock=clock) as bar:
        clock.now += 10 * SECONDS
        bar.update(2)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    clock = Clock()
    with Progress(2, "indexing", "images", clock=clock) as bar:
        clock.now += 10 * SECONDS
        bar.update(2)
    told = capsys.readouterr().err
    assert "100%" in told and "indexing: 2 of 2 images" not in told


def test_without_stderr_nothing_fails(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    clock = Clock()
    with Progress(2, "indexing", "images", clock=clock) as bar:
        clock.now += 10 * SECONDS
        bar.update(2)


def test_a_build_without_a_terminal_writes_lines(photos, model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("retrieval.progress.SECONDS", 0.0)
    Gallery.build(photos, tmp_path / "i", model, batch_size=10, progress=True).close()
    assert "indexing: 10 of 40 images (25 %)" in capsys.readouterr().err.splitlines()

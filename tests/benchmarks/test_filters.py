"""The benchmark of filters runs, and checks what it measures."""

from benchmarks import filters


def test_it_prints_a_line_for_each_share(capsys):
    assert filters.main(["500", "16"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(filters.SHARES) + 2
    assert lines[2].split()[:2] == ["0.1%", "10"]

from cli_tables import skipped_table, table
from retrieval import SkippedItem


def test_tables_align_wide_and_combining_characters():
    text = table([("狗", 1), ("é", 22), ("ab", 333)], ("name", "n"), ("left", "right"))
    assert text.split("\n") == ["name    n", "狗      1", "é      22", "ab    333"]
    assert table([], ("a", "b")) == "a  b"


def test_the_skipped_table_has_one_line_per_file():
    assert skipped_table([SkippedItem("a\nb.jpg", "why\nnot")]).count("\n") == 1
    assert skipped_table([]) == "nothing was skipped"

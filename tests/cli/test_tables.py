from cli_tables import skipped_table, table, told_apart
from retrieval import SkippedItem


def test_tables_align_wide_and_combining_characters():
    text = table([("狗", 1), ("é", 22), ("ab", 333)], ("name", "n"), ("left", "right"))
    assert text.split("\n") == ["name    n", "狗      1", "é      22", "ab    333"]
    assert table([], ("a", "b")) == "a  b"


def test_the_skipped_table_has_one_line_per_file():
    assert skipped_table([SkippedItem("a\nb.jpg", "why\nnot")]).count("\n") == 1
    assert skipped_table([]) == "nothing was skipped"


def test_names_that_look_alike_are_told_apart():
    names = ["caf\u00e9.jpg", "cafe\u0301.jpg", "bu\u0308.png", "a\u200db", "ab", "ab"]
    assert told_apart(names) == [
        "caf\u00e9.jpg",
        "cafe\\u0301.jpg",
        "bu\u0308.png",
        "a\\u200db",
        "ab",
        "ab",
    ]

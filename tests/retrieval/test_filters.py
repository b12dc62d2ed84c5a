"""Filters, as users type them."""

import pickle
from datetime import datetime, timezone

import pytest

from indexes.conditions import AllOf, AnyOf, Compare, Known, Like, Near, Not, OneOf
from retrieval import UsageError
from retrieval.filters import FilterError, read_filter
from tests.processes import run_python


def at(*numbers):
    return datetime(*numbers)


def within(start, end):
    return AllOf((Compare("taken", ">=", start), Compare("taken", "<", end)))


WIDE, TALL, TAGGED = (
    Compare("width", ">=", 1024),
    Compare("height", ">", 500.5),
    Compare("tag", "=", "beach"),
)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("width >= 1024", WIDE),
        ("WIDTH>=1024", WIDE),
        ("width != 3", Not(Compare("width", "=", 3))),
        ("width <> 3", Not(Compare("width", "=", 3))),
        ("width == 3", Compare("width", "=", 3)),
        ("latitude < -4.5", Compare("latitude", "<", -4.5)),
        ("width >= 1024 and height > 500.5", AllOf((WIDE, TALL))),
        ("width >= 1024 OR tag = 'beach' AND height > 500.5", AnyOf((WIDE, AllOf((TAGGED, TALL))))),
        ("(width >= 1024 or tag='beach') and height>500.5", AllOf((AnyOf((WIDE, TAGGED)), TALL))),
        ("not width >= 1024 and tag = 'beach'", AllOf((Not(WIDE), TAGGED))),
        ("not (width >= 1024 and tag = 'beach')", Not(AllOf((WIDE, TAGGED)))),
        ("not not tag = 'beach'", Not(Not(TAGGED))),
        ("tag in ('beach', \"family\")", OneOf("tag", ("beach", "family"))),
        ("tags not in ('x')", Not(OneOf("tag", ("x",)))),
        ("path like 'trips/%'", Like("path", "trips/%")),
        ("path not like 'trips/%'", Not(Like("path", "trips/%"))),
        ("camera = 'it''s \"so\"'", Compare("camera", "=", 'it\'s "so"')),
        ('camera = "say ""a"""', Compare("camera", "=", 'say "a"')),
        ("camera is null", Not(Known("camera"))),
        ("camera is not null", Known("camera")),
        ("pages > 1", Compare("frames", ">", 1)),
        ("suffix = '.jpg'", Compare("suffix", "=", "jpg")),
        ("folder = '/trips/'", Compare("folder", "=", "trips")),
        ("modality = 'image-tokens'", Compare("modality", "=", "image_tokens")),
        ("orientation = 'Portrait'", Compare("orientation", "=", "Portrait")),
        ("near(48.2, 16.4, 5 km)", Near(48.2, 16.4, 5000)),
        ("Near (-48, 16.4, 1mi)", Near(-48.0, 16.4, 1609.344)),
        (
            "width between 3 and 5 and tag = 'beach'",
            AllOf((AllOf((Compare("width", ">=", 3), Compare("width", "<=", 5))), TAGGED)),
        ),
        (
            "size not between 1 kB and 1 KiB",
            Not(AllOf((Compare("size", ">=", 1000), Compare("size", "<=", 1024)))),
        ),
        ("\n width\t>=\r\n 1024 ", WIDE),
    ],
)
def test_a_filter_stands_for_a_condition(text, condition):
    assert read_filter(text) == condition


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        ("10 MB", 10_000_000),
        ("10mb", 10_000_000),
        ("1.5 GiB", 3 << 29),
        ("2 TB", 2 * 10**12),
        ("7 B", 7),
        ("7", 7),
    ],
)
def test_sizes_have_units(typed, count):
    assert read_filter(f"size > {typed}") == Compare("size", ">", count)


@pytest.mark.parametrize(
    ("typed", "start", "end"),
    [
        ("2024", at(2024, 1, 1), at(2025, 1, 1)),
        ("2024-12", at(2024, 12, 1), at(2025, 1, 1)),
        ("2024-2-29", at(2024, 2, 29), at(2024, 3, 1)),
        ("2024-01-31 18:30", at(2024, 1, 31, 18, 30), at(2024, 1, 31, 18, 31)),
        ("2024-01-31T18:30:59", at(2024, 1, 31, 18, 30, 59), at(2024, 1, 31, 18, 31)),
        ("9999-12-31", at(9999, 12, 31), datetime.max),
    ],
)
@pytest.mark.parametrize("quote", ["", "'"])
def test_a_date_is_the_period_that_it_names(typed, start, end, quote):
    date = f"{quote}{typed}{quote}"
    period = within(start, end)
    assert read_filter(f"taken = {date}") == period
    assert read_filter(f"taken != {date}") == Not(period)
    assert read_filter(f"taken < {date}") == Compare("taken", "<", start)
    assert read_filter(f"taken <= {date}") == Compare("taken", "<", end)
    assert read_filter(f"taken > {date}") == Compare("taken", ">=", end)
    assert read_filter(f"taken >= {date}") == Compare("taken", ">=", start)
    assert read_filter(f"taken in ({date}, {date})") == AnyOf((period, period))
    assert read_filter(f"taken between {date} and {date}") == AllOf(
        (Compare("taken", ">=", start), Compare("taken", "<", end))
    )


def test_files_are_modified_in_the_time_zone_of_this_machine():
    condition = read_filter("modified >= 2024-06-01 12:00")
    assert condition == Compare("modified", ">=", at(2024, 6, 1, 12).astimezone())
    assert read_filter("modified < 9999").value.tzinfo is not None
    assert read_filter("modified > '0001'").value >= datetime(1, 12, 30, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("widht > 3", 1, "no field 'widht'; did you mean width?"),
        ("width > 3 and colour = 'red'", 15, "no field 'colour'; the fields are path, "),
        ("width >", 8, "expected a text in quotes, a date or a number, got the end"),
        ("(width > 3", 11, "expected ')', "),
        ("width > 3 MB", 9, "width has no unit, got MB"),
        ("width > 3)", 10, "got ')'"),
        ("width > 3 height > 4", 11, "got 'height'"),
        ("width > 3; drop table pictures", 10, "got ';'"),
        ("path = portrait", 8, "texts stand in quotes: 'portrait'"),
        ("path = 'abc", 8, "this quote is not closed"),
        ("path < 'abc'", 6, "path is a text; use =, !=, in or like"),
        ("path = 3", 8, "path is a text; put it in quotes"),
        ("width like '3%'", 1, "width is a number; like is for texts"),
        ("width = 'x'", 9, "width is a number, got 'x'"),
        ("width = 3 MB", 9, "width has no unit"),
        ("size = 3 km", 8, "expected a size such as"),
        ("taken = 2024-13", 9, "expected a date such as"),
        ("taken = 'yesterday'", 9, "expected a date such as"),
        ("taken = 0", 9, "expected a date such as"),
        ("orientation = 'left'", 15, "landscape, portrait, square, got 'left'"),
        ("near(91, 0, 5 km)", 6, "degrees in [-90, 90]"),
        ("near(0, 0, 5)", 12, "expected a distance such as 5 km"),
        ("near(0, 0)", 10, "expected "),
        ("width = 99999999999999999999", 1, "out of range"),
        ("", 1, "got an empty string"),
        ("not", 4, "got the end"),
        ("tag in ()", 9, "got ')'"),
        ("width = null", 9, "null"),
        ("path = 'a\0b' or x = 1", 17, "no field 'x'"),
    ],
)
def test_an_error_names_the_column(text, column, reason):
    with pytest.raises(FilterError) as caught:
        read_filter(text)
    error = caught.value
    assert error.column == column and reason in str(error)
    assert str(error).startswith(f"where, column {column}: ") and "\n" not in str(error)
    line, caret = error.excerpt
    assert caret.index("^") == column - 1 and len(line) == len(text)
    assert isinstance(error, UsageError)


def test_the_caret_is_under_its_column_after_wide_and_combined_characters():
    with pytest.raises(FilterError) as caught:
        read_filter("tag = '\u4e2d\u6587 Cafe\u0301' and hieght = 1")
    assert caught.value.column == 22
    assert caught.value.excerpt[1] == " " * (21 + 2 - 1) + "^"


def test_the_excerpt_of_a_long_filter_is_what_is_around_the_column():
    text = " or ".join(["width = 1"] * 100) + " or hieght = 1" + " or width = 2" * 50
    with pytest.raises(FilterError, match="did you mean height") as caught:
        read_filter(text)
    line, caret = caught.value.excerpt
    assert len(line) <= 72 and line[caret.index("^") :].startswith("hieght = 1")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.excerpt) == (str(caught.value), (line, caret))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "width = 1",
        "(" * 2000 + "width = 1" + ")" * 2000,
        "size > " + "9" * 400 + " kB",
        "not " * 2000 + "width = 1",
        "path = '" + "a" * 2000 + "'",
        " or ".join(["width = 1"] * 500),
        "width in (" + ", ".join("1" for _ in range(600)) + ")",
        "width = 1" + " " * 20_000,
        "9" * 5000 + " = width",
        "width = " + "9" * 5000,
        "width = ." + "9" * 5000,
        "\ud800",
    ],
)
def test_filters_beyond_the_limits_are_refused_by_name(text):
    try:
        read_filter(text)
    except FilterError as error:
        assert len(str(error)) < 500
    else:
        assert (text[:2], text[-2:]) == ("((", "))") or text.startswith("width = .")


def test_anything_but_a_string_is_refused():
    with pytest.raises(UsageError, match="where: expected a string"):
        read_filter(["width = 1"])


def test_the_parser_is_imported_by_the_first_filter():
    code = "import sys, retrieval.gallery; print('lark' in sys.modules)"
    assert run_python(code).stdout.strip() == "False"

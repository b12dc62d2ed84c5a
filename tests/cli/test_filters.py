"""`--where`, `--offset`, `--min-score` and `--cut` of the command line."""

import json

import pytest


def found(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_query_ranks_what_the_filter_holds_for(run, index):
    hits = found(run("query", index, "red", "--where", "name like '0%'", "-k", 99, "--json"))
    assert sorted(hit["path"] for hit in hits) == [f"{n:02}.png" for n in range(10)]


def test_a_page_of_the_ranking_is_printed(run, index):
    every = found(run("query", index, "red", "-k", 13, "--json"))
    page = found(run("query", index, "red", "-k", 3, "--offset", 4, "--json"))
    assert page == every[4:7] and page[0]["rank"] == 5
    assert found(run("query", index, "red", "-k", 13, "--cut", 1, "--json")) == every[:1]
    low = every[3]["score"]
    assert found(run("query", index, "red", "-k", 13, "--min-score", low, "--json")) == every[:4]


def test_nothing_found_is_said_in_the_table_and_empty_in_json(run, index):
    assert run("query", index, "red", "--where", "width = 1").stdout == "no hits\n"
    assert found(run("query", index, "red", "--where", "width = 1", "--json")) == []


def test_info_counts_what_a_filter_holds_for(run, index):
    assert run("info", index, "--where", "width = 32").stdout == "12 of 13 items\n"
    counted = found(run("info", index, "--where", "width = 32", "--json"))
    assert counted == {"where": "width = 32", "count": 12, "items": 13}


@pytest.mark.parametrize("command", [("query", "red"), ("info",)])
def test_an_error_shows_the_column(run, index, command):
    name, *rest = command
    result = run(name, index, *rest, "--where", "width > 3 and hieght < 2")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.split("\n") == [
        "fourm: where, column 15: no field 'hieght'; did you mean height?",
        "  width > 3 and hieght < 2",
        "                ^",
        "",
    ]


def test_eval_ranks_what_the_filter_holds_for(run, index, photos, tmp_path):
    line = json.dumps({"image": str(photos / "03.png"), "relevant": ["03.png"]})
    (tmp_path / "judged.jsonl").write_text(line)
    judged = tmp_path / "judged.jsonl"
    told = found(run("eval", index, "--queries", judged, "--where", "name like '0%'", "--json"))
    assert (told["items"], told["recall@1"]) == (10, 1.0)

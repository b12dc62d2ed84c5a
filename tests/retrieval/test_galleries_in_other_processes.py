"""A gallery can be pickled, and searched in forked and spawned children."""

import multiprocessing
import os

import pytest

from retrieval import Gallery, RetrievalError, UsageError
from tests.processes import TIMEOUT, run_python

from .conftest import numbered
from .files import write

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An index of mini, in which the image of each number finds itself."""
    folder = tmp_path_factory.mktemp("mini")
    for number in range(3):
        write(folder / f"photos/{number}.png", numbered(number))
    Gallery.build(folder / "photos", folder / "index", "mini", device="cpu").close()
    return folder


def best_path(gallery, number, answers):
    answers.put(gallery.search(image=numbered(number), k=1)[0].path)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_child_searches_as_its_parent(folder, method, monkeypatch):
    monkeypatch.chdir(folder)
    with Gallery.open("index", device="cpu") as gallery:
        assert gallery.search(image=numbered(1), k=1)[0].path == "1.png"
        monkeypatch.chdir("/")
        context = multiprocessing.get_context(method)
        answers = context.Queue()
        child = context.Process(target=best_path, args=(gallery, 2, answers))
        child.start()
        try:
            assert answers.get(timeout=TIMEOUT) == "2.png"
            child.join(TIMEOUT)
            assert child.exitcode == 0
        finally:
            child.kill()


SEARCH_AFTER_FORK = """
import os, signal, sys
import torch
torch.set_num_threads(4)
from retrieval import Gallery
gallery = Gallery.open(sys.argv[1], device="cpu")
photo = sys.argv[2]
wanted = gallery.search(image=photo, k=3)
if os.fork() == 0:
    signal.alarm(60)  # a search that hangs ends the child
    os._exit(0 if gallery.search(image=photo, k=3) == wanted else 1)
_, status = os.wait()
print(os.waitstatus_to_exitcode(status))
"""


@forks
def test_a_fork_after_a_search_with_several_threads_does_not_hang(folder):
    env = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    done = run_python(SEARCH_AFTER_FORK, folder / "index", folder / "photos/0.png", env=env)
    assert done.stdout.strip() == "0", done.stderr


HELD_LOCK = """
import os, signal, sys
from retrieval import Gallery
gallery = Gallery.open(sys.argv[1], device="cpu")
with gallery._lazy._lock:  # as another thread would hold it that loads the model
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        gallery.search(text="a dog")
        os._exit(0)
    _, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status))
"""


@forks
def test_a_child_does_not_wait_for_a_thread_that_loads_the_model(folder):
    done = run_python(HELD_LOCK, folder / "index")
    assert done.stdout.strip() == "0", done.stderr


@forks
def test_a_gpu_of_the_parent_is_refused_in_a_child(folder):
    with Gallery.open(folder / "index") as gallery:
        assert gallery.model is not None
        gallery._lazy.after_fork(cuda=True)
        with pytest.raises(RetrievalError, match="cannot be used in a forked process"):
            gallery.search(text="a dog")


def test_a_loaded_model_is_not_pickled(folder):
    with Gallery.open(folder / "index", device="cpu") as named:
        loaded = named.model
    context = multiprocessing.get_context("spawn")
    with Gallery.open(folder / "index", loaded) as gallery:
        child = context.Process(target=best_path, args=(gallery, 2, None))
        with pytest.raises(UsageError, match="open the gallery with the model's name or folder"):
            child.start()


def test_a_closed_gallery_is_not_searched(folder):
    gallery = Gallery.open(folder / "index", device="cpu")
    gallery.close()
    gallery.close()
    with pytest.raises(UsageError, match="this gallery is closed; open it again"):
        gallery.search(text="a dog")


def test_a_gallery_is_shown_with_its_folder(folder):
    with Gallery.open(folder / "index") as gallery:
        assert repr(gallery) == f"Gallery({str(folder / 'index')!r})"

"""Child processes that cannot hang a test: each is killed when its time is up."""

import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 180


def run_python(code, *arguments, **options):
    """Run code in a fresh interpreter at the repository's root and capture its output as text."""
    return run([sys.executable, "-c", code, *arguments], **{"cwd": ROOT, **options})


def run(command, **options):
    """`subprocess.run` with a time-out and captured text."""
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=TIMEOUT, **options
    )


@contextmanager
def started_python(code, *arguments):
    """A fresh interpreter that runs code, its stdin and stdout pipes; in the end it is killed."""
    command = [sys.executable, "-c", code, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as child:
        timer = threading.Timer(TIMEOUT, child.kill)  # which also ends reads from its pipe
        timer.start()
        try:
            yield child
        finally:
            timer.cancel()
            child.kill()

"""Pytest in a process of its own, in a copy of the tree: to learn what tests reach, and whether they notice a mutant.

The libraries that everything needs are loaded once; each run is a fork that loads only what is ours. Work is counted
in seconds of CPU, so that an endless loop ends the same on a busy machine, and a run that waits for ever by the clock.
"""

from __future__ import annotations

import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutation.sites import ROOT

__all__ = ["KILLED", "LOG", "SURVIVED", "Copy", "Outcome", "Selection", "fork", "preload"]

#: What is loaded before any fork, and is neither ours nor a plugin of pytest.
_LIBRARIES = ("numpy", "scipy.stats", "scipy.optimize", "sympy", "torch", "flint", "mpmath", "rich.table",
              "array_api_compat", "threadpoolctl")
#: Seconds by the clock for every second of CPU allowed, on a machine that does other things too.
_PATIENCE = 20
SURVIVED, KILLED = "survived", "killed"
#: What pytest said last, in the copy.
LOG = ".run.log"


@dataclass(frozen=True)
class Outcome:
    """``word`` is survived or killed; ``why`` what the tests did: failed, an import, the work limit, a wait."""

    word: str
    why: str


def preload() -> None:
    """Load what every run needs."""
    for name in _LIBRARIES:
        importlib.import_module(name)


class Selection:
    """A plugin: runs the tests named, in the order named, and nothing else."""

    def __init__(self, names: Sequence[str]) -> None:
        self.places = {name: place for place, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what was asked for."""
        items[:] = sorted((i for i in items if i.nodeid in self.places), key=lambda i: self.places[i.nodeid])


class Copy:
    """The files of the repository, tracked or new, in a folder of their own, where mutants are put in and out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._texts: dict[str, str] = {}
        names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True,
                               capture_output=True).stdout.decode().split("\0")
        for name in filter(None, names):
            target = folder / name
            if (ROOT / name).is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)

    def write(self, path: str, text: str) -> None:
        """Put a text in the place of a file, and forget what was compiled of it."""
        target = self.folder / path
        target.write_text(text, encoding="utf-8")
        for compiled in (target.parent / "__pycache__").glob(f"{target.stem}.*.pyc"):
            compiled.unlink()

    def text(self, path: str) -> str:
        """A file as it was copied, whatever became of it since."""
        if path not in self._texts:
            self._texts[path] = (self.folder / path).read_text(encoding="utf-8")
        return self._texts[path]

    def restore(self, path: str) -> None:
        """Put the file back as it was copied."""
        self.write(path, self.text(path))

    def test(self, names: Sequence[str], cpu: float) -> Outcome:
        """What the tests named, all of which passed before, say within so many seconds of CPU."""
        def run() -> int:
            return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line",
                                    *sorted({name.partition("::")[0] for name in names})],
                                   plugins=[Selection(names)]))
        return _read(fork(run, self.folder, cpu))


def _read(status: int) -> Outcome:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        why = {signal.SIGXCPU: "work limit", signal.SIGKILL: "work limit", signal.SIGALRM: "waits"}.get(
            signal.Signals(number), signal.Signals(number).name)
        return Outcome(KILLED, why)
    code = os.WEXITSTATUS(status)
    words = {0: "", 1: "failed", 2: "import", 5: "no test reaches it", _CRASHED: "import"}
    return Outcome(SURVIVED if code in (0, 5) else KILLED, words.get(code, f"pytest ended with {code}"))


_CRASHED = 70


def fork(work: Callable[[], int], folder: Path, cpu: float) -> int:
    """How a child ended that did ``work`` in ``folder``, which comes first on its path; a status as of ``os.wait``."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            with open(folder / LOG, "wb") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            os.chdir(folder)
            sys.path[:] = [str(folder), *(p for p in sys.path if p not in ("", str(ROOT)))]
            os.environ["PYTHONPATH"] = str(folder)
            for name in [n for n in sys.modules if n.partition(".")[0] in ("tests", "theorems", "simulators")]:
                del sys.modules[name]
            importlib.invalidate_caches()
            resource.setrlimit(resource.RLIMIT_CPU, (int(cpu) + 1, int(cpu) + 6))
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(int(_PATIENCE * cpu) + 1)
            code = work()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            code = _CRASHED
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    _, status = os.waitpid(child, 0)
    _end_group(child)
    return status


def _end_group(leader: int) -> None:
    """What the child started and left behind."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
    time.sleep(0.01)

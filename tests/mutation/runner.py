"""Pytest in a process of its own, in a copy of the tree: to learn what tests reach, and whether they notice a mutant.

The libraries that everything needs are loaded once; each run is a fork that loads only what is
ours. Work is counted in seconds of CPU, so that an endless loop ends the same on a busy machine,
and a run that waits for ever by the clock.
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutation.sites import ROOT

__all__ = [
    "CRASHED",
    "KILLED",
    "LOG",
    "SURVIVED",
    "Copy",
    "Outcome",
    "Selection",
    "enter",
    "fork",
    "forked",
    "limited",
    "preload",
    "read",
]

#: What is loaded before any fork, and is neither ours nor a plugin of pytest.
_LIBRARIES = (
    "numpy",
    "scipy.stats",
    "scipy.optimize",
    "sympy",
    "torch",
    "flint",
    "mpmath",
    "rich.table",
    "array_api_compat",
    "threadpoolctl",
)
#: Seconds by the clock for every second of CPU allowed, on a machine that does other things too.
_PATIENCE = 20
#: Seconds of CPU that a test may take beyond ten times its own.
ROOM = 20
#: Seconds of CPU, a tenth of those that loading may take.
_LOADING = 30
#: The status of a child that ended by an error outside the tests.
CRASHED = 70
SURVIVED, KILLED = "survived", "killed"
#: What pytest said last, in the copy.
LOG = ".run.log"


@dataclass(frozen=True)
class Outcome:
    """``word`` is survived or killed; ``why`` what the tests did: failed, an import, the work
    limit, a wait.
    """

    word: str
    why: str


def preload() -> None:
    """Load what every run needs."""
    for name in _LIBRARIES:
        importlib.import_module(name)


class Selection:
    """A plugin: runs the tests named, in the order named, each within a limit of its own, and
    nothing else.
    """

    def __init__(self, seconds: Mapping[str, float], room: float) -> None:
        self.seconds = seconds
        self.room = room

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what was asked for."""
        places = {name: place for place, name in enumerate(self.seconds)}
        items[:] = sorted((i for i in items if i.nodeid in places), key=lambda i: places[i.nodeid])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Allow what the test needs."""
        limited(self.seconds[item.nodeid], self.room)


class Copy:
    """The files of the repository, tracked or new, in a folder of their own, where mutants are put
    in and out.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._texts: dict[str, str] = {}
        names = (
            subprocess.run(
                ["git", "ls-files", "-co", "--exclude-standard", "-z"],
                cwd=ROOT,
                check=True,
                capture_output=True,
            )
            .stdout.decode()
            .split("\0")
        )
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

    def test(self, seconds: Mapping[str, float], room: float = ROOM) -> Outcome:
        """What the tests named say, in that order, all of which passed before in so many seconds of
        CPU each.
        """

        def run() -> int:
            return int(
                pytest.main(
                    [
                        "-x",
                        "-q",
                        "-p",
                        "no:cacheprovider",
                        "-p",
                        "no:xdist",
                        "--tb=line",
                        *sorted({name.partition("::")[0] for name in seconds}),
                    ],
                    plugins=[Selection(seconds, room)],
                )
            )

        return read(fork(run, self.folder, _LOADING))


def read(status: int) -> Outcome:
    """The word for how a run of tests ended."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        why = {
            signal.SIGXCPU: "work limit",
            signal.SIGKILL: "work limit",
            signal.SIGALRM: "waits",
        }.get(signal.Signals(number), signal.Signals(number).name)
        return Outcome(KILLED, why)
    code = os.WEXITSTATUS(status)
    words = {0: "", 1: "failed", 2: "import", 5: "no test reaches it", CRASHED: "import"}
    return Outcome(
        SURVIVED if code in (0, 5) else KILLED, words.get(code, f"pytest ended with {code}")
    )


def fork(work: Callable[[], int], folder: Path, cpu: float) -> int:
    """How a child ended that did ``work`` in ``folder`` with nothing of ours loaded; a status as of
    ``os.wait``.
    """

    def begun() -> int:
        enter(folder)
        limited(cpu, 0)
        return work()

    return forked(begun, folder)


def enter(folder: Path) -> None:
    """Go to ``folder``, which comes first on the path, and forget what is loaded of ours."""
    os.chdir(folder)
    sys.path[:] = [str(folder), *(p for p in sys.path if p not in ("", str(ROOT)))]
    os.environ["PYTHONPATH"] = str(folder)
    for name in [
        n for n in sys.modules if n.partition(".")[0] in ("tests", "theorems", "simulators")
    ]:
        del sys.modules[name]
    importlib.invalidate_caches()


def limited(cpu: float, room: float = ROOM) -> None:
    """Allow this process ten times ``cpu`` more seconds and ``room``, and by the clock a multiple
    of that.
    """
    allowed = 10 * cpu + room
    spent = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(spent.ru_utime + spent.ru_stime + allowed) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(_PATIENCE * allowed) + 1)


def forked(work: Callable[[], int], folder: Path) -> int:
    """How a child ended that did ``work``; what it says is kept in ``folder``. A status as of
    ``os.wait``.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            with open(folder / LOG, "wb") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            code = work()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            code = CRASHED
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

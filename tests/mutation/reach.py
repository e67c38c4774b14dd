"""Which tests run which lines: measured once for every file of tests, kept until it or a source it
ran changes.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.operators import Mutant
from tests.mutation.runner import LOG, Copy, fork
from tests.mutation.sites import ROOT

__all__ = ["CACHE", "Reach", "around", "files_of_tests", "measure"]

#: Kept beside the sources, and ignored by git.
CACHE = ROOT / ".mutation_cache"
#: Files of tests in the first run of a mutant.
_NEAR = 4
#: Seconds of CPU that one file of tests may take while lines are noted.
_LIMIT = 3600
#: What is run while a module is loaded is a statement, mostly: these look at every statement as it is.
_LOADED = (
    "tests/theorems/test_the_ledger.py",
    "tests/theorems/test_registry.py",
    "tests/theorems/test_proofs.py",
    "tests/theorems/test_surviving_sentinels.py",
    "tests/theorems/test_symbolic.py",
)


def files_of_tests(only: Sequence[str] = ()) -> list[str]:
    """The files of tests, relative to the root, or those of ``only``."""
    found = sorted(
        p.relative_to(ROOT).as_posix()
        for p in (ROOT / "tests").rglob("test_*.py")
        if not p.name.startswith(("test_mutation", "test_house_rules"))
    )
    return [f for f in found if not only or f in only]


@dataclass
class Reach:
    """``lines[source][line]`` are the tests that run it, ``seconds`` what each costs in CPU; all of them passed.

    ``early[source]`` are the lines that run while modules are loaded. ``sources`` counts the
    sources that a file of tests runs.
    """

    lines: dict[str, dict[int, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    seconds: dict[str, float] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    early: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add(self, noted: dict[str, Any]) -> None:
        """Take what one file of tests runs."""
        self.seconds |= noted["seconds"]
        names = list(noted["seconds"])
        self.sources |= {name: len(noted["lines"]) for name in {_file(test) for test in names}}
        for source, lines in noted["lines"].items():
            for line, places in lines.items():
                self.lines[source][int(line)] |= {names[place] for place in places}
        for source, early in noted["early"].items():
            self.early[source] |= set(early)

    def tests(self, mutant: Mutant, within: float = math.inf) -> list[str]:
        """The tests that run a mutant's lines, as many as take ``within`` seconds of CPU in all.

        Of a line that runs while its module is loaded, also those that run anything of the module,
        and those that look at every statement. Behind them, the others of their files: what one
        test leaves in a cache, or a module as a constant, the next reads without running a line.
        The file named after the module comes first, whole.
        """
        lines = self.lines.get(mutant.path, {})
        own = set(range(mutant.line, mutant.last_line + 1))
        found = {test for line in own for test in lines.get(line, ())}
        whole = mutant.where == "module" or mutant.where.rpartition(".")[2][:1].isupper()
        if whole or not found or own & self.early.get(mutant.path, set()):
            found |= {test for tests in lines.values() for test in tests}
            found |= {test for test in self.seconds if test.startswith(_LOADED)}
        files = {_file(test) for test in found}
        own_file = f"test_{Path(mutant.path).stem}.py"
        beside = {test for test in self.seconds if _file(test) in files} - found
        ordered = sorted(
            found | beside,
            key=lambda test: (
                not _file(test).endswith(f"/{own_file}"),
                test in beside,
                self.seconds[test],
                test,
            ),
        )
        spent = accumulate(self.seconds[test] for test in ordered)
        return [test for test, total in zip(ordered, spent, strict=True) if total <= within]

    def stages(self, tests: Sequence[str]) -> list[list[str]]:
        """These tests in two runs: those in the few files that are nearest, then the others.

        Nearest to a statement is what looks at every statement, else what runs the fewest sources.
        Most mutants fall in the first run, which has little to load.
        """
        files = sorted(
            {_file(test) for test in tests},
            key=lambda name: (name not in _LOADED, self.breadth(name), name),
        )
        near = set(files[:_NEAR])
        first = [test for test in tests if _file(test) in near]
        rest = [test for test in tests if _file(test) not in near]
        return [first, rest] if rest else [first]

    def breadth(self, name: str) -> int:
        """How many sources the tests of a file run."""
        return self.sources.get(name, 0)


def _file(test: str) -> str:
    return test.partition("::")[0]


def measure(copy: Copy, files: Sequence[str], told: Callable[[str], None]) -> Reach:
    """What the tests of these files run, from the cache or measured in the copy."""
    reach = Reach()
    for number, name in enumerate(files, 1):
        kept = CACHE / "reach" / f"{name.replace('/', '.')}.json"
        noted = _kept(kept, name)
        if noted is None:
            told(f"reach {number}/{len(files)}: {name}")
            noted = _noted(copy, name)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(noted), encoding="utf-8")
        if noted["failed"]:
            told(f"  left out, as they fail without any mutant: {', '.join(noted['failed'])}")
        reach.add(noted)
    return reach


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


def around(name: str) -> dict[str, str]:
    """The digests of a file of tests and of what lies beside it and is no test."""
    folder = (ROOT / name).parent
    beside = [
        p
        for p in (*folder.glob("*.py"), *(ROOT / "tests").glob("*.py"))
        if not p.name.startswith("test_")
    ]
    return {p.relative_to(ROOT).as_posix(): _digest(p) for p in sorted({ROOT / name, *beside})}


def _kept(path: Path, name: str) -> dict[str, Any] | None:
    """What was noted before, if neither the tests nor a source they run has changed."""
    try:
        noted: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = (
        "early" in noted
        and noted["around"] == around(name)
        and all(_digest(ROOT / source) == digest for source, digest in noted["sources"].items())
    )
    return noted if same else None


def _noted(copy: Copy, name: str) -> dict[str, Any]:
    """Run a file of tests in the copy, each test a context."""
    answer = copy.folder / ".reach.json"
    answer.unlink(missing_ok=True)

    def work() -> int:
        import coverage

        measured = coverage.Coverage(
            data_file=None,
            source=[str(copy.folder / "theorems"), str(copy.folder / "simulators")],
            config_file=False,
        )
        watcher = _Watcher(measured)
        measured.start()
        pytest.main(
            ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line", name], plugins=[watcher]
        )
        measured.stop()
        names = list(watcher.seconds)
        places = {test: place for place, test in enumerate(names)}
        lines, early = {}, {}
        data = measured.get_data()
        for file in data.measured_files():
            source = Path(file).relative_to(copy.folder).as_posix()
            contexts = data.contexts_by_lineno(file)
            found = {n: [places[c] for c in ran if c in places] for n, ran in contexts.items()}
            lines[source] = {n: tests for n, tests in found.items() if tests}
            early[source] = [n for n, ran in contexts.items() if "" in ran]
        words = {
            "seconds": watcher.seconds,
            "failed": watcher.failed,
            "lines": lines,
            "early": early,
        }
        answer.write_text(json.dumps(words))
        return 0

    fork(work, copy.folder, _LIMIT)
    if not answer.exists():
        raise RuntimeError(
            f"{name}: its reach could not be measured:\n{(copy.folder / LOG).read_text()[-2000:]}"
        )
    noted: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return noted | {
        "around": around(name),
        "sources": {s: _digest(ROOT / s) for s in noted["lines"]},
    }


class _Watcher:
    """A plugin: a context for every test, its seconds of CPU, and whether it passed."""

    def __init__(self, measured: Any) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Note a test."""
        self.measured.switch_context(item.nodeid)
        before = time.process_time()
        found = yield
        spent = time.process_time() - before
        if item.nodeid not in self.failed:
            self.seconds[item.nodeid] = round(spent, 4)
        self.measured.switch_context("")
        return found

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails by itself kills no mutant."""
        if report.failed and report.nodeid not in self.failed:
            self.failed.append(report.nodeid)

"""Options of a run, what it keeps, and what it says and writes at its end.

``pytest bench`` measures everything and asserts the targets; ``--bench-short`` does a part of it in
a few minutes. ``--bench-report DIR`` writes what was found, as ``bench.json`` and a page. With
``--bench-compare FILE --bench-fail-if-worse R`` the ratios are compared with those of a stored run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.kept import Kept, Report
from bench.report import (
    RELEASES,
    Run,
    entry,
    environment,
    read_history,
    read_run,
    with_release,
    write_history,
    write_report,
)
from bench.report.comparison import Comparison
from simulators.documents import DocumentError

_KEPT = pytest.StashKey[Kept]()
_TOLD = pytest.StashKey[list[str]]()


# --- options --------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("bench", "benchmarks in pairs")
    group.addoption(
        "--bench-report",
        metavar="DIR",
        help="write bench.json, history.jsonl and index.html into this folder",
    )
    group.addoption(
        "--bench-short", action="store_true", help="only what takes a few minutes altogether"
    )
    group.addoption(
        "--bench-compare",
        metavar="FILE",
        help="compare the ratios with those of a stored run, its bench.json",
    )
    group.addoption(
        "--bench-fail-if-worse",
        metavar="R",
        help="fail if a ratio's cost rose by more than this factor, such as 1.1; needs "
        "--bench-compare",
    )
    group.addoption(
        "--bench-record",
        action="store_true",
        help="put the ratios into bench/history.jsonl, as the line of this version",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "short: measured by --bench-short as well")
    if getattr(config.option, "numprocesses", None):
        raise pytest.UsageError(
            f"-n {config.option.numprocesses}: benchmarks take turns; run them without -n"
        )
    if config.option.collectonly:
        return
    stored = _stored(config.getoption("bench_compare"))
    most = _most(config.getoption("bench_fail_if_worse"), stored)
    _require_folder(config.getoption("bench_report"))
    for path in _histories(config):
        try:
            read_history(path)
        except ValueError as error:
            raise pytest.UsageError(f"{path}: {error}") from None
    config.stash[_KEPT] = Kept(config.getoption("bench_short"), environment(), stored, most)


def _stored(path: str | None) -> Run | None:
    if path is None:
        return None
    try:
        run = read_run(path)
    except OSError as error:
        raise pytest.UsageError(f"--bench-compare {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise pytest.UsageError(f"--bench-compare {path}: {error}") from None
    if not run.ratios:
        raise pytest.UsageError(f"--bench-compare {path}: a run without ratios")
    return run


def _most(given: str | None, stored: Run | None) -> float:
    if given is None:
        return math.inf
    try:
        most = float(given)
    except ValueError:
        most = math.nan
    if not 1 < most < math.inf:
        raise pytest.UsageError(f"--bench-fail-if-worse {given}: want a finite number above 1")
    if stored is None:
        raise pytest.UsageError(
            f"--bench-fail-if-worse {given}: worse than what? give --bench-compare FILE as well"
        )
    return most


def _require_folder(given: str | None) -> None:
    if given is None:
        return
    try:
        Path(given).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--bench-report {given}: {error.strerror or error}") from None


def _histories(config: pytest.Config) -> list[Path]:
    folder = config.getoption("bench_report")
    return [RELEASES, *([Path(folder, "history.jsonl")] if folder else [])]


# --- what tests are given -------------------------------------------------------------------------


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Kept:
    """What the run has found so far, to measure pairs with and to add to."""
    return request.config.stash[_KEPT]


@pytest.fixture
def report(kept: Kept, benchmark: BenchmarkFixture) -> Report:
    """Keep one line for the summary, and the numbers behind it with the saved benchmark."""

    def keep(line: str, **numbers: object) -> None:
        kept.lines.append(line)
        benchmark.extra_info.update(numbers)

    return keep


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("bench_short"):
        return
    long = [item for item in items if not item.get_closest_marker("short")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item.get_closest_marker("short")]


# --- the end of a run -----------------------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write what was found; a run that is worse than the stored one has failed."""
    kept = session.config.stash.get(_KEPT, None)
    if kept is None:
        return
    told = session.config.stash.setdefault(_TOLD, [])
    comparison = kept.comparison()
    if comparison is not None:
        told += _compared(kept, comparison)
        failed = comparison.worse or not comparison.judged
        if failed and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if kept.ratios or kept.growth or kept.memory or kept.verdicts:
        try:
            told += _written(session.config, kept.run(), comparison)
        except (OSError, DocumentError) as error:
            told.append(f"could not be written: {error}")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _compared(kept: Kept, comparison: Comparison) -> Iterator[str]:
    assert kept.stored is not None
    then, now = kept.stored.environment, kept.before
    yield f"compared with the run of {then.date}, commit {then.commit or 'unknown'}"
    if then.machine != now.machine:
        yield f"another machine: {then.machine}; here {now.machine}"
        yield "a ratio depends on the machine too: a change need not be the code's"
    if not comparison.judged:
        yield "worse: nothing to judge, as the stored run has none of what was measured"
    for each in comparison.changes:
        yield ("worse: " if each.worse else "") + each.reason
    if comparison.new:
        yield f"not in the stored run: {'; '.join(comparison.new)}"
    if comparison.gone:
        yield f"in the stored run alone: {'; '.join(comparison.gone)}"
    yield (
        f"{len(comparison.worse)} of {len(comparison.judged)} worse"
        if math.isfinite(kept.most)
        else "no limit was set: --bench-fail-if-worse R sets one"
    )


def _written(config: pytest.Config, run: Run, comparison: Comparison | None) -> Iterator[str]:
    """Write the history and the report that were asked for; a line for each."""
    if config.getoption("bench_record"):
        write_history(RELEASES, with_release(read_history(RELEASES), entry(run)))
        yield f"recorded: {RELEASES.name}, version {entry(run).version}"
    if folder := config.getoption("bench_report"):
        yield f"written: {write_report(run, Path(folder), comparison)}"


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    kept = config.stash.get(_KEPT, None)
    if kept is None:
        return
    told = config.stash.get(_TOLD, [])
    if kept.lines:
        here = kept.before
        terminalreporter.section("measured, seeds as in the files")
        terminalreporter.line(f"{here.machine}; commit {here.commit or 'unknown'}")
    for line in kept.lines:
        terminalreporter.line(line)
    if told:
        terminalreporter.section("report")
    for line in told:
        terminalreporter.line(line)

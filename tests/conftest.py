"""Global state that a test may leave behind is put back after it; ``--full`` adds the tests of
``.ci/full``.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator

import flint
import hypothesis
import pytest

# The tests' matrices are small and pytest -n has the cores already: more threads would wait for each other, at two to
# four times the CPU time. Set before the libraries load, and inherited by child processes; a value given stays.
for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# A shell starts what it puts into the background deaf to Ctrl-C, and children inherit that: tests of Ctrl-C need ears.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Under nohup they are deaf to a terminal that goes away.
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# No test fails for the time it takes: the machine may do other things too.
hypothesis.settings.register_profile(
    "no clock", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("no clock")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="run the tests marked full as well: minutes each"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    long = [item for item in items if item.get_closest_marker("full")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What collection loaded lives as long as the process: no collection of garbage need go
    through it again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(autouse=True)
def ball_precision() -> Iterator[None]:
    """Every test starts at flint's default precision, and one that leaks its own fails."""
    before = flint.ctx.prec
    yield
    after, flint.ctx.prec = flint.ctx.prec, before
    assert after == before, f"flint.ctx.prec was left at {after} bits, and was {before}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What is new and on no record yet, a line each: reported, where it would turn nothing red."""
    reasons = [
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.getreports("skipped")
    ]
    if told := sorted({reason for reason in reasons if reason.startswith("new: ")}):
        terminalreporter.section("new statements")
        for reason in told:
            terminalreporter.line(reason.removeprefix("new: "))


@pytest.fixture(autouse=True)
def own_words_of_no_other_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that a test brings may be gone when workers of another look for it."""
    from simulators import own_words

    monkeypatch.setattr(own_words, "_BROUGHT", {})

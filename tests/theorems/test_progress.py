"""What is seen while a verb runs."""

from __future__ import annotations

import io
import re

import pytest
from consoles import columns, finding, plain, printed
from rich.console import Console
from rich.text import Text

from theorems.registry import get
from theorems.statement import Statement, Verdict
from theorems.terminal.progress import Meter
from theorems.verification import Result

FIRST, SECOND = (get(f"orthogonality.convexity:{form}") for form in ("as_printed", "corrected"))


def test_progress_without_a_terminal_is_one_line_per_statement() -> None:
    out = plain(40)
    with Meter(out, [FIRST] * 12) as meter:
        meter.at("something")
        meter.checked(FIRST)
        meter.done(Result(FIRST, Verdict.REFUTED, (finding(seconds=1.25),)))
        meter.done(Result(SECOND, Verdict.REFUTED, (finding(),)))
    times = r"; \d+\.\d s gone, about \d+\.\d s left"
    wanted = [
        r"\[ 1/12\] orthogonality\.convexity:as_printed: refuted \(1\.2 s\)" + times,
        r"\[ 2/12\] orthogonality\.convexity:corrected: refuted, not as expected \(0\.0 s\)"
        + times,
    ]
    lines = printed(out).splitlines()
    assert len(lines) == 2
    assert all(re.fullmatch(*both) for both in zip(wanted, lines, strict=True))


def test_the_last_line_of_progress_has_nothing_left() -> None:
    out = plain(40)
    with Meter(out, [FIRST]) as meter:
        meter.checked(FIRST)
        meter.done(Result(FIRST, Verdict.CERTIFIED, (finding(),)))
    assert "gone" in printed(out)
    assert "left" not in printed(out)


def test_progress_beside_results_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of the table say already which statement is done."""
    clock = [0.0]
    monkeypatch.setattr("theorems.terminal.progress.time.monotonic", lambda: clock[0])
    found = Result(FIRST, Verdict.REFUTED, (finding(),))
    out = plain(40)
    with Meter(out, [FIRST] * 12, beside_results=True) as meter:
        for clock[0] in (4.0, 8.0, 12.0, 16.0):
            meter.checked(FIRST)
            meter.done(found)
    assert printed(out).splitlines() == ["[ 3/12] 12.0 s gone, about 36.0 s left"]


@pytest.mark.parametrize(("checked", "left"), [(FIRST, "18.0 s"), (SECOND, "0.2 s")])
def test_what_is_left_is_told_by_how_long_statements_take(
    checked: Statement, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of one that is checked, and whose result waits for its turn."""
    clock = [0.0]
    monkeypatch.setattr("theorems.terminal.progress.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(
        "theorems.terminal.progress.expected_seconds", lambda s: 1.0 if s is FIRST else 9.0
    )
    out = plain(40)
    with Meter(out, [FIRST, SECOND]) as meter:
        clock[0] = 2.0
        meter.checked(checked)
        meter.done(Result(FIRST, Verdict.REFUTED, (finding(),)))
    assert printed(out).endswith(f"; 2.0 s gone, about {left} left\n")


def test_progress_on_a_terminal_is_one_live_line_that_goes_away() -> None:
    out = Console(
        file=io.StringIO(), width=80, force_terminal=True, color_system=None, markup=False
    )
    with Meter(out, [FIRST, SECOND]) as meter:
        meter.at("orthogonality.decay:sharp: " + "x" * 200)
        meter.checked(FIRST)
        meter.done(Result(FIRST, Verdict.REFUTED, (finding(),)))
    seen = Text.from_ansi(printed(out)).plain
    assert "1/2" in seen
    assert "…" in seen
    assert max(columns(line) for line in seen.splitlines()) <= 80
    assert " left " in seen


def test_what_is_printed_while_the_live_line_is_away_stands_alone_on_its_line() -> None:
    out = Console(
        file=io.StringIO(), width=80, force_terminal=True, color_system=None, markup=False
    )
    with Meter(out, [FIRST, SECOND]) as meter:
        with meter.away():
            out.print("a row")
        meter.at("busy")
    written = printed(out)
    row = written.index("a row")
    erased = written.rindex("\x1b[2K", 0, row)  # the line is cleared before the row is printed
    assert "0/2" not in written[erased:row]
    assert written[row + len("a row")] == "\n"
    assert "0/2" in written[row:], "the line comes back"

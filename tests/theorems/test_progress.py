"""What is seen while a verb runs."""

from __future__ import annotations

import io

from consoles import columns, finding, plain, printed
from rich.console import Console
from rich.text import Text

from theorems.registry import get
from theorems.statement import Verdict
from theorems.terminal.progress import Meter
from theorems.verification import Result


def test_progress_without_a_terminal_is_one_line_per_statement() -> None:
    out = plain(40)
    with Meter(out, 12) as meter:
        meter.at("something")
        meter.done(
            Result(
                get("orthogonality.convexity:as_printed"), Verdict.REFUTED, (finding(seconds=1.25),)
            )
        )
        meter.done(Result(get("orthogonality.convexity:corrected"), Verdict.REFUTED, (finding(),)))
    assert printed(out).splitlines() == [
        "[ 1/12] orthogonality.convexity:as_printed: refuted (1.2 s)",
        "[ 2/12] orthogonality.convexity:corrected: refuted, not as expected (0.0 s)",
    ]


def test_progress_on_a_terminal_is_one_live_line_that_goes_away() -> None:
    out = Console(
        file=io.StringIO(), width=80, force_terminal=True, color_system=None, markup=False
    )
    with Meter(out, 2) as meter:
        meter.at("orthogonality.decay:sharp: " + "x" * 200)
        meter.done(Result(get("orthogonality.convexity:as_printed"), Verdict.REFUTED, (finding(),)))
    seen = Text.from_ansi(printed(out)).plain
    assert "1/2" in seen
    assert "…" in seen
    assert max(columns(line) for line in seen.splitlines()) <= 80

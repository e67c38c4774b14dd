"""What is seen while a verb runs: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from theorems.running_times import expected_seconds
from theorems.terminal.screen import duration

if TYPE_CHECKING:
    from simulators.sweeps.dispatch import Tally
    from theorems.statement import Statement
    from theorems.verification import Result

__all__ = ["Meter", "SweepMeter", "live_line"]

#: Seconds between plain lines where no bar can be drawn.
_PLAIN_INTERVAL = 10.0


def _live(out: Console) -> bool:
    return out.is_terminal and not out.is_dumb_terminal


@contextlib.contextmanager
def live_line(out: Console, place: str) -> Iterator[Callable[[str], None]]:
    """A function that shows what is done on one line after ``place``; silent but on a terminal.

    >>> with live_line(Console(), "[1/2] ") as at:
    ...     at("counting")
    """
    if not _live(out):
        yield lambda words: None
        return
    with out.status("") as status:
        yield lambda words: status.update(Text(f"{place}{words}"))


class _Bar:
    """A bar on a terminal that can draw one, on standard error. A context manager."""

    def __init__(self, out: Console, total: int | None, *columns: ProgressColumn) -> None:
        self._out = out
        self._live: Progress | None = None
        if _live(out):
            self._live = Progress(*columns, console=out, transient=True, expand=total is not None)
            self._task = self._live.add_task("", total=total, left="")

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Inside, the bar is off the screen, so that lines can be printed where it was."""
        if self._live is None:
            yield
            return
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()


class Meter(_Bar):
    """Progress over ``statements``: a bar, or plain lines.

    A plain line for every result; where results are printed in the same place, a line now and then.
    """

    def __init__(
        self, out: Console, statements: Sequence[Statement], *, beside_results: bool = False
    ) -> None:
        wide = Column(no_wrap=True, overflow="ellipsis", ratio=1)
        super().__init__(
            out,
            len(statements),
            SpinnerColumn(),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", markup=False, style="dim"),
            TextColumn("{task.description}", markup=False, table_column=wide),
        )
        self._total, self._told, self._checked = len(statements), 0, 0
        self._work, self._worked = sum(map(expected_seconds, statements)), 0.0
        self._sparse = beside_results
        self._began = self._printed = time.monotonic()

    def __enter__(self) -> Self:
        self._began = self._printed = time.monotonic()
        return super().__enter__()

    def at(self, words: str) -> None:
        """Tell what the run is busy with; only the bar shows it.

        Args:
            words: beginning with the name of a statement, of which the family is left out.
        """
        if self._live is not None:
            # the family says little here
            self._live.update(self._task, description=re.sub(r"^\w+\.", "", words))

    def checked(self, statement: Statement) -> None:
        """Tell that the checks of a statement are done; its result may have to wait for its turn.

        Args:
            statement: one of the ``statements``, each of them once.
        """
        self._checked += 1
        self._worked += expected_seconds(statement)
        if self._live is not None:
            self._live.update(self._task, completed=self._checked, left=self._left())

    def done(self, result: Result) -> None:
        """Tell that a result is there, and printed where results are; the bar has moved before.

        Args:
            result: of one of the ``statements``.
        """
        self._told += 1
        if self._live is not None:
            return
        now = time.monotonic()
        place = f"[{self._told:>{len(str(self._total))}}/{self._total}]"
        gone = f"{duration(now - self._began)} gone"
        times = ", ".join(filter(None, (gone, self._left())))
        if not self._sparse:
            note = "" if result.as_expected else ", not as expected"
            line = f"{place} {result.statement.name}: {result.verdict.value}{note}"
            line += f" ({duration(result.seconds)})"
            self._out.print(Text(f"{line}; {times}"), soft_wrap=True)
        elif now - self._printed > _PLAIN_INTERVAL:
            self._printed = now
            self._out.print(Text(f"{place} {times}"), soft_wrap=True)

    def _left(self) -> str:
        """The time that is left, in words, at the pace so far; empty where nothing is."""
        if self._checked == self._total or not self._worked:
            return ""
        gone = time.monotonic() - self._began
        return f"about {duration(gone / self._worked * (self._work - self._worked))} left"


class SweepMeter(_Bar):
    """Progress of a sweep: a bar, or a plain line now and then."""

    def __init__(self, out: Console) -> None:
        super().__init__(
            out,
            None,
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
        )
        self._printed = time.monotonic()
        self._estimated = False

    def at(self, tally: Tally) -> None:
        """Tell how far the sweep has come; a plain line at once where a first estimate is there
        before anything is done.

        Args:
            tally: of the runs that are done and failed, and the seconds that are expected to be
                left.
        """
        left = "" if tally.remaining is None else f"about {duration(tally.remaining)} left"
        failed = f"{tally.failed} failed" if tally.failed else ""
        words = ", ".join(part for part in (left, failed, tally.last) if part)
        if self._live is not None:
            self._live.update(
                self._task, total=tally.total, completed=tally.settled, description=words
            )
            return
        first = left and not (tally.computed or self._estimated)
        if first or time.monotonic() - self._printed > _PLAIN_INTERVAL:
            self._printed, self._estimated = time.monotonic(), True
            self._out.print(f"[{tally.settled}/{tally.total}] {words}", soft_wrap=True)

"""What is seen while a run goes on: one live line on a terminal, one plain line per statement elsewhere."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from theorems.terminal.screen import duration
from theorems.verification import Result

__all__ = ["Meter"]


class Meter:
    """Progress over ``total`` statements, on ``out`` (standard error). A context manager."""

    def __init__(self, out: Console, total: int) -> None:
        self._out = out
        self._total = total
        self._done = 0
        self._live: Progress | None = None

    def __enter__(self) -> Self:
        if self._out.is_terminal and not self._out.is_dumb_terminal:
            self._live = Progress(
                SpinnerColumn(), BarColumn(bar_width=12), MofNCompleteColumn(), TimeElapsedColumn(),
                TextColumn("{task.description}", markup=False,
                           table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
                console=self._out, transient=True, expand=True)
            self._task = self._live.add_task("", total=self._total)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def at(self, words: str) -> None:
        """The run is busy with this."""
        if self._live is not None:
            self._live.update(self._task, description=re.sub(r"^\w+\.", "", words))  # the family says little here

    def done(self, result: Result) -> None:
        """A statement is finished."""
        self._done += 1
        if self._live is not None:
            self._live.update(self._task, completed=self._done)
        else:
            place = f"[{self._done:>{len(str(self._total))}}/{self._total}]"
            note = "" if result.as_expected else ", not as expected"
            self._out.print(Text(f"{place} {result.statement.name}: {result.verdict.value}{note} "
                                 f"({duration(result.seconds)})"), soft_wrap=True)

"""Tables that fit any width: text folds, numbers never do; columns that find no room go to a table below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from theorems.terminal.screen import print_table

__all__ = ["Column", "print_columns"]

_BETWEEN = 2
_LEAST_TEXT = 14


@dataclass(frozen=True)
class Column:
    """A title and the cells below it. ``folds`` is for text, which may take more lines where room is short."""

    title: str
    cells: Sequence[str | Text]
    folds: bool = False
    right: bool = False

    @property
    def wanted(self) -> int:
        return max(cell_len(str(cell)) for cell in (self.title, *self.cells))

    @property
    def least(self) -> int:
        return min(self.wanted, _LEAST_TEXT) if self.folds else self.wanted


def print_columns(out: Console, columns: Sequence[Column]) -> None:
    """Print the columns side by side, as many as find room; the first one stands in every table."""
    key, *left = columns
    first = True
    while left:
        room, taken = out.width - key.least, 0
        for column in left:
            room -= _BETWEEN + column.least
            if room < 0 and taken:
                break
            taken += 1
        if not first:
            out.print()
        _print_table(out, [key, *left[:taken]])
        left, first = left[taken:], False


def _print_table(out: Console, columns: Sequence[Column]) -> None:
    spare = out.width - sum(column.least for column in columns) - _BETWEEN * (len(columns) - 1)
    table = Table.grid(padding=(0, _BETWEEN, 0, 0), pad_edge=False)
    for column in columns:
        more = max(0, min(spare, column.wanted - column.least))
        spare -= more
        table.add_column(justify="right" if column.right else "left", width=column.least + more,
                         overflow="fold", no_wrap=not column.folds)
    table.add_row(*(Text(column.title, style="dim") for column in columns))
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*row)
    print_table(out, table)

"""Consoles, styles, tables that fit any width, numbers as text."""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from theorems.statement import Verdict
from theorems.terminal.streams import harmless

__all__ = [
    "Column",
    "at_joints",
    "console",
    "duration",
    "field",
    "fields",
    "heading",
    "outcome_line",
    "paragraph",
    "print_columns",
    "print_row",
    "print_table",
    "ratio",
    "refuse",
    "refuse_each",
    "sensitivity",
    "shortened",
    "verdict_text",
]

#: Lines are never longer than this, however wide the terminal, and never laid out for less, however
#: narrow.
WIDEST, NARROWEST = 120, 64

_STYLES = {
    Verdict.PROVED: "bold green",
    Verdict.CERTIFIED: "green",
    Verdict.SUPPORTED: "cyan",
    Verdict.VACUOUS: "dim",
    Verdict.OUTSIDE: "dim",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.REFUTED: "red",
}


class _Console(Console):
    """Rich's console, leaving a closed pipe to the caller, and nothing to a terminal that it would
    obey.

    Names, descriptions and errors come from files: what they hold of control characters is shown,
    not sent. The controls of rich itself, which colour text and move the cursor, are no text and
    pass.
    """

    def on_broken_pipe(self) -> None:
        raise  # the BrokenPipeError that rich is handling

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(harmless(segment.text), segment.style)


def console(*, errors: bool = False, narrowest: int = NARROWEST) -> Console:
    """Standard output, or standard error: plain text unless it is a terminal and NO_COLOR is unset
    or empty.

    Nothing is laid out for fewer than ``narrowest`` columns.
    """
    stream: TextIO = sys.stderr if errors else sys.stdout
    # rich takes the size from these two without question, 0 and beyond all screens included
    surroundings = {
        name: text for name, text in os.environ.items() if name not in ("COLUMNS", "LINES")
    }
    plainly = partial(
        _Console,
        file=stream,
        markup=False,
        emoji=False,
        highlight=False,
        _environ=surroundings,
    )
    found = plainly()
    plain = bool(os.environ.get("NO_COLOR")) or not found.is_terminal
    return plainly(
        width=_width(found.width, narrowest),
        color_system=None if plain else "auto",
        no_color=plain,
    )


def _width(terminal: int, narrowest: int) -> int:
    """``COLUMNS`` where it is a number above 0, else the terminal's; within what a table and a
    reader can do with.
    """
    asked = os.environ.get("COLUMNS", "")
    wanted = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0
    return min(max(wanted or terminal, narrowest), WIDEST)


#: Of a refusal, which quotes what was given: a name may have thousands of characters.
_LONGEST_LINE = 1200


def refuse(words: str) -> None:
    """One line on standard error, with its middle left out where it is very long.

    >>> from contextlib import redirect_stderr
    >>> with redirect_stderr(sys.stdout):
    ...     refuse("--seed: want a whole number")
    theorems: --seed: want a whole number
    """
    text = " ".join(words.split())
    if len(text) > _LONGEST_LINE:
        text = f"{text[: _LONGEST_LINE // 2]} … {text[-_LONGEST_LINE // 2 :]}"
    console(errors=True).print(f"theorems: {text}", soft_wrap=True)


def refuse_each(refused: Iterable[str]) -> None:
    """Every refused claim in a line of its own on standard error.

    Args:
        refused: the words of each, as `refuse` takes them.
    """
    for line in refused:
        refuse(line)


def verdict_text(verdict: Verdict) -> Text:
    """A verdict in its colour.

    >>> verdict_text(Verdict.REFUTED).plain
    'refuted'
    """
    return Text(verdict.value, style=_STYLES[verdict])


def heading(words: str) -> Text:
    """A heading, which is bold.

    >>> heading("Refuted").style
    'bold'
    """
    return Text(words, style="bold")


def field(
    out: Console, name: str, content: str | Text | Sequence[str], *, indent: int = 14
) -> None:
    """``name`` in the margin, ``content`` wrapped beside it; a sequence of lines is printed
    unwrapped.
    """
    margin = Text(name.ljust(indent - 1) + " ", style="dim")
    if not isinstance(content, str | Text):
        for number, line in enumerate(content):
            first = Text(" " * indent) if number else margin
            out.print(first, Text(line), sep="", no_wrap=True, overflow="ignore", crop=False)
        return
    text = content if isinstance(content, Text) else Text(content)
    paragraph(out, text, first=margin, indent=indent)


def fields(out: Console, contents: Mapping[str, str | Text]) -> None:
    """Each content beside its name, those that are empty left out.

    >>> fields(console(), {"Seed": "7", "Chain": ""})
    Seed          7
    """
    for name, content in contents.items():
        if content:
            field(out, name, content)


def paragraph(out: Console, text: Text, *, first: Text | None = None, indent: int = 0) -> None:
    """``text`` wrapped, hanging by ``indent``; ``first`` stands in the margin of its first line.

    >>> paragraph(console(), Text("hanging"), first=Text("- "), indent=2)
    - hanging
    """
    for number, part in enumerate(text.wrap(out, max(out.width - indent, 20))):
        part.rstrip()
        margin = Text(" " * indent) if number or first is None else first
        out.print(margin, part, sep="", no_wrap=True, overflow="ignore", crop=False)


def outcome_line(out: Console, mark: Text, name: str, words: str, seconds: float) -> None:
    """What came of one of several things, on one line, however long.

    >>> outcome_line(console(), Text("made"), "a certificate", "it says so", 0.1)
    made a certificate: it says so (0.1 s)
    """
    out.print(Text.assemble(mark, f" {name}: {words} ({duration(seconds)})"), soft_wrap=True)


def print_table(out: Console, table: Table) -> None:
    """A table without the blanks that pad its last column.

    >>> print_row(console(), (6, 4), ("row", "1"))
    row     1
    """
    with out.capture() as capture:
        out.print(table)
    out.file.write(re.sub(r"[ ]+$", "", capture.get(), flags=re.MULTILINE))


def print_row(
    out: Console,
    widths: Sequence[int],
    cells: Sequence[str | Text],
    *,
    right: Container[int] = (),
    folding: Container[int] = (),
) -> None:
    """One row of a table of fixed columns, so that rows printed apart line up.

    Args:
        out: where it is printed.
        widths: of the columns, in characters.
        cells: as many.
        right: numbers of the columns that end at the right, from 0.
        folding: numbers of the columns that take more lines where room is short.

    Example:
        >>> print_row(console(), (6, 4), ("row", "1"), right=(1,))
        row        1
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    for number, width in enumerate(widths):
        justify: Literal["right", "left"] = "right" if number in right else "left"
        table.add_column(width=width, no_wrap=number not in folding, justify=justify)
    table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))
    print_table(out, table)


#: Columns between columns, and of a text that folds at least.
_BETWEEN, _LEAST_TEXT = 2, 14


@dataclass(frozen=True)
class Column:
    """A title and the cells below it. ``folds`` is for text, which may take more lines where room
    is short, and then has ``narrowest`` characters at least.
    """

    title: str
    cells: Sequence[str | Text]
    folds: bool = False
    right: bool = False
    narrowest: int = _LEAST_TEXT

    @property
    def wanted(self) -> int:
        return max(cell_len(str(cell)) for cell in (self.title, *self.cells))

    @property
    def least(self) -> int:
        return min(self.wanted, self.narrowest) if self.folds else self.wanted


def print_columns(out: Console, columns: Sequence[Column]) -> None:
    """Print the columns side by side, as many as find room; the first one stands in every table.

    >>> print_columns(console(), [Column("layer", ["0", "1"]), Column("gap", ["0.5", "0.25"])])
    layer  gap
    0      0.5
    1      0.25
    """
    key, *left = columns
    for number in itertools.count():
        room, taken = out.width - key.least, 0
        for column in left:
            room -= _BETWEEN + column.least
            if room < 0 and taken:
                break
            taken += 1
        if number:
            out.print()
        _print_side_by_side(out, [key, *left[:taken]])
        left = left[taken:]
        if not left:
            return


def _print_side_by_side(out: Console, columns: Sequence[Column]) -> None:
    spare = out.width - sum(column.least for column in columns) - _BETWEEN * (len(columns) - 1)
    table = Table.grid(padding=(0, _BETWEEN, 0, 0), pad_edge=False)
    for column in columns:
        more = max(0, min(spare, column.wanted - column.least))
        spare -= more
        table.add_column(
            justify="right" if column.right else "left",
            width=column.least + more,
            overflow="fold",
            no_wrap=not column.folds,
        )
    table.add_row(*(Text(column.title, style="dim") for column in columns))
    widths = [column.width or 0 for column in table.columns]
    for row in zip(*(column.cells for column in columns), strict=True):
        cells = zip(row, widths, strict=True)
        table.add_row(*(at_joints(x, width) if isinstance(x, str) else x for x, width in cells))
    print_table(out, table)


def at_joints(text: str, width: int) -> str:
    """``text`` with line breaks in words of more than ``width`` characters, after a dot, a dash or
    an underscore where there is one.

    >>> at_joints("encoder.layers.0.linear1", 10)
    'encoder.\\nlayers.0.\\nlinear1'
    """
    done = []
    for word in text.split(" "):
        parts, left = [], word
        while len(left) > width > 0:
            joint = max(left.rfind(mark, 0, width) for mark in "._-/") + 1
            parts.append(left[: joint or width])
            left = left[joint or width :]
        done.append("\n".join([*parts, left]))
    return " ".join(done)


def shortened(text: str, limit: int) -> str:
    """``text`` on one line, with a part near its end left out where it is longer than ``limit``,
    at least 21 characters.

    >>> shortened("one two three four five six seven", 24)
    'one … r five six seven'
    """
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else f"{flat[: limit - 20].rstrip()} … {flat[-16:].lstrip()}"


def ratio(value: float | None) -> str:
    """A tightness: three significant digits.

    >>> ratio(0.5), ratio(1e-7), ratio(None)
    ('0.500', '1.0e-07', '–')
    """
    if value is None:
        return "–"
    return f"{value:.3f}" if 0.001 <= value < 100 or value == 0 else f"{value:.1e}"


def sensitivity(value: float | None) -> str:
    """A power: the smallest violation noticed, relative to the bound, in units of the exponent or
    as a share.

    >>> sensitivity(0.0), sensitivity(0.0123), sensitivity(3.0), sensitivity(None)
    ('exact', '0.012', '≥ 1', '–')
    """
    if value is None:
        return "–"
    less = f"{value:.2g}" if value < 1 else "≥ 1"
    return "exact" if value == 0 else less


def duration(seconds: float) -> str:
    """A time in words.

    >>> duration(1.25), duration(185.0), duration(1.5e5), duration(1.1e6)
    ('1.2 s', '3 min 05 s', '41 h', '13 days')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours = int(seconds) // 60, int(seconds) // 3600
    if hours < 10:
        return f"{minutes} min {int(seconds) % 60:02d} s"
    return f"{hours} h" if hours < 72 else f"{hours / 24:.0f} days"

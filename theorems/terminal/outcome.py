"""``theorems verify``: the table of verdicts, how the refuted statements fell, and the closing lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from simulators.batches import Batch
from theorems.ledger import Change
from theorems.statement import Evidence, Statement, Verdict
from theorems.terminal.bookkeeping import Book, print_changes
from theorems.terminal.screen import (
    duration,
    field,
    heading,
    paragraph,
    print_table,
    ratio,
    sensitivity,
    shortened,
    verdict_text,
)
from theorems.terminal.typesetting import symbol, words
from theorems.verification import Result
from theorems.witnesses import spelled

__all__ = ["Run", "batch_line", "how_it_fell", "print_outcome", "reasons"]


@dataclass(frozen=True)
class Run:
    """The circumstances of a run that its outcome is printed with."""

    asked: int  # statements selected
    seed: int
    level: float
    batch: Batch | None = None
    budget: float | None = None
    interrupted: bool = False
    seconds: float = 0.0
    written: tuple[str, ...] = ()


def print_outcome(
    out: Console, results: Sequence[Result], run: Run, book: Book | None = None, changes: Sequence[Change] = ()
) -> None:
    """Everything a run has to say, in reading order."""
    if results:
        _print_table(out, results)
        _print_refuted(out, results)
        out.print()
    _print_circumstances(out, run)
    if book is not None:
        print_changes(out, book, results, changes)
    out.print()
    _print_closing(out, results, run, len({c.statement for c in changes if c.worse}) if book and not book.update else 0)


# --- the table ----------------------------------------------------------------------------------------------

#: From this width on, evidence has a column of its own; below, it stands under its statement.
_WIDE = 100


def _print_table(out: Console, results: Sequence[Result]) -> None:
    """One row per statement under its theorem. Columns have fixed widths, so that all theorems line up."""
    columns = [max(len(r.statement.variant) for r in results) + 4, max(len(r.verdict.value) for r in results) + 2]
    titles: tuple[Text | str, ...] = ("", "verdict", "tightness", "power", "time")
    wide = out.width >= _WIDE
    print_table(out, _grid(columns, out.width, [tuple(Text(str(t), style="dim") for t in (*titles, "evidence"))], wide))
    for theorem, members in groupby(results, key=lambda r: f"{r.statement.family}.{r.statement.theorem}"):
        out.print(heading(theorem))
        for result in members:
            print_table(out, _grid(columns, out.width, [_cells(result)], wide))
            for evidence in () if wide else result.evidence:
                paragraph(out, _evidence(evidence), indent=columns[0] + 2)
            for note in result.notes:
                paragraph(out, Text.assemble(("note: ", "dim"), words(note)), indent=columns[0] + 2)


def _grid(columns: Sequence[int], width: int, rows: Sequence[Sequence[Text | str]], wide: bool) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    fixed = (*columns, len("tightness"), len("exact"), len("1000.0 s"))
    for number, column in enumerate(fixed):
        table.add_column(width=column, no_wrap=True, justify="right" if number > 1 else "left")
    if wide:
        table.add_column(width=width - sum(fixed) - 2 * len(fixed) - 2)
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in (row if wide else row[:-1])))
    return table


def _cells(result: Result) -> tuple[Text | str, ...]:
    name = f"  :{result.statement.variant}" if result.statement.variant else ""
    mark = ("✓ ", "green") if result.as_expected else ("✗ ", "bold red")
    evidence = Text("\n").join(_evidence(e) for e in result.evidence)
    return (name, Text.assemble(mark, verdict_text(result.verdict)), ratio(result.tightness), sensitivity(result.power),
            f"{result.seconds:.1f} s", evidence)


def _evidence(evidence: Evidence) -> Text:
    apart = "apart from the batch, " * evidence.apart
    return Text.assemble((f"{apart}{evidence.method}: ", "dim"), words(shortened(evidence.summary, 180)))


# --- refutations --------------------------------------------------------------------------------------------


def _print_refuted(out: Console, results: Sequence[Result]) -> None:
    refuted = [r for r in results if r.verdict is Verdict.REFUTED]
    if not refuted:
        return
    out.print()
    out.print(heading("Refuted"))
    for result in refuted:
        s = result.statement
        line = Text.assemble((s.name, "red"), (f" ({s.source.place or s.source.paper}): ", "dim"),
                             f"{how_it_fell(s, [e for e in result.evidence if not e.apart])}.")
        paragraph(out, line, first=Text("  "), indent=4)


def how_it_fell(statement: Statement, evidence: Sequence[Evidence]) -> str:
    """A witness or a crossing, in one sentence without its full stop."""
    fallen = [e for e in evidence if e.verdict is Verdict.REFUTED]
    found = [_fall(statement, e.summary, e.details) for e in fallen]
    return "; ".join(found)


def _fall(statement: Statement, summary: str, details: Mapping[str, Any]) -> str:
    crossings = [p for p in details.get("paths", ()) if p.get("crossing_layer") is not None]
    if crossings:
        return "the certified width-limit path crosses the bound at " + ", ".join(
            f"layer {p['crossing_layer']} for n = {p['n']} ({_ball(p['lhs'])} > {_ball(p['rhs'])})" for p in crossings)
    if "witness" in details:
        limit = " in the limit of width, hence at some width" * (details.get("kind") == "width limit")
        margin = f" ({details['margin']})" if "margin" in details else ""
        return f"false at {_witness(statement, details['witness'])}{limit}{margin}"
    return words(summary)


def _ball(text: str) -> str:
    """An enclosure's midpoint to six digits."""
    return f"{float(text.strip('[]').split()[0]):.6g}"


def _witness(statement: Statement, witness: Any) -> str:
    if isinstance(witness, Mapping):
        return ", ".join(f"{symbol(str(k))} = {spelled(v)}" for k, v in witness.items())
    families = [v for v in statement.variables if v.size]
    name = f"{symbol(families[0].name)} = " if len(families) == 1 else ""
    return name + shortened(spelled(witness), 90)


# --- closing ------------------------------------------------------------------------------------------------


def _print_circumstances(out: Console, run: Run) -> None:
    field(out, "Batch", batch_line(run.batch))
    field(out, "Error budget", f"any false verdict in this run: at most {run.level:g}")
    field(out, "Seed", str(run.seed))
    budget = "" if run.budget is None else f"; sampling stops after {duration(run.budget)}"
    field(out, "Time", f"{duration(run.seconds)}{budget}")
    for path in run.written:
        field(out, "Written", [path])
    field(out, "Legend", "tightness: measured / bound (for a lower bound: bound / measured), where the bound says "
                         "something; power: the smallest violation that would have been caught, relative to the bound "
                         "(for a slope, in its own units; for draws of inputs, the share that violates); "
                         "✓ as expected, ✗ not")


def batch_line(batch: Batch | None) -> str:
    """What was read, and how: the convention is always spelled out."""
    if batch is None:
        return "none given: every check lays out its own inputs"
    d, n = batch.array.shape
    return f"{batch.description}; as the {d} × {n} matrix H, one sample per column"


def reasons(result: Result, run: Run) -> str:
    """Why a result is not as expected, in a few words."""
    found = []
    expected = result.statement.expected
    if result.contradictory:
        found.append("proved and refuted at once")
    elif result.verdict is not expected and not (result.verdict.holds and expected.holds):
        found.append(f"{result.verdict.value}, expected {expected.value}")
    elif result.verdict is not expected and not result.as_expected and not result.weak_sentinels:
        found.append(f"only {result.verdict.value}, expected {expected.value}")
    if result.weakened_by:
        found.append(f"it depends on {', '.join(result.weakened_by)}")
    if result.weak_sentinels:
        found.append(f"its false neighbour survived: {', '.join(result.weak_sentinels)}")
    if result.verdict is Verdict.INCONCLUSIVE and run.budget is not None:
        found.append(f"the budget was {run.budget:g} s")
    return "; ".join(found)


def _print_closing(out: Console, results: Sequence[Result], run: Run, off_record: int) -> None:
    if run.interrupted:
        out.print(Text(f"Interrupted after {len(results)} of {run.asked} statements.", style="bold yellow"))
    wrong = [r for r in results if not r.as_expected]
    good = len(results) - len(wrong)
    names = ", ".join(f"{r.statement.name} ({reasons(r, run)})" for r in wrong)
    line = Text.assemble((f"{good} statement{'' if good == 1 else 's'} as expected, {len(wrong)} not",
                          "bold red" if wrong else "bold green"), f": {names}" if wrong else "")
    if off_record:
        line.append(f"; {off_record} not as the ledger has {'it' if off_record == 1 else 'them'}", style="bold red")
    paragraph(out, line)

"""``theorems verify``: check statements, print a verdict for each, write what was established.

What is printed: the table of verdicts, how the refuted statements fell, and the closing lines.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as field_of
from pathlib import Path

from rich.console import Console
from rich.text import Text

from simulators.arguments import require
from simulators.batches import Batch
from simulators.documents import write_json
from simulators.workers import cores
from theorems.commands.arguments import (
    add_batch_options,
    add_claim_options,
    add_names,
    add_run_options,
    add_word_options,
    asked,
    batch_line,
    given_batch,
    refusals_told,
    require_directory,
    require_plots,
    result_file,
    whole_option,
    wholly_asked,
)
from theorems.commands.experiment import add_experiment_options, given_experiment, train_all
from theorems.commands.run_ledger import RunLedger, open_ledger, print_changes, print_reasons
from theorems.ledger import DEFAULT, Change
from theorems.registry import families, unasked
from theorems.report.document import document_of
from theorems.report.provenance import provenance
from theorems.statement import ClaimError, Evidence, Statement, Verdict
from theorems.terminal.exit_statuses import (
    AS_EXPECTED,
    BAD_INPUT,
    INTERRUPTED,
    NOT_AS_EXPECTED,
    OutputError,
    ReaderGoneError,
    UsageError,
    refusing,
    signals,
    writing,
)
from theorems.terminal.progress import Meter
from theorems.terminal.screen import (
    console,
    duration,
    field,
    fields,
    heading,
    paragraph,
    print_row,
    ratio,
    refuse_each,
    sensitivity,
    shortened,
    verdict_text,
)
from theorems.terminal.streams import same_place
from theorems.typesetting import symbol, words
from theorems.verdict_words import summed
from theorems.verification import LEVEL, Result, total_level, verify_each
from theorems.witnesses import spelled

__all__ = [
    "Run",
    "VerdictTable",
    "add_arguments",
    "how_it_fell",
    "print_closing",
    "print_refuted",
    "reasons",
    "run",
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_names(parser)
    add_batch_options(parser, "check on this batch")
    add_claim_options(parser)
    parser.add_argument(
        "--json", metavar="FILE", help="write the results with their evidence to FILE"
    )
    parser.add_argument("--report", metavar="DIR", help="write an HTML report with plots into DIR")
    parser.add_argument(
        "--ledger",
        metavar="FILE",
        help=f"compare with this record of earlier verdicts (./{DEFAULT} if there is one)",
    )
    parser.add_argument(
        "--update-ledger",
        action="store_true",
        help="accept what was found: write it to the ledger",
    )
    parser.add_argument(
        "--changed",
        action="store_true",
        help="only what differs from the ledger: claim, checks, proof, the code they use, "
        "libraries, seed, level",
    )
    add_run_options(parser, "sampling", LEVEL, declared=True)
    parser.add_argument(
        "--jobs",
        metavar="N",
        help="processes side by side (the cores there are); results do not depend on it",
    )
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="sample to full power where a verdict at the same level needs fewer replicas",
    )
    add_word_options(parser)
    add_experiment_options(parser)


def run(args: argparse.Namespace) -> int:
    directory = None
    with refusing():
        statements, refused = asked(args)
        left_out = {} if _named(args) else {f.name: f.apart for f in families() if f.apart}
        statements = unasked(statements) if left_out else statements
        batch = given_batch(args)
        given = given_experiment(args, statements)
        elsewhere = ", ".join(filter(None, ["--batch" * (batch is not None), given.elsewhere]))
        record = open_ledger(args, elsewhere, statements, wholly_asked(args, statements, refused))
        known: list[tuple[Statement, Verdict]] = []
        if args.changed and record is not None:
            known = record.unchanged
            statements = tuple(s for s in statements if s.name in record.reasons)
        jobs = cores() if given.on_the_cpu else 1
        if args.jobs is not None:
            jobs = whole_option("--jobs", args.jobs, 1)
        errors = console(errors=True)
        meter = Meter(errors, statements, beside_results=same_place(sys.stdout, sys.stderr))

        def progress(words: str) -> None:
            signals.check()
            meter.at(words)

        # checks its arguments now and runs when the first result is asked for
        pending = verify_each(
            statements,
            batch=batch,
            seed=args.seed,
            level=args.level,
            budget=args.budget,
            progress=progress,
            refused=refusals_told(refused),
            known=known,
            jobs=jobs if given.on_the_cpu else 1,
            thorough=args.thorough,
            checked=meter.checked,
            experiment=given.experiment,
        )
        if not statements:
            pending.close()  # nothing has changed; no name at all would mean every statement
        target = result_file(args)
        require(
            record is None or target is None or target != record.path.resolve(),
            f"--json {args.json!r}: is the ledger, and would take its place; name another file",
            UsageError,
        )
        if args.report is not None:
            require_plots()
            directory = require_directory("--report", args.report)

    refuse_each(refused)
    out = console()
    if args.changed and record is not None:
        print_reasons(out, record)
    if given.unused:
        field(out, "Store", given.unused)
    if args.full and (status := train_all(out, given, jobs, args.dask)) != AS_EXPECTED:
        pending.close()
        return status
    table = VerdictTable(out, statements)
    results: list[Result] = []
    complete, interrupted, began = False, False, time.monotonic()
    # of a run that also writes files, nothing is lost with whoever reads what it prints
    unread = (OutputError, ReaderGoneError) if _writes(args) else ()
    try:
        # a claim's own code may fail at an input of the run
        with contextlib.closing(pending), meter, refusing(ClaimError):
            for result in pending:
                results.append(result)
                with contextlib.suppress(*unread), meter.away():
                    table.add(result)
                meter.done(result)
            signals.check()
        complete = True
    except KeyboardInterrupt:
        interrupted = True
    finally:  # also when a check is broken: what was established is not lost with it
        seconds = time.monotonic() - began
        done = Run(
            len(statements),
            args.seed,
            LEVEL if args.level is None else args.level,
            batch,
            args.budget,
            not complete,
            seconds,
            provenance=provenance(args.words),
            thorough=args.thorough,
            jobs=jobs,
            left_out=left_out,
            networks=given.words,
        )
        changes = () if record is None else record.changes(results)
        failure = _publish(out, results, done, refused, target, directory, record, changes)
    if failure is not None:
        raise failure
    if interrupted:
        return INTERRUPTED
    if refused:
        return BAD_INPUT
    if record is None:
        good = all(result.as_expected for result in results)
    else:
        good = record.update or not any(change.worse for change in changes)
        good = good and all(
            result.as_expected or (result.sound and record.agrees(result, changes))
            for result in results
        )
    return AS_EXPECTED if good else NOT_AS_EXPECTED


def _named(args: argparse.Namespace) -> bool:
    """Whether a command line says what is to be checked."""
    return bool(args.names) or args.claim is not None


def _writes(args: argparse.Namespace) -> bool:
    """Whether a run is to leave more than what it prints."""
    return args.update_ledger or args.json is not None or args.report is not None


def _publish(
    out: Console,
    results: Sequence[Result],
    run: Run,
    refused: Sequence[str],
    target: Path | None,
    directory: Path | None,
    record: RunLedger | None,
    changes: Sequence[Change],
) -> OutputError | None:
    """Print how the refuted fell, write the files, print the rest of the outcome, come what may;
    the first file that could not be written.
    """
    found = document_of(
        results,
        seed=run.seed,
        level=run.level,
        batch=run.batch,
        budget=run.budget,
        thorough=run.thorough,
        interrupted=run.interrupted,
        refused=refused,
        run=run.provenance,
    )
    written: list[str] = []
    failures: list[OutputError] = []

    @contextlib.contextmanager
    def attempt(place: Path) -> Iterator[None]:
        """One that fails leaves the others to be tried."""
        try:
            with writing(place, "; the results are printed above"):
                yield
        except OutputError as error:
            failures.append(error)

    def write() -> None:
        if target is not None:
            with attempt(target):
                write_json(target, found)
                written.append(str(target))
        if record is not None and record.update:
            with attempt(record.path):
                record.accept(results)
                written.append(str(record.path))
        if directory is not None:
            from theorems.report import Earlier, write_report

            console(errors=True).print(f"drawing the report in {directory}", soft_wrap=True)
            with attempt(directory):
                statements = [result.statement for result in results]
                earlier = None
                if record is not None:
                    earlier = Earlier(record.path.name, record.ledger.entries)
                page = write_report(found, directory, statements, earlier, run.jobs)[0]
                written.append(str(page))

    def conclude() -> None:
        print_closing(out, results, replace(run, written=tuple(written)), record, changes)

    with contextlib.ExitStack() as afterwards:
        afterwards.callback(conclude)
        afterwards.callback(write)  # called first
        print_refuted(out, results)
        out.file.flush()  # before pictures are drawn
    return next(iter(failures), None)


# --- what is printed ------------------------------------------------------------------------------


_LEGEND = (
    "tightness: measured / bound (for a lower bound: bound / measured), where the bound says "
    "something; power: the smallest violation that would have been caught, relative to the bound "
    "(for a slope, in its own units; for draws of inputs, the share that violates); "
    "✓ as expected, ✗ not"
)


@dataclass(frozen=True)
class Run:
    """The circumstances of a run that its outcome is printed with."""

    asked: int  # statements selected
    seed: int
    level: float  # what the verdicts without a level of their own share
    batch: Batch | None = None
    budget: float | None = None
    interrupted: bool = False
    seconds: float = 0.0
    written: tuple[str, ...] = ()
    provenance: Mapping[str, object] | None = None
    thorough: bool = False
    jobs: int = 1
    left_out: Mapping[str, str] = field_of(default_factory=dict)  # families, and why
    networks: str = ""  # what those that are trained learn, and how, where that was asked for


def print_closing(
    out: Console,
    results: Sequence[Result],
    run: Run,
    record: RunLedger | None = None,
    changes: Sequence[Change] = (),
) -> None:
    """What a run says last: under which circumstances, what differs from the ``record``, and
    whether all is as expected.
    """
    _print_circumstances(out, results, run)
    if record is not None:
        print_changes(out, record, results, changes)
    out.print()
    judged = record is not None and not record.update
    worse = {c.statement for c in changes if c.worse and judged}
    _print_verdict_on_run(out, results, run, len(worse))


#: From this width on, evidence has a column of its own; below, it stands under its statement.
_WIDE = 100


class VerdictTable:
    """The table of verdicts, printed row by row: one per statement, under its theorem.

    Columns have fixed widths, chosen by the ``statements`` that are to come, so that all theorems
    line up whichever verdicts they get.

    >>> from theorems import verify
    >>> from theorems.templates.pointwise import STATEMENT
    >>> table = VerdictTable(console(), [STATEMENT])
    >>> table.add(verify(STATEMENT)[0])  # doctest: +ELLIPSIS
          verdict         tightness  power      time...
    """

    def __init__(self, out: Console, statements: Iterable[Statement]) -> None:
        self._out = out
        self._wide = out.width >= _WIDE
        self._theorem: str | None = None
        widths = [
            max((len(s.variant) for s in statements), default=0) + 4,
            max(len(verdict.value) for verdict in Verdict) + 2,
            *(len(widest) for widest in ("tightness", "exact", "1000.0 s")),
        ]
        self._indent = widths[0] + 2
        widths += [out.width - sum(widths) - 2 * len(widths) - 2] if self._wide else []
        self._widths = widths

    def add(self, result: Result) -> None:
        """Print the row of a result at once, after the titles of the columns and of its theorem
        where it is the first under them.

        Args:
            result: of one of the ``statements``; those of one theorem are to follow each other.
        """
        theorem = f"{result.statement.family}.{result.statement.theorem}"
        if self._theorem is None:
            titles = ("", "verdict", "tightness", "power", "time", "evidence")
            self._row([Text(title, style="dim") for title in titles])
        if theorem != self._theorem:
            self._theorem = theorem
            self._out.print(heading(theorem))
        self._row(_cells(result))
        for evidence in () if self._wide else result.evidence:
            paragraph(self._out, _evidence(evidence, result.level), indent=self._indent)
        for note in result.notes:
            told = Text.assemble(("note: ", "dim"), words(note))
            paragraph(self._out, told, indent=self._indent)
        self._out.file.flush()

    def _row(self, cells: Sequence[str | Text]) -> None:
        shown = cells[: len(self._widths)]
        print_row(self._out, self._widths, shown, right=(2, 3, 4), folding=(5,))


def _cells(result: Result) -> list[Text | str]:
    mark = ("✓ ", "green") if result.as_expected else ("✗ ", "bold red")
    return [
        f"  :{result.statement.variant}" if result.statement.variant else "",
        Text.assemble(mark, verdict_text(result.verdict)),
        ratio(result.tightness),
        sensitivity(result.power),
        f"{result.seconds:.1f} s",
        Text("\n").join(_evidence(e, result.level) for e in result.evidence),
    ]


def _evidence(evidence: Evidence, level: float | None) -> Text:
    apart = "apart from the batch, " * evidence.apart
    own = "" if level is None or evidence.method == "proof" else f" at level {level:g}"
    return Text.assemble(
        (f"{apart}{evidence.method}{own}: ", "dim"), words(shortened(evidence.summary, 180))
    )


def print_refuted(out: Console, results: Sequence[Result]) -> None:
    """How what is refuted fell: nothing where there are no results, an empty line where none is
    refuted.

    Args:
        out: where it is printed.
        results: those of the run, of whatever verdict.
    """
    if results:
        _print_refuted(out, results)
        out.print()


def _print_refuted(out: Console, results: Sequence[Result]) -> None:
    refuted = [r for r in results if r.verdict is Verdict.REFUTED]
    if not refuted:
        return
    out.print()
    out.print(heading("Refuted"))
    for result in refuted:
        s = result.statement
        line = Text.assemble(
            (s.name, "red"),
            (f" ({s.source.place or s.source.paper}): ", "dim"),
            f"{how_it_fell(s, [e for e in result.evidence if not e.apart])}.",
        )
        paragraph(out, line, first=Text("  "), indent=4)


def how_it_fell(statement: Statement, evidence: Sequence[Evidence]) -> str:
    """A witness or a crossing, in one sentence without its full stop; of several checks, one after
    the other.
    """
    return "; ".join(
        e.details.fell(lambda witness: _witness(statement, witness)) or words(e.summary)
        for e in evidence
        if e.verdict is Verdict.REFUTED
    )


def _witness(statement: Statement, witness: object) -> str:
    if isinstance(witness, Mapping):
        return ", ".join(f"{symbol(str(k))} = {spelled(v)}" for k, v in witness.items())
    families = [v for v in statement.variables if v.size]
    name = f"{symbol(families[0].name)} = " if len(families) == 1 else ""
    return name + shortened(spelled(witness), 90)


def _print_circumstances(out: Console, results: Sequence[Result], run: Run) -> None:
    own = [result.level for result in results]
    most = f"at most {total_level(run.level, own):g}{summed(own)}"
    budget = "" if run.budget is None else f"; sampling stops after {duration(run.budget)}"
    fields(
        out,
        {
            "Batch": batch_line(run.batch),
            **({"Networks": run.networks} if run.networks else {}),
            "Error budget": f"any false verdict in this run: {most}",
            "Seed": str(run.seed),
            "Time": f"{duration(run.seconds)}{budget}",
        },
    )
    for family, why in run.left_out.items():
        field(out, "Left out", f"{family}: {why}; theorems verify {family}")
    for path in run.written:
        field(out, "Written", [path])
    field(out, "Legend", _LEGEND)


def reasons(result: Result, run: Run) -> str:
    """Why a result is not as expected, in a few words; empty where nothing is to be said.

    >>> from theorems import verify
    >>> from theorems.templates.pointwise import STATEMENT
    >>> reasons(verify(STATEMENT)[0], Run(1, seed=0, level=1e-6))
    ''
    """
    found = []
    expected = result.statement.expected
    other = result.verdict is not expected
    if result.contradictory:
        found.append("proved and refuted at once")
    elif other and not (result.verdict.holds and expected.holds):
        found.append(f"{result.verdict.value}, expected {expected.value}")
    elif other and not result.as_expected and not result.weak_sentinels:
        found.append(f"only {result.verdict.value}, expected {expected.value}")
    if result.weakened_by:
        found.append(f"it depends on {', '.join(result.weakened_by)}")
    if result.weak_sentinels:
        found.append(f"its false neighbour survived: {', '.join(result.weak_sentinels)}")
    if result.verdict is Verdict.INCONCLUSIVE and run.budget is not None:
        found.append(f"the budget was {run.budget:g} s")
    return "; ".join(found)


def _print_verdict_on_run(
    out: Console, results: Sequence[Result], run: Run, off_record: int
) -> None:
    if run.interrupted:
        out.print(
            Text(
                f"Interrupted after {len(results)} of {run.asked} statements.", style="bold yellow"
            )
        )
    wrong = [r for r in results if not r.as_expected]
    good = len(results) - len(wrong)
    names = ", ".join(f"{r.statement.name} ({reasons(r, run)})" for r in wrong)
    line = Text.assemble(
        (
            f"{good} statement{'' if good == 1 else 's'} as expected, {len(wrong)} not",
            "bold red" if wrong else "bold green",
        ),
        f": {names}" if wrong else "",
    )
    if off_record:
        line.append(
            f"; {off_record} not as the ledger has {'it' if off_record == 1 else 'them'}",
            style="bold red",
        )
    paragraph(out, line)

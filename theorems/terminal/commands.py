"""What each command does: list, show, verify, falsify, prove, certify, recheck, sweep, inspect, report."""

from __future__ import annotations

import argparse
import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulators.batch_files import file_of
from simulators.batches import Batch, read_batch
from theorems.ledger import Change
from theorems.registry import select
from theorems.statement import Statement
from theorems.terminal import inspecting, sweeping
from theorems.terminal.bookkeeping import Book, open_book
from theorems.terminal.claims import asked, claim_files, wholly_asked
from theorems.terminal.endings import AS_EXPECTED, BAD_INPUT, INTERRUPTED, NOT_AS_EXPECTED, OutputError
from theorems.terminal.listing import print_listing
from theorems.terminal.outcome import Run, print_outcome
from theorems.terminal.progress import Meter
from theorems.terminal.saving import (
    document,
    require_apart,
    require_directory,
    require_file,
    write_json,
    writing,
)
from theorems.terminal.screen import console
from theorems.terminal.signals import signals
from theorems.terminal.usage import UsageError, parser
from theorems.verification import Result, verify_each
from theorems.workbench.parsing import ClaimError

__all__ = ["refuse", "run"]


@contextlib.contextmanager
def _door() -> Iterator[None]:
    """Inside, a refusal speaks of what the user gave; outside, an exception is a defect and keeps its traceback."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from None


# --- commands -----------------------------------------------------------------------------------------------


def _list(args: argparse.Namespace) -> int:
    with _door():
        names, refused = asked(args)
        statements = select(names)
    print_listing(console(), statements)
    return _told(refused) or AS_EXPECTED


def _show(args: argparse.Namespace) -> int:
    from theorems.terminal.page import print_page

    earlier = None
    with _door():
        names, refused = asked(args)
        statements = select(names)
        if args.json is not None:
            from theorems.report import read_document
            earlier = read_document(args.json)
    out = console()
    for number, statement in enumerate(statements):
        if number:
            out.print()
        print_page(out, statement, earlier)
    return _told(refused) or AS_EXPECTED


def _told(refused: Sequence[str]) -> int:
    """Tell every refused claim in a line of its own; the status that this gives the run, 0 if there is none."""
    for line in refused:
        refuse(line)
    return BAD_INPUT if refused else AS_EXPECTED


def _prove(args: argparse.Namespace) -> int:
    from theorems.terminal.prove import export, prove

    with _door():
        if args.export is not None:
            if args.names or args.record is not None:
                raise UsageError("--export: writes one statement and does nothing else; leave out the rest")
            return export(console(), args.export)
        stands = prove(console(), console(errors=True), args.names, args.record)
    return AS_EXPECTED if stands else NOT_AS_EXPECTED


def _certify(args: argparse.Namespace) -> int:
    from theorems.terminal.certifying import certify

    with _door():
        stands = certify(console(), console(errors=True), args.names, args.out)
    return AS_EXPECTED if stands else NOT_AS_EXPECTED


def _recheck(args: argparse.Namespace) -> int:
    from theorems.terminal.certifying import recheck_files

    checked, stand = recheck_files(console(), console(errors=True), args.files)
    return NOT_AS_EXPECTED if not stand else AS_EXPECTED if checked else BAD_INPUT


def _sweep(args: argparse.Namespace) -> int:
    with _door():
        job = sweeping.prepare(args)
    try:
        return sweeping.carry_out(job)
    except sweeping.UNWRITABLE as error:
        raise OutputError(str(error)) from None
    except sweeping.STOPPED as error:
        raise UsageError(str(error)) from None


def _inspect(args: argparse.Namespace) -> int:
    with _door():
        healthy = inspecting.inspect(args)
    return AS_EXPECTED if healthy else NOT_AS_EXPECTED


def _falsify(args: argparse.Namespace) -> int:
    from theorems.terminal.falsify import falsify, targets

    errors = console(errors=True)
    with _door():
        chosen, left_out, refused = targets(args)
        batch = _batch(args)
        verify_each([t.statement for t in chosen], batch=batch, seed=args.seed, level=args.level,
                    budget=args.budget)
        target = None if args.json is None else _result_file(args)
    for words in left_out:
        errors.print(f"theorems: not attacked: {words}", soft_wrap=True)
    _told(refused)
    meter = Meter(errors, len(chosen))
    results: list[dict[str, Any]] = []

    def told(statement: Statement, error: ClaimError) -> None:
        refused.append(f"{statement.name}: {error}")
        refuse(refused[-1])
    try:
        with meter:
            expected = falsify(console(), chosen, args, meter.at, batch, results.append, told)
    except KeyboardInterrupt:
        console().print(f"Interrupted after {len(results)} of {len(chosen)} claims.")
        raise
    finally:  # also when interrupted: what fell is not lost with the rest
        if target is not None:
            found = document(results, seed=args.seed, level=args.level, batch=batch,
                             interrupted=len(results) + len(refused) < len(chosen), refused=refused)
            found |= {"not_attacked": left_out}
            with writing(target, "; what was found is printed above"):
                write_json(target, found)
    if target is not None:
        console().print(f"Written: {target}", soft_wrap=True)
    if refused:
        return BAD_INPUT
    return AS_EXPECTED if expected else NOT_AS_EXPECTED


def _report(args: argparse.Namespace) -> int:
    from theorems.report import read_document, write_report

    with _door():
        found = read_document(args.json)
        _require_plots()
        directory = require_directory("--out", args.out)
    with writing(args.out):
        page = write_report(found, directory)[0]
    console().print(f"Written: {page}", soft_wrap=True)
    return AS_EXPECTED


def _require_plots() -> None:
    from theorems.report import available

    if (remedy := available()) is not None:
        raise UsageError(remedy)


def _batch(args: argparse.Namespace) -> Batch | None:
    if args.batch is None:
        for option in ("layout", "take"):
            if (value := getattr(args, option)) is not None:
                raise UsageError(f"--{option} {value}: says how to read a batch, and there is none; add --batch FILE")
        return None
    if args.batch == "digits" and args.layout is not None:
        raise UsageError(f"--layout {args.layout}: the digits are no file with a layout; leave it out")
    return read_batch(args.batch, layout=args.layout or "rows", take=args.take)


def _result_file(args: argparse.Namespace) -> Path:
    """Where ``--json`` is written, which may be nothing that is read. Raises ``ValueError``."""
    require_apart("--json", args.json, {
        "the batch": None if args.batch is None else file_of(args.batch),
        **{f"the file of claims {path}": path for path in claim_files(args)}})
    return require_file("--json", args.json)


def _verify(args: argparse.Namespace) -> int:
    directory = None
    with _door():
        names, refused = asked(args)
        statements = select(names)
        batch = _batch(args)
        meter = Meter(console(errors=True), len(statements))

        def progress(words: str) -> None:
            signals.check()
            meter.at(words)

        def told(statement: Statement, error: ClaimError) -> None:
            refused.append(f"{statement.name}: {error}")
            refuse(refused[-1])

        # checks its arguments now and runs when the first result is asked for
        pending = verify_each(names, batch=batch, seed=args.seed, level=args.level, budget=args.budget,
                              progress=progress, refused=told)
        target = None if args.json is None else _result_file(args)
        book = open_book(args.ledger, args.update_ledger, batch, statements, wholly_asked(args, statements, refused))
        if book is not None and target is not None and target == book.path.resolve():
            raise UsageError(f"--json {args.json!r}: is the ledger, and would take its place; name another file")
        if args.report is not None:
            _require_plots()
            directory = require_directory("--report", args.report)

    _told(refused)
    results: list[Result] = []
    interrupted, complete, began = False, False, time.monotonic()
    try:
        with meter:
            for result in pending:
                results.append(result)
                meter.done(result)
                signals.check()
        complete = True
    except KeyboardInterrupt:
        interrupted = True
    finally:  # also when a check is broken: what was established is not lost with it
        run = Run(len(statements), args.seed, args.level, batch, args.budget, interrupted or not complete,
                  time.monotonic() - began)
        failure, changes = _publish(results, run, refused, target, directory, book)
    if failure is not None:
        raise failure
    if interrupted:
        return INTERRUPTED
    if refused:
        return BAD_INPUT
    if book is not None and not book.update and any(c.worse for c in changes):
        return NOT_AS_EXPECTED
    good = all(r.as_expected or (book is not None and r.sound and book.agrees(r, changes)) for r in results)
    return AS_EXPECTED if good else NOT_AS_EXPECTED


def _publish(
    results: Sequence[Result], run: Run, refused: Sequence[str], target: Path | None,
    directory: Path | None, book: Book | None,
) -> tuple[OutputError | None, tuple[Change, ...]]:
    """Write the files, then print the outcome, come what may; and what could not be written."""
    changes = () if book is None else book.changes(results, run.seed, run.level)
    found = document(results, seed=run.seed, level=run.level, batch=run.batch, interrupted=run.interrupted,
                     refused=refused)
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

    try:
        if target is not None:
            with attempt(target):
                write_json(target, found)
                written.append(str(target))
        if book is not None and book.update:
            with attempt(book.path):
                book.accept(results, run.seed, run.level)
                written.append(str(book.path))
        if directory is not None:
            from theorems.report import write_report
            console(errors=True).print(f"drawing the report in {directory}", soft_wrap=True)
            with attempt(directory):
                written.append(str(write_report(found, directory)[0]))
    finally:
        print_outcome(console(), results, replace(run, written=tuple(written)), book, changes)
    return next(iter(failures), None), changes


# --- the door -----------------------------------------------------------------------------------------------

_COMMANDS = {"list": _list, "show": _show, "verify": _verify, "falsify": _falsify, "prove": _prove,
             "certify": _certify, "recheck": _recheck, "sweep": _sweep, "inspect": _inspect, "report": _report}


def run(argv: Sequence[str] | None) -> int:
    """Run a command line (the process's by default) and return its exit status; a refusal is told in one line.

    Raises ``OutputError`` for what could not be written, and anything else for a defect.
    """
    try:
        try:
            args = parser().parse_args(argv)
        except SystemExit:  # --help and --version have been printed
            return AS_EXPECTED
        return _COMMANDS[args.command](args)
    except (UsageError, ClaimError) as error:  # a claim's own code may fail at an input of the run
        refuse(str(error))
        return BAD_INPUT


#: Of a refusal, which quotes what was given: a name may have thousands of characters.
_LONGEST_LINE = 1200


def refuse(words: str) -> None:
    """One line on standard error, in the words of the command line."""
    text = " ".join(words.split())
    text = re.sub(r"(?<!\S)(layout|take|seed|level|budget)='?([^\s':;,]+)'?", r"--\1 \2", text)
    text = text.replace("few with take", "few with --take")
    if len(text) > _LONGEST_LINE:
        text = f"{text[: _LONGEST_LINE // 2]} … {text[-_LONGEST_LINE // 2 :]}"
    console(errors=True).print(f"theorems: {text}", soft_wrap=True)

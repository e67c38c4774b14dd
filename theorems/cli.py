"""The command ``theorems``: list, show, verify, falsify, prove, certify, recheck, report.

Exit status: 0 everything as expected; 1 a verdict other than expected, a surviving sentinel or a proof that does not
stand; 2 bad usage or input, in one line on standard error; 130 interrupted; 141 the reader of the output went away.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from simulators.batches import Batch, read_batch
from theorems.registry import select
from theorems.terminal.claims import add_claim_options, asked
from theorems.terminal.listing import print_listing
from theorems.terminal.outcome import Run, print_outcome
from theorems.terminal.progress import Meter
from theorems.terminal.saving import document, require_directory, require_file, write_json
from theorems.terminal.screen import console
from theorems.verification import LEVEL, Result, verify_each
from theorems.workbench.parsing import ClaimError

__all__ = ["main"]

AS_EXPECTED, NOT_AS_EXPECTED, BAD_INPUT, INTERRUPTED, CLOSED_PIPE = 0, 1, 2, 130, 141


class UsageError(ValueError):
    """Bad usage or input; the message is one line: argument, value, remedy."""


@contextlib.contextmanager
def _door() -> Iterator[None]:
    """Inside, a refusal speaks of what the user gave; outside, an exception is a defect and keeps its traceback."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} ({self.prog} --help)")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="theorems", allow_abbrev=False,
        description="The theory of batch normalisation in random deep networks, checked statement by statement.",
        epilog="A NAME is a family, a theorem (family.theorem), one form of it (family.theorem:variant), or claims of "
               "yours: FILE.py or FILE.py::NAME.")
    parser.add_argument("--version", action="version", version=f"theorems {version('batchnorm-theorems')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, words: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.", allow_abbrev=False)

    listing = command("list", "list the statements, their sources and the verdicts expected of them")
    listing.add_argument("names", nargs="*", metavar="NAME", help="only these; all by default")

    show = command("show", "print statements in full, with what is known of them and by what evidence")
    show.add_argument("names", nargs="+", metavar="NAME")
    show.add_argument("--json", metavar="FILE", help="add the evidence of the earlier run that wrote FILE")

    verify = command("verify", "check statements and print a verdict for each")
    verify.add_argument("names", nargs="*", metavar="NAME", help="only these; all by default")
    verify.add_argument("--batch", metavar="FILE", help="check on this batch: a .npy, .npz or .csv file, or 'digits'")
    verify.add_argument("--layout", choices=("columns", "rows"),
                        help="how FILE stores its samples (default: columns)")
    verify.add_argument("--take", type=_whole, metavar="N", help="use only the first N samples of the batch")
    add_claim_options(verify)
    verify.add_argument("--json", metavar="FILE", help="write the results with their evidence to FILE")
    verify.add_argument("--report", metavar="DIR", help="write an HTML report with plots into DIR")
    verify.add_argument("--seed", type=_whole, default=0, metavar="N", help="the seed of everything random (0)")
    verify.add_argument("--budget", type=_real, metavar="SECONDS", help="stop sampling after so long (no limit)")
    verify.add_argument("--level", type=_real, default=LEVEL, metavar="P",
                        help=f"probability of any false verdict in the whole run ({LEVEL:g})")

    falsify = command("falsify", "attack claims: look for the input, start, depth or width at which they fail")
    falsify.add_argument("names", nargs="*", metavar="NAME", help="FILE.py, FILE.py::NAME, or of the library")
    add_claim_options(falsify)
    falsify.add_argument("--seed", type=_whole, default=0, metavar="N", help="the seed of everything random (0)")
    falsify.add_argument("--budget", type=_real, metavar="SECONDS", help="stop searching after so long (no limit)")
    falsify.add_argument("--level", type=_real, default=LEVEL, metavar="P",
                         help=f"probability of any false verdict in the whole run ({LEVEL:g})")

    prove = command("prove", "have Rocq check the proofs, and that they prove what the statements say")
    prove.add_argument("names", nargs="*", metavar="NAME", help="only these; all by default")
    prove.add_argument("--record", metavar="DATE", help="write the certificate, dated YYYY-MM-DD, if everything stands")
    prove.add_argument("--export", nargs="+", metavar=("NAME", "FILE"),
                       help="write the open statement NAME for Rocq to FILE, or print it, and do nothing else")

    certify = command("certify", "make the certificates that exist for statements")
    certify.add_argument("names", nargs="*", metavar="NAME", help="only these; all by default")
    certify.add_argument("--out", metavar="DIR", help="write them into DIR, made if missing")

    recheck = command("recheck", "check certificates again, each from its inputs alone")
    recheck.add_argument("files", nargs="+", metavar="FILE", help="a certificate that certify --out wrote")

    report = command("report", "render the report of an earlier run")
    report.add_argument("json", metavar="JSON", help="the file that verify --json wrote")
    report.add_argument("--out", required=True, metavar="DIR", help="where the report goes; made if missing")
    return parser


# --- commands -----------------------------------------------------------------------------------------------


def _list(args: argparse.Namespace) -> int:
    with _door():
        statements = select(asked(args))
    print_listing(console(), statements)
    return AS_EXPECTED


def _show(args: argparse.Namespace) -> int:
    from theorems.terminal.page import print_page

    earlier = None
    with _door():
        statements = select(asked(args))
        if args.json is not None:
            from theorems.report import read_document
            earlier = read_document(args.json)
    out = console()
    for number, statement in enumerate(statements):
        if number:
            out.print()
        print_page(out, statement, earlier)
    return AS_EXPECTED


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


def _falsify(args: argparse.Namespace) -> int:
    from theorems.terminal.falsify import falsify, targets

    errors = console(errors=True)
    with _door():
        chosen, left_out = targets(args)
        verify_each([t.statement for t in chosen], seed=args.seed, level=args.level, budget=args.budget)
    for words in left_out:
        errors.print(f"theorems: not attacked: {words}", soft_wrap=True)
    meter = Meter(errors, len(chosen))
    with meter:
        expected = falsify(console(), chosen, args, meter.at)
    return AS_EXPECTED if expected else NOT_AS_EXPECTED


def _report(args: argparse.Namespace) -> int:
    from theorems.report import read_document, write_report

    with _door():
        found = read_document(args.json)
        _require_plots()
        directory = require_directory("--out", args.out)
    console().print(f"Written: {write_report(found, directory)[0]}", soft_wrap=True)
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
    return read_batch(args.batch, layout=args.layout or "columns", take=args.take)


def _verify(args: argparse.Namespace) -> int:
    interrupt = _Interrupt()
    directory = None
    with _door():
        names = asked(args)
        count = len(select(names))
        batch = _batch(args)
        meter = Meter(console(errors=True), count)

        def progress(words: str) -> None:
            interrupt.check()
            meter.at(words)

        # checks its arguments now and runs when the first result is asked for
        pending = verify_each(names, batch=batch, seed=args.seed, level=args.level, budget=args.budget,
                              progress=progress)
        target = None if args.json is None else require_file("--json", args.json)
        if args.report is not None:
            _require_plots()
            directory = require_directory("--report", args.report)

    results: list[Result] = []
    interrupted, complete, began = False, False, time.monotonic()
    try:
        with interrupt, meter:
            for result in pending:
                results.append(result)
                meter.done(result)
                interrupt.check()
        complete = True
    except KeyboardInterrupt:
        interrupted = True
    finally:  # also when a check is broken: what was established is not lost with it
        run = Run(count, args.seed, args.level, batch, args.budget, interrupted or not complete,
                  time.monotonic() - began)
        failure = _publish(results, run, target, directory)
    if failure is not None:
        raise UsageError(failure)
    if interrupted:
        return INTERRUPTED
    return AS_EXPECTED if all(r.as_expected for r in results) else NOT_AS_EXPECTED


def _publish(results: Sequence[Result], run: Run, target: Path | None, directory: Path | None) -> str | None:
    """Write the files, then print the outcome, come what may; a line about what could not be written."""
    found = document(results, seed=run.seed, level=run.level, batch=run.batch, interrupted=run.interrupted)
    written, failure = [], None
    try:
        if target is not None:
            write_json(target, found)
            written.append(str(target))
        if directory is not None and not run.interrupted:
            from theorems.report import write_report
            console(errors=True).print(f"drawing the report in {directory}", soft_wrap=True)
            written.append(str(write_report(found, directory)[0]))
    except OSError as error:
        place = error.filename or target or directory
        failure = f"{place}: cannot be written: {error.strerror}; the results are printed above"
    finally:
        print_outcome(console(), results, replace(run, written=tuple(written)))
    return failure


class _Interrupt:
    """Ctrl-C as ``KeyboardInterrupt``, remembered in case a library swallows the exception on its way."""

    def __init__(self) -> None:
        self._seen = False
        self._previous: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread() and (
                signal.getsignal(signal.SIGINT) is signal.default_int_handler):
            self._previous = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._seen = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` if Ctrl-C was pressed and nobody said so."""
        if self._seen:
            raise KeyboardInterrupt


# --- the door -----------------------------------------------------------------------------------------------

_COMMANDS = {"list": _list, "show": _show, "verify": _verify, "falsify": _falsify, "prove": _prove, "certify": _certify,
             "recheck": _recheck, "report": _report}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (the process's by default) and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Unicode gets question marks, not a traceback
    try:
        status = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # the interpreter flushes once more on its way out; give it somewhere to write
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _run(argv: Sequence[str] | None) -> int:
    try:
        args = _parser().parse_args(argv)
        return _COMMANDS[args.command](args)
    except (UsageError, ClaimError) as error:  # a claim's own code may fail at an input of the run
        return _refuse(error)
    except SystemExit:  # --help and --version have been printed
        return AS_EXPECTED


def _refuse(error: Exception) -> int:
    """One line on standard error, in the words of the command line."""
    text = " ".join(str(error).split())
    text = re.sub(r"(?<!\S)(layout|take|seed|level|budget)='?([^\s':;,]+)'?", r"--\1 \2", text)
    text = text.replace("few with take", "few with --take")
    console(errors=True).print(f"theorems: {text}", soft_wrap=True)
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())

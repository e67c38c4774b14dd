"""``theorems prove``: have Rocq check the proofs and record it, show what is recorded, or export an
open statement.

What is printed: which theorem speaks for which statement, what it rests on, and whether the kernel
agrees.
"""

from __future__ import annotations

import argparse
import datetime
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain, groupby

from rich.console import Console
from rich.text import Text

from simulators.arguments import require
from simulators.documents import write_json
from theorems.commands.arguments import add_names, require_file
from theorems.proofs.bridge import Audit, ProofResult, establish, skeleton
from theorems.proofs.record import RECORDED, ProofRecord, compose, recorded
from theorems.proofs.rocq import SOURCES, MissingRocqError, file_of, installed
from theorems.registry import get, select
from theorems.statement import Statement
from theorems.terminal.exit_statuses import (
    AS_EXPECTED,
    NOT_AS_EXPECTED,
    UsageError,
    refusing,
    writing,
)
from theorems.terminal.screen import (
    console,
    field,
    fields,
    heading,
    paragraph,
    print_row,
    verdict_text,
)
from theorems.typesetting import words

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_names(parser)
    parser.add_argument(
        "--record",
        metavar="DATE",
        help="write the certificate, dated YYYY-MM-DD, if everything stands",
    )
    parser.add_argument(
        "--export",
        nargs="+",
        metavar=("NAME", "FILE"),
        help="write the open statement NAME for Rocq to FILE, or print it, and do nothing else",
    )


def run(args: argparse.Namespace) -> int:
    with refusing():
        if args.export is None:
            stands = _prove(console(), console(errors=True), args.names, args.record)
            return AS_EXPECTED if stands else NOT_AS_EXPECTED
        require(
            not args.names and args.record is None,
            "--export: writes one statement and does nothing else; leave out the rest",
            UsageError,
        )
        _export(console(), args.export)
        return AS_EXPECTED


def _prove(out: Console, notes: Console, names: Sequence[str], date: str | None) -> bool:
    """Have the proofs checked and print the table; True if they all stand.

    Without Rocq, says how to get it and shows the recorded certificate. ``date`` records a new one,
    which takes all statements. Raises ``ValueError`` for unknown names and bad dates, or if there
    is
    no Rocq to record with.
    """
    statements = select(names)
    if date is not None:
        try:
            datetime.date.fromisoformat(date)
        except ValueError:
            raise UsageError(f"--record {date!r}: want a date, YYYY-MM-DD") from None
        require(
            not names,
            f"--record {date}: records all statements; leave out {', '.join(names)}",
            UsageError,
        )
    try:
        rocq = installed()
    except MissingRocqError as error:
        if date is not None:
            raise UsageError(f"--record {date}: {error}") from None
        paragraph(notes, Text(f"theorems: {error}"))
        certificate = recorded()
        if isinstance(certificate, str):
            paragraph(notes, Text(f"theorems: no certificate to show: {certificate}"))
            return False
        return _print_recorded(out, certificate, statements)
    began = time.monotonic()

    def progress(words: str) -> None:
        if notes.is_terminal:
            notes.print(f"{words} …", style="dim")

    audit = establish(statements, rocq, everything=not names, progress=progress)
    unproved = [s for s in statements if s.proof is None]
    _print_audit(out, audit, unproved, time.monotonic() - began)
    if date is not None and audit.stands:
        with writing(RECORDED):
            write_json(RECORDED, compose(audit, date))
        recorded.cache_clear()
        paragraph(out, Text(f"Recorded: {RECORDED}"))
    return audit.stands


def _export(out: Console, given: Sequence[str]) -> None:
    """Print the skeleton of a statement, or write it to a file. Raises ``ValueError`` if it has no
    printed form.
    """
    require(len(given) <= 2, f"--export {' '.join(given)}: want NAME, or NAME FILE", UsageError)
    text = skeleton(get(given[0]))
    if len(given) == 1:
        out.file.write(text)
        return
    path = require_file("--export", given[1])
    require(
        not path.is_relative_to(SOURCES.resolve()) or not path.exists(),
        f"--export {given[1]}: a file of the development; an open statement does not replace it",
        UsageError,
    )
    with writing(f"--export {given[1]}"):
        path.write_text(text, encoding="utf-8")
    out.print(f"Written: {path}", soft_wrap=True)


# --- what is printed ------------------------------------------------------------------------------


def _print_audit(out: Console, audit: Audit, unproved: Sequence[Statement], seconds: float) -> None:
    """The table of what Rocq said now, the theorems that stand beside it, and a closing line."""
    _print_results(out, audit.results, timed=True)
    _print_further(out, audit.theorems, audit.results)
    rocq = f"{audit.rocq}, everything above established in {seconds:.0f} s"
    fields(out, {"No theorem": ", ".join(s.name for s in unproved), "Rocq": rocq})
    for name, axioms in audit.excess.items():
        paragraph(out, Text(f"{name} rests on {', '.join(axioms)}", style="bold red"))
    if audit.problem:
        paragraph(out, Text(audit.problem, style="bold red"))
    stand = sum(not result.problem for result in audit.results)
    free = sum(not axioms for axioms in audit.theorems.values())
    line = (
        f"{stand} of {len(audit.results)} proofs stand; "
        f"{len(audit.theorems)} theorems audited, {free} without axioms"
    )
    paragraph(out, Text(line, style="bold green" if audit.stands else "bold red"))


def _print_recorded(out: Console, record: ProofRecord, statements: Sequence[Statement]) -> bool:
    """The recorded certificate instead, with what no longer holds of it; True if all of it does."""
    results = [
        ProofResult(s, p, record.objection(s), record.axioms(p))
        for s in statements
        if (p := s.proof) is not None
    ]
    _print_results(out, results, timed=False)
    field(
        out,
        "Recorded",
        f"{record.date}, with Rocq {record.rocq}; nothing was established anew. A proof "
        f"counts while the digests of the statement and of the sources match",
    )
    return not any(f.problem for f in results)


def _print_results(out: Console, results: Sequence[ProofResult], *, timed: bool) -> None:
    label = max((len(f.statement.variant) for f in results), default=0) + 4
    row = partial(print_row, out, (label, 10, 6, 10, 8), right=(4,))
    titles = ("", "verdict", "bridge", "axioms", "time" if timed else "")
    row([Text(title, style="dim") for title in titles])
    for theorem, members in groupby(
        results, key=lambda f: f"{f.statement.family}.{f.statement.theorem}"
    ):
        out.print(heading(theorem))
        for f in members:
            row(_cells(f, timed))
            name = f.proof.theorem.rpartition(".")[2]
            said = [Text.assemble(name, (f" ({f.file})", "dim"))]
            if f.problem:
                said.append(Text(f.problem, style="red"))
            elif f.proof.gloss:
                leaves = f"; it leaves {f.proof.leaves}" if f.proof.leaves else ""
                said.append(Text(words(f"{f.proof.gloss}{leaves}"), style="dim"))
            for text in said:
                paragraph(out, text, indent=label)
    out.print()


def _cells(f: ProofResult, timed: bool) -> tuple[str | Text, ...]:
    if f.problem:
        verdict = Text("✗ open", style="bold red")
    elif f.proof.leaves:
        verdict = Text("✓ in part", style="cyan")
    else:
        verdict = Text.assemble(("✓ ", "green"), verdict_text(f.verdict))
    axioms = f"{len(f.axioms)} classical" if f.axioms else "none"
    return (
        f"  :{f.statement.variant}" if f.statement.variant else "",
        verdict,
        f.proof.link,
        "" if f.problem else axioms,
        f"{f.seconds:.1f} s" if timed else "",
    )


def _print_further(
    out: Console, theorems: Mapping[str, Sequence[str]], results: Sequence[ProofResult]
) -> None:
    """Audited theorems that are no statement's own: lemmas, sharper forms, statements not encoded
    yet.
    """
    spoken = {f.proof.theorem for f in results}
    further = [name for name in theorems if name not in spoken]
    if not further:
        return
    out.print(heading("Further theorems"))
    for file, names in groupby(sorted(further, key=file_of), key=file_of):
        inside = list(names)
        rests = sorted(set(chain.from_iterable(theorems[name] for name in inside)))
        short = ", ".join(name.rpartition(".")[2] for name in inside)
        out.print(Text(f"  {file}", style="dim"))
        paragraph(
            out,
            Text.assemble(short, (f"; axioms: {', '.join(rests)}" if rests else "", "dim")),
            indent=4,
        )
    out.print()

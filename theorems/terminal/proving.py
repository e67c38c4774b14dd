"""``theorems prove``: which theorem speaks for which statement, what it rests on, and whether the kernel agrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from theorems.proofs.bridge import Audit, Finding
from theorems.proofs.certificate import Certificate
from theorems.proofs.rocq import file_of
from theorems.statement import Statement
from theorems.terminal.screen import field, heading, paragraph, print_table, verdict_text
from theorems.terminal.typesetting import words

__all__ = ["print_audit", "print_recorded"]

_INDENT = 14


def print_audit(out: Console, audit: Audit, unproved: Sequence[Statement], seconds: float) -> None:
    """The table of what Rocq said now, the theorems that stand beside it, and a closing line."""
    _print_findings(out, audit.findings, timed=True)
    _print_further(out, audit.theorems, audit.findings)
    _print_unproved(out, unproved)
    field(out, "Rocq", f"{audit.rocq}, everything above established in {seconds:.0f} s", indent=_INDENT)
    for name, axioms in audit.excess.items():
        paragraph(out, Text(f"{name} rests on {', '.join(axioms)}", style="bold red"))
    if audit.problem:
        paragraph(out, Text(audit.problem, style="bold red"))
    wrong = [f for f in audit.findings if f.problem]
    free = sum(not axioms for axioms in audit.theorems.values())
    line = (f"{len(audit.findings) - len(wrong)} of {len(audit.findings)} proofs stand; "
            f"{len(audit.theorems)} theorems audited, {free} without axioms")
    paragraph(out, Text(line, style="bold green" if audit.stands else "bold red"))


def print_recorded(out: Console, certificate: Certificate, statements: Sequence[Statement]) -> bool:
    """The recorded certificate instead, with what no longer holds of it; True if all of it does."""
    findings = [Finding(s, p, certificate.objection(s), certificate.axioms(p))
                for s in statements if (p := s.proof) is not None]
    _print_findings(out, findings, timed=False)
    field(out, "Recorded", f"{certificate.date}, with Rocq {certificate.rocq}; nothing was established anew. A proof "
                           f"counts while the digests of the statement and of the sources match", indent=_INDENT)
    return not any(f.problem for f in findings)


def _print_findings(out: Console, findings: Sequence[Finding], *, timed: bool) -> None:
    widths = [max((len(f.statement.variant) for f in findings), default=0) + 4, 10, 6, 10, 8]
    titles = ("", "verdict", "bridge", "axioms", "time" if timed else "")
    print_table(out, _grid(widths, tuple(Text(t, style="dim") for t in titles)))
    for theorem, members in groupby(findings, key=lambda f: f"{f.statement.family}.{f.statement.theorem}"):
        out.print(heading(theorem))
        for f in members:
            print_table(out, _grid(widths, _cells(f, timed)))
            paragraph(out, Text.assemble(f.proof.theorem.rpartition(".")[2], (f" ({f.file})", "dim")), indent=widths[0])
            if f.problem:
                paragraph(out, Text(f.problem, style="red"), indent=widths[0])
            elif f.proof.gloss:
                leaves = f"; it leaves {f.proof.leaves}" if f.proof.leaves else ""
                paragraph(out, Text(words(f"{f.proof.gloss}{leaves}"), style="dim"), indent=widths[0])
    out.print()


def _cells(f: Finding, timed: bool) -> tuple[Text, ...]:
    if f.problem:
        verdict = Text("✗ open", style="bold red")
    elif f.proof.leaves:
        verdict = Text("✓ in part", style="cyan")
    else:
        verdict = Text.assemble(("✓ ", "green"), verdict_text(f.verdict))
    return (Text(f"  :{f.statement.variant}" if f.statement.variant else ""), verdict, Text(f.proof.link),
            Text(_axioms(f.axioms) if not f.problem else ""), Text(f"{f.seconds:.1f} s" if timed else ""))


def _grid(widths: Sequence[int], row: tuple[Text, ...]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for number, column in enumerate(widths):
        table.add_column(width=column, no_wrap=True, justify="right" if number == 4 else "left")
    table.add_row(*row)
    return table


def _axioms(axioms: Sequence[str]) -> str:
    return "none" if not axioms else f"{len(axioms)} classical"


def _print_further(out: Console, theorems: Mapping[str, Sequence[str]], findings: Sequence[Finding]) -> None:
    """Audited theorems that are no statement's own: lemmas, sharper forms, statements not encoded yet."""
    spoken = {f.proof.theorem for f in findings}
    further = [name for name in theorems if name not in spoken]
    if not further:
        return
    out.print(heading("Further theorems"))
    for file, names in groupby(sorted(further, key=file_of), key=file_of):
        inside = list(names)
        rests = sorted({axiom for name in inside for axiom in theorems[name]})
        short = ", ".join(name.rpartition(".")[2] for name in inside)
        out.print(Text(f"  {file}", style="dim"))
        paragraph(out, Text.assemble(short, (f"; axioms: {', '.join(rests)}" if rests else "", "dim")), indent=4)
    out.print()


def _print_unproved(out: Console, unproved: Sequence[Statement]) -> None:
    if unproved:
        field(out, "No theorem", ", ".join(s.name for s in unproved), indent=_INDENT)

"""``theorems list``: every statement by family and theorem."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from itertools import groupby

from rich.console import Console
from rich.text import Text

from theorems.commands.arguments import add_names, asked
from theorems.registry import families
from theorems.statement import Source, Statement
from theorems.terminal.exit_statuses import AS_EXPECTED, BAD_INPUT, refusing
from theorems.terminal.screen import console, field, heading, paragraph, refuse_each, verdict_text
from theorems.typesetting import words

__all__ = ["add_arguments", "print_listing", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_names(parser)


def run(args: argparse.Namespace) -> int:
    with refusing():
        statements, refused = asked(args)
    print_listing(console(), statements)
    refuse_each(refused)
    return BAD_INPUT if refused else AS_EXPECTED


def print_listing(out: Console, statements: Iterable[Statement]) -> None:
    """One block per theorem, one entry per variant: expected verdict, quantifier, title, source.

    >>> from theorems.templates.pointwise import STATEMENT
    >>> print_listing(console(), [STATEMENT])  # doctest: +ELLIPSIS
    family_name  1 statement
    ...
    """
    chosen = list(statements)
    columns = (
        max(len(s.variant) for s in chosen) + 4,
        max(len(s.expected.value) for s in chosen) + 2,
        max(len(s.quantifier.value) for s in chosen) + 2,
    )
    known = {family.name: family for family in families()}
    for family, members in groupby(chosen, key=lambda s: s.family):
        inside = list(members)
        out.print(
            heading(family),
            Text(f"  {len(inside)} statement{'' if len(inside) == 1 else 's'}", style="dim"),
            sep="",
        )
        if family in known:
            sources = "; ".join(known[family].sources)
            paragraph(out, Text(known[family].title + (f" ({sources})" if sources else "")))
        for theorem, forms in groupby(inside, key=lambda s: s.theorem):
            out.print()
            out.print(heading(f"{family}.{theorem}"))
            for statement in forms:
                _print_variant(out, statement, columns)
        out.print()
    papers = dict.fromkeys(s.source.paper for s in chosen)
    field(out, "Sources", "; ".join(papers), indent=columns[0])
    field(
        out,
        "Verdicts",
        "as expected of theorems verify NAME, where NAME is a family, a theorem or "
        "theorem:variant; theorems show NAME prints a statement in full",
        indent=columns[0],
    )


def _print_variant(out: Console, s: Statement, columns: tuple[int, int, int]) -> None:
    """Two lines: what it is called, what is expected of it, whence it comes; and what it says."""
    label, verdict, quantifier = columns
    line = Text((f"  :{s.variant}" if s.variant else "").ljust(label))
    line.append_text(verdict_text(s.expected))
    line.append(" " * (verdict - len(s.expected.value)) + s.quantifier.value.ljust(quantifier))
    paragraph(
        out, Text(_short(s.source), style="dim"), first=line, indent=label + verdict + quantifier
    )
    paragraph(out, Text(words(s.title)), indent=label)


def _short(source: Source) -> str:
    """The source with its paper's identifier left to the list of sources."""
    return ", ".join(part for part in (source.paper.split(" (")[0], source.place) if part)

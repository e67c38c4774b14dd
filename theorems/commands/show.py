"""``theorems show``: one statement in full."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Mapping
from typing import Any

import sympy as sp
from rich.console import Console
from rich.text import Text

from theorems.commands.arguments import asked
from theorems.proofs.record import recorded
from theorems.proofs.rocq import file_of
from theorems.registry import level_of, library
from theorems.statement import Assumption, Check, Quantifier, Statement, Verdict
from theorems.terminal.exit_statuses import AS_EXPECTED, BAD_INPUT, refusing
from theorems.terminal.screen import (
    console,
    duration,
    field,
    fields,
    heading,
    paragraph,
    ratio,
    refuse_each,
    sensitivity,
    shortened,
    verdict_text,
)
from theorems.typesetting import (
    Names,
    block,
    claim,
    domain,
    inline,
    notation,
    symbol,
    words,
)

__all__ = ["add_arguments", "print_statement", "run"]

_QUANTIFIERS = {
    Quantifier.POINTWISE: "for every input that meets the assumptions",
    Quantifier.EXPECTATION: "over the random weights",
    Quantifier.PROBABILITY: "of the event, over the random weights",
    Quantifier.LAW: "of the distribution over the random weights",
    Quantifier.COMPARISON: "of two chains on the same random weights",
    Quantifier.LIMIT: "as depth or time grows",
    Quantifier.MEAN_FIELD: "as the width tends to infinity",
}
_INDENT = 14


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument(
        "--json", metavar="FILE", help="add the evidence of the earlier run that wrote FILE"
    )


def run(args: argparse.Namespace) -> int:
    earlier = None
    with refusing():
        statements, refused = asked(args)
        if args.json is not None:
            from theorems.report import read_document

            earlier = read_document(args.json)
    out = console()
    for number, statement in enumerate(statements):
        if number:
            out.print()
        print_statement(out, statement, earlier)
    refuse_each(refused)
    return BAD_INPUT if refused else AS_EXPECTED


def print_statement(
    out: Console, statement: Statement, earlier: Mapping[str, Any] | None = None
) -> None:
    """The statement typeset, what it means, how it is attacked, and the evidence of an ``earlier``
    run, if given.
    """
    s = statement
    out.print(heading(s.name))
    paragraph(out, Text(words(s.title)))
    paragraph(out, Text(str(s.source), style="dim"))
    out.print()
    _lines(out, _written(out, claim(s, out.width - 4), s.claim, notation(s)), "    ")
    out.print()
    _meaning(out, s)
    _standing(out, s)
    _proof(out, s)
    _items(out, "Attacked by", [_check(check, s) for check in s.checks])
    if earlier is not None:
        _evidence(out, s, earlier)


def _lines(out: Console, lines: list[str], indent: str) -> None:
    for line in lines:
        out.print(Text(indent + line if line else ""), no_wrap=True, overflow="ignore", crop=False)


def _written(
    out: Console, lines: list[str], expression: sp.Basic, names: Names | None = None
) -> list[str]:
    """``lines`` of mathematics, or one line, wrapped, where characters must be spelled and would
    fall out of place.
    """
    try:
        "\n".join(lines).encode(out.encoding)
    except UnicodeEncodeError:
        return textwrap.wrap(inline(expression, names), out.width - _INDENT, break_long_words=False)
    return lines


def _items(out: Console, name: str, items: list[str | Text | list[str]]) -> None:
    """A field of several items, the name beside the first."""
    for number, item in enumerate(items):
        field(out, "" if number else name, item, indent=_INDENT)


# --- what it says ---------------------------------------------------------------------------------


def _meaning(out: Console, s: Statement) -> None:
    sets = [domain(v) for v in s.variables]
    width = max((len(text) for text in sets), default=0) + 2
    symbols: list[str | Text | list[str]] = []
    for text, variable in zip(sets, s.variables, strict=True):
        size = f" ({' × '.join(inline(x) for x in variable.size)} of them)" if variable.size else ""
        symbols.append(f"{text.ljust(width)}{words(variable.meaning)}{size}")
    _items(out, "Symbols", symbols)
    for number, (name, meaning) in enumerate(s.definitions.items()):
        _definition(out, s, "" if number else "Definitions", name, meaning)
    _items(out, "Assumptions", [_assumption(s, a) for a in s.assumptions])
    _items(
        out,
        "Defined",
        [f"where {inline(c.relation, notation(s))}: {words(c.words)}" for c in s.conditions_read],
    )
    ceiling = "" if s.ceiling is None else inline(s.ceiling, notation(s))
    fields(
        out,
        {
            "Quantifier": f"{s.quantifier.value}: {_QUANTIFIERS[s.quantifier]}",
            "Chain": s.chain or "",
            "Observables": ", ".join(s.observables),
            "Vacuous": ceiling
            and f"where the right side reaches {ceiling}, which the left side never exceeds",
        },
    )


def _definition(
    out: Console, s: Statement, margin: str, name: sp.Expr, meaning: sp.Expr | str
) -> None:
    if isinstance(meaning, str):
        shown = notation(s).get(str(name))
        # a symbol printed as what it stands for needs no second definition, but its name in the
        # code
        field(
            out,
            margin,
            f"{shown}: {name} in the code" if shown else f"{symbol(str(name))} = {words(meaning)}",
        )
        return
    if isinstance(meaning, sp.Lambda):  # a family, shown entry by entry
        name, meaning = name[meaning.variables], meaning.expr
    equation = sp.Eq(name, meaning, evaluate=False)
    lines = _written(out, block(equation, out.width - _INDENT), equation)
    field(out, margin, lines if len(lines) > 1 else f"{inline(name)} = {inline(meaning)}")


def _assumption(s: Statement, assumption: Assumption) -> str:
    formula = inline(assumption.relation, notation(s))
    where = ", at every layer of the path" if assumption.along == "path" else ""
    return f"{words(assumption.words)}, that is {formula}{where}"


# --- where it stands ------------------------------------------------------------------------------


def _standing(out: Console, s: Statement) -> None:
    field(out, "Expected", verdict_text(s.expected))
    sentinel: list[str | Text | list[str]] = [
        f"{words(s.sentinel.words)}: false, and every check must refute it"
    ]
    for side, changed in (("left", s.sentinel.lhs), ("right", s.sentinel.rhs)):
        if changed is not None:
            line = f"{side} side: {inline(changed, notation(s))}"
            fits = len(line) <= out.width - _INDENT
            lines = block(changed, out.width - _INDENT, notation(s))
            sentinel += (
                [line] if fits else [f"{side} side:", _written(out, lines, changed, notation(s))]
            )
    _items(out, "Sentinel", sentinel)
    named: list[str | Text | list[str]] = []
    for other in library(s.family):
        if other.theorem == s.theorem and other.variant != s.variant:
            verdict = verdict_text(other.expected)
            named.append(Text.assemble(f":{other.variant} (", verdict, f") {words(other.title)}"))
    _items(out, "Variants", named)
    own = level_of(s)
    level = "" if own is None else f"{own:g}, declared by its family; --level gives another"
    facts = {"Error level": level, "Depends on": ", ".join(s.depends_on)}
    fields(out, {**facts, "Remark": words(s.remark)})


# --- what is proved -------------------------------------------------------------------------------


def _proof(out: Console, s: Statement) -> None:
    """The theorem, how it is tied to the statement, what it rests on, and whether the certificate
    covers it.
    """
    if (proof := s.proof) is None:
        return
    certificate = recorded()
    link = {
        "kernel": "the kernel compares it with the printed statement",
        "name": "tied by name only",
    }[proof.link]
    items: list[str | Text | list[str]] = [
        f"{proof.theorem.rpartition('.')[2]} in {file_of(proof.theorem)}, {link}"
    ]
    if proof.gloss:
        items.append(
            f"it says: {words(proof.gloss)}"
            + (f"; it leaves {words(proof.leaves)}" if proof.leaves else "")
        )
    objection = certificate if isinstance(certificate, str) else certificate.objection(s)
    if isinstance(certificate, str) or objection:
        items.append(f"the recorded certificate does not cover it: {objection}; run theorems prove")
    else:
        axioms = certificate.axioms(proof)
        part = "a part " if proof.leaves else ""
        found = Text.assemble(
            part,
            verdict_text(Verdict.REFUTED if proof.refutes else Verdict.PROVED),
            f" with Rocq {certificate.rocq}, recorded {certificate.date}; ",
            f"axioms: {', '.join(axioms) or 'none'}",
        )
        items.append(found)
        if says := certificate.says(s):
            width = out.width - _INDENT
            lines: list[str] = []
            for line in says.splitlines():
                lines += textwrap.wrap(
                    line,
                    width,
                    initial_indent="  ",
                    subsequent_indent="      ",
                    break_long_words=False,
                )
            items += ["Rocq's Check prints:", lines]
    if proof.also:
        items.append(f"beside it: {', '.join(name.rpartition('.')[2] for name in proof.also)}")
    _items(out, "Proof", items)


# --- how it is attacked ---------------------------------------------------------------------------


def _check(check: Check, s: Statement) -> str:
    """What a check does, in its own words, or in the head of its docstring if it has none."""
    said = getattr(check, "words", None)
    if callable(said):
        said = said(s)
    if isinstance(said, str):
        return said
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(check).__name__).lower()
    lead = (type(check).__doc__ or "a check without description").strip().split("\n\n")[0]
    return f"{name}: {' '.join(lead.replace('`', '').split())}"


# --- what a run said ------------------------------------------------------------------------------


def _evidence(out: Console, s: Statement, earlier: Mapping[str, Any]) -> None:
    key = (f"{s.family}.{s.theorem}", s.variant)
    found = next((r for r in earlier["results"] if (r["statement"], r["variant"]) == key), None)
    if found is None:
        field(out, "Evidence", "the run in that file did not check this statement")
        return
    environment = earlier["environment"]
    batch = environment["batch"]
    circumstances = f", on {batch['description']}" if batch else ""
    line = Text.assemble(
        verdict_text(Verdict(found["verdict"])),
        (f" in {duration(found['seconds'])}, seed {environment['seed']}", "dim"),
        (f", error budget {environment['error_budget']:g}{circumstances}", "dim"),
    )
    _items(out, "Evidence", [line, *(_piece(piece) for piece in found["evidence"])])


def _piece(piece: Mapping[str, Any]) -> Text:
    return Text.assemble(
        (f"{piece['method']}: ", "dim"),
        verdict_text(Verdict(piece["verdict"])),
        f", {words(shortened(piece['summary'], 300))}; tightness {ratio(piece['tightness'])}, "
        f"power {sensitivity(piece['power'])}; sentinel {piece['sentinel']}",
    )

"""Kinds that speak of one input: a claim decided there exactly, and a bound crossed on one width-limit path.

The inputs of the first are what the statement's own check takes, so that the symbols' values, the assumptions and the
decision are the ones that ``theorems verify`` uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from itertools import pairwise, product
from typing import Any

import flint
import sympy as sp

from theorems.certificates.document import Certificate, CertificateError, UnreadableError, versions
from theorems.certificates.kinds import Kind, Offer, Progress, demand, demand_overlap
from theorems.certificates.numbers import ball_text, entry, rational_text, rationals_of, whole_of
from theorems.checking.context import Context
from theorems.checking.pointwise import Pointwise, decide
from theorems.checking.width_limit import LONGEST, Start, WidthLimit
from theorems.expressions import arguments_of, compiled
from theorems.statement import Statement, Verdict

__all__ = ["KINDS", "at_input", "crossing"]

INSTANCE, CROSSING = "instance", "width-limit crossing"
PRECISION = 128
_MOST_SAMPLES = 10**6
#: What refuses a malformed input on its way into a statement's own arithmetic.
_MISFITS = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError)


def _named(certificate: Certificate) -> Statement:
    from theorems.registry import get

    try:
        return get(certificate.statement)
    except ValueError as error:
        raise CertificateError(f"statement: {error}") from None


# --- one input ----------------------------------------------------------------------------------------------


def _as_text(item: Any) -> Any:
    if isinstance(item, Mapping):
        return {name: _as_text(value) for name, value in item.items()}
    return [_as_text(value) for value in item] if isinstance(item, list | tuple) else rational_text(item)


def _as_item(value: Any) -> Any:
    """Exact numbers as the checks take them: Fractions, in tuples where they are nested."""
    if isinstance(value, Mapping):
        return {name: _as_item(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_as_item(part) for part in value)
    return Fraction(int(value.p), int(value.q))


def _pointwise(statement: Statement) -> Pointwise:
    for check in statement.checks:
        if isinstance(check, Pointwise):
            return check
    raise CertificateError(f"statement: {statement.name} is not decided input by input")


def _admit(statement: Statement, check: Pointwise, item: Any) -> Mapping[str, Any]:
    """The symbols' values at the input; refuses one outside the domains or the assumptions, exactly."""
    values = check.values(item)
    scalars = {v.symbol: _rational(values[v.name]) for v in statement.variables if not v.size}
    for variable in statement.variables:
        domain, given = variable.domain.subs(scalars), values[variable.name]
        extents = [range(int(extent.subs(scalars))) for extent in variable.size]
        for place in product(*extents):
            number = _rational(reduce(lambda part, k: part[k], place, given))
            if domain.contains(number) is not sp.true:
                raise CertificateError(f"inputs.at: {variable.name} = {number} is not in {domain}")
            if isinstance(domain, sp.Range) and number > _MOST_SAMPLES:
                raise CertificateError(f"inputs.at: {variable.name} is larger than {_MOST_SAMPLES}")
        if extents and len(given) != len(extents[0]):
            raise CertificateError(f"inputs.at: {variable.name} has {len(given)} entries, want {len(extents[0])}")
    if check.admits(statement, item) is not True:
        raise CertificateError("inputs.at: not certain to meet the assumptions of the statement")
    return values


def _rational(value: Any) -> sp.Rational:
    q = flint.fmpq(value.numerator, value.denominator) if isinstance(value, Fraction) else flint.fmpq(value)
    return sp.Rational(int(q.p), int(q.q))


def _decided(statement: Statement, item: Any, precision: int) -> tuple[bool, dict[str, flint.arb]]:
    """Whether the claim holds at the input, and both sides there."""
    check = _pointwise(statement)
    with flint.ctx.workprec(precision):
        try:
            values = _admit(statement, check, item)
            decision = decide(statement, lambda: check.values(item), squares=check.squares)
            sides = {name: compiled(side, names := arguments_of(side)).balls(*(values[str(a)] for a in names))
                     for name, side in (("lhs", statement.lhs), ("rhs", statement.rhs))}
        except CertificateError:
            raise
        except _MISFITS as error:
            reason = " ".join(str(error).split())
            raise CertificateError(f"inputs.at: no input of {statement.name} ({reason})") from None
    if decision.holds is None:
        raise CertificateError("inputs.at: the claim could not be decided there")
    return decision.holds, sides


def _claim(statement: Statement, holds: bool) -> str:
    return f"{statement.title}: {'true' if holds else 'false'} at the given input, by exact arithmetic or balls"


def _conclusion(holds: bool) -> str:
    return "holds there" if holds else "refuted"


def at_input(statement: Statement, item: Any, precision: int = PRECISION) -> Certificate:
    """The certificate of what ``statement`` is worth at one input of its pointwise check, true or false.

    ``item`` is made of exact numbers. Raises :class:`CertificateError` if it is outside the assumptions, or undecided.
    """
    given = {"at": _as_text(item)}
    holds, sides = _decided(statement, _as_item(rationals_of(given["at"], "inputs.at")), precision)
    return Certificate(kind=INSTANCE, statement=statement.name, claim=_claim(statement, holds), inputs=given,
                       precision=precision, enclosures={name: ball_text(side) for name, side in sides.items()},
                       conclusion=_conclusion(holds), versions=versions("python-flint", "sympy"))


def _recheck_instance(certificate: Certificate) -> str:
    statement = _named(certificate)
    item = _as_item(rationals_of(entry(certificate.inputs, "at", "inputs"), "inputs.at"))
    holds, sides = _decided(statement, item, certificate.precision)
    demand(certificate, claim=_claim(statement, holds), conclusion=_conclusion(holds))
    for name, side in sides.items():
        demand_overlap(certificate, name, side)
    return f"{statement.name}: {certificate.conclusion}, at {certificate.inputs['at']}".replace("'", "")


def _offer_instances(statement: Statement) -> Iterator[Offer]:
    if statement.expected is not Verdict.REFUTED or not any(isinstance(c, Pointwise) for c in statement.checks):
        return

    def make(progress: Progress) -> Certificate:
        progress("looking for a witness")
        _, _, witness = _pointwise(statement).attack(statement, Context(seed=0, level=0.5))
        if witness is None:
            raise CertificateError(f"{statement.name}: no input that violates it was found")
        return at_input(statement, witness)

    yield Offer(f"{statement.name.replace(':', '.')}.witness", "an exact witness against it", make)


# --- a crossing in the width limit --------------------------------------------------------------------------


def _limit_check(statement: Statement) -> WidthLimit:
    for check in statement.checks:
        if isinstance(check, WidthLimit):
            return check
    raise CertificateError(f"statement: {statement.name} is not followed to the width limit")


def _crossing_claim(statement: Statement, start: Start, layer: int) -> str:
    return (f"{statement.title}: the bound is crossed in the width limit at layer {layer}, n = {start.n}, so that it "
            "fails at some finite width")


def _followed(statement: Statement, start: Start, layer: int, precision: int) -> dict[str, Any]:
    """The path up to ``layer``; refuses one that does not cross the bound exactly there."""
    check = _limit_check(statement)
    check = replace(check, starts=(start,), depth=min(layer - check.offset, LONGEST), precision=precision)
    report = check.follow(statement, start)
    if report["verdict"] != Verdict.REFUTED or report["crossing_layer"] != layer:
        raise CertificateError(f"inputs.layer: the path does not cross the bound first at layer {layer}"
                               f" ({report['verdict']} at layer {report['last_layer']})")
    return report


def crossing(statement: Statement, start: Start, layer: int, precision: int = PRECISION) -> Certificate:
    """The certificate that the path from ``start`` crosses the statement's bound first at ``layer``.

    Cost: a few milliseconds a layer. Raises :class:`CertificateError` if it does not.
    """
    report = _followed(statement, start, layer, precision)
    with flint.ctx.workprec(precision):
        sides = {name: ball_text(flint.arb(report[name])) for name in ("lhs", "rhs")}
    return Certificate(
        kind=CROSSING, statement=statement.name, claim=_crossing_claim(statement, start, layer), precision=precision,
        inputs={"eigenvalues": [rational_text(e) for e in start.eigenvalues],
                "multiplicities": list(start.multiplicities), "layer": layer},
        enclosures=sides, conclusion=_conclusion(False), versions=versions("python-flint", "sympy"))


def _start(inputs: Mapping[str, Any]) -> Start:
    values = rationals_of(entry(inputs, "eigenvalues", "inputs"), "inputs.eigenvalues")
    counts = entry(inputs, "multiplicities", "inputs")
    if not isinstance(values, list) or not isinstance(counts, list) or len(values) != len(counts) or not all(
            isinstance(v, flint.fmpq) for v in values):
        raise UnreadableError("inputs: want as many eigenvalues as multiplicities, in two lists")
    counts = [whole_of(m, f"inputs.multiplicities[{k}]", 1, _MOST_SAMPLES) for k, m in enumerate(counts)]
    if not values or values[0] <= 0 or any(a >= b for a, b in pairwise(values)):
        raise UnreadableError("inputs.eigenvalues: want positive ones, distinct, smallest first")
    if sum((m * v for m, v in zip(counts, values, strict=True)), flint.fmpq(0)) != 1:
        raise UnreadableError("inputs.eigenvalues: with their multiplicities they do not add up to 1")
    return Start(tuple(Fraction(int(v.p), int(v.q)) for v in values), tuple(counts))


def _recheck_crossing(certificate: Certificate) -> str:
    statement = _named(certificate)
    start = _start(certificate.inputs)
    layer = whole_of(entry(certificate.inputs, "layer", "inputs"), "inputs.layer", 0, LONGEST)
    try:
        report = _followed(statement, start, layer, certificate.precision)
    except CertificateError:
        raise
    except _MISFITS as error:
        raise CertificateError(f"inputs: no path of {statement.name} ({' '.join(str(error).split())})") from None
    demand(certificate, claim=_crossing_claim(statement, start, layer), conclusion=_conclusion(False))
    for name in ("lhs", "rhs"):
        demand_overlap(certificate, name, flint.arb(report[name]))
    return f"{statement.name}: crossed in the width limit at layer {layer}, n = {start.n}"


def _offer_crossings(statement: Statement) -> Iterator[Offer]:
    if statement.expected is not Verdict.REFUTED or not any(isinstance(c, WidthLimit) for c in statement.checks):
        return
    check = _limit_check(statement)
    for start in check.starts:
        def make(progress: Progress, start: Start = start) -> Certificate:
            progress("following the width limit")
            report = check.follow(statement, start)
            if report["crossing_layer"] is None:
                raise CertificateError(f"{statement.name}: its bound is not crossed for n = {start.n}")
            return crossing(statement, start, report["crossing_layer"], check.precision)

        yield Offer(f"{statement.name.replace(':', '.')}.crossing-n{start.n}", f"a crossing, n = {start.n}", make)


KINDS = (
    Kind(INSTANCE, "a claim decided at one input, exactly", _recheck_instance, _offer_instances),
    Kind(CROSSING, "a bound crossed on one path of the width limit, in balls", _recheck_crossing, _offer_crossings),
)

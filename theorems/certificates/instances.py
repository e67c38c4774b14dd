"""Kinds that speak of one input: a claim decided exactly, a bound crossed on a width-limit path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

import flint

from theorems.certificates.document import Certificate, CertificateError, UnreadableError, versions
from theorems.certificates.kind import (
    Kind,
    Offer,
    Progress,
    demand,
    demand_fields,
    demand_overlap,
    named,
    stem,
)
from theorems.certificates.numbers import ball_text, entry, rational_text, rationals_of, whole_of
from theorems.checking.declared import determined, exact_values
from theorems.checking.pointwise import Pointwise, admit, decide
from theorems.checking.symbol_values import Completed, changed, evaluate
from theorems.checking.width_limit import LONGEST, FollowedPath, RepeatedSpectrum, WidthLimit
from theorems.context import Context
from theorems.statement import Quantifier, Statement, Verdict

__all__ = ["KINDS", "at_input", "crossing"]

#: Exact numbers, nested for families.
Numbers: TypeAlias = (
    "Fraction | flint.fmpq | flint.fmpz | int | Sequence[Numbers] | Mapping[str, Numbers]"
)
INSTANCE, CROSSING = "instance", "width-limit crossing"
PRECISION = 128
MOST_BITS = 10_000
#: Bits by which a recheck is finer: a recorded enclosure must hold the value, not just reach into a
#: coarse ball.
FINER = 64
#: Of the search for a witness, which involves no sampling.
LEVEL = 1e-6
_MOST_SAMPLES = 10**6
#: What refuses a malformed input on its way into a statement's own arithmetic.
_MISFITS = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError)


# --- one input ------------------------------------------------------------------------------------


def _decided(
    statement: Statement, variables: object, precision: int
) -> tuple[bool, dict[str, flint.arb]]:
    """Whether the claim holds at the input, and both sides there.

    Refuses an input outside domains or assumptions.
    """
    wanted = {v.name for v in statement.variables}
    if not isinstance(variables, Mapping) or set(variables) != wanted:
        raise CertificateError(f"inputs.at: want values of {', '.join(sorted(wanted))}")
    if statement.quantifier is not Quantifier.POINTWISE or not determined(statement):
        raise CertificateError(
            f"statement: {statement.name} is not decided by values of its variables"
        )
    try:
        values = exact_values(statement, variables)
        admit(statement, values)
        decision = decide(statement, lambda: values)
        with flint.ctx.workprec(precision):
            completed = Completed(values, statement.definitions, False)
            named_sides = {"lhs": statement.lhs, "rhs": statement.rhs}.items()
            sides = {x: flint.arb(evaluate(side, completed, False)) for x, side in named_sides}
    except _MISFITS as error:
        raise CertificateError(
            f"inputs.at: no input of {statement.name}: {' '.join(str(error).split())}"
        ) from None
    if decision.holds is None:
        raise CertificateError("inputs.at: the claim could not be decided there")
    return decision.holds, sides


def _claim(statement: Statement, holds: bool) -> str:
    return f"{statement.title}: {'true' if holds else 'false'} at the given input"


def _conclusion(holds: bool) -> str:
    return "holds there" if holds else "refuted"


def at_input(
    statement: Statement, variables: Mapping[str, Numbers], precision: int = PRECISION
) -> Certificate:
    """The certificate of what a pointwise ``statement`` is worth at one input, true or false.

    - ``variables``: exact numbers by symbol name, nested for families
    - ``precision``: of the recorded enclosures, in bits

    Raises `CertificateError` if they are outside domains or assumptions, or if exact
    arithmetic and balls leave the claim open.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> half = Fraction(1, 2)
        >>> at_input(STATEMENT.neighbour, {"n": 2, "lambda": [half, half]}).conclusion
        'refuted'
    """
    given = {"at": changed(variables, rational_text)}
    holds, sides = _decided(statement, rationals_of(given["at"], "inputs.at"), precision)
    return Certificate(
        kind=INSTANCE,
        statement=statement.name,
        claim=_claim(statement, holds),
        inputs=given,
        precision=precision,
        enclosures={name: ball_text(side) for name, side in sides.items()},
        conclusion=_conclusion(holds),
        versions=versions("python-flint", "sympy"),
    )


def _recheck_instance(certificate: Certificate) -> str:
    whole_of(certificate.precision, "precision", 10, MOST_BITS)
    statement = named(certificate)
    variables = rationals_of(entry(certificate.inputs, "at", "inputs"), "inputs.at")
    holds, sides = _decided(statement, variables, certificate.precision + FINER)
    demand_fields(certificate, ("at",), ("lhs", "rhs"))
    demand(certificate, claim=_claim(statement, holds), conclusion=_conclusion(holds))
    for name, side in sides.items():
        demand_overlap(certificate, name, side)
    at = str(certificate.inputs["at"]).replace("'", "")
    return f"{statement.name}: {certificate.conclusion}, at {at}"


def _offer_instances(statement: Statement) -> Iterator[Offer]:
    check = next((c for c in statement.checks if isinstance(c, Pointwise)), None)
    if statement.expected is not Verdict.REFUTED or check is None or not determined(statement):
        return

    def make(progress: Progress) -> Certificate:
        progress("looking for a witness")
        _, _, witness = check.attack(statement, Context(seed=0, level=LEVEL))
        if witness is None:
            raise CertificateError(f"{statement.name}: no input that violates it was found")
        values = check.values(witness)
        return at_input(statement, {v.name: values[v.name] for v in statement.variables})

    yield Offer(f"{stem(statement)}.witness", "an exact witness against it", make)


# --- a crossing in the width limit ----------------------------------------------------------------


def _limit_check(statement: Statement) -> WidthLimit | None:
    return next((check for check in statement.checks if isinstance(check, WidthLimit)), None)


def _crossing_claim(statement: Statement, start: RepeatedSpectrum, layer: int) -> str:
    return (
        f"{statement.title}: the bound is crossed in the width limit at layer {layer}, "
        f"n = {start.n}, so that it fails at some finite width"
    )


def _followed(
    statement: Statement, start: RepeatedSpectrum, layer: int, precision: int
) -> FollowedPath:
    """The path up to ``layer``; refuses one that does not cross the bound exactly there."""
    if (check := _limit_check(statement)) is None:
        raise CertificateError(f"statement: {statement.name} is not followed to the width limit")
    depth = min(layer - check.offset, LONGEST)
    check = replace(check, starts=(start,), depth=depth, precision=precision)
    report = check.follow(statement, start)
    if report["verdict"] != Verdict.REFUTED or report["crossing_layer"] != layer:
        raise CertificateError(
            f"inputs.layer: the path does not cross the bound first at layer {layer}"
            f" ({report['verdict']} at layer {report['last_layer']})"
        )
    return report


def crossing(
    statement: Statement, start: RepeatedSpectrum, layer: int, precision: int = PRECISION
) -> Certificate:
    """The certificate that the path from ``start`` crosses the bound first at ``layer``.

    - ``start``: the spectrum that the path in the width limit begins with
    - ``precision``: of the balls that enclose the path, in bits

    Raises `CertificateError` if it does not. Cost: a few milliseconds a layer.
    """
    report = _followed(statement, start, layer, precision)
    with flint.ctx.workprec(precision):
        sides = {name: ball_text(flint.arb(report[name])) for name in ("lhs", "rhs")}
    return Certificate(
        kind=CROSSING,
        statement=statement.name,
        claim=_crossing_claim(statement, start, layer),
        precision=precision,
        inputs={
            "eigenvalues": [rational_text(e) for e in start.eigenvalues],
            "multiplicities": list(start.multiplicities),
            "layer": layer,
        },
        enclosures=sides,
        conclusion=_conclusion(False),
        versions=versions("python-flint", "sympy"),
    )


def _start(inputs: Mapping[str, object]) -> RepeatedSpectrum:
    values = rationals_of(entry(inputs, "eigenvalues", "inputs"), "inputs.eigenvalues")
    counts = entry(inputs, "multiplicities", "inputs")
    if (
        not isinstance(values, list)
        or not isinstance(counts, list)
        or len(values) != len(counts)
        or not all(isinstance(v, flint.fmpq) for v in values)
    ):
        raise UnreadableError("inputs: want as many eigenvalues as multiplicities, in two lists")
    counts = [
        whole_of(m, f"inputs.multiplicities[{k}]", 1, _MOST_SAMPLES) for k, m in enumerate(counts)
    ]
    if not values or values[0] <= 0 or any(a >= b for a, b in pairwise(values)):
        raise UnreadableError("inputs.eigenvalues: want positive ones, distinct, smallest first")
    if sum((m * v for m, v in zip(counts, values, strict=True)), flint.fmpq(0)) != 1:
        raise UnreadableError(
            "inputs.eigenvalues: with their multiplicities they do not add up to 1"
        )
    return RepeatedSpectrum(tuple(Fraction(int(v.p), int(v.q)) for v in values), tuple(counts))


def _recheck_crossing(certificate: Certificate) -> str:
    whole_of(certificate.precision, "precision", 10, MOST_BITS)
    statement = named(certificate)
    start = _start(certificate.inputs)
    layer = whole_of(entry(certificate.inputs, "layer", "inputs"), "inputs.layer", 0, LONGEST)
    try:
        report = _followed(statement, start, layer, certificate.precision + FINER)
    except CertificateError:
        raise
    except _MISFITS as error:
        raise CertificateError(
            f"inputs: no path of {statement.name} ({' '.join(str(error).split())})"
        ) from None
    demand_fields(certificate, ("eigenvalues", "multiplicities", "layer"), ("lhs", "rhs"))
    demand(
        certificate, claim=_crossing_claim(statement, start, layer), conclusion=_conclusion(False)
    )
    for name in ("lhs", "rhs"):
        demand_overlap(certificate, name, flint.arb(report[name]))
    return f"{statement.name}: crossed in the width limit at layer {layer}, n = {start.n}"


def _offer_crossings(statement: Statement) -> Iterator[Offer]:
    check = _limit_check(statement)
    if statement.expected is not Verdict.REFUTED or check is None:
        return
    for start in check.starts:

        def make(progress: Progress, start: RepeatedSpectrum = start) -> Certificate:
            progress("following the width limit")
            report = check.follow(statement, start)
            if report["crossing_layer"] is None:
                raise CertificateError(
                    f"{statement.name}: its bound is not crossed for n = {start.n}"
                )
            return crossing(statement, start, report["crossing_layer"], check.precision)

        yield Offer(f"{stem(statement)}.crossing-n{start.n}", f"a crossing, n = {start.n}", make)


KINDS = (
    Kind(INSTANCE, "a claim decided at one input, exactly", _recheck_instance, _offer_instances),
    Kind(
        CROSSING,
        "a bound crossed on one path of the width limit, in balls",
        _recheck_crossing,
        _offer_crossings,
    ),
)

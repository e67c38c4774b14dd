"""What a claim assumes: of its symbols, the start, whole paths, or the law of a reading."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain as chained

import sympy as sp

from theorems.statement import Assumption, Quantifier, Statement
from theorems.workbench.declaration import WrittenClaim, relation_of
from theorems.workbench.design import Design
from theorems.workbench.estimands import MOMENTS, Estimand, Moment, Statistic
from theorems.workbench.measured_side import StatedClaim
from theorems.workbench.parsing import ClaimError, Relation, refuse
from theorems.workbench.quantities import ALIVE

__all__ = ["require_given_laws", "with_assumptions"]


def with_assumptions(claim: StatedClaim, written: Iterable[WrittenClaim]) -> StatedClaim:
    """The claim with what it assumes.

    Args:
        claim: without any.
        written: each as its author gave it: a relation of symbols and quantities of the start,
            "alive", or the most that a moment of a reading is, as ``variance(x) <= 2``.

    Returns:
        The claim with its assumptions, and with the moments in the estimand that they serve.

    Raises:
        ClaimError: for what is random, for a moment of what the claim does not read, and for what
            is about samples where there are none.

    Example:
        >>> from theorems.workbench.declaration import declare
        >>> from theorems.workbench.measured_side import stated
        >>> from theorems.workbench.subject import read_subject
        >>> about = read_subject("rescale")
        >>> declared = declare(dict(n=4, d=64, ell=2), None, about.chain, {})
        >>> claim = stated("orthogonality_gap <= 1/2", about, declared)
        >>> found = with_assumptions(claim, ["smallest_eigenvalue_0 >= 1/8", "alive"])
        >>> [each.along for each in found.assumptions]
        ['input', 'path']
        >>> with_assumptions(claim, ["smallest_eigenvalue >= 1/8"])
        Traceback (most recent call last):
        theorems.statement.ClaimError: an assumption speaks of the start: write ...
    """
    moments: dict[str, Moment] = {}
    assumptions = tuple(_assumption(claim, each, moments) for each in written)
    estimand = _with_moments(claim, moments)
    return replace(claim, assumptions=assumptions, moments=moments, estimand=estimand)


def _assumption(claim: StatedClaim, given: WrittenClaim, moments: dict[str, Moment]) -> Assumption:
    """One assumption; a moment that it bounds goes into ``moments``."""
    if isinstance(given, str) and given.strip() == "alive":
        return _alive(claim)
    relation = relation_of(given, claim.declaration, "the assumption")
    words = given if isinstance(given, str) else str(relation)
    if relation.statistics:
        moments[words] = _moment(claim, relation)
        compared = sp.Rel(relation.lhs, relation.rhs, "<=", evaluate=False)
        return Assumption(compared, words, "law", defined=relation.conditions)
    now, _ = claim.declaration.used(relation.lhs, relation.rhs)
    late = next((q for q in now if q.derived or q.of_other), None)
    if late is not None and claim.subject.chain is not None:
        raise ClaimError(
            f"an assumption speaks of the start, and {late.name} is random; assume what is "
            "known there, as orthogonality_gap_0 is"
        )
    if now and claim.subject.chain is not None:
        raise ClaimError(
            f"an assumption speaks of the start: write {now[0].name}_0, not {now[0].name}"
        )
    compared = sp.Rel(relation.lhs, relation.rhs, relation.relation, evaluate=False)
    return Assumption(compared, words, defined=relation.conditions)


def _alive(claim: StatedClaim) -> Assumption:
    subject = claim.subject
    refuse(
        (
            subject.quantifier is Quantifier.MEAN_FIELD,
            "assume='alive' has no effect: at infinite width no sample dies; leave it out",
        ),
        (
            subject.chain is None and subject.over != "matrices",
            "assume='alive' is about samples: give chain= or over='matrices'",
        ),
    )
    words = "alive: every sample has a unit that is not 0"
    if subject.chain is None:
        return Assumption(ALIVE, words)
    return Assumption(ALIVE, f"{words} at every layer up to ell", "path")


def _moment(claim: StatedClaim, relation: Relation) -> Moment:
    """What is assumed of the law of a reading: the most that a moment of it is."""
    first = relation.statistics[0]
    symbols = relation.lhs.free_symbols | relation.rhs.free_symbols
    alone = relation.lhs == first.symbol and relation.relation == "<="
    late = claim.declaration.used(relation.lhs, relation.rhs)[0]
    refuse(
        (
            first.kind not in MOMENTS,
            f"an assumption speaks of the start, where nothing is random, or bounds a moment: "
            f"{relation}; moments are {', '.join(MOMENTS)}",
        ),
        (
            claim.estimand is None or not claim.subject.sampled,
            f"{relation}: a moment is assumed of what is random; give chain=",
        ),
        (
            not alone or len(relation.statistics) > 1 or bool(late),
            f"the assumption {relation}: a moment is bounded from above by what is not random, "
            f"as in '{first} <= 10'",
        ),
        (
            relation.rhs.is_number and not relation.rhs > int(first.kind == "kurtosis"),
            f"the assumption {relation} holds of no law",
        ),
        (not symbols, f"{relation} says nothing"),
    )
    return Moment(first.kind, first.of, relation.rhs)


def _with_moments(claim: StatedClaim, moments: Mapping[str, Moment]) -> Estimand | None:
    """The estimand with what is assumed of the laws of its readings."""
    if claim.estimand is None or not moments:
        return claim.estimand
    served, statistics = set(), []
    for statistic in claim.estimand.statistics:
        for words, moment in moments.items():
            random = {q.symbol for q in claim.declaration.used(moment.of, *statistic.sides)[0]}
            factor = moment.scaled(statistic.of, random) if _takes(statistic, moment) else None
            if factor is not None and statistic.moment is None:
                statistic = replace(statistic, moment=(moment, factor))
                served.add(words)
        statistics.append(statistic)
    for words in moments:
        refuse(
            (
                words not in served,
                f"the assumption {words} has no effect: it is of no reading of which the claim "
                "takes a mean (or, of a kurtosis, a variance); leave it out",
            )
        )
    return Estimand(claim.estimand.expression, tuple(statistics))


def _takes(statistic: Statistic, moment: Moment) -> bool:
    """Whether a bound on that moment could bound the statistic."""
    if statistic.kind == "variance":
        return moment.kind == "kurtosis"
    return statistic.kind == "mean" or statistic.lasting or statistic.slope


def require_given_laws(design: Design, statement: Statement) -> None:
    """Refuse parameters that are those of no law, and moments that say nothing.

    Args:
        design: what the claim is sampled on.
        statement: the claim, whose assumptions restrict the starts and sizes.

    Raises:
        ClaimError: for parameters that are those of no law somewhere on the lay-out, for a moment
            that no law has there, and for a moment of a reading that has a range.

    Cost: one pass over the lay-out, no simulation.

    Example:
        >>> from theorems import conjecture
        >>> conjecture("kolmogorov(d*cosine**2, chi2(n - 4)) <= 1/4", chain="vanilla(identity)",
        ...            n=4, d=64, ell=1, name="claim")
        Traceback (most recent call last):
        theorems.statement.ClaimError: claim: chi2(0) is no law: want its degrees of freedom
    """
    asked = [s for s in design.estimand.statistics if s.moment is not None or s.law is not None]
    items = design.items(statement) if asked else []
    numbers = [design.numbers(item) for item in items]
    for statistic in asked:
        for values in numbers:
            if statistic.law is not None:
                statistic.law.distribution(values)
            if statistic.moment is not None:
                moment, factor = statistic.moment
                moment.at(factor, values)
        reaches = (statistic.reach(design.reach(values)) for values in numbers)
        refuse(
            (
                statistic.moment is not None
                and all(map(math.isfinite, chained.from_iterable(reaches))),
                f"a moment of {statistic.of} is assumed to no effect, as it has a range; "
                "leave it out",
            )
        )

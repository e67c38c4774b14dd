"""Which false neighbour stands beside a claim, and what keeps samples from deciding it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import sympy as sp

from theorems.checking.unbounded import Unbounded
from theorems.float_intervals import Interval
from theorems.statement import Quantifier, Sentinel, Statement
from theorems.workbench.declaration import SLOPE
from theorems.workbench.design import Design, exponent_check
from theorems.workbench.estimands import Estimand, Statistic
from theorems.workbench.measured_side import StatedClaim
from theorems.workbench.sentinels import (
    Sides,
    about_exponent,
    derive,
    farthest,
    one_sided,
    other_exponent,
    others_like,
    pilot,
    resolution,
    reversed_claim,
    unmeasured,
)

__all__ = ["FalseNeighbour", "false_neighbour", "wanting"]


@dataclass(frozen=True)
class FalseNeighbour:
    """What a claim is told apart from.

    - ``sentinel``: the neighbour, which the check of the claim must refute
    - ``resolution``: the half-width, relative to the bound, that tells it from the truth
    - ``compared``: the number of the law that it compares, where the claim compares another one

    Example:
        >>> FalseNeighbour(Sentinel("one more", rhs=SLOPE + 1)).resolution
        0.1
    """

    sentinel: Sentinel
    resolution: float = 0.1
    compared: Estimand | None = None


def false_neighbour(
    claim: StatedClaim,
    statement: Statement,
    design: Design | None,
    seen: Sides,
    *,
    undecidable: bool = False,
) -> FalseNeighbour:
    """The neighbour that the author gave, else one placed by what is measured.

    Args:
        claim: as it is read.
        statement: its draft.
        design: what it is sampled on; None of a claim about every input.
        seen: both sides of such a claim in floats, wherever it was looked at.
        undecidable: whether no number of samples decides the claim; nothing is simulated then.

    Returns:
        The neighbour.

    Raises:
        ClaimError: for an instance that is too large to be simulated, and where nothing could be
            measured to place a neighbour by.

    Cost: a few simulations if the claim is sampled, see `sentinels.pilot`.

    Example:
        >>> from theorems import conjecture
        >>> conjecture("x + 1 <= 4", over="parameters", x="[0, 1]").statement().sentinel.words
        'the bound times 5/11, past the largest share seen, 0.5'
    """
    given, right, relation = None, claim.relation.rhs, claim.relation.relation
    if claim.sentinel is not None:
        given = Sentinel("given by the author", rhs=claim.sentinel)
    if design is None:
        return FalseNeighbour(given or derive(right, relation, seen, sampled=False))
    if claim.subject.quantifier is Quantifier.LIMIT and undecidable:
        inner = about_exponent(claim.relation, SLOPE)
        larger = Sentinel("an exponent larger by 1", lhs=sp.Abs(inner - 1))
        return FalseNeighbour(given or larger)
    if claim.subject.quantifier is Quantifier.LIMIT:
        check = exponent_check(design, SLOPE, statement)
        return FalseNeighbour(given or other_exponent(claim.relation, SLOPE, check))
    if undecidable:
        return FalseNeighbour(given or unmeasured(right, relation), resolution(relation, []))
    others = [] if given else others_like(design, statement)
    means, *rough = pilot(design, statement, *(estimand for _, estimand in others))
    fineness = resolution(relation, means)
    if (best := farthest(rough)) is not None:
        words, other = others[best]
        return FalseNeighbour(Sentinel(words, lhs=other.expression), fineness, other)
    if given is None and means and one_sided(design, statement):
        opposite = replace(design.estimand, expression=-design.estimand.expression)
        return FalseNeighbour(reversed_claim(statement, means), fineness, opposite)
    if given is None and means:
        ends = map(design.support, design.items(statement))
        span = max(high - low for low, high in ends)
        given = derive(right, relation, means, sampled=True, span=span)
    return FalseNeighbour(given or unmeasured(right, relation), fineness)


def wanting(
    design: Design,
    statement: Statement,
    look: Callable[[Mapping[str, Interval | float]], Statistic | None],
) -> Unbounded | None:
    """What keeps samples from deciding a claim: a statistic that they do not bound.

    Args:
        design: what the claim is sampled on.
        statement: its draft, with its assumptions.
        look: finds such a statistic, given the range of every symbol and reading at a start and
            size; `Estimand.unbounded` or `Estimand.half_known`.

    Returns:
        A check that leaves the claim open and says why; None where ``look`` finds nothing.

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("mean(log_norm) <= 1", chain="vanilla(relu)", n=2, d=16, ell=1)
        >>> wanting(claim.design, claim.draft, claim.design.estimand.unbounded).side
        'lower and no upper'
    """
    for item in design.items(statement):
        reach = design.reach(design.numbers(item))
        found = look(reach)
        if found is not None:
            low, high = map(math.isinf, found.reach(reach))
            side = "lower" if low else "upper"
            side = "lower and no upper" if low and high else side
            return Unbounded(str(found), str(found.of), side, found.sides_known(reach))
    return None

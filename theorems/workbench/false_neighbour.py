"""Which false neighbour stands beside a claim, and what keeps samples from deciding it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from theorems.checking.expectation import Expectation, Floats
from theorems.checking.unbounded import Unbounded
from theorems.float_intervals import Interval
from theorems.statement import Quantifier, Sentinel, Statement
from theorems.workbench.declaration import SLOPE
from theorems.workbench.design import Design, exponent_check
from theorems.workbench.estimands import Estimand, Statistic
from theorems.workbench.measured_side import StatedClaim
from theorems.workbench.quantities import Quantity
from theorems.workbench.ranged_neighbours import (
    Ends,
    Sides,
    SymbolicEnds,
    toward_end,
    turned_about,
)
from theorems.workbench.sentinels import (
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

__all__ = ["FalseNeighbour", "false_neighbour", "judging_batches", "wanting"]


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
    ends: Sequence[Ends],
    measured: Quantity | None = None,
    *,
    undecidable: bool = False,
) -> FalseNeighbour:
    """The neighbour that the author gave, else one placed by what is measured.

    Args:
        claim: as it is read.
        statement: its draft.
        design: what it is sampled on; None of a claim about every input.
        seen: both sides of such a claim in floats, wherever it was looked at.
        ends: the range of what such a claim compares, there; empty where it has none.
        measured: the quantity that is compared with a bound, where it is no more than one.
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
        return FalseNeighbour(given or _of_every_input(statement, seen, ends, measured))
    if claim.subject.quantifier is Quantifier.LIMIT and undecidable:
        inner = about_exponent(claim.relation, SLOPE)
        larger = Sentinel("an exponent larger by 1", lhs=sp.Abs(inner - 1))
        return FalseNeighbour(given or larger)
    if claim.subject.quantifier is Quantifier.LIMIT:
        check = exponent_check(design, SLOPE, statement)
        return FalseNeighbour(given or other_exponent(claim.relation, SLOPE, check))
    if undecidable:
        return FalseNeighbour(given or unmeasured(right, relation), resolution(relation, []))
    found = _placed(design, statement, given)
    return found or FalseNeighbour(given or unmeasured(right, relation), resolution(relation, []))


def _of_every_input(
    statement: Statement, seen: Sides, ends: Sequence[Ends], measured: Quantity | None
) -> Sentinel:
    """The neighbour of a claim about every input, in the range of what it compares."""
    right, relation, symbolic = statement.rhs, statement.relation, _in_symbols(statement, measured)
    found = derive(right, relation, seen, sampled=False, ends=ends, symbolic=symbolic)
    if found is not None:
        return found
    beyond = toward_end(right, relation, seen, ends, sampled=False, symbolic=symbolic)
    return (beyond or turned_about(statement, seen, ends))[0]


def _in_symbols(statement: Statement, measured: Quantity | None) -> SymbolicEnds:
    """The range of what is compared in symbols, as far as it has ends; of one quantity alone."""
    if measured is None:
        return None, None
    floor, ceiling = measured.range_in({v.name for v in statement.variables})
    return None if floor == -sp.oo else floor, ceiling


def _placed(
    design: Design,
    statement: Statement,
    given: Sentinel | None = None,
    batch: Floats | None = None,
) -> FalseNeighbour | None:
    """The neighbour that a few networks place, or the given one with the resolution that they tell;
    None where they say nothing, as of a batch that lies outside.
    """
    relation = statement.relation
    others = [] if given else others_like(design, statement, batch)
    opposite = replace(design.estimand, expression=-design.estimand.expression)
    lasting = [opposite] if design.estimand.lasting else []
    estimands = (*lasting, *(estimand for _, estimand in others))
    counted = design.event is not None  # what is rare or nearly sure takes many, which cost little
    found, ends = pilot(design, statement, *estimands, batch=batch, closely=counted)
    means, rough = found[0], found[1 + len(lasting) :]
    fineness = resolution(relation, means)
    if not means:
        return None
    if given is not None:
        return FalseNeighbour(given, fineness)
    if (best := farthest(rough)) is not None:
        words, other = others[best]
        return FalseNeighbour(Sentinel(words, lhs=other.expression), fineness, other)
    if one_sided(design, statement):
        return FalseNeighbour(reversed_claim(statement, means), fineness, opposite)
    span = max(high - low for low, high in ends)
    right = statement.rhs
    symbolic = _in_symbols(statement, design.quantities[0] if design.quantity else None)
    moved = derive(right, relation, means, sampled=True, span=span, ends=ends, symbolic=symbolic)
    if moved is not None:
        return FalseNeighbour(moved, fineness)
    if not (counted or design.sees_more):
        (means,), ends = pilot(design, statement, batch=batch, closely=True)
    beyond = toward_end(right, relation, means, ends, sampled=True, symbolic=symbolic)
    if beyond is not None:
        return FalseNeighbour(beyond[0], min(fineness, beyond[1]))
    if lasting:  # of what starts leave open, the other end is what counts then
        means = [(-left, right) for left, right in found[1]]
    turned, finer = turned_about(statement, means, ends)
    turned = replace(turned, lhs=opposite.expression)
    return FalseNeighbour(turned, min(fineness, finer), opposite)


def judging_batches(check: Expectation, design: Design) -> Expectation:
    """The check, which on a user's batch judges a neighbour that is placed by that batch.

    Args:
        check: of a claim whose author gave no neighbour.
        design: what the claim is sampled on.

    Returns:
        A check that is the same without a batch. What starts of the lay-out place may hold on a
        batch, where the same check then upholds it.

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("orthogonality_gap <= 1/2", chain="rescale", n=2, d=64, ell=4)
        >>> check = claim.statement(falsify=False).checks[0]
        >>> judging_batches(check, claim.design).placed is None
        False
    """

    def there(statement: Statement, batch: Floats) -> tuple[Statement, Expectation]:
        found, plain = _placed(design, statement, batch=batch), replace(check, placed=None)
        if found is None:
            return statement, plain
        plain = replace(plain, resolution=found.resolution)
        if (other := found.compared) is None:
            return replace(statement, sentinel=found.sentinel), plain
        beside = design.beside(other)
        named = {each.symbol: each.meaning for each in other.statistics}
        moved = replace(
            statement,
            sentinel=found.sentinel,
            definitions={**named, **statement.definitions},
        )
        return moved, replace(plain, known=beside.known, estimator=beside.estimator)

    return replace(check, placed=there)


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

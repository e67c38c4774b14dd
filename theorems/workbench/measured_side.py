"""A claim with what is measured on its left: which quantity, or which number of the law of random
weights, it compares with a bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain as chained
from typing import TypeAlias

import sympy as sp

from theorems.statement import Assumption, Quantifier
from theorems.workbench.declaration import (
    PROBABILITY,
    SLOPE,
    Declaration,
    WrittenClaim,
    facing,
    relation_of,
    turned,
)
from theorems.workbench.estimands import STATISTICS, Estimand, Moment, Statistic
from theorems.workbench.parsing import Relation, read_expression, refuse
from theorems.workbench.quantities import Quantity, quantity
from theorems.workbench.sentinels import about_exponent
from theorems.workbench.subject import Subject

__all__ = ["StatedClaim", "stated", "with_sentinel"]

_NOTHING_RANDOM = (
    "a claim about random weights compares a quantity at layer ell with a bound; it names none"
)
#: The claim as it stands, the quantity on its left, and what it is of the law of random weights.
_Aimed: TypeAlias = tuple[Relation, Quantity | None, Estimand | None]
_Refusals: TypeAlias = Iterator[tuple[object, str]]


@dataclass(frozen=True)
class StatedClaim:
    """A claim once it is read.

    - ``subject``, ``declaration``: what it is about, and the symbols it may name
    - ``relation``: with what is measured on its left
    - ``quantity``: that which stands there, or whose mean does, where it is no more than one
    - ``estimand``: what the left side is of the law of random weights; None without such, and of an
      exponent
    - ``event``: of what the claim gives the probability, where that was given by itself
    - ``assumptions``; ``moments``: what is assumed of laws, by the words of the assumption
    - ``sentinel``: the right side of the false neighbour, where the author gave it

    Example:
        >>> from theorems.workbench.declaration import declare
        >>> from theorems.workbench.subject import read_subject
        >>> about = read_subject("rescale")
        >>> declared = declare(dict(n=4, d=64, ell=2), None, about.chain, {})
        >>> claim = stated("1/2 >= orthogonality_gap", about, declared)
        >>> str(claim.relation), str(claim.estimand)
        ('orthogonality_gap <= 1/2', 'mean(orthogonality_gap)')
    """

    subject: Subject
    declaration: Declaration
    relation: Relation
    quantity: Quantity | None = None
    estimand: Estimand | None = None
    event: Relation | None = None
    assumptions: tuple[Assumption, ...] = ()
    moments: Mapping[str, Moment] = field(default_factory=dict)
    sentinel: sp.Expr | None = None

    @property
    def read(self) -> list[sp.Expr]:
        """What the claim reads of every network, and what it says where that has a value."""
        statistics = () if self.estimand is None else self.estimand.statistics
        read: list[sp.Expr] = []
        for statistic in statistics:
            read += [*statistic.sides, *statistic.parameters]
        for statistic in statistics:
            read += [condition.relation for condition in statistic.conditions]
        return read

    @property
    def of_paths_alive(self) -> bool:
        """Whether it is about the paths on which no sample dies."""
        return any(a.along == "path" for a in self.assumptions)


def stated(
    claim: WrittenClaim,
    subject: Subject,
    declaration: Declaration,
    *,
    event: WrittenClaim | None = None,
    observable: str | None = None,
    quantifier: Quantifier | None = None,
) -> StatedClaim:
    """Read a claim, without its assumptions.

    Args:
        claim: text, a SymPy relation, or a function of named symbols that returns either.
        subject: what it is about.
        declaration: the symbols it may name.
        event: of what it gives the probability; for a claim about ``probability``.
        observable: a quantity that it must name; that whose exponent a claim with the quantifier
            "limit" is about.
        quantifier: that which the author asked for, if any, which must be what the claim has.

    Returns:
        The claim with what is measured on its left.

    Raises:
        ClaimError: for what is no comparison, compares nothing that varies, names what is not
            declared, or names no quantity or statistic where its subject wants one.

    Example:
        >>> from theorems.workbench.declaration import declare
        >>> from theorems.workbench.subject import read_subject
        >>> about = read_subject()
        >>> declared = declare({"x": "[0, 1]"}, about.over, None, {})
        >>> str(stated("x**2 <= x", about, declared).relation)
        'x**2 <= x'
        >>> stated("x <= x + 1", about, declared)
        Traceback (most recent call last):
        theorems.statement.ClaimError: x <= x + 1: the sides differ by a constant
    """
    found = relation_of(claim, declaration)
    _require_comparison(found)
    happens = None if event is None else relation_of(event, declaration, "the event")
    refuse((happens and happens.statistics, "event= compares quantities themselves"))
    plain = StatedClaim(subject, declaration, found, event=happens)
    relation, asked, estimand = _aimed(plain, observable)
    refined = replace(subject, quantifier=_refined(subject, estimand, quantifier))
    aimed = replace(plain, subject=refined, relation=relation, quantity=asked, estimand=estimand)
    _require_named(aimed)
    return aimed


def with_sentinel(claim: StatedClaim, sentinel: str | None) -> StatedClaim:
    """The claim with the right side that its author gave its false neighbour.

    Args:
        claim: as it is read.
        sentinel: that side as text; None for a neighbour that is measured.

    Returns:
        The claim with it.

    Raises:
        ClaimError: for what is no text, or none of an expression of declared symbols.

    Example:
        >>> from theorems.workbench.declaration import declare
        >>> from theorems.workbench.subject import read_subject
        >>> about = read_subject()
        >>> claim = stated("x**2 <= 1", about, declare({"x": "[0, 1]"}, about.over, None, {}))
        >>> with_sentinel(claim, "1/2").sentinel
        1/2
    """
    if sentinel is None:
        return claim
    refuse(
        (
            not isinstance(sentinel, str),
            f"sentinel={sentinel!r}: want the right side of the false neighbour as text",
        )
    )
    names = claim.declaration.with_parameters(sentinel)
    return replace(claim, sentinel=read_expression(sentinel, names))


def _require_comparison(found: Relation) -> None:
    """Raise `ClaimError` for what compares nothing that varies."""
    refuse(
        (
            found.relation == "!=",
            "a claim with != holds almost everywhere; say by how much the sides differ",
        ),
        (
            not found.lhs.free_symbols | found.rhs.free_symbols,
            f"{found} names no symbol, so there is nothing to vary",
        ),
        ((found.lhs - found.rhs).is_number, f"{found}: the sides differ by a constant"),
    )


def _aimed(claim: StatedClaim, observable: str | None) -> _Aimed:
    """The claim with what is measured on its left, the quantity that this is, or whose mean it is,
    and what it is of the law of random weights.
    """
    found, used = claim.relation, claim.declaration.used
    measured, _ = used(found.lhs, found.rhs)
    asked = None if observable is None else quantity(observable)
    within = chained.from_iterable(statistic.sides for statistic in found.statistics)
    every = {q.name for q in used(found.lhs, found.rhs, *within)[0]}
    named = found.lhs.free_symbols | found.rhs.free_symbols
    limit = claim.subject.quantifier is Quantifier.LIMIT
    refuse(
        (
            PROBABILITY in named and claim.event is None,
            f"{PROBABILITY} of what? give chain= and event='effective_rank >= 2', or write "
            "probability(effective_rank >= 2)",
        ),
        (
            SLOPE in named and not limit,
            f"{SLOPE} of what? give chain= and quantifier='limit'",
        ),
        (
            asked is not None and not limit and asked.name not in every,
            f"observable={observable!r} does not occur in the claim",
        ),
        (
            limit and SLOPE not in named,
            "a claim with quantifier 'limit' is about the slope of log mean against log width: "
            "write 'abs(slope + 1/2) <= 1/20' and observable='orthogonality_gap'",
        ),
        (limit and asked is None, "the slope of what? give observable='orthogonality_gap'"),
        *_misplaced(claim, measured),
    )
    if claim.event is not None:
        return facing(found, PROBABILITY), None, Estimand.of(_probability(claim.event))
    if limit:
        about_exponent(found, SLOPE)
        return found, asked, None
    if not claim.subject.sampled:
        alone = next((q for q in measured if q.symbol in (found.lhs, found.rhs)), None)
        return (found if alone is None else facing(found, alone.symbol)), alone, None
    return _of_law(found, measured)


def _of_law(found: Relation, measured: Sequence[Quantity]) -> _Aimed:
    """A claim about a number of the law of random weights: the mean of a quantity, of what stands
    on the left, or what its statistics are.
    """
    random = {q.symbol for q in measured}
    drawn = [c for c in found.conditions if c.relation.free_symbols & random]
    refuse((not measured and not found.statistics, _NOTHING_RANDOM))
    if len(measured) == 1 and not drawn and measured[0].symbol in (found.lhs, found.rhs):
        q = measured[0]
        other = found.rhs if found.lhs == q.symbol else found.lhs
        ranged = q.floor != -sp.oo and q.ceiling != sp.oo
        if ranged and q.symbol not in other.free_symbols:
            return facing(found, q.symbol), q, Estimand.of(Statistic("mean", q.symbol))
    if measured:
        return _of_mean(_gathered(found, random), random)
    taken = {statistic.symbol for statistic in found.statistics}
    gathered = _gathered(found, taken)
    kept = tuple(c for c in found.conditions if not c.relation.free_symbols & taken)
    estimand = Estimand(gathered.lhs, found.statistics)
    return replace(gathered, conditions=kept, statistics=()), None, estimand


def _of_mean(claim: Relation, random: set[sp.Symbol]) -> _Aimed:
    """A claim about the mean of what stands on the left."""
    drawn = tuple(c for c in claim.conditions if c.relation.free_symbols & random)
    mean = Statistic("mean", claim.lhs, drawn)
    kept = tuple(c for c in claim.conditions if c not in drawn)
    return replace(claim, lhs=mean.symbol, conditions=kept), None, Estimand.of(mean)


def _gathered(claim: Relation, random: set[sp.Symbol]) -> Relation:
    """The claim with all that is random on its left, without a sign before it."""
    left, right = claim.lhs.free_symbols & random, claim.rhs.free_symbols & random
    if left and right:
        claim = replace(claim, lhs=claim.lhs - claim.rhs, rhs=sp.S.Zero)
    elif right:
        claim = turned(claim)
    return claim


def _probability(event: Relation) -> Statistic:
    """That of an event given by itself."""
    compared = sp.Rel(event.lhs, event.rhs, event.relation, evaluate=False)
    return Statistic("probability", compared, event.conditions)


def _misplaced(claim: StatedClaim, measured: Sequence[Quantity]) -> _Refusals:
    """What may be wrong with the statistics of a claim."""
    statistics, subject, used = claim.relation.statistics, claim.subject, claim.declaration.used
    if not statistics:
        return
    first = statistics[0]
    yield (
        subject.chain is None,
        f"{first} is over random weights: give chain='rescale'; a claim about every input "
        "compares quantities themselves",
    )
    yield (
        not subject.sampled or subject.quantifier is Quantifier.LIMIT,
        f"{first} is over random weights, and quantifier='{subject.quantifier.value}' has none; "
        "leave it out",
    )
    yield claim.event is not None, f"{first}: event= is of a claim that names no statistic"
    yield (
        bool(measured),
        f"{measured and measured[0].name} is random beside {first}: write "
        f"mean({measured and measured[0].name})",
    )
    yield from _misread(claim)
    for statistic in statistics:
        yield (
            statistic.kind == "kurtosis",
            f"{statistic} is assumed, and not estimated: claim a quantile, or give it by "
            f"assume='{statistic} <= 10'",
        )
        late = used(*statistic.parameters)[0]
        yield (
            bool(late),
            f"{statistic}: the law to compare with is given, and {late and late[0].name} is random",
        )
        yield (
            not used(*statistic.sides)[0],
            f"{statistic} is of nothing random; name a quantity of layer ell, as in "
            f"{STATISTICS[statistic.kind]}",
        )


def _misread(claim: StatedClaim) -> _Refusals:
    """What may be wrong with statistics of networks that are read side by side."""
    found, chain = claim.relation, claim.subject.chain
    spanning = [s for s in found.statistics if s.spans]
    if not spanning:
        return
    first, over = spanning[0], spanning[0].over
    free = {str(s) for s in found.lhs.free_symbols | found.rhs.free_symbols}
    others = [s for s in found.statistics if s.over != over or not s.spans]
    yield (
        bool(others) and (over is not None or any(s.over for s in others)),
        f"{first} and {others and others[0]} are not of the same networks; claim each by itself",
    )
    yield (
        over is not None and over in free,
        f"{first} ranges over {over}, and the claim names {over} beside it",
    )
    numbers = () if chain is None else chain.numbers
    yield (
        over is not None and over not in ("d", *numbers),
        f"{first}: an exponent is in the width d, the layer ell or a parameter of the chain, "
        f"and {over} is none",
    )
    for statistic in spanning:
        named = set().union(*(side.free_symbols for side in statistic.sides))
        late, early = claim.declaration.used(*statistic.sides)
        yield (
            statistic.lasting and "ell" in set(map(str, named)),
            f"{statistic} names the layer, of which there is none after any number of layers",
        )
        yield (
            statistic.lasting and bool(early),
            f"{statistic} names {early and early[0].name}_0, and no start is left after any "
            "number of layers",
        )
        yield (
            statistic.lasting and any(q.backward for q in late),
            f"{statistic} is of a gradient, which depends on all layers and not on one",
        )
    yield claim.subject.other is not None, f"{first} is of one chain; leave out other="


def _refined(subject: Subject, estimand: Estimand | None, asked: Quantifier | None) -> Quantifier:
    """The quantifier by what the claim says of the law of random weights."""
    if estimand is None:
        return subject.quantifier
    kinds = {statistic.kind for statistic in estimand.statistics}
    found = Quantifier.LAW
    if kinds == {"mean"}:
        found = Quantifier.EXPECTATION
    elif kinds == {"probability"}:
        found = Quantifier.PROBABILITY
    if subject.other is not None:
        found = Quantifier.COMPARISON
    refuse(
        (
            asked is not None and asked is not found,
            f"quantifier='{asked and asked.value}': a claim about {estimand} has "
            f"'{found.value}'; leave it out",
        )
    )
    return found


def _require_named(claim: StatedClaim) -> None:
    """Refuse gradients and tangents of which it is not said what they are where they begin, and a
    second chain, gradients or tangents that the claim does not name.
    """
    backward, relation = claim.subject.backward, claim.relation
    if not claim.subject.sampled:
        return
    asked = () if claim.quantity is None else (claim.quantity,)
    named = (*asked, *claim.declaration.used(relation.lhs, relation.rhs, *claim.read)[0])
    gradients = [q for q in named if q.backward]
    along = [q for q in named if q.tangent]
    given = backward is not None
    refuse(
        (
            gradients and not given,
            f"{gradients and gradients[0].name} reads the backward pass: say what the gradient "
            "is at layer ell, as backward='gaussian'",
        ),
        (
            given and not gradients,
            "backward= has no effect, as the claim names no gradient; name one, as "
            "gradient_norm_0, or leave it out",
        ),
        (
            gradients and not callable(backward) and not any(q.at_batch for q in gradients),
            f"{gradients and gradients[0].name} is of the gradient at layer ell, which is what "
            f"backward= says; write {gradients and gradients[0].name}_0 for that at the batch",
        ),
    )
    tangents = claim.subject.tangents is not None
    refuse(
        (
            along and not tangents,
            f"{along and along[0].name} reads tangents: say what the tangent is at the batch, as "
            "tangents='gaussian'",
        ),
        (
            tangents and not along,
            "tangents= has no effect, as the claim names no tangent; name one, as tangent_norm, or "
            "leave it out",
        ),
        (
            along and not any(not q.at_batch for q in along),
            f"{along and along[0].name} is of the tangent at the batch, which is what tangents= "
            f"says; write {along and along[0].name.removesuffix('_0')} for that at layer ell",
        ),
    )
    if claim.subject.other is not None and named:
        missing = "other" if not any(q.of_other for q in named) else "chain"
        refuse(
            (
                len({q.of_other for q in named}) == 1,
                f"{missing}= has no effect, as the claim names no quantity of it; compare "
                "both, as in orthogonality_gap <= other.orthogonality_gap",
            )
        )

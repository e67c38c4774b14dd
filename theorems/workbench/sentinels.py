"""The false neighbour of a claim whose author gave none: its bound, moved just past what was
measured.

An inequality is measured first: over corners and random inputs, or with a few simulated replicas.
The bound is then scaled by a simple fraction (or shifted, where signs are mixed) so that the
tightest input seen violates it, the noise of a few replicas allowed for. The check must refute that
with its own budget, so the distance says what a violation must be at least to be noticed. An
equality is moved by a millionth, or by more than its resolution where it is sampled. Where a claim
says that a number is near another one, or a law near a given one, its neighbour says the same of
another number, or law.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain

import numpy as np
import numpy.typing as npt
import sympy as sp

from simulators.workers import one_blas_thread
from theorems.algebraic import fraction, number
from theorems.checking.expectation import Floats, Instance
from theorems.checking.lost_samples import UndefinedMean, without_value
from theorems.checking.scaling import Scaling
from theorems.simple_fractions import simplest_between
from theorems.statement import NUDGE, Sentinel, Statement
from theorems.workbench.design import NORMALS, Design
from theorems.workbench.estimands import Estimand
from theorems.workbench.parsing import ClaimError, Relation, refuse
from theorems.workbench.ranged_neighbours import (
    Ends,
    Move,
    Sides,
    SymbolicEnds,
    half_way_inside,
    half_ways,
    past_share,
)

__all__ = [
    "Sides",
    "about_exponent",
    "derive",
    "farthest",
    "one_sided",
    "other_exponent",
    "others_like",
    "pilot",
    "resolution",
    "reversed_claim",
    "undefined_mean",
    "unmeasured",
]

#: Replicas with which a sentinel is placed, and their seed; the check itself draws its own.
_REPLICAS, _SEED = 24, 0x5E47
#: Random numbers that placing one may take: some ten seconds.
AFFORDABLE = 10**9
#: So many times as many where most are discarded.
_CONDITIONED = 32
#: Replicas among which one without a value is looked for, and random numbers that this may take.
_LOOKED_AT, _LOOKS = 1024, 2 * 10**7

#: Replicas from which their noise is measured, and as many where there is little room.
_MEASURED, _CLOSELY = 64, 400

#: How seldom the noise of an event that was counted is greater than what is allowed for it.
_SELDOM = 1e-3
#: Of the way to the end of the range, the most that is taken for noise.
_MOST_NOISE = 0.75


def derive(
    rhs: sp.Expr,
    relation: str,
    seen: Sides,
    *,
    sampled: bool,
    span: float = 10.0,
    ends: Sequence[Ends] = (),
    symbolic: SymbolicEnds = (None, None),
) -> Sentinel | None:
    """The neighbour of ``lhs relation rhs``.

    - ``rhs``, ``relation``: of the claim
    - ``seen``: both sides at points that were looked at
    - ``sampled``: whether they are rough means
    - ``span``: the length of the range of what is compared, which gives an equality with 0 its size
    - ``ends``: that range at each point; empty where it has none
    - ``symbolic``: that range in symbols, as far as it is known so

    None of an inequality whose bound would leave the range, and so fall whatever is measured; see
    `ranged_neighbours.toward_end`. Raises `ClaimError` if nothing was measured, or no neighbour of
    an equality was found in the range, so that the author must give one.

    Example:
        >>> derive(sp.Integer(1), "<=", [(0.5, 1.0)], sampled=False).words
        'the bound times 5/11, past the largest share seen, 0.5'
        >>> derive(sp.Rational(9, 10), ">=", [(0.95, 0.9)], sampled=True, ends=[(0, 1)]) is None
        True
    """
    if relation == "==":
        moves = _moved(rhs, seen, sp.Rational(3, 10) if sampled else NUDGE, span, ends)
    else:
        moves = [_past(seen, relation in (">=", ">"), sampled)]
    found = [move for move in moves if not ends or move.inside(seen, ends)]
    if found or relation != "==":
        return found[0].sentinel(rhs) if found else None
    inside = half_way_inside(rhs, seen, ends, symbolic)
    if inside is None:
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        raise ClaimError(
            f"no false neighbour was found that stays in the range of what equals {rhs}, "
            f"[{low:.4g}, {high:.4g}]; give sentinel='…'"
        )
    return inside


def _past(seen: Sides, lower: bool, sampled: bool) -> Move:
    """The bound moved past the tightest that was seen."""
    refuse(
        (not seen, "nothing could be measured to place a false neighbour past; give sentinel='…'")
    )
    if all(left > 0 and right > 0 for left, right in seen):
        ratio = max((right / left if lower else left / right) for left, right in seen)
        k = past_share(ratio, lower, sampled)
        share = f"smallest share seen, {1 / ratio:.3g}"
        if not lower:
            share = f"largest share seen, {ratio:.3g}"
        return Move(f"the bound times {k}, past the {share}", scale=k)
    gap = min((left - right if lower else right - left) for left, right in seen)
    lefts = [left for left, _ in seen]
    spread = max(max(lefts) - min(lefts), abs(gap), 1e-6)
    low = Fraction(max(gap, 0.0))
    high = Fraction(max(gap, 0.0) + (0.3 if sampled else 0.01) * spread)
    shift = number(simplest_between(low + (high - low) / 2, high))
    return Move(
        f"the bound moved by {shift}, past the smallest distance seen, {gap:.3g}",
        shift=shift if lower else -shift,
    )


def unmeasured(rhs: sp.Expr, relation: str) -> Sentinel:
    """A neighbour for a claim of which no sample has a value, or says anything, whatever it may be
    worth.

    - ``rhs``, ``relation``: of the claim

    Example:
        >>> unmeasured(sp.Integer(1), "<=").rhs
        0
    """
    return Sentinel(
        "the bound moved by 1: there is nothing to place it by",
        rhs=rhs + 1 if relation in (">=", ">", "==") else rhs - 1,
    )


def _moved(
    rhs: sp.Expr, seen: Sides, share: sp.Rational, span: float, ends: Sequence[Ends]
) -> list[Move]:
    """The equality with other right sides, the best first: one that is larger, unless what was seen
    is nearer to it everywhere than to the claim, which is false then; the other way, away from all
    of it. After it those for a range without room there; where all that was seen is nearer to the
    first than to the claim, or as far away, the farthest from it first.
    """
    if all(right != 0 for _, right in seen) and rhs != 0:
        larger = Move(f"the right side {share} larger, relatively", scale=1 + share)
        smaller = [
            Move(f"the right side {part} smaller, relatively", scale=1 - part)
            for part in (share, 2 * share)
        ]
        beyond = [left / right > 1 + float(share) / 2 for left, right in seen]
        first, *others = [*smaller, larger] if seen and all(beyond) else [larger, *smaller]
    else:
        if math.isfinite(span) and share != NUDGE:
            near = Fraction(span) * fraction(share) / 10
            share = number(simplest_between(near, near * Fraction(4, 3)))
            if sum(left for left, _ in seen) > 0:
                share = -share  # away from what was seen
        first, *others = (
            Move(f"the right side larger by {part}", shift=part)
            for part in (share, -share, -3 * share)
        )
    apart = (2 * abs(left - right) > abs(first.at(right) - right) for left, right in seen)
    if seen and ends and all(apart):
        ways = (way for way in half_ways(ends) if any(way.at(right) != right for _, right in seen))
        others = sorted([*others, *ways], key=lambda move: -move.apart(seen))
    return [first, *others]


@one_blas_thread()
def pilot(
    design: Design,
    statement: Statement,
    *others: Estimand,
    batch: Floats | None = None,
    closely: bool = False,
) -> tuple[list[Sides], list[Ends]]:
    """Rough means and bounds over the lay-out of a sampled claim, then those of other numbers; and
    the range of what the claim compares, at each place.

    - ``others``: of the same readings; ``batch``: a user's, (d, n), in the place of the starts
    - ``closely``: with some hundreds of replicas at least, and their noise

    Of samples that have a value and are kept. Of what sees more of a law than a mean or a
    probability, and of what is looked at ``closely``, what is rough is moved towards where the
    claim holds with more room, by four times its standard error, or the exact limit of a frequency;
    by three quarters of the way to the end of its range at most; so is what starts leave open, as a
    limit that depends on them. Raises `ClaimError` for an
    instance that is too large to be simulated. Cost: some replicas of every instance, the cheapest
    first, until ``AFFORDABLE`` random numbers are drawn.
    """
    toward = {"<=": -1, "<": -1, ">=": 1, ">": 1}.get(statement.relation, 0)
    if one_sided(design, statement):
        toward = -toward
    estimands = (design.estimand, *others)
    found: list[list[tuple[float, float]]] = [[] for _ in estimands]
    ends: list[Ends] = []
    instances = sorted(
        enumerate(design.instances(statement, batch)), key=lambda pair: pair[1].normals
    )
    for _, instance in instances:
        _require_affordable(instance)
    left, wanted = AFFORDABLE, max(design.pilots, _CLOSELY if closely else 0)
    for place, (stream, instance) in enumerate(instances):
        affordable = left // max(instance.normals, 1)
        replicas = min(wanted, max(affordable // (len(instances) - place), 2), affordable)
        if replicas < 2 and found[0]:
            break
        left -= replicas * instance.normals
        samples, counts = _looked_at(design, statement, instance, max(replicas, 2), stream)
        more = min(_CONDITIONED * wanted, left // max(instance.normals, 1))
        if design.alive and more > replicas and 2 * counts.sum() < counts.size:
            left -= more * instance.normals
            samples, counts = _looked_at(design, statement, instance, more, stream)
        noisy = closely or design.sees_more
        for place, values in enumerate(instance.readouts):
            if (counted := counts[:, place]).any():
                right = design.bound(statement, values)
                for estimand, sides in zip(estimands, found, strict=True):
                    read = samples[counted, place]
                    rough = design.estimate(read, values, estimand, instance, toward)
                    if noisy and toward:
                        rough = _past_noise(design, estimand, read, values, instance, toward)
                    sides.append((rough, right))
                ends.append(design.ends(values))
    return list(found), ends


def _looked_at(
    design: Design, statement: Statement, instance: Instance, replicas: int, stream: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Readings of some networks of an instance, (networks, readouts, …), and which count there."""
    runs = [
        one.networks.simulated(design.observables, replicas, (_SEED, stream, *number))
        for one, number in zip(instance.bundle, _numbers(instance), strict=True)
    ]
    samples = design.joined(statement, runs, instance)
    counts = ~without_value(samples, 2)
    for run, one in zip(runs, instance.bundle, strict=True):
        counts = counts & design.kept(statement, run, one) & ~run.spoiled[:, -1:]
    return samples, counts


def _numbers(instance: Instance) -> list[tuple[int, ...]]:
    """What tells the streams of networks side by side apart; nothing of the first."""
    return [(), *((number,) for number in range(1, 1 + len(instance.beside)))]


def _past_noise(
    design: Design,
    estimand: Estimand,
    samples: npt.NDArray[np.float64],
    values: Mapping[str, float],
    instance: Instance,
    toward: int,
) -> float:
    """What a few replicas say of a number, moved up or down, as ``toward`` is 1 or -1, by as much
    as it may be off: to the exact limit of a frequency, by four times the standard error of
    anything else, and not all of the way to the end of its range.
    """
    rough = design.estimate(samples, values, estimand, instance, toward)
    end = design.ends(values, estimand)[toward > 0]
    if design.event is not None:
        return _limit_of_frequency(round(rough * len(samples)), len(samples), toward)
    if len(samples) < _MEASURED:
        return rough
    error = 4 * design.standard_error(samples, values, estimand, instance)
    if not math.isfinite(error):
        return rough
    return rough + toward * min(error, _MOST_NOISE * max(toward * (end - rough), 0.0))


def _limit_of_frequency(met: int, count: int, toward: int) -> float:
    """The upper or lower limit of Clopper and Pearson (1934) for a probability, as ``toward`` is 1
    or -1.

    It places a neighbour, and no verdict rests on it: it takes no part of the error level.
    """
    from scipy.special import betaincinv

    if toward > 0:
        failed = count - met
        return float(betaincinv(met + 1, failed, 1 - _SELDOM)) if failed else 1.0
    return float(betaincinv(met, count - met + 1, _SELDOM)) if met else 0.0


def one_sided(design: Design, statement: Statement) -> bool:
    """Whether samples bound what is claimed on the side of the claim, and not on the other: then
    they may support it, and refute no claim that says more.
    """
    if statement.relation == "==":
        return False
    lower = statement.relation in (">=", ">")
    for item in design.items(statement):
        below, above = design.estimand.sides_known(design.reach(design.numbers(item)))
        if (below, above) == (lower, not lower):
            return True
    return False


def reversed_claim(statement: Statement, seen: Sides) -> Sentinel:
    """A neighbour that says the opposite, of a bound between that of the claim and what was seen.

    - ``seen``: both sides at points that were looked at, one at least

    Example:
        >>> from theorems.templates.expectation import STATEMENT
        >>> reversed_claim(STATEMENT, [(0.1, 1.0)]).words
        'the other way about, with the bound moved by 1/2'
    """
    lower = statement.relation in (">=", ">")
    room = max((left - right if lower else right - left) for left, right in seen)
    low, high = (Fraction(room - part * max(abs(room), 1e-6)) for part in (0.5, 0.2))
    shift = number(simplest_between(low, high))
    moved = statement.rhs + shift if lower else statement.rhs - shift
    words = f"the other way about, with the bound moved by {shift}"
    return Sentinel(words, lhs=-statement.lhs, rhs=-moved)


def others_like(
    design: Design, statement: Statement, batch: Floats | None = None
) -> list[tuple[str, Estimand]]:
    """What the neighbour of a claim that something is near may be about in its place, in words:
    another number, at three times the distance that is claimed and in its range, or another law.

    - ``batch``: a user's, (d, n), in the place of the starts

    Empty for a claim of another form.
    """
    estimand, upper = design.estimand, statement.relation in ("<=", "<")
    instances = design.instances(statement, batch)
    values = list(map(dict, chain.from_iterable(each.readouts for each in instances)))
    most = max((design.bound(statement, each) for each in values), default=0.0)
    if not upper or not values or not 0 < most < math.inf:
        return []
    if estimand.alone is not None and estimand.alone.law is not None:
        given, found = estimand.alone.law, []
        apart = min(2 * most + 0.1, 0.95)
        for law in (given.apart(values, apart), given.apart(values, apart, down=True)):
            moved = Estimand.of(replace(estimand.alone, law=law))
            found.append((f"another law, {law}", moved))
        return found
    if not isinstance(estimand.expression, sp.Abs):
        return []
    inner, shift = estimand.expression.args[0], 3 * statement.rhs
    near = [
        (f"of a number larger by {move}", replace(estimand, expression=sp.Abs(inner - move)))
        for move in (shift, -shift)
    ]
    return [
        (words, other)
        for words, other in near
        if all(design.ends(each, other)[0] <= design.bound(statement, each) for each in values)
    ]


def farthest(others: Sequence[Sides]) -> int | None:
    """Which of some claims of the form ``<=`` is false by most at every place; None if each may
    hold somewhere.

    Args:
        others: both sides of each claim, in floats, at each place.

    Example:
        >>> farthest([[(0.5, 1.0)], [(2.0, 1.0), (3.0, 1.0)]])
        1
    """

    def least(sides: Sides) -> float:
        return min((left - right for left, right in sides), default=-1.0)

    room = list(map(least, others))
    best = max(range(len(room)), key=room.__getitem__, default=None)
    return best if best is not None and room[best] > 0 else None


def _require_affordable(instance: Instance) -> None:
    refuse(
        (
            instance.normals > NORMALS,
            f"{instance.label}: {instance.depth} layers take {instance.normals:.2g} random numbers "
            f"for one sample, and at most {NORMALS:.2g} are drawn; declare smaller sizes",
        )
    )


def undefined_mean(design: Design, statement: Statement) -> UndefinedMean | None:
    """A sample without a value, where samples can die or what is read takes more than a number;
    None where none was met.

    What has no value where ``alive`` is 0 has none with positive probability under a chain that
    kills samples, however rarely. Else it is looked for where samples die soonest, in the narrowest
    networks: from one start of a batch size, from all where what is read has conditions, as a
    logarithm has. Raises `ClaimError` for an instance that is too large to be simulated. Cost: a
    thousand replicas of an instance, of 2·10^7 random numbers at most for a start of each batch
    size.
    """
    if (condition := design.fatal) is not None:
        return UndefinedMean(0, 0, condition.words, design.estimand.noun)
    conditioned = any(statistic.conditions for statistic in design.estimand.statistics)
    if not design.mortal and not conditioned:
        return None
    items = design.items(statement)
    least = min(item["d"] for item in items)
    narrow = [item for item in items if item["d"] == least]
    looked_at = narrow if conditioned else list({x["n"]: x for x in narrow}.values())
    sizes = len({item["n"] for item in narrow})
    for stream, item in enumerate(looked_at):
        instance = design.instance(item)
        _require_affordable(instance)
        most = _LOOKS * sizes // (max(instance.normals, 1) * len(looked_at))
        replicas = min(_LOOKED_AT, max(most, 2))
        seen = instance.networks.simulated(design.observables, replicas, (_SEED, 1, stream))
        read = design.known(statement, seen, instance)
        counted = design.kept(statement, seen, instance) & ~seen.spoiled[:, -1:] & ~read.spoiled
        samples = read.low[counted]
        if missing := int(without_value(samples).sum()):
            where = f"{instance.label}, ell={instance.depth}"
            return UndefinedMean(missing, len(samples), where, design.estimand.noun)
    return None


def resolution(relation: str, seen: Sides) -> float:
    """The half-width, relative to the bound, that tells the neighbour, and no finer one.

    A neighbour is a fifth from the truth.

    Args:
        relation: of the claim.
        seen: rough means and bounds.

    Example:
        >>> resolution("<=", [(0.1, 1.0)]), resolution("<=", [(0.9, 1.0)])
        (0.015, 0.1)
    """
    if relation == "==":
        return 0.1
    upper = relation in ("<=", "<")
    ratios = [left / right for left, right in seen if left > 0 and right > 0] or [1.0]
    return min(0.1 if upper else 0.5, 0.15 * (max(ratios) if upper else min(ratios)))


def about_exponent(claim: Relation, slope: sp.Symbol) -> sp.Expr:
    """What stands between the bars of a claim about an exponent.

    Raises `ClaimError` for another form.

    Args:
        claim: of the form ``abs(slope - a) <= b``, a and b numbers.
        slope: the symbol that stands for the exponent.

    Example:
        >>> slope = sp.Symbol("slope")
        >>> about_exponent(Relation(sp.Abs(slope + 1), "<=", sp.Rational(1, 20)), slope)
        slope + 1
    """
    inner = claim.lhs.args[0] if isinstance(claim.lhs, sp.Abs) else None
    plain = claim.relation == "<=" and claim.rhs.is_number
    if inner is None or not plain or not (slope - inner).is_number:
        raise ClaimError("a claim about an exponent reads 'abs(slope + 1/2) <= 1/20'")
    return inner


def other_exponent(claim: Relation, slope: sp.Symbol, check: Scaling) -> Sentinel:
    """The exponent moved away from a rough estimate, by three times the tolerance claimed.

    - ``slope``: the symbol that stands for the exponent
    - ``check``: whose instances are simulated

    Raises `ClaimError` for an instance that is too large. Cost: some replicas of every instance.
    """
    inner = about_exponent(claim, slope)
    instances = list(check.instances(None))
    for instance in instances:
        _require_affordable(instance)
    means = []
    for stream, instance in enumerate(instances):
        run = instance.networks.simulated(check.observables, _REPLICAS, (_SEED, stream))
        values = check.sample(run)
        if not values.size or np.isnan(values).any() or run.spoiled.any():
            return Sentinel(
                "an exponent larger by 1: a rough one has no value", lhs=sp.Abs(inner - 1)
            )
        means.append(max(float(np.mean(values)), 1e-300))
    widths = np.log([instance.width for instance in instances])
    rough = float(np.polyfit(widths, np.log(means), 1)[0])
    shift = 3 * claim.rhs * (1 if rough < float(slope - inner) else -1)
    return Sentinel(f"an exponent larger by {shift}", lhs=sp.Abs(inner - shift))

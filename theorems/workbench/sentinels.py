"""The false neighbour of a claim whose author gave none: its bound, moved just past what was measured.

An inequality is measured first: over corners and random inputs, or with a few simulated replicas. The bound is then
scaled by a simple fraction (or shifted, where signs are mixed) so that the tightest input seen violates it. The check
must refute that with its own budget, so the distance says what a violation must be at least to be noticed. An
equality is moved by a millionth, or by more than its resolution where it is sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy as sp

from simulators import simulate
from simulators.workers import one_blas_thread
from theorems.checking.expectation import Instance
from theorems.checking.lost_samples import UndefinedMean
from theorems.checking.scaling import Scaling
from theorems.simple_fractions import simplest_between
from theorems.statement import Sentinel, Statement
from theorems.workbench.design import NORMALS, Design
from theorems.workbench.parsing import ClaimError, Relation

__all__ = [
    "Measured",
    "about_exponent",
    "derive",
    "other_exponent",
    "pilot",
    "resolution",
    "undefined_mean",
    "unmeasured",
]

#: Replicas with which a sentinel is placed, and their seed; the check itself draws its own.
_REPLICAS, _SEED = 24, 0x5E47
#: Random numbers that placing one may take: some ten seconds.
_AFFORDABLE = 10**9
#: So many times as many where some are discarded.
_CONDITIONED = 32
#: Replicas among which one without a value is looked for, and random numbers that this may take.
_LOOKED_AT, _LOOKS = 1024, 2 * 10**7

NUDGE = sp.Rational(1, 10**6)


@dataclass(frozen=True)
class Measured:
    """Both sides at points that were looked at, as floats."""

    lhs: Sequence[float]
    rhs: Sequence[float]


def derive(
    rhs: sp.Expr, relation: str, seen: Measured, *, sampled: bool, resolution: float = 0.1
) -> Sentinel:
    """The neighbour. Raises :class:`ClaimError` if nothing was measured, so that the author must give one."""
    if relation == "==":
        return _moved(rhs, seen, sp.Rational(3, 10) if sampled else NUDGE)
    pairs = list(zip(seen.lhs, seen.rhs, strict=True))
    if not pairs:
        raise ClaimError(
            "nothing could be measured to place a false neighbour past; give sentinel='…'"
        )
    lower = relation in (">=", ">")
    near, far = (0.7, 0.8) if sampled else (0.9, 0.99)
    if all(left > 0 and right > 0 for left, right in pairs):
        ratio = max((right / left if lower else left / right) for left, right in pairs)
        if ratio >= 1 - 1e-9 and not sampled:
            k = 1 + NUDGE if lower else 1 - NUDGE
        else:
            reach = min(ratio, 1.0)
            low, high = Fraction(near * reach), Fraction(far * reach)
            k = simplest_between(1 / high, 1 / low) if lower else simplest_between(low, high)
        k = (
            sp.Rational(k)
            if isinstance(k, sp.Rational)
            else sp.Rational(k.numerator, k.denominator)
        )
        return Sentinel(
            f"the bound times {k}, past the {'smallest' if lower else 'largest'} share seen, "
            f"{1 / ratio if lower else ratio:.3g}",
            rhs=k * rhs,
        )
    gap = min((left - right if lower else right - left) for left, right in pairs)
    spread = max(max(seen.lhs) - min(seen.lhs), abs(gap), 1e-6)
    low, high = (
        Fraction(max(gap, 0.0)),
        Fraction(max(gap, 0.0) + (0.3 if sampled else 0.01) * spread),
    )
    c = simplest_between(low + (high - low) / 2, high)
    shift = sp.Rational(c.numerator, c.denominator)
    return Sentinel(
        f"the bound moved by {shift}, past the smallest distance seen, {gap:.3g}",
        rhs=rhs + shift if lower else rhs - shift,
    )


def unmeasured(rhs: sp.Expr, relation: str) -> Sentinel:
    """A neighbour for a claim of which no sample has a value, whatever it may be worth."""
    return Sentinel(
        "the bound moved by 1: no sample has a value to place it by",
        rhs=rhs + 1 if relation in (">=", ">", "==") else rhs - 1,
    )


def _moved(rhs: sp.Expr, seen: Measured, share: sp.Rational) -> Sentinel:
    if all(right != 0 for right in seen.rhs) and rhs != 0:
        return Sentinel(f"the right side {share} larger, relatively", rhs=(1 + share) * rhs)
    return Sentinel(f"the right side larger by {share}", rhs=rhs + share)


@one_blas_thread()
def pilot(design: Design, statement: Statement) -> Measured:
    """Rough means and bounds over the lay-out of a sampled claim, of samples that have a value and are kept.

    Cost: some replicas of every instance, the cheapest first, until ``_AFFORDABLE`` random numbers are drawn. Raises
    :class:`ClaimError` for an instance that is too large to be simulated.
    """
    lhs: list[float] = []
    rhs: list[float] = []
    names = {v.name for v in statement.variables} | {str(s) for s in statement.rhs.free_symbols}
    instances = sorted(
        enumerate(design.instances(statement, None)), key=lambda pair: pair[1].normals
    )
    for _, instance in instances:
        _require_affordable(instance)
    left = _AFFORDABLE
    for number, instance in instances:
        wanted = _REPLICAS * (_CONDITIONED if design.alive else 1)
        replicas = min(wanted, left // max(instance.normals, 1))
        if replicas < 2 and lhs:
            break
        left -= replicas * instance.normals
        seen = simulate(
            instance.chain,
            instance.start,
            depth=instance.depth,
            replicas=max(replicas, 2),
            seed=(_SEED, number),
            observables=design.observables,
        )
        samples = design.sample(statement, seen, instance)
        counts = design.kept(statement, seen, instance) & ~np.isnan(samples) & ~seen.spoiled[:, -1:]
        for column, counted, values in zip(samples.T, counts.T, instance.readouts, strict=True):
            if not counted.any():
                continue
            lhs.append(float(column[counted].mean()))
            rhs.append(float(statement.bound(**{k: v for k, v in values.items() if k in names})))
    return Measured(lhs, rhs)


def _require_affordable(instance: Instance) -> None:
    if instance.normals > NORMALS:
        raise ClaimError(
            f"{instance.label}: {instance.depth} layers take {instance.normals:.2g} random numbers for "
            f"one sample, and at most {NORMALS:.2g} are drawn; declare smaller sizes"
        )


def undefined_mean(design: Design, statement: Statement) -> UndefinedMean | None:
    """A sample without a value, where samples can die: looked for where they die soonest, in the narrowest networks."""
    if not design.mortal:
        return None
    items = design.items(statement)
    narrow = [x for x in items if x["d"] == min(y["d"] for y in items)]
    for number, item in enumerate({x["n"]: x for x in narrow}.values()):
        instance = design.instance(item)
        _require_affordable(instance)
        replicas = min(_LOOKED_AT, max(_LOOKS // max(instance.normals, 1), 2))
        seen = simulate(
            instance.chain,
            instance.start,
            depth=instance.depth,
            replicas=replicas,
            seed=(_SEED, 1, number),
            observables=design.observables,
        )
        known = design.kept(statement, seen, instance) & ~seen.spoiled[:, -1:]
        samples = design.sample(statement, seen, instance)[known]
        if missing := int(np.isnan(samples).sum()):
            return UndefinedMean(missing, len(samples), f"{instance.label}, ell={instance.depth}")
    return None


def resolution(relation: str, seen: Measured) -> float:
    """The half-width, relative to the bound, that tells the neighbour, a fifth from the truth, and no finer one."""
    if relation == "==":
        return 0.1
    ratios = [
        left / right
        for left, right in zip(seen.lhs, seen.rhs, strict=True)
        if left > 0 and right > 0
    ]
    upper = relation in ("<=", "<")
    return min(0.1 if upper else 0.5, 0.15 * ((max if upper else min)(ratios) if ratios else 1.0))


def about_exponent(claim: Relation, slope: sp.Symbol) -> sp.Expr:
    """What stands between the bars of a claim about an exponent. Raises :class:`ClaimError` for another form."""
    inner = claim.lhs.args[0] if isinstance(claim.lhs, sp.Abs) else None
    if (
        inner is None
        or claim.relation != "<="
        or not claim.rhs.is_number
        or not (slope - inner).is_number
    ):
        raise ClaimError("a claim about an exponent reads 'abs(slope + 1/2) <= 1/20'")
    return inner


def other_exponent(claim: Relation, slope: sp.Symbol, check: Scaling) -> Sentinel:
    """The exponent moved away from a rough estimate, by three times the tolerance claimed."""
    inner = about_exponent(claim, slope)
    instances = list(check.instances(None))
    for instance in instances:
        _require_affordable(instance)
    runs = [
        simulate(
            i.chain,
            i.start,
            depth=i.depth,
            replicas=_REPLICAS,
            seed=(_SEED, k),
            observables=check.observables,
        )
        for k, i in enumerate(instances)
    ]
    seen = [check.sample(run) for run in runs]
    if any(
        not values.size or np.isnan(values).any() or run.spoiled.any()
        for run, values in zip(runs, seen, strict=True)
    ):
        return Sentinel("an exponent larger by 1: a rough one has no value", lhs=sp.Abs(inner - 1))
    means = [float(np.mean(values)) for values in seen]
    rough = float(
        np.polyfit(np.log([i.width for i in instances]), np.log(np.maximum(means, 1e-300)), 1)[0]
    )
    shift = 3 * claim.rhs * (1 if rough < float(slope - inner) else -1)
    return Sentinel(f"an exponent larger by {shift}", lhs=sp.Abs(inner - shift))

"""For an infinite batch the factor is Σ k c_k²/Σ_{k≥1} c_k² ≥ 1, and 1 for affine φ alone.

Problem. As n → ∞ a layer of batch normalisation with activation φ multiplies E‖G‖² by
E φ′(z)²/Var φ(z), z standard normal. How small can that be, over all activations?

Method. With Hermite coefficients c_k of φ, E φ′² = Σ k c_k² and Var φ = Σ_{k≥1} c_k²: Gaussian
Poincaré, term by term. Exact rationals at weights drawn by Hypothesis; Rocq proves it for every
number of weights. A partial sum is a claim about polynomials φ; the rest is their limit.

Guarantee. With w_k = c_{k+1}² ≥ 0, k = 0 … m - 1: Σ (k+1) w_k ≥ Σ w_k, with equality only if
w_k = 0 for all k ≥ 1. For leaky ReLU of slope a below 0 the factor lies between 1, at a = 1, and
that of the absolute value, π/(π - 2), at a = -1.

Reference. Ours.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['excess', 'affine', 'leaky_lower', 'leaky_upper']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial

import sympy as sp

from simulators.lazy import composite
from simulators.lazy import strategies as st
from simulators.strategies import fractions_between
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.gradient.notation import (
    FAMILY,
    OURS,
    ROCQ,
    i,
    k,
    m,
    w,
)
from theorems.statement import (
    NUDGE,
    Assumption,
    Proof,
    Quantifier,
    Sentinel,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["FIGURES", "STATEMENTS"]

Item = Mapping[str, object]


def _item(weights: Sequence[int | Fraction]) -> Item:
    return {"m": len(weights), "w": tuple(Fraction(weight) for weight in weights)}


def _weight() -> st.SearchStrategy[Fraction | int]:
    extremes = st.sampled_from((0, 1, Fraction(1, 10**6), 10**6))
    return st.one_of(fractions_between(Fraction(0), Fraction(4), 30), extremes)


def _weights() -> st.SearchStrategy[Item]:
    """1 to 7 weights."""
    return st.builds(_item, st.lists(_weight(), min_size=1, max_size=7))


@composite
def _affine(draw: st.DrawFn) -> Item:
    """2 to 7 weights, all of them 0 but the first, and one of the others."""
    size = draw(st.integers(2, 7))
    item = _item([draw(_weight()), *(0,) * (size - 1)])
    return {**item, "i": draw(st.integers(1, size - 1))}


def _corners() -> list[Item]:
    """The identity, z², and z with a little z²."""
    return [_item(each) for each in ((1,), (0, 1), (1, Fraction(1, 1000)))]


def _affine_corners() -> list[Item]:
    return [{**_item(each), "i": 1} for each in ((1, 0), (0, 0, 0))]


_ALL = (k, 0, m - 1)
_weighted = sp.Sum((k + 1) * w[k], _ALL)
_variance = sp.Sum(w[k], _ALL)
_COUNT = Variable(m, sp.Range(1, sp.oo), "number of Hermite coefficients after the mean")
_WEIGHTS = Variable(w, sp.Interval(0, sp.oo), "c_{k+1}² of φ", size=(m,))

_limit = partial(
    Statement,
    family=FAMILY,
    theorem="activation_limit",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    expected=Verdict.CERTIFIED,
)
EXCESS = _limit(
    variant="excess",
    title="Σ k c_k² ≥ Σ_{k≥1} c_k²: no activation has a factor below 1 at large n",
    variables=(_COUNT, _WEIGHTS),
    lhs=_weighted,
    relation=">=",
    rhs=_variance,
    sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) * _variance),
    checks=(Pointwise(as_given, _weights, _corners, examples=80),),
    proof=Proof(
        theorem=f"{ROCQ}.hermite_excess",
        script="move=> R m w m1; (have _ : (1 <= m)%N := m1); exact: THEOREM",
    ),
)
AFFINE = _limit(
    variant="affine",
    title="Equality leaves no weight on k ≥ 2: φ is affine",
    variables=(_COUNT, _WEIGHTS, Variable(i, sp.Range(1, m), "k - 1 for a k ≥ 2")),
    assumptions=(Assumption(sp.Eq(_weighted, _variance), "the factor is 1"),),
    lhs=w[i],
    relation="==",
    rhs=sp.Integer(0),
    sentinel=Sentinel("a millionth of all weight", rhs=NUDGE * _variance),
    checks=(Pointwise(as_given, _affine, _affine_corners, examples=80),),
    proof=Proof(
        theorem=f"{ROCQ}.hermite_equality",
        script="move=> R m w i m1 w0 i1 same; (have _ : (1 <= m)%N := m1); "
        "exact: (THEOREM w0 same i1)",
    ),
)

# --- leaky ReLU, max(z, 0) + a min(z, 0) ----------------------------------------------------------

a, p = sp.symbols("a p", real=True)
_mean_square = (1 + a**2) / 2
_leaky = _mean_square / (_mean_square - (1 - a) ** 2 / (2 * p))
_ALMOST_PI = Fraction(355, 113)


def _slopes() -> st.SearchStrategy[Item]:
    slopes = st.fractions(-8, 8, max_denominator=60)
    constants = st.sampled_from((_ALMOST_PI, Fraction(201, 100), Fraction(10**6)))
    return st.builds(lambda slope, constant: {"a": slope, "p": constant}, slopes, constants)


def _slope_corners() -> list[Item]:
    return [{"a": Fraction(slope), "p": _ALMOST_PI} for slope in (-1, 0, 1)]


_of_slopes = partial(
    _limit,
    variables=(
        Variable(a, sp.Reals, "slope below 0"),
        Variable(p, sp.Interval.open(2, sp.oo), "in the place of π"),
    ),
    lhs=_leaky,
    checks=(Pointwise(as_given, _slopes, _slope_corners, examples=80),),
    remark="For every p > 2; the factor is the case p = π.",
)
LEAKY = (
    _of_slopes(
        variant="leaky_lower",
        title="Leaky ReLU: the factor is at least 1, and 1 at slope 1",
        relation=">=",
        rhs=sp.Integer(1),
        sentinel=Sentinel("1 and a millionth", rhs=1 + NUDGE),
        proof=Proof(theorem=f"{ROCQ}.leaky_lower"),
    ),
    _of_slopes(
        variant="leaky_upper",
        title="Leaky ReLU: the factor is at most π/(π - 2), that of the absolute value",
        relation="<=",
        rhs=p / (p - 2),
        sentinel=Sentinel("π/(π - 1), that of ReLU", rhs=p / (p - 1)),
        proof=Proof(theorem=f"{ROCQ}.leaky_upper"),
    ),
)

STATEMENTS = (EXCESS, AFFINE, *LEAKY)
FIGURES = ()

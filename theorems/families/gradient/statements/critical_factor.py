"""Without normalisation, bias and mean, χ₁ ≥ 1 wherever the signal survives.

Problem. Layers h⁺ = φ(Wh), entries of W of variance σ_w²/d, at infinite width: the squared length
of a pre-activation, q, goes to a fixed point q = σ_w² E φ(√q z)², and gradients are multiplied by
χ₁ = σ_w² E φ′(√q z)² there. For which σ_w do they shrink, though the signal does not?

Method. With weights w_k of φ(√q z) on Hermite's polynomials of degree k + 1, none on degree 0 as
for odd φ, E φ² = Σ w_k and q E φ′² = Σ (k+1) w_k: Gaussian Poincaré. Exact rationals, and Rocq. For
sin both means are elementary, and with x = 2q: χ₁ = (x/2)(1 + e^-x)/(1 - e^-x).

Guarantee. χ₁ ≥ 1 at every fixed point q > 0 of an activation without mean: gradients never vanish
where the signal does not, the ordered phase is the one where q = 0, and χ₁ = 1 for linear φ alone.
For sin χ₁ = (x/2) coth(x/2), that is q coth q.

Reference. Ours; χ₁ is that of mean-field theory.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['no_mean', 'sine']
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial

import sympy as sp

from simulators.lazy import composite
from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.gradient.notation import FAMILY, OURS, ROCQ, k, m, w
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

q, v, chi, x = sp.symbols("q v chi x", real=True)
Item = Mapping[str, object]


def _item(variance: Fraction, weights: list[Fraction]) -> Item:
    """A fixed point, and its χ₁."""
    length = variance * sum(weights, Fraction(0))
    steep = variance * sum(((k + 1) * each for k, each in enumerate(weights)), Fraction(0))
    found = {"m": len(weights), "w": tuple(weights), "v": variance}
    return {**found, "q": length, "chi": steep / length}


@composite
def _fixed_points(draw: st.DrawFn) -> Item:
    """σ_w² up to 9, and up to 6 weights, not all 0."""
    variance = draw(st.fractions(Fraction(1, 20), 9, max_denominator=20))
    weights = draw(st.lists(st.fractions(0, 3, max_denominator=20), min_size=1, max_size=6))
    return _item(variance, [weights[0] + Fraction(1, 1000), *weights[1:]])


def _corners() -> list[Item]:
    """A linear activation, where χ₁ = 1, a cubic, and what breaks each assumption."""
    one, none = Fraction(1), Fraction(0)
    linear = _item(2 * one, [one])
    cubic = _item(one, [none, none, one])
    return [linear, cubic, {**linear, "q": 4 * one, "chi": one / 2}, {**linear, "chi": none}]


_ALL = (k, 0, m - 1)
_critical = partial(
    Statement,
    family=FAMILY,
    theorem="critical_factor",
    source=OURS,
    relation=">=",
    expected=Verdict.CERTIFIED,
    chain="vanilla",
    quantifier=Quantifier.POINTWISE,
)

NO_MEAN = _critical(
    variant="no_mean",
    title="χ₁ ≥ 1 at every fixed point q > 0 of an activation without mean",
    variables=(
        Variable(m, sp.Range(1, sp.oo), "number of Hermite coefficients after the mean"),
        Variable(w, sp.Interval(0, sp.oo), "c_{k+1}² of φ(√q z)", size=(m,)),
        Variable(v, sp.Interval.open(0, sp.oo), "σ_w²"),
        Variable(q, sp.Interval.open(0, sp.oo), "the fixed point"),
        Variable(chi, sp.Reals, "χ₁ there"),
    ),
    assumptions=(
        Assumption(sp.Eq(q, v * sp.Sum(w[k], _ALL)), "q is a fixed point"),
        Assumption(sp.Eq(chi * q, v * sp.Sum((k + 1) * w[k], _ALL)), "χ₁ by the weights"),
    ),
    lhs=chi,
    rhs=sp.Integer(1),
    sentinel=Sentinel("one part in a million more", rhs=1 + NUDGE),
    checks=(Pointwise(as_given, _fixed_points, _corners, examples=110),),
    proof=Proof(
        theorem=f"{ROCQ}.critical_no_mean",
        script="move=> R m w v q chi m1 w0 v0 q0 fixed steep; (have _ : (1 <= m)%N := m1); "
        "exact: (THEOREM w0 v0 q0 fixed steep)",
    ),
)

_sine = x * (1 + sp.exp(-x)) / (1 - sp.exp(-x)) / 2


def _lengths() -> st.SearchStrategy[Item]:
    return st.builds(lambda found: {"x": found}, st.fractions(Fraction(1, 100), 40))


SINE = _critical(
    variant="sine",
    title="With sin χ₁ = (x/2) coth(x/2) ≥ 1 + x²/(12 + x²), x = 2q",
    variables=(Variable(x, sp.Interval.open(0, sp.oo), "2q"),),
    lhs=_sine,
    rhs=1 + x**2 / (12 + x**2),
    sentinel=Sentinel("11 for 12", rhs=1 + x**2 / (11 + x**2)),
    checks=(
        Pointwise(
            as_given,
            _lengths,
            lambda: [{"x": Fraction(each)} for each in ("1/10", "1", "3", "20")],
            examples=110,
        ),
    ),
)

STATEMENTS = (NO_MEAN, SINE)
FIGURES = ()

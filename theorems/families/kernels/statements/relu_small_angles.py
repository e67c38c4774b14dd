"""At width n a ReLU layer shrinks small angles by 2/(n - 4) more than infinite width says.

Problem. As n → ∞ a ReLU layer takes a small angle θ to θ - θ²/(3π), so that 1/θ grows by 1/(3π) a
layer. Which terms does width add, and at which depth do they matter?

Method. Two samples at a small angle have the same active units, b of them, and of these the layer
is linear: tan²θ⁺/tan²θ is χ²_(b-1)/χ²_b, independent. Given b ≥ 2, b binomial, mean and variance of
its logarithm are sums over the law of b, in balls at every size named. So log θ moves by
-θ/(3π) - 1/n with variance 2/n, to first order, and by Itô's formula

    E 1/θ_ℓ = e^(2ℓ/n)/θ_0 + (n/6π)(e^(2ℓ/n) - 1),

which is 1/θ_0 + ℓ/(3π) for ℓ ≪ n only. Simulated at depth n/4, from θ_0 = 1/5.

Guarantee. For the widths tried, n ≥ 8: 2/(n-4) ≤ -E log(tan²θ⁺/tan²θ) ≤ 2/(n - 23/5), the lower
exact up to O(1/n³), and 8/(n-4) ≤ Var ≤ 8/(n - 51/10). E 1/θ_ℓ is as displayed within 8 % at
n = 64, ℓ = 16, where infinite width predicts a third less.

Reference. Ours; after LN23 (arXiv 2310.12079) and Jakub, Nica (arXiv 2302.09712), known by their
abstracts. That the small-angle law is exact for each b is elementary.

Example:

    >>> moments = small_angle_moments(64)
    >>> [round(float(each.mid()), 4) for each in moments.values()]
    [-0.0334, 0.1335]
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from itertools import pairwise

import flint
import numpy as np
import sympy as sp
from array_api_compat import array_namespace

from simulators import vanilla_chain
from simulators.arrays import Array, Namespace
from simulators.observables import Observable
from theorems.checking.enclosures import Enclosed
from theorems.checking.estimates import KurtosisMean
from theorems.checking.expectation import Expectation, Floats, Instance, at_layer
from theorems.families.kernels.notation import FAMILY, OURS
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS", "small_angle_moments"]

n, ell = sp.symbols("n ell", integer=True, positive=True)
drift, variance = sp.symbols("drift variance", real=True)
inverse, theta = sp.symbols("inverse theta", positive=True)

SIZES = (*range(8, 33), 64, 128, 256)
_KURTOSIS = 60
_ANGLE = 0.2


def small_angle_moments(size: int) -> Mapping[str, flint.arb]:
    """Mean and variance of log(χ²_(b-1)/χ²_b), b ≥ 2 of n = ``size`` units active.

    - ``size``: at least 2

    Example:
        >>> round(float(small_angle_moments(2)["drift"].mid()), 4)
        -1.3863
    """
    ways = [math.comb(size, b) for b in range(2, size + 1)]
    weights = [flint.fmpq(each, sum(ways)) for each in ways]
    halves = [flint.arb(b) / 2 for b in range(1, size + 1)]
    logs = [half.digamma() for half in halves]
    spreads = [flint.arb(2).zeta(half) for half in halves]
    means = [less - more for less, more in pairwise(logs)]
    mean = sum((w * x for w, x in zip(weights, means, strict=True)), flint.arb(0))
    squares = (
        less + more + (x - mean) * (x - mean)
        for (less, more), x in zip(pairwise(spreads), means, strict=True)
    )
    spread = sum((w * x for w, x in zip(weights, squares, strict=True)), flint.arb(0))
    return {"drift": mean, "variance": spread}


_WIDTH = Variable(n, sp.Range(8, sp.oo), "width of the layer")
_angles = partial(
    Statement,
    family=FAMILY,
    theorem="relu_small_angles",
    source=OURS,
)
_one = partial(
    _angles,
    variables=(_WIDTH,),
    definitions={
        drift: "E[log(tan²θ⁺/tan²θ) | 2 units active], θ → 0",
        variance: "Var[log(tan²θ⁺/tan²θ) | 2 units active], θ → 0",
    },
    expected=Verdict.CERTIFIED,
    checks=(Enclosed(SIZES, small_angle_moments),),
)
_mean = partial(_one, quantifier=Quantifier.EXPECTATION, lhs=-drift)
_spread = partial(_one, quantifier=Quantifier.LAW, lhs=variance)

ONE_LAYER = (
    _mean(
        variant="drift_lower",
        title="-E log(tan²θ⁺/tan²θ) ≥ 2/(n-4) for small angles after a ReLU layer",
        relation=">=",
        rhs=2 / (n - 4),
        sentinel=Sentinel("n - 81/20 for n - 4", rhs=2 / (n - sp.Rational(81, 20))),
    ),
    _mean(
        variant="drift_upper",
        title="-E log(tan²θ⁺/tan²θ) ≤ 2/(n - 23/5) for small angles after a ReLU layer",
        relation="<=",
        rhs=2 / (n - sp.Rational(23, 5)),
        sentinel=Sentinel("9/2 for 23/5", rhs=2 / (n - sp.Rational(9, 2))),
    ),
    _spread(
        variant="variance_lower",
        title="Var log(tan²θ⁺/tan²θ) ≥ 8/(n-4) for small angles after a ReLU layer",
        relation=">=",
        rhs=8 / (n - 4),
        sentinel=Sentinel("n - 81/20 for n - 4", rhs=8 / (n - sp.Rational(81, 20))),
    ),
    _spread(
        variant="variance_upper",
        title="Var log(tan²θ⁺/tan²θ) ≤ 8/(n - 51/10) for small angles after a ReLU layer",
        relation="<=",
        rhs=8 / (n - sp.Rational(51, 10)),
        sentinel=Sentinel("5 for 51/10", rhs=8 / (n - 5)),
    ),
)

# --- as deep as a quarter of the width ------------------------------------------------------------


def _inverse_angle(H: Array, *, width: int) -> Array:
    """1/θ of the first two samples, by half their distance on the sphere."""
    xp: Namespace = array_namespace(H)
    directions = H / xp.linalg.vector_norm(H, axis=-2, keepdims=True)
    apart = directions[..., 0] - directions[..., 1]
    return 0.5 / xp.asin(xp.linalg.vector_norm(apart, axis=-1) / 2)


_INVERSE = Observable("inverse_angle", _inverse_angle, gram=False)


def _networks(statement: Statement, batch: Floats | None) -> list[Instance]:
    width, depth = 64, 16
    start = np.zeros((width, 2))
    start[0] = 1.0, math.cos(_ANGLE)
    start[1, 1] = math.sin(_ANGLE)
    values = {"n": width, "ell": depth, "theta": _ANGLE}
    chain = vanilla_chain(width, "relu")
    return [Instance(f"n={width}, ℓ={depth}", chain, start, depth, (values,), (0.0, np.inf))]


def _estimator(
    side: sp.Expr,
    instance: Instance,
    values: Mapping[str, float],
    level: float,
    reference: float | None,
) -> KurtosisMean:
    return KurtosisMean(level, _KURTOSIS)


def _mean_inverse(exponent: sp.Expr) -> sp.Expr:
    """e^x/θ_0 + (ℓ/3πx)(e^x - 1)."""
    grown = sp.exp(exponent)
    return grown / theta + ell / (3 * sp.pi * exponent) * (grown - 1)


_exponent = 2 * ell / n
_below, _above = sp.Rational(23, 25), sp.Rational(27, 25)
_wide = 1 / theta + ell / (3 * sp.pi)
_deep = partial(
    _angles,
    quantifier=Quantifier.EXPECTATION,
    variables=(
        _WIDTH,
        Variable(ell, sp.Range(1, sp.oo), "number of layers"),
        Variable(theta, sp.Interval.open(0, sp.pi / 2), "angle of two samples at the batch"),
    ),
    definitions={inverse: "E 1/θ_ℓ"},
    lhs=inverse,
    chain="vanilla(relu)",
    observables=(_INVERSE.name,),
    expected=Verdict.SUPPORTED,
    checks=(
        Expectation(
            _networks,
            at_layer(_INVERSE.name),
            (_INVERSE,),
            resolution=0.05,
            first=2048,
            follows_batch=False,
            estimator=_estimator,
            assumed=f"the kurtosis of 1/θ is at most {_KURTOSIS}",
        ),
    ),
)
DEEP = (
    _deep(
        variant="deep_lower",
        title="ReLU: E 1/θ_ℓ ≥ e^(2ℓ/n)/θ_0 + (n/6π)(e^(2ℓ/n) - 1) but for 8 %",
        relation=">=",
        rhs=_below * _mean_inverse(_exponent),
        sentinel=Sentinel("3ℓ/n for 2ℓ/n", rhs=_below * _mean_inverse(3 * ell / n)),
    ),
    _deep(
        variant="deep_upper",
        title="ReLU: E 1/θ_ℓ ≤ e^(2ℓ/n)/θ_0 + (n/6π)(e^(2ℓ/n) - 1) but for 8 %",
        relation="<=",
        rhs=_above * _mean_inverse(_exponent),
        sentinel=Sentinel("that of infinite width, and 8 %", rhs=_above * _wide),
    ),
)

STATEMENTS = (*ONE_LAYER, *DEEP)
FIGURES = ()

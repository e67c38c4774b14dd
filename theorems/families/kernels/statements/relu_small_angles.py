"""At width n a ReLU layer takes 1/(n - 4) or more off log θ, of a small angle θ, on average.

Problem. As n → ∞ a ReLU layer takes a small angle θ to θ - θ²/(3π), so that log θ falls by
θ/(3π). Which terms does width add?

Method. Two samples at a small angle have the same active units, b of them, and of these the layer
is linear: tan²θ⁺/tan²θ is χ²_(b-1)/χ²_b, independent. Given b ≥ 2, b binomial, mean and variance of
its logarithm are sums over the law of b, in balls at every size named. So log θ moves by
-θ/(3π) - 1/n with variance 2/n, to first order: width matters where θ is of the order of 1/n.

Guarantee. For the widths tried, n ≥ 8: 2/(n-4) ≤ -E log(tan²θ⁺/tan²θ) ≤ 2/(n - 23/5), the lower
exact up to O(1/n³), and 8/(n-4) ≤ Var ≤ 8/(n - 51/10). Of log θ these are a half and a quarter.
With one unit active θ⁺ is 0, so that E 1/θ⁺ is infinite at every width.

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
import sympy as sp

from theorems.checking.enclosures import Enclosed
from theorems.families.kernels.notation import FAMILY, OURS
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS", "small_angle_moments"]

n = sp.Symbol("n", integer=True, positive=True)
drift, variance = sp.symbols("drift variance", real=True)

SIZES = (*range(8, 33), 64, 128, 256)


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
_one = partial(
    Statement,
    family=FAMILY,
    theorem="relu_small_angles",
    source=OURS,
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

STATEMENTS = ONE_LAYER
FIGURES = ()

"""Where κ(0) = 0 a layer takes the isometry gap -log(1 - ρ²) of a pair to (q + (1 - q)|ρ|)² of it.

Problem. How fast does an activation with κ(0) = 0 and normalised samples bring a pair to isometry?
The gap of two samples of one norm is -log(1 - ρ²), up to a factor.

Method. Balls at corners and at kernels and correlations drawn by Hypothesis. It follows from
`near_orthogonality`, as -log(1 - x)/x does not decrease.

Guarantee. -log(1 - κ²) ≤ (q + (1 - q)|ρ|)²(-log(1 - ρ²)) with q = κ′(0), for |ρ| < 1: near
isometry the gap falls by 1/q² a layer, where the authors' code has 2 - q, which is less: 1/q² is at
least 1 + 2(1 - q). Far from it no rate holds in every layer: with q = ½ and κ = ½ρ + ½ρ² at
ρ = 1 - 10⁻⁶ the gap falls by 1.032 and not by 3/2.

Reference. Ours; after the rate β of JDB23 (arXiv 2305.18399), as in the authors' code.

Example:

    >>> [str(statement.expected) for statement in STATEMENTS]
    ['certified', 'refuted']
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.kernels import inputs
from theorems.families.kernels.notation import (
    CORRELATION,
    FAMILY,
    KERNEL,
    OURS,
    TERMS,
    UNIT_SUM,
    WEIGHTS,
    c,
    kappa,
    rho,
)
from theorems.statement import (
    Assumption,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Verdict,
)

__all__ = ["FIGURES", "STATEMENTS"]


def corners() -> list[inputs.Item]:
    """The kernels ρ² and ½ρ + ½ρ² at ρ = ½ and next to 1, and the latter next to 0."""
    half, near = Fraction(1, 2), 1 - Fraction(1, 10**6)
    return [
        {"m": 3, "c": weights, "rho": rho}
        for weights in ((Fraction(0), Fraction(0), Fraction(1)), (Fraction(0), half, half))
        for rho in (half, near, 1 - near)
    ]


def _gap(correlation: sp.Expr) -> sp.Expr:
    return -sp.log(1 - correlation**2)


_factor = (c[1] + (1 - c[1]) * sp.Abs(rho)) ** 2

_gaps = partial(
    Statement,
    family=FAMILY,
    theorem="pair_isometry",
    quantifier=Quantifier.POINTWISE,
    variables=(TERMS, WEIGHTS, CORRELATION),
    definitions=KERNEL,
    assumptions=(
        UNIT_SUM,
        Assumption(sp.Eq(c[0], 0), "κ(0) = 0"),
        Assumption(sp.Lt(rho**2, 1), "|ρ| < 1"),
    ),
    lhs=_gap(kappa),
    relation="<=",
    checks=(Pointwise(as_given, inputs.without_constant, corners),),
)

STATEMENTS = (
    _gaps(
        variant="local_rate",
        title="-log(1 - κ²) ≤ (q + (1 - q)|ρ|)²(-log(1 - ρ²)) if κ(0) = 0, q = κ′(0)",
        source=OURS,
        rhs=_factor * _gap(rho),
        sentinel=Sentinel(
            "one part in a thousand less", rhs=sp.Rational(999, 1000) * _factor * _gap(rho)
        ),
        expected=Verdict.CERTIFIED,
    ),
    _gaps(
        variant="rate_of_every_layer",
        title="-log(1 - κ²) ≤ -log(1 - ρ²)/(2 - q) in every layer, if κ(0) = 0",
        source=Source("after JDB23 (arXiv 2305.18399)", "β in the authors' code, read layerwise"),
        rhs=_gap(rho) / (2 - c[1]),
        sentinel=Sentinel("half of it", rhs=_gap(rho) / (2 - c[1]) / 2),
        expected=Verdict.REFUTED,
    ),
)
FIGURES = ()

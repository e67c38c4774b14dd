"""At a fixed point ρ* < 1 of a layer's kernel ρ* - κ(0) ≤ ρ*κ′(ρ*) ≤ ρ*.

Problem. Samples of correlation ρ* leave a layer with the same correlation, 0 ≤ ρ* < 1. How do
samples of nearly that correlation move?

Method. Exact rationals at corners and at kernels with a rational fixed point drawn by Hypothesis.
Rocq proves both by secants that do not decrease.

Guarantee. κ′(ρ*) ≤ 1, so that such a fixed point never repels, with equality for κ(ρ) = ρ; and
ρ*κ′(ρ*) ≥ ρ* - κ(0), with equality where no power above the first has a weight. The only repelling
fixed point can therefore be 1.

Reference. Ours.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['attracts', 'lower']
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.families.kernels import inputs
from theorems.families.kernels.notation import (
    FAMILY,
    FIXED,
    FIXED_POINT,
    OURS,
    SHAPE,
    TERMS,
    UNIT_SUM,
    WEIGHTS,
    c,
    k,
    m,
    rho_star,
)
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

#: ρ*κ′(ρ*).
_slope = sp.Sum(k * c[k] * rho_star**k, (k, 0, m - 1))

_slopes = partial(
    Statement,
    family=FAMILY,
    theorem="fixed_point_slope",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(TERMS, WEIGHTS, FIXED_POINT),
    lhs=_slope,
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(inputs.fixed_point_alone, inputs.paths, inputs.path_corners),),
)

STATEMENTS = (
    _slopes(
        variant="attracts",
        title="ρ*κ′(ρ*) ≤ ρ* if κ(ρ*) = ρ* < 1",
        assumptions=(UNIT_SUM, FIXED),
        relation="<=",
        rhs=rho_star,
        sentinel=Sentinel("one part in a thousand less", rhs=sp.Rational(999, 1000) * rho_star),
        proof=Proof(
            theorem=f"{SHAPE}.fixed_point_slope",
            link="name",
            gloss="for weights c_k ≥ 0 of sum 1 and κ(s) = s in [0, 1): Σ k c_k s^k ≤ s",
        ),
    ),
    _slopes(
        variant="lower",
        title="ρ*κ′(ρ*) ≥ ρ* - κ(0) if κ(ρ*) = ρ* < 1",
        assumptions=(FIXED,),
        relation=">=",
        rhs=rho_star - c[0],
        sentinel=Sentinel(
            "one part in a thousand more", rhs=sp.Rational(1001, 1000) * (rho_star - c[0])
        ),
        proof=Proof(
            theorem=f"{SHAPE}.fixed_point_lower",
            link="name",
            gloss="for weights c_k ≥ 0 and κ(s) = s ≥ 0: s - κ(0) ≤ Σ k c_k s^k",
        ),
    ),
)

FIGURES = ()

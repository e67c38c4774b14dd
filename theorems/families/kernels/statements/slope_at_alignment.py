"""The slope at alignment: κ′(1) ≥ 2 - 2κ(0) - κ′(0), hence at least 1 - κ(0).

Problem. κ′(1) says whether nearly equal samples part or align, and is how gradients grow without
normalisation. How small can it be for a given κ(0) and κ′(0)?

Method. Exact rationals at corners and at kernels drawn by Hypothesis. Rocq proves both, term by
term.

Guarantee. κ′(1) ≥ 1 - κ(0), with equality iff no power above the first has a weight: the Gaussian
Poincaré inequality in Hermite coefficients. With κ′(0) known, κ′(1) ≥ 2 - 2κ(0) - κ′(0), with
equality iff none above the second has. A centred activation, κ(0) = 0, so has κ′(1) ≥ 1.

Reference. Ours; the first is classical.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['poincare', 'second_order']
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.families.kernels import inputs
from theorems.families.kernels.notation import (
    FAMILY,
    OURS,
    SHAPE,
    SLOPE,
    TERMS,
    UNIT_SUM,
    WEIGHTS,
    c,
    slope,
)
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]


def corners() -> list[inputs.Item]:
    """The kernels ρ, ½ + ½ρ, ρ² and ⅓ + ⅓ρ + ⅓ρ²."""
    return inputs.corners((0, 1), (1, 1), (0, 0, 1), (1, 1, 1))


_slopes = partial(
    Statement,
    family=FAMILY,
    theorem="slope_at_alignment",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(TERMS, WEIGHTS),
    definitions=SLOPE,
    assumptions=(UNIT_SUM,),
    lhs=slope,
    relation=">=",
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(inputs.weights_alone, inputs.kernels, corners),),
)
_more = sp.Rational(1001, 1000)

STATEMENTS = (
    _slopes(
        variant="poincare",
        title="κ′(1) ≥ 1 - κ(0)",
        rhs=1 - c[0],
        sentinel=Sentinel("one part in a thousand more", rhs=_more * (1 - c[0])),
        proof=Proof(
            theorem=f"{SHAPE}.poincare",
            link="name",
            gloss="for weights c_k ≥ 0 of sum 1: 1 - κ(0) ≤ Σ k c_k",
        ),
    ),
    _slopes(
        variant="second_order",
        title="κ′(1) ≥ 2 - 2κ(0) - κ′(0)",
        rhs=2 - 2 * c[0] - c[1],
        sentinel=Sentinel("one part in a thousand more", rhs=_more * (2 - 2 * c[0] - c[1])),
        proof=Proof(
            theorem=f"{SHAPE}.slope_at_one",
            link="name",
            gloss="for weights c_k ≥ 0 of sum 1: 2 - 2κ(0) - c_1 ≤ Σ k c_k",
        ),
    ),
)

FIGURES = ()

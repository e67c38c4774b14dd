"""A layer takes 1 - ρ to at most κ′(1)(1 - ρ).

Problem. Two samples have the correlation ρ. How much of the way to alignment, 1 - ρ, is left after
a layer with kernel κ?

Method. Exact rationals at corners and at kernels and correlations drawn by Hypothesis. Rocq proves
it from 1 - ρ^k = (1 - ρ)(1 + ρ + … + ρ^(k-1)) ≤ k (1 - ρ).

Guarantee. 1 - κ(ρ) ≤ κ′(1)(1 - ρ) for every ρ in [-1, 1], with equality for κ(ρ) = ρ. If κ′(1) < 1,
samples align at that rate.

Reference. After JH24 (arXiv 2410.20107), the case κ(0) > 0, κ′(1) < 1, as restated by an author;
neither condition is needed.

Example:

    >>> STATEMENT.name
    'kernels.angle_contraction'
"""

from __future__ import annotations

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.kernels import inputs
from theorems.families.kernels.notation import (
    CORRELATION,
    FAMILY,
    KERNEL,
    ROCQ,
    SLOPE,
    TERMS,
    UNIT_SUM,
    WEIGHTS,
    jh24,
    kappa,
    rho,
    slope,
)
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]


def corners() -> list[inputs.Item]:
    """The kernel ρ, where both sides are equal, ρ², ½ + ½ρ and ½ + ½ρ²."""
    return inputs.corners((0, 1), (0, 0, 1), (1, 1), (1, 0, 1))


STATEMENT = Statement(
    family=FAMILY,
    theorem="angle_contraction",
    title="1 - κ(ρ) ≤ κ′(1)(1 - ρ)",
    quantifier=Quantifier.POINTWISE,
    source=jh24("κ(0) > 0, κ′(1) < 1"),
    variables=(TERMS, WEIGHTS, CORRELATION),
    definitions={**KERNEL, **SLOPE},
    assumptions=(UNIT_SUM,),
    lhs=1 - kappa,
    relation="<=",
    rhs=slope * (1 - rho),
    sentinel=Sentinel(
        "one part in a thousand less", rhs=sp.Rational(999, 1000) * slope * (1 - rho)
    ),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs.kernels, corners),),
    proof=Proof(
        theorem=f"{ROCQ}.angle_contracts",
        link="name",
        gloss="for weights c_k ≥ 0 of sum 1 and |ρ| ≤ 1: 1 - Σ c_k ρ^k ≤ (Σ k c_k)(1 - ρ)",
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()

"""Where κ(0) = 0 a layer divides the odds |ρ|/(1 - |ρ|) by at least 2 - κ′(0).

Problem. Two samples have the correlation ρ, |ρ| < 1. How fast does a layer whose kernel keeps
orthogonal samples orthogonal (odd activations, erf, tanh) bring it to 0?

Method. Exact rationals at corners and at kernels and correlations drawn by Hypothesis. Rocq proves
it: |κ| ≤ q|ρ| + (1 - q)ρ², q = κ′(0), the rest is one quadratic.

Guarantee. |κ|/(1 - |κ|) ≤ |ρ|/((2 - q)(1 - |ρ|)), written without division by 1 - |κ| and 1 - |ρ|,
so that |ρ| = 1 is no exception. Equality for κ(ρ) = ρ, and in the limit ρ → 1 for κ = qρ + (1-q)ρ².

Reference. JH24 (arXiv 2410.20107), the case κ(0) = 0, as restated by an author; proof ours.

Example:

    >>> STATEMENT.name
    'kernels.odds_contraction'
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
    TERMS,
    UNIT_SUM,
    WEIGHTS,
    c,
    jh24,
    kappa,
    rho,
)
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]


def corners() -> list[inputs.Item]:
    """The kernel ρ, where both sides are equal, ρ², ½ρ + ½ρ² and ½ρ + ½ρ³."""
    return inputs.corners((0, 1), (0, 0, 1), (0, 1, 1), (0, 1, 0, 1))


_left = sp.Abs(kappa) * (1 - sp.Abs(rho))
_right = sp.Abs(rho) * (1 - sp.Abs(kappa))

STATEMENT = Statement(
    family=FAMILY,
    theorem="odds_contraction",
    title="|κ|/(1 - |κ|) ≤ |ρ|/((2 - q)(1 - |ρ|)) if κ(0) = 0, q = κ′(0)",
    quantifier=Quantifier.POINTWISE,
    source=jh24("κ(0) = 0"),
    variables=(TERMS, WEIGHTS, CORRELATION),
    definitions=KERNEL,
    assumptions=(UNIT_SUM, Assumption(sp.Eq(c[0], 0), "κ(0) = 0")),
    lhs=(2 - c[1]) * _left,
    relation="<=",
    rhs=_right,
    sentinel=Sentinel(
        "2 one part in a thousand larger", lhs=(sp.Rational(2002, 1000) - c[1]) * _left
    ),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs.without_constant, corners),),
    proof=Proof(
        theorem=f"{ROCQ}.odds_contract_product",
        link="name",
        gloss="for weights c_k ≥ 0 of sum 1 with c_0 = 0, q = c_1 and |ρ| ≤ 1: "
        "(2 - q)|κ|(1 - |ρ|) ≤ |ρ|(1 - |κ|)",
        also=(f"{ROCQ}.odds_contract",),
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()

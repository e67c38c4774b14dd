"""Where κ(0) = 0 a correlation falls by κ′(0) a layer, nearly: |κ| ≤ |ρ|(q + (1 - q)|ρ|).

Problem. How fast do nearly orthogonal samples become orthogonal under an odd activation?

Method. Exact rationals at corners and at kernels and correlations drawn by Hypothesis. Rocq proves
it from |ρ|^k ≤ ρ² for k ≥ 2.

Guarantee. With q = κ′(0): |κ(ρ)| ≤ |ρ|(q + (1 - q)|ρ|), with equality for κ = qρ + (1 - q)ρ² at
ρ ≥ 0. Near orthogonality the rate is q itself, below the 1/(2 - q) of `odds_contraction`.

Reference. Ours; after the rate 2 - q of JDB23 (arXiv 2305.18399), which is of all correlations.

Example:

    >>> STATEMENT.name
    'kernels.near_orthogonality'
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
    OURS,
    SHAPE,
    TERMS,
    UNIT_SUM,
    WEIGHTS,
    c,
    kappa,
    rho,
)
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]


def corners() -> list[inputs.Item]:
    """The kernels ρ and ½ρ + ½ρ², where both sides are equal, ρ² and ½ρ + ½ρ³."""
    return inputs.corners((0, 1), (0, 1, 1), (0, 0, 1), (0, 1, 0, 1))


_bound = sp.Abs(rho) * (c[1] + (1 - c[1]) * sp.Abs(rho))

STATEMENT = Statement(
    family=FAMILY,
    theorem="near_orthogonality",
    title="|κ| ≤ |ρ|(q + (1 - q)|ρ|) if κ(0) = 0, q = κ′(0)",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(TERMS, WEIGHTS, CORRELATION),
    definitions=KERNEL,
    assumptions=(UNIT_SUM, Assumption(sp.Eq(c[0], 0), "κ(0) = 0")),
    lhs=sp.Abs(kappa),
    relation="<=",
    rhs=_bound,
    sentinel=Sentinel("one part in a thousand less", rhs=sp.Rational(999, 1000) * _bound),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs.without_constant, corners),),
    proof=Proof(
        theorem=f"{SHAPE}.near_orthogonal",
        link="name",
        gloss="for weights c_k ≥ 0 of sum 1 with c_0 = 0, q = c_1 and |ρ| ≤ 1: "
        "|κ(ρ)| ≤ |ρ|(q + (1 - q)|ρ|)",
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()

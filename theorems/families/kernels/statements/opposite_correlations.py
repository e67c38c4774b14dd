"""No kernel is larger at -ρ than at ρ: |κ(ρ)| ≤ κ(|ρ|).

Problem. A layer with kernel κ meets samples of negative correlation. Can it correlate them more
strongly than it correlates samples of the opposite correlation?

Method. Exact rationals at corners and at kernels and correlations drawn by Hypothesis. Rocq's
kernel compares a theorem with the claim.

Guarantee. |κ(ρ)| ≤ κ(|ρ|) for every ρ in [-1, 1], with equality for odd and for even activations.

Reference. Ours; the weights of a dual kernel are squares of Hermite coefficients.

Example:

    >>> STATEMENT.name
    'kernels.opposite_correlations'
"""

from __future__ import annotations

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.kernels import inputs
from theorems.families.kernels.notation import (
    CORRELATION,
    FAMILY,
    OURS,
    SHAPE,
    TERMS,
    WEIGHTS,
    c,
    k,
    m,
    rho,
)
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]


def corners() -> list[inputs.Item]:
    """The kernels ρ, ρ² and ρ³, where both sides are equal, and a mixture."""
    return inputs.corners((0, 1), (0, 0, 1), (0, 0, 0, 1), (1, 1, 1))


_all = (k, 0, m - 1)

STATEMENT = Statement(
    family=FAMILY,
    theorem="opposite_correlations",
    title="|κ(ρ)| ≤ κ(|ρ|)",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(TERMS, WEIGHTS, CORRELATION),
    lhs=sp.Abs(sp.Sum(c[k] * rho**k, _all)),
    relation="<=",
    rhs=sp.Sum(c[k] * sp.Abs(rho) ** k, _all),
    sentinel=Sentinel(
        "one part in a thousand less",
        rhs=sp.Rational(999, 1000) * sp.Sum(c[k] * sp.Abs(rho) ** k, _all),
    ),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs.kernels, corners),),
    proof=Proof(
        theorem=f"{SHAPE}.mirror",
        link="name",
        gloss="for weights c_k ≥ 0 and every ρ: |Σ c_k ρ^k| ≤ Σ c_k |ρ|^k",
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()

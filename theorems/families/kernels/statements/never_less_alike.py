"""If κ′(1) ≤ 1, no layer makes two samples less alike: κ(ρ) ≥ ρ.

Problem. Which activations make every two samples more alike, whatever their correlation?

Method. Exact rationals at corners and at kernels and correlations drawn by Hypothesis. Rocq's
kernel compares a theorem with the claim.

Guarantee. If κ′(1) ≤ 1, as for ReLU, then κ(ρ) ≥ ρ for every ρ in [-1, 1], with equality for
κ(ρ) = ρ and at ρ = 1. Where κ′(1) > 1, κ(ρ) < ρ for some ρ next to 1.

Reference. Ours, from the case κ′(1) ≤ 1 of JH24 (arXiv 2410.20107).

Example:

    >>> STATEMENT.name
    'kernels.never_less_alike'
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
    SLOPE,
    TERMS,
    UNIT_SUM,
    WEIGHTS,
    kappa,
    rho,
    slope,
)
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

STATEMENT = Statement(
    family=FAMILY,
    theorem="never_less_alike",
    title="κ(ρ) ≥ ρ if κ′(1) ≤ 1",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(TERMS, WEIGHTS, CORRELATION),
    definitions={**KERNEL, **SLOPE},
    assumptions=(UNIT_SUM, Assumption(sp.Le(slope, 1), "κ′(1) ≤ 1")),
    lhs=kappa,
    relation=">=",
    rhs=rho,
    sentinel=Sentinel(
        "one part in a thousand of what is left more",
        rhs=rho + (1 - rho) / 1000,
    ),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs.of_slope_one, inputs.of_slope_one_corners),),
    proof=Proof(
        theorem=f"{SHAPE}.never_less_alike",
        link="name",
        gloss="for weights c_k ≥ 0 of sum 1 with Σ k c_k ≤ 1 and |ρ| ≤ 1: ρ ≤ Σ c_k ρ^k",
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()

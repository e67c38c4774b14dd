"""Where κ′(1) = 1 samples align like 1/ℓ: 1 - κ(ρ) ≤ (1 - ρ)/(1 + α(1 - ρ)).

Problem. On the edge between aligning at a rate and not aligning at all, κ′(1) = 1, as for ReLU: how
fast do samples align?

Method. Exact rationals at corners and at kernels and correlations drawn by Hypothesis. Rocq proves
the layer, and by recursion in 1/(1 - ρ) all layers (`alignment`).

Guarantee. With α = 1 - κ(0) - κ′(0): 1 - κ(ρ) ≤ (1 - ρ)/(1 + α(1 - ρ)), hence
1 - ρ_ℓ ≤ (1 - ρ_0)/(1 + αℓ(1 - ρ_0)) after ℓ layers. Sharp to second order as ρ → 1 for
κ = α + (1-2α)ρ + αρ²; for ReLU, where 1 - κ is of another order, far from it:
ℓ²(1 - ρ_ℓ) → 9π²/2.

Reference. JH24 (arXiv 2410.20107), the case κ′(1) = 1, as restated by an author; proof ours.

Example:

    >>> STATEMENT.name
    'kernels.alignment'
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
    alpha,
    c,
    jh24,
    kappa,
    rho,
    slope,
)
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

_MORE = sp.Rational(1001, 1000)

STATEMENT = Statement(
    family=FAMILY,
    theorem="alignment",
    title="1 - κ(ρ) ≤ (1 - ρ)/(1 + α(1 - ρ)) if κ′(1) = 1, α = 1 - κ(0) - κ′(0)",
    quantifier=Quantifier.POINTWISE,
    source=jh24("κ′(1) = 1"),
    variables=(TERMS, WEIGHTS, CORRELATION),
    definitions={**KERNEL, **SLOPE, alpha: 1 - c[0] - c[1]},
    assumptions=(UNIT_SUM, Assumption(sp.Eq(slope, 1), "κ′(1) = 1")),
    lhs=1 - kappa,
    relation="<=",
    rhs=(1 - rho) / (1 + alpha * (1 - rho)),
    sentinel=Sentinel(
        "α one part in a thousand larger", rhs=(1 - rho) / (1 + _MORE * alpha * (1 - rho))
    ),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs.of_slope_one, inputs.of_slope_one_corners),),
    proof=Proof(
        theorem=f"{ROCQ}.alignment_step",
        link="name",
        gloss="for weights c_k ≥ 0 with Σ c_k = Σ k c_k = 1 and |ρ| ≤ 1: 1 - Σ c_k ρ^k ≤ "
        "(1 - ρ)/(1 + α(1 - ρ)), α = Σ_{k≥2} c_k",
        also=(f"{ROCQ}.alignment",),
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()

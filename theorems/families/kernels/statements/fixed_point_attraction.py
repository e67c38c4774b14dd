"""A fixed point ρ* < 1 draws every correlation to it: |ρ_ℓ - ρ*| ≤ |ρ_0 - ρ*|/(1 - |ρ_0|) a^ℓ.

Problem. Where κ′(1) > 1 samples do not align: their correlation goes to a fixed point ρ* in [0, 1).
At which rate, from anywhere?

Method. Paths ρ_{ℓ+1} = κ(ρ_ℓ) in exact rationals, later in balls, at corners and at kernels with a
rational fixed point drawn by Hypothesis. Rocq proves the mended rate for every kernel and depth.

Guarantee. With q = κ′(ρ*): a = max{1 - κ(0), 1/(2 - q)} will do, and a = 1/(2 - q) from ρ_0 ≥ 0.
The rate a = max{1 - κ(0), q, (1 - ρ*)/(2 - q)} does not: for κ = .3 + .1ρ + .6ρ² (ρ* = ½) and
ρ_0 = .999, at ℓ = 22, |ρ_ℓ - ρ*| = .289 and the bound is .195. Next to 1 the distance 1 - ρ grows
by κ′(1) a layer, so that no rate below 1/κ′(1) will do, which is 1/(2 - q) for κ of degree two.

Reference. JH24 (arXiv 2410.20107), the case κ′(1) > 1, as restated by an author: whether its print
has this rate is not known here. The mended rate and its proof are ours.

Example:

    >>> [str(statement.expected) for statement in STATEMENTS]
    ['refuted', 'certified', 'certified']
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
    TERMS,
    UNIT_SUM,
    WEIGHTS,
    c,
    jh24,
    k,
    m,
    rho_star,
)
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

ATTRACTION = "BatchNorm.kernels.Attraction"

rho_0, rho_l, q = sp.symbols("rho_0 rho_l q", real=True)
ell = sp.Symbol("ell", integer=True, positive=True)

#: κ′(ρ*), and what a path of ``ell`` layers ends at.
_definitions = {
    q: sp.Sum((k + 1) * c[k + 1] * rho_star**k, (k, 0, m - 2)),
    rho_l: "ρ_ℓ, where ρ_{k+1} = κ(ρ_k)",
}
_restated = sp.Max(1 - c[0], q, (1 - rho_star) / (2 - q))
_mended = sp.Max(1 - c[0], 1 / (2 - q))
_start = sp.Abs(rho_0 - rho_star) / (1 - sp.Abs(rho_0))

_attraction = partial(
    Statement,
    family=FAMILY,
    theorem="fixed_point_attraction",
    quantifier=Quantifier.POINTWISE,
    variables=(
        TERMS,
        WEIGHTS,
        FIXED_POINT,
        Variable(rho_0, sp.Interval.open(-1, 1), "correlation of two samples at the start"),
        Variable(ell, sp.Range(1, sp.oo), "number of layers"),
    ),
    definitions=_definitions,
    lhs=sp.Abs(rho_l - rho_star),
    relation="<=",
    checks=(Pointwise(inputs.path_end, inputs.paths, inputs.path_corners, item=dict),),
)
_fixed = (UNIT_SUM, FIXED)

STATEMENTS = (
    _attraction(
        variant="as_restated",
        title="|ρ_ℓ - ρ*| ≤ |ρ_0 - ρ*|/(1 - |ρ_0|) a^ℓ, a = max{1 - κ(0), q, (1 - ρ*)/(2 - q)}",
        source=jh24("κ′(1) > 1"),
        assumptions=_fixed,
        rhs=_start * _restated**ell,
        sentinel=Sentinel("half as much", rhs=_start * _restated**ell / 2),
        expected=Verdict.REFUTED,
    ),
    _attraction(
        variant="mended",
        title="|ρ_ℓ - ρ*| ≤ |ρ_0 - ρ*|/(1 - |ρ_0|) a^ℓ, a = max{1 - κ(0), 1/(2 - q)}",
        source=OURS,
        assumptions=_fixed,
        rhs=_start * _mended**ell,
        sentinel=Sentinel(
            "a = max{1 - κ(0), q, (1 - ρ*)/(2 - q)}, as restated", rhs=_start * _restated**ell
        ),
        expected=Verdict.CERTIFIED,
        proof=Proof(
            theorem=f"{ATTRACTION}.attraction",
            link="name",
            gloss="for weights c_k ≥ 0 of sum 1, κ(s) = s in [0, 1), q = κ′(s), |ρ_0| < 1 and "
            "a ≥ 1/(2 - q), a ≥ 1 - κ(0): |ρ_ℓ - s| ≤ a^ℓ |ρ_0 - s|/(1 - |ρ_0|) for every ℓ",
        ),
    ),
    _attraction(
        variant="nonnegative",
        title="|ρ_ℓ - ρ*| ≤ |ρ_0 - ρ*|/(1 - ρ_0) (2 - q)^-ℓ from ρ_0 ≥ 0",
        source=OURS,
        assumptions=(*_fixed, Assumption(sp.Ge(rho_0, 0), "ρ_0 ≥ 0")),
        rhs=sp.Abs(rho_0 - rho_star) / (1 - rho_0) / (2 - q) ** ell,
        sentinel=Sentinel(
            "(1 - ρ*)/(2 - q) in place of 1/(2 - q)",
            rhs=sp.Abs(rho_0 - rho_star) / (1 - rho_0) * ((1 - rho_star) / (2 - q)) ** ell,
        ),
        expected=Verdict.CERTIFIED,
        proof=Proof(
            theorem=f"{ATTRACTION}.attraction_nonnegative",
            link="name",
            gloss="for weights c_k ≥ 0 of sum 1, κ(s) = s in [0, 1), q = κ′(s) and 0 ≤ ρ_0 < 1: "
            "|ρ_ℓ - s| ≤ (2 - q)^-ℓ |ρ_0 - s|/(1 - ρ_0) for every ℓ",
        ),
    ),
)

FIGURES = ()

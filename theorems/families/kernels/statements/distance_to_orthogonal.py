"""No correlation moves its image from that of orthogonal samples by more than (1 - κ(0))|ρ|.

Problem. Orthogonal samples leave a layer with correlation κ(0). How far from there can other
samples come out?

Method. Exact rationals at corners and at kernels and correlations drawn by Hypothesis. Rocq proves
it term by term.

Guarantee. |κ(ρ) - κ(0)| ≤ (1 - κ(0))|ρ| for every ρ in [-1, 1]; for ρ ≥ 0, κ lies below its chord.
Equality for every κ = κ(0) + (1 - κ(0))ρ.

Reference. Ours.

Example:

    >>> STATEMENT.name
    'kernels.distance_to_orthogonal'
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
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]


def corners() -> list[inputs.Item]:
    """The kernels ρ and ½ + ½ρ, where both sides are equal, ρ² and ½ + ½ρ²."""
    return inputs.corners((0, 1), (1, 1), (0, 0, 1), (1, 0, 1))


_distance = (1 - c[0]) * sp.Abs(rho)

STATEMENT = Statement(
    family=FAMILY,
    theorem="distance_to_orthogonal",
    title="|κ(ρ) - κ(0)| ≤ (1 - κ(0))|ρ|",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(TERMS, WEIGHTS, CORRELATION),
    definitions=KERNEL,
    assumptions=(UNIT_SUM,),
    lhs=sp.Abs(kappa - c[0]),
    relation="<=",
    rhs=_distance,
    sentinel=Sentinel("one part in a thousand less", rhs=sp.Rational(999, 1000) * _distance),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs.kernels, corners),),
    proof=Proof(
        theorem=f"{SHAPE}.lines_up",
        link="name",
        gloss="for weights c_k ≥ 0 of sum 1 and |ρ| ≤ 1: |κ(ρ) - κ(0)| ≤ (1 - κ(0))|ρ|",
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()

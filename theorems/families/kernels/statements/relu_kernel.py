"""The kernel of ReLU lies between 1/π + ρ/2 and that plus (½ - 1/π)ρ².

Problem. The kernel of ReLU is (√(1 - ρ²) + (π - arccos ρ)ρ)/π. Which simple bounds does it have?

Method. Balls at corners and at correlations drawn by Hypothesis. The weights of its power series
are 1/π, ½, and none but even ones from then on, of sum ½ - 1/π, so that both hold for every ρ.

Guarantee. 1/π + ρ/2 ≤ κ(ρ) ≤ 1/π + ρ/2 + (½ - 1/π)ρ² for every ρ in [-1, 1]: equality at ρ = 0 in
both, at ρ = ±1 in the second. So ReLU layers never correlate samples negatively, and hardly ever by
less than 1/π: only from ρ < 0.

Reference. Ours; the kernel is classical.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['lower', 'upper']
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import sympy as sp

from simulators.lazy import strategies as st
from simulators.strategies import fractions_between
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.kernels.inputs import Item
from theorems.families.kernels.notation import CORRELATION, FAMILY, OURS, rho
from theorems.statement import Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

NEAR = Fraction(1, 10**4)


def corners() -> list[Item]:
    """Nearly opposite, orthogonal and equal samples."""
    return [{"rho": each} for each in (NEAR - 1, -NEAR, NEAR, 1 - NEAR)]


def correlations() -> st.SearchStrategy[Item]:
    """A correlation, not 0, below 1 in size.

    Example:
        >>> correlations().validate()
    """
    near = st.fractions(1 - 1000 * NEAR, 1 - NEAR)
    inside = fractions_between(Fraction(-59, 60), Fraction(59, 60), 60).filter(bool)
    return st.fixed_dictionaries({"rho": st.one_of(inside, near)})


_kappa = (sp.sqrt(1 - rho**2) + (sp.pi - sp.acos(rho)) * rho) / sp.pi
_line = 1 / sp.pi + rho / 2

_bounds = partial(
    Statement,
    family=FAMILY,
    theorem="relu_kernel",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(CORRELATION,),
    lhs=_kappa,
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, correlations, corners, walks=False),),
)

STATEMENTS = (
    _bounds(
        variant="lower",
        title="κ(ρ) ≥ 1/π + ρ/2 for ReLU",
        relation=">=",
        rhs=_line,
        sentinel=Sentinel("one part in a thousand more", rhs=sp.Rational(1001, 1000) * _line),
    ),
    _bounds(
        variant="upper",
        title="κ(ρ) ≤ 1/π + ρ/2 + (½ - 1/π)ρ² for ReLU",
        relation="<=",
        rhs=_line + (sp.Rational(1, 2) - 1 / sp.pi) * rho**2,
        sentinel=Sentinel(
            "one part in a hundred less of the last term",
            rhs=_line + sp.Rational(99, 100) * (sp.Rational(1, 2) - 1 / sp.pi) * rho**2,
        ),
    ),
)
FIGURES = ()

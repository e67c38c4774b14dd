"""With erf and no bias gradients grow by 1 ≤ χ₁ ≤ 1 + 4q²/3 a layer, q the variance inside.

Problem. Layers of erf with weights of variance σ² above π/4 come to rest where the pre-activations
have some variance q > 0. There squared gradients, and the angle of nearly equal samples, are
multiplied by χ₁ = σ²E φ′² a layer. Can that be 1, the edge of chaos, and how near to it is χ₁?

Method. χ₁ = 2q/(√(1 + 4q) arcsin(2q/(1 + 2q))) in closed form, in balls at corners and at variances
drawn by Hypothesis.

Guarantee. 1 ≤ χ₁ ≤ 1 + 4q²/3 for every q > 0: without bias, erf is chaotic wherever it keeps any
variance, and only there at the edge where that variance vanishes. The depth scale 1/log χ₁ is then
at least 3/(4q²), which is right to first order as q → 0.

Reference. Ours; after the mean-field theory of random networks. The integrals are classical.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['chaotic', 'near_the_edge']
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
from theorems.families.kernels.notation import FAMILY, OURS
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

q = sp.Symbol("q", positive=True)


def corners() -> list[Item]:
    """Variances 1/1000, 1, and 1000."""
    return [{"q": each} for each in (Fraction(1, 1000), Fraction(1), Fraction(1000))]


def variances() -> st.SearchStrategy[Item]:
    """Variances from 1/100 to 100.

    Example:
        >>> variances().validate()
    """
    return st.fixed_dictionaries({"q": fractions_between(Fraction(1, 100), Fraction(100), 100)})


#: χ₁; arcsin x is written as π/2 - arccos x.
_growth = 2 * q / (sp.sqrt(1 + 4 * q) * (sp.pi / 2 - sp.acos(2 * q / (1 + 2 * q))))

_growths = partial(
    Statement,
    family=FAMILY,
    theorem="erf_gradients",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(Variable(q, sp.Interval.open(0, sp.oo), "variance of the pre-activations"),),
    lhs=_growth,
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, variances, corners),),
)

STATEMENTS = (
    _growths(
        variant="chaotic",
        title="χ₁ = 2q/(√(1 + 4q) arcsin(2q/(1 + 2q))) ≥ 1 for erf without bias",
        relation=">=",
        rhs=sp.Integer(1),
        sentinel=Sentinel("one part in a thousand more", rhs=sp.Rational(1001, 1000)),
    ),
    _growths(
        variant="near_the_edge",
        title="χ₁ ≤ 1 + 4q²/3 for erf without bias",
        relation="<=",
        rhs=1 + 4 * q**2 / 3,
        sentinel=Sentinel("5/4 in place of 4/3", rhs=1 + 5 * q**2 / 4),
    ),
)
FIGURES = ()

"""The logarithm is below its tangent at 1 by (y-1)²/(2n) as far as y = n.

Problem. The gain of a layer in the isometry gap is -n E log(n vᵀCv), where n vᵀCv has mean 1 and
lies in (0, n]. What is it at least, in terms of the variance?

Method. y - 1 - (y-1)²/(2n) - log y has the derivative (y-1)(1/y - 1/n) and so its minimum 0 at
y = 1. Balls at drawn y; Rocq proves it.

Guarantee. log y ≤ (y-1) - (y-1)²/(2n) for 0 < y ≤ n; equality at y = 1. The largest constant in
the place of 1/(2n) is (n-1-log n)/(n-1)².

Reference. Ours; calculus.

Example:

    >>> float(STATEMENT.bound(n=4, y=2))
    0.875
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import sympy as sp

from simulators.lazy import strategies as st
from simulators.strategies import fractions_between
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.orthogonality.notation import BATCH, FAMILY, OURS, ROCQ, n
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

y = sp.Symbol("y", positive=True)
Item = Mapping[str, Fraction | int]


def _item(size: int, share: Fraction) -> Item:
    return {"n": size, "y": size * share}


def _inputs() -> st.SearchStrategy[Item]:
    shares = fractions_between(Fraction(1, 1000), Fraction(1), 1000)
    return st.builds(_item, st.integers(1, 1000), shares)


def _corners() -> list[Item]:
    shares = (Fraction(1), Fraction(1, 2), Fraction(1, 100))
    return [_item(size, share) for size in (1, 2, 16) for share in shares]


def _parabola(curvature: sp.Expr) -> sp.Expr:
    return y - 1 - curvature * (y - 1) ** 2


STATEMENT = Statement(
    family=FAMILY,
    theorem="log_gain",
    title="log y ≤ (y-1) - (y-1)²/(2n) for 0 < y ≤ n",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(BATCH, Variable(y, sp.Interval.Lopen(0, n), "n vᵀCv")),
    lhs=sp.log(y),
    relation="<=",
    rhs=_parabola(1 / (2 * n)),
    sentinel=Sentinel("(y-1)²/n", rhs=_parabola(1 / n)),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _inputs, _corners),),
    proof=Proof(
        theorem=f"{ROCQ}.leaf.LogGain.log_gain",
        link="name",
        gloss="ln y ≤ (y-1) - (y-1)²/(2n) for Coq's real numbers 0 < y ≤ n, n a whole number",
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()

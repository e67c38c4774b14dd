"""The stationary mean square of the gap, from what a layer keeps and what it adds.

Problem. A layer multiplies C - I/n by n/(n+2) (`linear_response`) and adds independent noise of
mean square (1 - 1/n)/d (`noise_covariance`). What mean square is left after many layers?

Method. E V² = (n/(n+2))² E V² + (1 - 1/n)/d; solved. k = (n-1)(n+2)/2 equal coordinates of variance
s/d share it. Exact rationals; Rocq's kernel for every n and d.

Guarantee. E V² = (n-1)(n+2)²/(4n(n+1)d), which is s k/d with s = (n+2)/(2n(n+1)): the constant of
`stationary_law`.

Reference. Ours, after DJB21 (arXiv 2106.03970), Figure 2.

Example:

    >>> float(STATEMENTS[0].bound(n=4, d=1))
    1.35
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial

import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.orthogonality.notation import BATCH, FAMILY, OURS, ROCQ, WIDTH, d, n
from theorems.statement import (
    NUDGE,
    Assumption,
    Proof,
    Quantifier,
    Sentinel,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["FIGURES", "STATEMENTS"]

x, s_n, k_n = sp.symbols("x s_n k_n", real=True)
Item = Mapping[str, Fraction | int]


def _item(size: int, width: int) -> Item:
    above, below = (size - 1) * (size + 2) ** 2, 4 * size * (size + 1) * width
    return {"n": size, "d": width, "x": Fraction(above, below)}


def _inputs() -> st.SearchStrategy[Item]:
    return st.builds(_item, st.integers(1, 1000), st.integers(1, 10**6))


def _corners() -> list[Item]:
    return [_item(size, width) for size, width in ((1, 1), (2, 1), (4, 16), (100, 3))]


_mean_square = (n - 1) * (n + 2) ** 2 / (4 * n * (n + 1) * d)
_balance = (n / (n + 2)) ** 2 * x + (1 - 1 / n) / d
_stationary = partial(
    Statement,
    family=FAMILY,
    theorem="stationary_variance",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    relation="==",
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _inputs, _corners),),
)
_more = "one part in a million more"

STATEMENTS = (
    _stationary(
        variant="balance",
        title="E V² = (n/(n+2))² E V² + (1-1/n)/d has the one solution (n-1)(n+2)²/(4n(n+1)d)",
        variables=(BATCH, WIDTH, Variable(x, sp.Reals, "stationary mean of V²")),
        assumptions=(Assumption(sp.Eq(x, _balance), "what a layer keeps and adds"),),
        lhs=x,
        rhs=_mean_square,
        sentinel=Sentinel(_more, rhs=(1 + NUDGE) * _mean_square),
        depends_on=("orthogonality.linear_response", "orthogonality.noise_covariance:total"),
        proof=Proof(theorem=f"{ROCQ}.Stationarity.stationary_balance"),
    ),
    _stationary(
        variant="coordinates",
        title="It is s k/d: k = (n-1)(n+2)/2 coordinates of variance s/d, s = (n+2)/(2n(n+1))",
        variables=(BATCH, WIDTH),
        definitions={s_n: (n + 2) / (2 * n * (n + 1)), k_n: (n - 1) * (n + 2) / 2},
        lhs=s_n * k_n / d,
        rhs=_mean_square,
        sentinel=Sentinel("k + 1 coordinates", lhs=s_n * (k_n + 1) / d),
        proof=Proof(theorem=f"{ROCQ}.Stationarity.stationary_coordinates"),
    ),
)
FIGURES = ()

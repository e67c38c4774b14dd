"""Two samples align at the rate 1/(2n) + O(1/n²) a linear layer: the gap of two Lyapunov exponents.

Problem. Without normalisation and activation all samples become parallel. The ratio of the second
to the first singular value of a product of L Gaussian n by n matrices falls like exp(-gL); what is
g?

Method. g = ½(ψ(n/2) - ψ((n-1)/2)), the difference of the two largest Lyapunov exponents, in balls
at every width named.

Guarantee. 1/(2n) + 3/(4n²) ≤ g ≤ 1/(2n) + 9/(5n²) for n ≥ 2, the lower bound right to second order:
a representation keeps a second direction for some 2n layers, whatever the batch.

Reference. Ours; the exponents are those of Newman 1986.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['lower', 'upper']
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import flint
import sympy as sp

from theorems.checking.enclosures import Enclosed
from theorems.families.products.notation import FAMILY, OURS, n
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

gap = sp.Symbol("g", positive=True)

SIZES = (*range(2, 65), 128, 256, 1024, 4096)


def gaps(width: int) -> Mapping[str, flint.arb]:
    """The difference of the two largest Lyapunov exponents at a width of at least 2.

    Example:
        >>> round(float(gaps(2)["g"].mid()), 4)
        0.6931
    """
    half = flint.arb(1) / 2
    return {"g": half * ((half * width).digamma() - (half * (width - 1)).digamma())}


_gaps = partial(
    Statement,
    family=FAMILY,
    theorem="lyapunov_gap",
    quantifier=Quantifier.LIMIT,
    source=OURS,
    variables=(Variable(n, sp.Range(2, sp.oo), "width of the layers"),),
    definitions={gap: "lim (1/L) log(σ_1/σ_2) of a product of L Gaussian matrices"},
    lhs=gap,
    expected=Verdict.CERTIFIED,
    checks=(Enclosed(SIZES, gaps),),
)

STATEMENTS = (
    _gaps(
        variant="lower",
        title="Samples align at least at the rate 1/(2n) + 3/(4n²) a linear layer",
        relation=">=",
        rhs=1 / (2 * n) + sp.Rational(3, 4) / n**2,
        sentinel=Sentinel(
            "751/1000 in place of 3/4", rhs=1 / (2 * n) + sp.Rational(751, 1000) / n**2
        ),
    ),
    _gaps(
        variant="upper",
        title="Samples align at most at the rate 1/(2n) + 9/(5n²) a linear layer",
        relation="<=",
        rhs=1 / (2 * n) + sp.Rational(9, 5) / n**2,
        sentinel=Sentinel("17/10 in place of 9/5", rhs=1 / (2 * n) + sp.Rational(17, 10) / n**2),
    ),
)
FIGURES = ()

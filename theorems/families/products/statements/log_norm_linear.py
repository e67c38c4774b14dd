"""A Gaussian layer of n units moves log‖h‖² by -1/n on average, with variance 2/n, to first order.

Problem. Norms of products of random matrices have no use of their mean: typical ones are told by
the logarithm. What does a linear layer, weights of variance 1/n, add to log‖h‖², and how surely?

Method. ψ(n/2) - log(n/2) and ψ₁(n/2), the mean and variance of log(χ²_n/n), in balls at every size
named.

Guarantee. -1/n - 1/(3n²) ≤ E ≤ -1/n - 1/(4n²) and 2/n + 2/n² ≤ Var ≤ 2/n + 3/n². After L layers
both are multiplied by L: a typical sample shrinks like exp(-L/2n) though E‖h‖² stays.

Reference. Ours; after HN19. ψ and ψ₁ are classical, the bounds are theirs from two terms of
Stirling's series.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['mean_lower', 'mean_upper', 'variance_lower', 'variance_upper']
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import flint
import sympy as sp

from theorems.checking.enclosures import Enclosed
from theorems.families.products.notation import FAMILY, OURS, WIDTH, n
from theorems.statement import Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

mean, variance = sp.symbols("mean variance", real=True)

SIZES = (*range(1, 33), 64, 128, 256, 1024)


def moments(size: int) -> Mapping[str, flint.arb]:
    """Mean and variance of log(χ²_n/n) for n = ``size``, at least 1.

    Example:
        >>> round(float(moments(2)["mean"].mid()), 4)
        -0.5772
    """
    half = flint.arb(size) / 2
    return {"mean": half.digamma() - half.log(), "variance": flint.arb(2).zeta(half)}


_logs = partial(
    Statement,
    family=FAMILY,
    theorem="log_norm_linear",
    source=OURS,
    variables=(WIDTH,),
    definitions={
        mean: "E log(‖h‖²/‖x‖²) after a Gaussian layer",
        variance: "Var log(‖h‖²/‖x‖²) after a Gaussian layer",
    },
    expected=Verdict.CERTIFIED,
    checks=(Enclosed(SIZES, moments),),
)

STATEMENTS = (
    _logs(
        variant="mean_lower",
        title="E log(‖h‖²/‖x‖²) ≥ -1/n - 1/(3n²)",
        quantifier=Quantifier.EXPECTATION,
        lhs=mean,
        relation=">=",
        rhs=-1 / n - 1 / (3 * n**2),
        sentinel=Sentinel("1/(31n²/10) in place of 1/(3n²)", rhs=-1 / n - 10 / (31 * n**2)),
    ),
    _logs(
        variant="mean_upper",
        title="E log(‖h‖²/‖x‖²) ≤ -1/n - 1/(4n²)",
        quantifier=Quantifier.EXPECTATION,
        lhs=mean,
        relation="<=",
        rhs=-1 / n - 1 / (4 * n**2),
        sentinel=Sentinel("2/(7n²) in place of 1/(4n²)", rhs=-1 / n - 2 / (7 * n**2)),
    ),
    _logs(
        variant="variance_lower",
        title="Var log(‖h‖²/‖x‖²) ≥ 2/n + 2/n²",
        quantifier=Quantifier.LAW,
        lhs=variance,
        relation=">=",
        rhs=2 / n + 2 / n**2,
        sentinel=Sentinel("a hundredth of 2/n² more", rhs=2 / n + sp.Rational(202, 100) / n**2),
    ),
    _logs(
        variant="variance_upper",
        title="Var log(‖h‖²/‖x‖²) ≤ 2/n + 3/n²",
        quantifier=Quantifier.LAW,
        lhs=variance,
        relation="<=",
        rhs=2 / n + 3 / n**2,
        sentinel=Sentinel("29/10 in place of 3", rhs=2 / n + sp.Rational(29, 10) / n**2),
    ),
)
FIGURES = ()

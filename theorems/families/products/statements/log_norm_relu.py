"""A ReLU layer of n units moves log‖h‖² by -5/(2n) on average, with variance 5/n, to first order.

Problem. Weights of variance 2/n keep E‖h‖² through a ReLU layer. What do they do to log‖h‖², given
that some unit is active?

Method. Given b active units ‖h‖²/‖x‖² is 2χ²_b/n, so that mean and variance are sums over the law
of b, binomial without 0, of ψ(b/2) and ψ₁(b/2): exact weights, terms in balls, at every size named.

Guarantee. |E log + 5/(2n)| ≤ 6/n² and |Var log - 5/n| ≤ 40/n². Both errors are largest near n = 9;
as n grows n² times them goes to some -4.1 and 18.8. Below n = 8 the first-order terms say little:
at n = 4 mean and variance are -.72 and 2.93, where the terms are -.63 and 1.25.

Reference. Ours; after HN19 and H18, where 5/n is the variance to first order.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['mean', 'variance']
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import flint
import sympy as sp

from theorems.checking.enclosures import Enclosed
from theorems.families.products.inputs import active_probabilities
from theorems.families.products.notation import FAMILY, OURS, WIDTH, n
from theorems.statement import Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

mean, variance = sp.symbols("mean variance", real=True)

SIZES = (*range(1, 25), 32, 64, 128, 256)


def moments(size: int) -> Mapping[str, flint.arb]:
    """Mean and variance of log(2χ²_b/n) for n = ``size``, at least 1, given b ≥ 1.

    Example:
        >>> round(float(moments(4)["variance"].mid()), 2)
        2.93
    """
    dead, *alive = active_probabilities(size)
    weights = [flint.fmpq(*(each / (1 - dead)).as_integer_ratio()) for each in alive]
    halves = [flint.arb(b) / 2 for b in range(1, size + 1)]
    means = [half.digamma() + (flint.arb(4) / size).log() for half in halves]
    mean = sum((w * x for w, x in zip(weights, means, strict=True)), flint.arb(0))
    squares = (
        flint.arb(2).zeta(half) + (x - mean) * (x - mean)
        for half, x in zip(halves, means, strict=True)
    )
    spread = sum((w * x for w, x in zip(weights, squares, strict=True)), flint.arb(0))
    return {"mean": mean, "variance": spread}


_logs = partial(
    Statement,
    family=FAMILY,
    theorem="log_norm_relu",
    source=OURS,
    variables=(WIDTH,),
    definitions={
        mean: "E[log(‖h‖²/‖x‖²) | h ≠ 0] after a ReLU layer",
        variance: "Var[log(‖h‖²/‖x‖²) | h ≠ 0] after a ReLU layer",
    },
    relation="<=",
    expected=Verdict.CERTIFIED,
    checks=(Enclosed(SIZES, moments),),
)

STATEMENTS = (
    _logs(
        variant="mean",
        title="|E log(‖h‖²/‖x‖²) + 5/(2n)| ≤ 6/n²",
        quantifier=Quantifier.EXPECTATION,
        lhs=sp.Abs(mean + sp.Rational(5, 2) / n),
        rhs=6 / n**2,
        sentinel=Sentinel("57/10 in place of 6", rhs=sp.Rational(57, 10) / n**2),
    ),
    _logs(
        variant="variance",
        title="|Var log(‖h‖²/‖x‖²) - 5/n| ≤ 40/n²",
        quantifier=Quantifier.LAW,
        lhs=sp.Abs(variance - 5 / n),
        rhs=40 / n**2,
        sentinel=Sentinel("39 in place of 40", rhs=39 / n**2),
    ),
)
FIGURES = ()

"""At width n a linear layer draws a correlation towards 0 by ρ(1 - ρ²)/(2n), to first order.

Problem. At infinite width a linear layer keeps the correlation ρ of two samples. At width n, with
Gaussian weights, which bias has it on average?

Method. E ρ⁺ = (2ρ/n)(Γ((n+1)/2)/Γ(n/2))² ₂F₁(½, ½; (n+2)/2; ρ²), Fisher's mean of a correlation, in
balls at corners and at widths and correlations drawn by Hypothesis.

Guarantee. ρ(1-ρ²)/(2n) is lost, up to -ρ(1-ρ²)/(7n²) and ρ(1-ρ²)/(n(n-2)), for 0 < ρ < 1, n ≥ 3.
The latter is exact as ρ → 1: there E(1 - ρ⁺) → (1 - ρ)(n-1)/(n-2). So even linear layers part
samples on average while a typical path of many layers aligns them.

Reference. Ours; after LN23 (arXiv 2310.12079, known by its abstract). The mean is classical.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['lower', 'upper']
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import flint
import sympy as sp

from simulators.lazy import strategies as st
from simulators.strategies import fractions_between
from theorems.checking.pointwise import Pointwise
from theorems.families.kernels.inputs import Item
from theorems.families.kernels.notation import FAMILY, OURS, rho
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

n = sp.Symbol("n", integer=True, positive=True)
mean = sp.Symbol("mean", real=True)


def values(item: Mapping[str, Any]) -> Item:
    """Width and correlation with the mean correlation after the layer, at the current precision.

    Example:
        >>> round(float(values({"n": 3, "rho": Fraction(1, 2)})["mean"].mid()), 4)
        0.436
    """
    width, correlation = (
        flint.arb(item["n"]),
        flint.arb(flint.fmpq(*item["rho"].as_integer_ratio())),
    )
    ratio = ((width + 1) / 2).gamma() / (width / 2).gamma()
    half = flint.arb(1) / 2
    series = (correlation**2).hypgeom_2f1(half, half, width / 2 + 1)
    return {**item, "mean": 2 * correlation / width * ratio**2 * series}


def corners() -> list[Item]:
    """Widths 3, 4 and 100; nearly orthogonal, in the middle and nearly aligned."""
    near = Fraction(1, 100)
    return [
        {"n": width, "rho": each} for width in (3, 4, 100) for each in (near, near * 50, 1 - near)
    ]


def inputs() -> st.SearchStrategy[Item]:
    """Widths from 3 to 60, correlations between 0 and 1.

    Example:
        >>> inputs().validate()
    """
    between = fractions_between(Fraction(1, 60), Fraction(59, 60), 60)
    return st.fixed_dictionaries({"n": st.integers(3, 60), "rho": between})


_first = rho - rho * (1 - rho**2) / (2 * n)
_scale = rho * (1 - rho**2)

_means = partial(
    Statement,
    family=FAMILY,
    theorem="finite_width_correlation",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(
        Variable(n, sp.Range(3, sp.oo), "width of the layer, at least 3"),
        Variable(rho, sp.Interval.open(0, 1), "correlation of two samples before the layer"),
    ),
    definitions={mean: "E ρ⁺, the mean correlation after a Gaussian layer"},
    lhs=mean,
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(values, inputs, corners, walks=False),),
)

STATEMENTS = (
    _means(
        variant="lower",
        title="E ρ⁺ ≥ ρ - ρ(1 - ρ²)(1/(2n) + 1/(n(n - 2)))",
        relation=">=",
        rhs=_first - _scale / (n * (n - 2)),
        sentinel=Sentinel("n - 1 in place of n - 2", rhs=_first - _scale / (n * (n - 1))),
    ),
    _means(
        variant="upper",
        title="E ρ⁺ ≤ ρ - ρ(1 - ρ²)(1/(2n) - 1/(7n²))",
        relation="<=",
        rhs=_first + _scale / (7 * n**2),
        sentinel=Sentinel("1/8 in place of 1/7", rhs=_first + _scale / (8 * n**2)),
    ),
)
FIGURES = ()

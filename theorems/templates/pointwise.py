"""No spectrum is purer than it must be: Σλ² ≥ 1/n.  (Say here what is claimed, in one line.)

Problem. A batch of n samples has a Gram matrix with eigenvalues λ_1 … λ_n ≥ 0 of sum 1. How far
from uniform are they at least?

Method. The inputs are tuples of n fractions of sum 1. Both sides are evaluated in exact rationals
at corners, at drawn spectra and at the user's own; one violation refutes.

Guarantee. Σλ² ≥ 1/n, with equality for equal eigenvalues.

Reference. Cauchy–Schwarz. (Paper and place, or "ours", and what the place says otherwise.)

Example:

    >>> STATEMENT.name
    'family_name.theorem_name'
    >>> float(STATEMENT.bound(n=4))
    0.25
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import chain
from typing import Any

import sympy as sp

from simulators.strategies import corner_spectra, spectra
from theorems.checking.pointwise import Pointwise
from theorems.statement import (
    Assumption,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

# Symbols. A number is exact: sp.Rational(1, 3), never 0.333.
n = sp.Symbol("n", integer=True, positive=True)
i = sp.Symbol("i", integer=True)
lam = sp.IndexedBase("lambda", real=True)


def values(spectrum: tuple[Fraction, ...]) -> Mapping[str, Any]:
    """What the symbols are at an input.

    Args:
        spectrum: the input, exact numbers.

    Returns:
        A number for each variable by its name, and a sequence for each family.
    """
    return {"n": len(spectrum), "lambda": spectrum}


def corners() -> list[tuple[Fraction, ...]]:
    """Inputs that are always tried: the extremes, and where the bound is attained.

    Returns:
        Exact inputs, as `values` takes them.
    """
    sizes = (1, 2, 3, 8)
    return list(chain.from_iterable(corner_spectra(size).values() for size in sizes))


STATEMENT = Statement(
    family="family_name",
    theorem="theorem_name",
    title="A spectrum of sum 1 has Σλ² ≥ 1/n",
    quantifier=Quantifier.POINTWISE,
    source=Source("ours", "Cauchy–Schwarz"),
    variables=(
        Variable(n, sp.Range(1, sp.oo), "batch size"),
        Variable(lam, sp.Interval(0, 1), "eigenvalues", size=(n,)),
    ),
    # Every assumption is tested by dropping it: the claim must then be refuted.
    assumptions=(
        Assumption(sp.Eq(sp.Sum(lam[i], (i, 0, n - 1)), 1), "the eigenvalues add up to 1"),
    ),
    lhs=sp.Sum(lam[i] ** 2, (i, 0, n - 1)),
    relation=">=",
    rhs=1 / n,
    # A claim that is false, and nearly this one: the same check must refute it.
    sentinel=Sentinel("one part in a thousand more", rhs=sp.Rational(1001, 1000) / n),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(values, spectra, corners),),
    # proof=Proof(theorem="BatchNorm.…") where there is one; optional.
)

STATEMENTS = (STATEMENT,)
#: Functions of a run's JSON value that draw a figure for the report; none is needed.
FIGURES = ()

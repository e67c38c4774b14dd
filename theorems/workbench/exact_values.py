"""The numbers that observables are evaluated in exactly: rationals, radicals, balls, and formulas.

`Eigenvalues` and `GramMatrix` are what `simulators.exact` describes; `SymbolicEigenvalues` writes
the same evaluation out as a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

import flint
import sympy as sp

from simulators.exact import Number
from theorems.algebraic import root_of

__all__ = [
    "INDEX",
    "LAMBDA",
    "LEAST",
    "Eigenvalues",
    "GramMatrix",
    "Spectrum",
    "SymbolicEigenvalues",
]

Spectrum: TypeAlias = Sequence[Number]

LAMBDA = sp.IndexedBase("lambda", real=True)
#: Internal symbols have names that no author can declare: they are no identifiers.
INDEX = sp.Symbol("place of lambda", integer=True)
LEAST = sp.Symbol("least of lambda", real=True)


def _root(x: Number) -> Number:
    """Exact where x is rational or algebraic (a radical), enclosed where it is a ball."""
    if isinstance(x, sp.Expr):
        return sp.sqrt(x)
    if isinstance(x, flint.fmpq):
        return root_of(Fraction(int(x.p), int(x.q)), 2)
    # a ball about 0, of something nonnegative
    return x.sqrt() if x >= 0 else flint.arb(0).union(x.abs_upper().sqrt())


@dataclass(frozen=True)
class Eigenvalues:
    """An `ExactSpectrum` of numbers: all rational, all balls, or all algebraic and descending.

    - ``values``: `flint.fmpq`, `flint.arb`, or SymPy numbers, of sum 1
    - ``width``: the number of rows of H
    """

    values: Spectrum
    width: int

    @cached_property
    def n(self) -> int:
        return len(self.values)

    @cached_property
    def _algebraic(self) -> bool:
        return isinstance(self.values[0], sp.Expr)

    @cached_property
    def share(self) -> Number:
        return sp.Rational(1, self.n) if self._algebraic else flint.fmpq(1, self.n)

    @property
    def least(self) -> Number:
        if self._algebraic:
            return self.values[-1]
        if all(isinstance(value, flint.fmpq) for value in self.values):
            return min(self.values)
        found = flint.arb(self.values[0])
        for value in self.values[1:]:
            found = found.min(flint.arb(value))
        return found

    def sum(self, term: Callable[[Number], Number]) -> Number:
        return sum(map(term, self.values), sp.Integer(0) if self._algebraic else flint.fmpq(0))

    def root(self, x: Number) -> Number:
        return _root(x)

    def count(self, threshold: Fraction) -> Number:
        """A ball where one reaches across the threshold."""
        least = flint.fmpq(threshold.numerator, threshold.denominator)
        above = [self.width * value >= least for value in self.values]
        below = [self.width * value < least for value in self.values]
        if sum(above) + sum(below) < self.n:
            return flint.arb(sum(above)).union(flint.arb(self.n))
        return flint.fmpq(sum(above))


@dataclass(frozen=True)
class GramMatrix:
    """An `ExactGram` in rationals: ``products`` over its trace, which is not 0.

    - ``products``: C = HᵀH, n × n; ``width``: the number of rows of H
    """

    products: flint.fmpq_mat
    width: int

    @cached_property
    def n(self) -> int:
        size: int = self.products.nrows()
        return size

    @cached_property
    def share(self) -> Number:
        return flint.fmpq(1, self.n)

    def __getitem__(self, place: tuple[int, int]) -> Number:
        return self.products[place] / self._trace

    @cached_property
    def _trace(self) -> Number:
        return sum(self.products[k, k] for k in range(self.n))

    def root(self, x: Number) -> Number:
        return _root(x)

    def cosine(self, i: int, j: int) -> Number:
        product = self.products[i, j]
        norms = _root(self.products[i, i] * self.products[j, j])
        return sp.Rational(int(product.p), int(product.q)) / norms

    def signed_square(self, i: int, j: int) -> Number:
        product = self.products[i, j]
        return product * abs(product) / (self.products[i, i] * self.products[j, j])


@dataclass(frozen=True)
class SymbolicEigenvalues:
    """An `ExactSpectrum` of n symbols, `LAMBDA`, the smallest of which is `LEAST`."""

    n: sp.Symbol
    width: sp.Symbol

    @property
    def share(self) -> sp.Expr:
        return 1 / self.n

    @property
    def least(self) -> sp.Expr:
        return LEAST

    def sum(self, term: Callable[[Number], Number]) -> sp.Expr:
        return sp.Sum(term(LAMBDA[INDEX]), (INDEX, 0, self.n - 1))

    def root(self, x: Number) -> sp.Expr:
        return sp.sqrt(x)

    def count(self, threshold: Number) -> sp.Expr:
        within = sp.Ge(self.width * LAMBDA[INDEX], threshold)
        return sp.Sum(sp.Piecewise((1, within), (0, True)), (INDEX, 0, self.n - 1))

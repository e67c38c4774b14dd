"""The numbers that observables are evaluated in exactly: rationals, radicals, balls, and formulas.

`Eigenvalues` and `GramMatrix` are what `simulators.exact` describes; `SymbolicEigenvalues` writes
the same evaluation out as a formula. The spectrum of a batch is made of rationals where it is
rational, and of enclosed roots of polynomials, an `AlgebraicSpectrum`, where it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, cmp_to_key, lru_cache, reduce
from typing import TypeAlias

import flint
import numpy as np
import sympy as sp

from simulators.exact import Number
from theorems.algebraic import fraction, number, rational, root_of, sign

__all__ = [
    "INDEX",
    "LAMBDA",
    "LEAST",
    "AlgebraicSpectrum",
    "Eigenvalues",
    "GramMatrix",
    "KnownSpectrum",
    "Spectrum",
    "SymbolicEigenvalues",
    "descending",
    "eigenvalues_of",
    "enclosed_spectrum",
    "gram_matrix",
    "matrix_of",
]

Spectrum: TypeAlias = Sequence[Number]
Rows: TypeAlias = Sequence[Sequence[Fraction]]

#: Denominator of the fractions that irrational eigenvalues are rounded to.
_GRID = 10**12

LAMBDA = sp.IndexedBase("lambda", real=True)
#: Internal symbols have names that no author can declare: they are no identifiers.
INDEX = sp.Symbol("place of lambda", integer=True)
LEAST = sp.Symbol("least of lambda", real=True)


def matrix_of(rows: Rows) -> flint.fmpq_mat:
    """A matrix of rationals in FLINT.

    - ``rows``: of equal length, of fractions or FLINT's own rationals

    Example:
        >>> matrix_of([[Fraction(1, 2), Fraction(0)]])
        [1/2, 0]
    """
    return flint.fmpq_mat([list(map(rational, row)) for row in rows])


def gram_matrix(rows: Rows) -> flint.fmpq_mat:
    """C = HᵀH, n × n.

    - ``rows``: the d rows of H, each of n rationals

    Example:
        >>> gram_matrix([[Fraction(1), Fraction(2)]])
        [1, 2]
        [2, 4]
    """
    matrix = matrix_of(rows)
    return matrix.transpose() * matrix


def _root(x: Number) -> Number:
    """Exact where x is rational or algebraic (a radical), enclosed where it is a ball."""
    if isinstance(x, sp.Expr):
        return sp.sqrt(x)
    if isinstance(x, flint.fmpq):
        return root_of(fraction(x), 2)
    # a ball about 0, of something nonnegative
    return x.sqrt() if x >= 0 else flint.arb(0).union(x.abs_upper().sqrt())


@dataclass(frozen=True)
class Eigenvalues:
    """An `ExactSpectrum` of numbers: all rational, all balls, or all algebraic and descending.

    - ``values``: `flint.fmpq`, `flint.arb`, or SymPy numbers, of sum 1
    - ``width``: the number of rows of H

    Example:
        >>> Eigenvalues([flint.fmpq(2, 3), flint.fmpq(1, 3)], width=4).least
        1/3
    """

    values: Spectrum
    width: int
    root = staticmethod(_root)

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
        return reduce(flint.arb.min, map(flint.arb, self.values))

    def sum(self, term: Callable[[Number], Number]) -> Number:
        return sum(map(term, self.values), sp.Integer(0) if self._algebraic else flint.fmpq(0))

    def count(self, threshold: Fraction) -> Number:
        """How many eigenvalues of C, its trace being the width, are at least a threshold.

        Args:
            threshold: a rational number.

        Returns:
            A whole number; a ball that holds every candidate where an enclosure reaches across the
            threshold.

        Example:
            >>> Eigenvalues((flint.fmpq(3, 4), flint.fmpq(1, 4)), 4).count(Fraction(2))
            1
        """
        least = rational(threshold)
        above = [self.width * value >= least for value in self.values]
        below = [self.width * value < least for value in self.values]
        if sum(above) + sum(below) < self.n:
            return flint.arb(sum(above)).union(flint.arb(self.n))
        return flint.fmpq(sum(above))


@dataclass(frozen=True)
class GramMatrix:
    """An `ExactGram` in rationals or balls: ``products`` over its trace, which is not 0.

    - ``products``: C = HᵀH, n × n; ``width``: the number of rows of H

    Example:
        >>> GramMatrix(gram_matrix([[1, 1], [0, 1]]), width=2)[0, 0]
        1/3
    """

    products: flint.fmpq_mat | flint.arb_mat
    width: int
    root = staticmethod(_root)

    @cached_property
    def n(self) -> int:
        return int(self.products.nrows())

    @cached_property
    def share(self) -> Number:
        return flint.fmpq(1, self.n)

    def __getitem__(self, place: tuple[int, int]) -> Number:
        return self.products[place] / self._trace

    @cached_property
    def _trace(self) -> Number:
        return sum(self.products[k, k] for k in range(self.n))

    def cosine(self, i: int, j: int) -> Number:
        norms = _root(self.products[i, i] * self.products[j, j])
        product = self.products[i, j]
        return (product if isinstance(product, flint.arb) else number(product)) / norms

    def signed_square(self, i: int, j: int) -> Number:
        product = self.products[i, j]
        return product * abs(product) / (self.products[i, i] * self.products[j, j])


@dataclass(frozen=True)
class SymbolicEigenvalues:
    """An `ExactSpectrum` of n symbols, `LAMBDA`, the smallest of which is `LEAST`.

    Example:
        >>> SymbolicEigenvalues(*sp.symbols("n d")).share
        1/n
    """

    n: sp.Symbol
    width: sp.Symbol
    root = staticmethod(_root)

    @property
    def share(self) -> sp.Expr:
        return 1 / self.n

    @property
    def least(self) -> sp.Expr:
        return LEAST

    def sum(self, term: Callable[[Number], Number]) -> sp.Expr:
        return sp.Sum(term(LAMBDA[INDEX]), (INDEX, 0, self.n - 1))

    def count(self, threshold: Number) -> sp.Expr:
        within = sp.Ge(self.width * LAMBDA[INDEX], threshold)
        return sp.Sum(sp.Piecewise((1, within), (0, True)), (INDEX, 0, self.n - 1))


@dataclass(frozen=True)
class AlgebraicSpectrum:
    """The spectrum of a Gram matrix over its trace, some of it irrational.

    - ``factors``: those of its characteristic polynomial with their multiplicities, as integer
      coefficients from the constant on; irreducible or linear, every root real and not negative
    """

    factors: tuple[tuple[tuple[int, ...], int], ...]

    def __len__(self) -> int:
        return sum((len(factor) - 1) * count for factor, count in self.factors)

    def now(self) -> list[Number]:
        """Descending: rationals as ``fmpq``, the rest enclosed at the precision of the moment.

        Balls that overlap are not told apart: each then covers them all.
        """
        return list(_enclosed(self, int(flint.ctx.prec)))

    def rounded(self) -> tuple[Fraction, ...]:
        """Fractions near it.

        Returns:
            As many as it has numbers, descending, nonnegative and of sum 1, within rounding of it;
            what is drawn near an input starts from them.
        """
        middles = [max(float(flint.arb(x).mid()), 0.0) for x in self.now()]
        whole = [Fraction(round(middle * _GRID), _GRID) for middle in middles]
        return tuple(x / sum(whole) for x in whole)

    def __str__(self) -> str:
        with flint.ctx.workprec(64):
            shown = [f"{float(flint.arb(x).mid()):.6g}" for x in self.now()]
        return f"about ({', '.join(shown)})"

    __repr__ = __str__


KnownSpectrum: TypeAlias = tuple[Fraction, ...] | AlgebraicSpectrum


@lru_cache(maxsize=64)
def _enclosed(spectrum: AlgebraicSpectrum, precision: int) -> tuple[Number, ...]:
    found: list[Number] = []
    with flint.ctx.workprec(precision):
        for factor, count in spectrum.factors:
            if len(factor) == 2:
                found += [flint.fmpq(-factor[0], factor[1])] * count
                continue
            for root, _ in flint.fmpz_poly(list(factor)).complex_roots():
                found += [root.real] * count
        found.sort(key=lambda x: flint.arb(x).mid(), reverse=True)  # exact, so it compares
        for k in range(1, len(found)):
            left, right = found[k - 1], found[k]
            rational = isinstance(left, flint.fmpq) and isinstance(right, flint.fmpq)
            if rational or left > right:
                continue
            union = flint.arb(left).union(flint.arb(right))
            found = [
                union if x is left or x is right or flint.arb(x).overlaps(union) else x
                for x in found
            ]
    return tuple(found)


def eigenvalues_of(gram: flint.fmpq_mat) -> KnownSpectrum:
    """The eigenvalues of a Gram matrix over its trace, descending; as fractions if all are.

    - ``gram``: C = HᵀH, n × n and rational, of an H that is not 0; `gram_matrix` makes it

    Cost: a characteristic polynomial over the rationals, and its factors.

    Example:
        >>> eigenvalues_of(gram_matrix([[1, 1], [0, 0]]))
        (Fraction(1, 1), Fraction(0, 1))
        >>> eigenvalues_of(gram_matrix([[1, 1], [0, 1]]))
        about (0.872678, 0.127322)
    """
    trace = sum((gram[i, i] for i in range(gram.nrows())), flint.fmpq(0))
    _, factors = (gram / trace).charpoly().numer().factor()
    found = AlgebraicSpectrum(
        tuple((tuple(map(int, factor.coeffs())), int(count)) for factor, count in factors)
    )
    if any(len(factor) > 2 for factor, _ in found.factors):
        return found
    return tuple(map(fraction, found.now()))


def enclosed_spectrum(gram: flint.arb_mat) -> list[Number]:
    """Balls that contain the eigenvalues of a Gram matrix over its trace, descending.

    - ``gram``: C in balls, symmetric and positive semidefinite, of positive trace

    For A = C/tr C and floats V, D of its eigendecomposition, λ_k(VDVᵀ) is D_k times a number within
    ‖VᵀV − I‖ of 1 (Ostrowski; Horn, Johnson, Matrix Analysis, Theorem 4.5.9), and λ_k(A) within
    ‖A − VDVᵀ‖ of that (Weyl). Radii are no less than some n·1e-16.

    Example:
        >>> [round(float(x.mid()), 6) for x in enclosed_spectrum(flint.arb_mat([[1, 0], [0, 3]]))]
        [0.75, 0.25]
    """
    n = gram.nrows()
    trace = sum((gram[k, k] for k in range(n)), flint.arb(0))
    shares = gram * (1 / trace)
    entries = shares.entries()
    floats = np.array([float(x.mid()) for x in entries]).reshape(n, n)
    if not all(x.is_finite() for x in entries):
        return [flint.arb(0).union(flint.arb(1))] * n
    values, vectors = np.linalg.eigh((floats + floats.T) / 2)
    basis = flint.arb_mat(vectors.tolist())
    scales = flint.arb_mat(np.diag(values).tolist())
    identity = flint.arb_mat(np.eye(n).tolist())
    oblique = _frobenius(basis.transpose() * basis - identity)
    missed = _frobenius(shares - basis * scales * basis.transpose())
    found = []
    for value in values[::-1].tolist():
        ball = flint.arb(value, (abs(value) * oblique + missed).abs_upper())
        found.append(ball if ball >= 0 else ball.nonnegative_part())
    return found


def _frobenius(matrix: flint.arb_mat) -> flint.arb:
    return sum((x * x for x in matrix.entries()), flint.arb(0)).nonnegative_part().sqrt()


def _descend(left: sp.Expr, right: sp.Expr) -> int:
    return sign(right - left) or 0


def descending(spectrum: Sequence[Fraction | sp.Expr] | AlgebraicSpectrum) -> list[Number]:
    """A spectrum as numbers that an observable is evaluated in, the largest first.

    They are ``fmpq``; SymPy numbers if some are algebraic; and balls where it is of a batch.

    Args:
        spectrum: exact numbers, or a spectrum known by its polynomial.

    Example:
        >>> descending([Fraction(1, 3), Fraction(2, 3)])
        [2/3, 1/3]
    """
    if isinstance(spectrum, AlgebraicSpectrum):
        return spectrum.now()
    if any(isinstance(x, sp.Expr) for x in spectrum):
        return sorted(map(number, spectrum), key=cmp_to_key(_descend))
    return list(map(rational, sorted(spectrum, reverse=True)))

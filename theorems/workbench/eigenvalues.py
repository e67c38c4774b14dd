"""The spectrum of a batch, exactly: rationals where it is rational, enclosed roots of polynomials where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key, lru_cache
from typing import Any

import flint
import sympy as sp

from theorems.algebraic import number, sign

__all__ = ["Eigenvalues", "descending", "eigenvalues_of", "spectrum_of"]

_GRID = 10**12


@dataclass(frozen=True)
class Eigenvalues:
    """The spectrum of a Gram matrix over its trace, some of it irrational: factors of its characteristic polynomial.

    ``factors`` are integer polynomials, irreducible or linear, with multiplicities, every root real and not negative.
    """

    factors: tuple[tuple[tuple[int, ...], int], ...]

    def __len__(self) -> int:
        return sum((len(f) - 1) * count for f, count in self.factors)

    def now(self) -> list[Any]:
        """Descending: rationals as ``fmpq``, the rest enclosed at the working precision of the moment.

        Balls that overlap are not told apart: each then covers them all.
        """
        return list(_enclosed(self, int(flint.ctx.prec)))

    def rounded(self) -> tuple[Fraction, ...]:
        """Fractions that sum to 1 and are within rounding of it."""
        whole = [
            Fraction(round(max(float(flint.arb(x).mid()), 0.0) * _GRID), _GRID) for x in self.now()
        ]
        return tuple(x / sum(whole) for x in whole)

    def __str__(self) -> str:
        with flint.ctx.workprec(64):
            shown = [f"{float(flint.arb(x).mid()):.6g}" for x in self.now()]
        return f"about ({', '.join(shown)})"

    __repr__ = __str__


@lru_cache(maxsize=64)
def _enclosed(spectrum: Eigenvalues, precision: int) -> tuple[Any, ...]:
    found: list[Any] = []
    with flint.ctx.workprec(precision):
        for coefficients, count in spectrum.factors:
            if len(coefficients) == 2:
                found += [flint.fmpq(-coefficients[0], coefficients[1])] * count
                continue
            for root, _ in flint.fmpz_poly(list(coefficients)).complex_roots():
                found += [root.real] * count
        found.sort(key=lambda x: flint.arb(x).mid(), reverse=True)  # exact, so it compares
        for k in range(1, len(found)):
            left, right = found[k - 1], found[k]
            if (
                not (isinstance(left, flint.fmpq) and isinstance(right, flint.fmpq))
                and not left > right
            ):
                together = flint.arb(left).union(flint.arb(right))
                found = [
                    together if x is left or x is right or flint.arb(x).overlaps(together) else x
                    for x in found
                ]
    return tuple(found)


def spectrum_of(rows: tuple[tuple[Fraction, ...], ...]) -> tuple[Fraction, ...] | Eigenvalues:
    """The eigenvalues of HᵀH over its trace, descending: as fractions if all are rational.

    ``rows`` are of H, (d, n), not all zero. Cost: a characteristic polynomial over the rationals, and its factors.
    """
    matrix = flint.fmpq_mat([[flint.fmpq(x.numerator, x.denominator) for x in row] for row in rows])
    return eigenvalues_of(matrix.transpose() * matrix)


def eigenvalues_of(gram: flint.fmpq_mat) -> tuple[Fraction, ...] | Eigenvalues:
    """The eigenvalues of a Gram matrix over its trace, which is not 0; as :func:`spectrum_of` gives them."""
    trace = sum((gram[i, i] for i in range(gram.nrows())), flint.fmpq(0))
    _, factors = (gram / trace).charpoly().numer().factor()
    found = Eigenvalues(
        tuple((tuple(int(c) for c in factor.coeffs()), int(count)) for factor, count in factors)
    )
    if any(len(f) > 2 for f, _ in found.factors):
        return found
    return tuple(Fraction(int(x.p), int(x.q)) for x in found.now())


def _descend(left: sp.Expr, right: sp.Expr) -> int:
    return sign(right - left) or 0


def descending(spectrum: Sequence[Fraction | sp.Expr] | Eigenvalues) -> list[Any]:
    """A spectrum as ``fmpq``; exactly as SymPy holds it if some are algebraic numbers; balls where it is of a batch."""
    if isinstance(spectrum, Eigenvalues):
        return spectrum.now()
    if any(isinstance(x, sp.Expr) for x in spectrum):
        numbers: list[Any] = [number(x) for x in spectrum]
        return sorted(numbers, key=cmp_to_key(_descend))
    return [flint.fmpq(x.numerator, x.denominator) for x in sorted(spectrum, reverse=True)]

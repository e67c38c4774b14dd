"""What the family's checks are tried on: exact spectra, singular values and matrices with their
symbols' values, and the starts of simulations.

A spectrum is a tuple of fractions of sum 1, singular values one of square sum 1; a user's float
(d, n) batch stands for its own. Corners are always tried, strategies roam.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

import flint
import numpy as np
import sympy as sp

from simulators.batches import dominant_spectrum, spectrum_batch, two_level_spectrum
from simulators.engines.mean_field import rescale_map_enclosure
from simulators.lazy import strategies as st
from simulators.strategies import (
    TINY,
    Matrix,
    Vector,
    corner_matrices,
    corner_spectra,
    fractions_between,
    matrices,
    spectra,
)
from theorems.checking.expectation import Floats
from theorems.checking.rational_inputs import rational_rows, sphere_point
from theorems.statement import Statement

__all__ = [
    "WIDTHS",
    "contraction_values",
    "known",
    "matrix_corners",
    "matrix_inputs",
    "one_layer",
    "singular_corners",
    "singular_inputs",
    "singular_values",
    "speaking_width",
    "spectrum_corners",
    "spectrum_inputs",
    "spectrum_values",
    "two_level",
]

#: An exact input, or the user's (d, n) batch.
Input: TypeAlias = Vector | Floats
Values: TypeAlias = Mapping[str, object]
#: Distinct eigenvalues, smallest first, exact or enclosed, and their multiplicities.
Grouped: TypeAlias = tuple[list[flint.arb | flint.fmpq], list[int]]

# --- corners and strategies -----------------------------------------------------------------------


def spectrum_corners(sizes: Iterable[int] = (1, 2, 3, 4, 8)) -> list[Vector]:
    """The corners of every size, and spectra a breath away from uniform, where the contraction is
    tight.

    Example:
        >>> spectrum_corners([1])
        [(Fraction(1, 1),)]
    """
    found: list[Vector] = []
    for n in sizes:
        found += corner_spectra(n).values()
        if n > 1:
            close = Fraction(1, n) - Fraction(1, 10**4 * n)
            found += [two_level_spectrum(n, close), dominant_spectrum(n, close)]
    return found


def spectrum_inputs() -> st.SearchStrategy[Vector]:
    """Spectra of 1 to 8 eigenvalues, descending.

    Example:
        >>> spectrum_inputs().validate()
    """
    return spectra(min_n=1, max_n=8)


def _unit(coordinates: Iterable[Fraction]) -> Vector:
    """A rational point of the unit sphere, nonnegative."""
    return tuple(map(abs, sphere_point(coordinates)))


def singular_corners() -> list[Vector]:
    """Unit vectors: uniform (n a square), zeros beside a uniform block, near-uniform, nearly rank
    one.

    Example:
        >>> {sum(sigma**2 for sigma in corner) for corner in singular_corners()}
        {Fraction(1, 1)}
    """
    half, third = Fraction(1, 2), Fraction(1, 3)
    return [
        (Fraction(1),),
        (Fraction(1), Fraction(0)),
        (Fraction(4, 5), Fraction(3, 5)),
        (half,) * 4,
        (half,) * 4 + (Fraction(0),),
        (third,) * 9,
        (third,) * 9 + (Fraction(0),),
        _unit((third + Fraction(1, 10**5),) * 3),
        _unit((TINY,) * 3),
        _unit((Fraction(1, 100), Fraction(1, 10))),
    ]


def singular_inputs() -> st.SearchStrategy[Vector]:
    """Singular values of 1 to 8 samples, of square sum 1.

    Example:
        >>> singular_inputs().validate()
    """
    small = fractions_between(Fraction(-3), Fraction(3), 50)
    tiny = st.sampled_from((TINY, Fraction(1, 10**9), Fraction(1)))
    return st.lists(st.tuples(small, tiny).map(lambda p: p[0] * p[1]), min_size=0, max_size=7).map(
        _unit
    )


def matrix_corners() -> list[Matrix]:
    """Corner matrices of sizes 1 × 1 to 5 × 3, without zero rows.

    Example:
        >>> len(matrix_corners()[0])
        1
    """
    found: list[Matrix] = []
    for d, n in ((1, 1), (3, 1), (2, 2), (5, 3)):
        found += corner_matrices(d, n).values()
    return found


def matrix_inputs() -> st.SearchStrategy[Matrix]:
    """Matrices of up to 6 rows and 4 columns, without zero rows.

    Example:
        >>> matrix_inputs().validate()
    """
    return matrices(max_d=6, max_n=4)


# --- what the symbols are -------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _batch_spectrum(entries: bytes, shape: tuple[int, int], precision: int) -> Grouped:
    """The eigenvalues of C over its trace, from the exact C.

    Rational ones are exact: roots of a monic integer polynomial that are rational are integers.
    """
    exact = list(map(Fraction, np.frombuffer(entries).tolist()))
    scale = max(x.denominator for x in exact)
    integers = flint.fmpz_mat(*shape, [int(x * scale) for x in exact])
    gram = integers.transpose() * integers
    trace = flint.fmpz(sum(int(gram[a, a]) for a in range(gram.nrows())))
    polynomial = gram.charpoly()
    found: list[tuple[flint.arb | flint.fmpq, int]] = []
    # narrow enough to single out an integer
    with flint.ctx.workprec(precision + int(trace).bit_length()):
        for root, multiplicity in polynomial.complex_roots():
            whole = root.real.unique_fmpz()
            rational = whole is not None and polynomial(whole) == 0
            share = flint.fmpq(whole, trace) if rational else root.real / trace
            found.append((share, multiplicity))
        found.sort(key=lambda pair: float(flint.arb(pair[0]).mid()))
    return [value for value, _ in found], [multiplicity for _, multiplicity in found]


def _grouped(item: Input) -> Grouped:
    """Eigenvalues of an input: exact, or enclosed for a batch."""
    if isinstance(item, np.ndarray):
        batch = np.ascontiguousarray(item, dtype=np.float64)
        return _batch_spectrum(batch.tobytes(), batch.shape, flint.ctx.prec)
    distinct = sorted(set(item))
    eigenvalues = [flint.fmpq(x.numerator, x.denominator) for x in distinct]
    return eigenvalues, [item.count(x) for x in distinct]


def _spread(grouped: Grouped) -> list[flint.arb | flint.fmpq]:
    """All eigenvalues, smallest first."""
    found: list[flint.arb | flint.fmpq] = []
    for eigenvalue, multiplicity in zip(*grouped, strict=True):
        found += [eigenvalue] * multiplicity
    return found


def _pair(batch: Floats) -> list[sp.Expr]:
    """Both eigenvalues of a two-sample batch, as radicals: at n = 2 V and V̂ tie, which no ball
    decides.
    """
    exact = np.array(rational_rows(batch), dtype=object)
    (a, b), (_, c) = exact.T @ exact
    inside = Fraction(1, 4) - (a * c - b * b) / (a + c) ** 2
    root = sp.sqrt(sp.Rational(inside.numerator, inside.denominator))
    return [sp.Rational(1, 2) - root, sp.Rational(1, 2) + root]


def spectrum_values(item: Input) -> Values:
    """n, lambda and the smallest eigenvalue s of a spectrum, or of the user's (d, n) batch.

    Of a batch they are exact where rational or of two samples, else balls at flint's precision.

    Example:
        >>> spectrum_values((Fraction(1),))
        {'n': 1, 'lambda': [1], 's': 1}
    """
    two = isinstance(item, np.ndarray) and item.shape[1] == 2
    flat = _pair(np.asarray(item)) if two else _spread(_grouped(item))
    return {"n": len(flat), "lambda": flat, "s": flat[0]}


@lru_cache(maxsize=4096)
def _smallest_image(
    eigenvalues: tuple[flint.fmpq, ...], multiplicities: tuple[int, ...], precision: int
) -> flint.arb:
    """p_n in a ball. Variants and sentinels ask for the same spectra: this is what they cost."""
    return rescale_map_enclosure(eigenvalues, multiplicities, precision=precision)[0]


def contraction_values(item: Input) -> Values:
    """As `spectrum_values`, with ``p_n`` enclosed at the current ball precision (exact where
    it is).

    Example:
        >>> contraction_values((Fraction(1, 2), Fraction(1, 2)))["p_n"]
        1/2
    """
    eigenvalues, multiplicities = grouped = _grouped(item)
    size = sum(multiplicities)
    if len(eigenvalues) == 1:
        p_n = flint.fmpq(1, size)  # exchangeable directions
    elif eigenvalues[0] == 0:
        p_n = flint.fmpq(0)
    else:
        enclose = _smallest_image if isinstance(item, tuple) else _smallest_image.__wrapped__
        p_n = enclose(tuple(eigenvalues), tuple(multiplicities), flint.ctx.prec)
    return {"n": size, "lambda": _spread(grouped), "s": eigenvalues[0], "p_n": p_n}


def _root(value: flint.arb | flint.fmpq) -> sp.Expr | flint.arb:
    """The square root, as an exact radical where it is one of a rational."""
    if isinstance(value, flint.fmpq):
        return sp.sqrt(sp.Rational(int(value.p), int(value.q)))
    return value.sqrt()


def singular_values(item: Input) -> Values:
    """n and sigma of singular values, or of the user's (d, n) batch, smallest first, in balls.

    Example:
        >>> singular_values((Fraction(4, 5), Fraction(3, 5)))["n"]
        2
    """
    exact = not isinstance(item, np.ndarray)
    values = list(item) if exact else [_root(x) for x in _spread(_grouped(item))]
    return {"n": len(values), "sigma": values}


# --- starts of simulations ------------------------------------------------------------------------

#: Widths tried, in turn, until a bound says something.
WIDTHS = tuple(round(2 ** (k / 4)) for k in range(20, 81))


def two_level(n: int, share: float) -> Floats:
    """An (n, n) start with sigma_n^2 = share / n, the other eigenvalues equal; share in (0, 1].

    Example:
        >>> two_level(2, 1.0).shape
        (2, 2)
    """
    return spectrum_batch(two_level_spectrum(n, share / n), n)


def one_layer(batch: Floats | None) -> Sequence[tuple[str, Floats]]:
    """The user's batch, or spectra of every shape at n = 2, 4, 8, each with its name.

    The shapes are uniform, one small, one dominant and geometric; a start is (n, n).

    Example:
        >>> [label for label, _ in one_layer(None)][:2]
        ['n=2 uniform', 'n=2 one small']
    """
    if batch is not None:
        return [(f"batch {batch.shape[0]}×{batch.shape[1]}", batch)]
    found = []
    for n in (2, 4, 8):
        geometric = 2.0 ** -np.arange(n)
        spectra = {
            "uniform": np.full(n, 1 / n),
            "one small": two_level_spectrum(n, 0.1 / n),
            "one dominant": dominant_spectrum(n, 0.01 / n),
            "geometric": geometric / geometric.sum(),
        }
        found += [
            (f"n={n} {name}", spectrum_batch(spectrum, n)) for name, spectrum in spectra.items()
        ]
    return found


def known(statement: Statement, values: Mapping[str, float]) -> dict[str, float]:
    """Those of the values that a bound can be asked with: of its symbols, and of the variables.

    Example:
        >>> from theorems.templates.expectation import STATEMENT
        >>> known(STATEMENT, {"n": 4, "alpha": 0.5})
        {'n': 4}
    """
    names = {v.name for v in statement.variables} | {str(x) for x in statement.rhs.free_symbols}
    return {name: value for name, value in values.items() if name in names}


def speaking_width(statement: Statement, share: float, **values: float) -> int | None:
    """The first width in ``WIDTHS`` where the bound is below ``share`` of its ceiling.

    ``values`` are those of the statement's symbols but the width; others are left out. None if no
    width is wide enough.

    Example:
        >>> from theorems.templates.expectation import STATEMENT
        >>> speaking_width(STATEMENT, 0.5, n=4)
        32
    """
    given = known(statement, values)
    most = share * statement.top(**values)
    wide = (width for width in WIDTHS if width >= values["n"])
    return next((width for width in wide if statement.bound(d=width, **given) <= most), None)

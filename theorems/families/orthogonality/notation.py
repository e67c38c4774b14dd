"""Symbols, sources and inputs shared by the orthogonality family (DJB21, chain ``rescale``).

``lambda[i]`` are the squared singular values of H, summing to 1, ``sigma[i]`` the singular values,
``s`` is the smallest squared singular value sigma_n^2 of the layer in question. Indices run from 0
to n - 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint
import numpy as np
import sympy as sp

from simulators.engines.mean_field import rescale_map_enclosure
from theorems.statement import Assumption, Source, Variable

FAMILY = "orthogonality"
#: Where the family's theorems are in the Rocq development.
ROCQ = "BatchNorm.orthogonality"

n = sp.Symbol("n", integer=True, positive=True)
d = sp.Symbol("d", integer=True, positive=True)
ell = sp.Symbol("ell", integer=True, nonnegative=True)
depth = sp.Symbol("L", integer=True, positive=True)
alpha = sp.Symbol("alpha", positive=True)
s = sp.Symbol("s", nonnegative=True)
i, j, k = sp.symbols("i j k", integer=True)
lam = sp.IndexedBase("lambda", real=True)
sig = sp.IndexedBase("sigma", real=True)

WIDTH = Variable(d, sp.Range(1, sp.oo), "width")
BATCH = Variable(n, sp.Range(1, sp.oo), "batch size")
LAYER = Variable(ell, sp.Range(0, sp.oo), "number of layers after H_1")
DEPTH = Variable(depth, sp.Range(1, sp.oo), "number of layers averaged over")
SPECTRUM = Variable(lam, sp.Interval(0, 1), "squared singular values of H", size=(n,))
SINGULAR = Variable(sig, sp.Interval(0, 1), "singular values of H", size=(n,))
SMALLEST = Variable(s, sp.Interval(0, 1 / n), "smallest squared singular value, sigma_n^2")

UNIT_TRACE = Assumption(sp.Eq(sp.Sum(lam[i], (i, 0, n - 1)), 1), "‖H‖_F = 1")
UNIT_NORM = Assumption(sp.Eq(sp.Sum(sig[i] ** 2, (i, 0, n - 1)), 1), "‖H‖_F = 1")

#: The contraction constant of the sharp form: the slope of the mean-field map at the fixed point is
#: 1 - c/n.
c = 2 * n / (n + 2)
#: A sentinel's nudge: a relative change that exact arithmetic must notice.
NUDGE = sp.Rational(1, 10**6)

gap_squared = sp.Sum((lam[i] - 1 / n) ** 2, (i, 0, n - 1))


def djb21(place: str) -> Source:
    return Source("DJB21 (arXiv 2106.03970)", place)


OURS = Source("ours", "sharpened from DJB21")


@lru_cache(maxsize=64)
def _batch_spectrum(
    entries: bytes, shape: tuple[int, int], precision: int
) -> tuple[list[Any], list[int]]:
    """Distinct eigenvalues of C over its trace, smallest first, with multiplicities, from the exact
    C.

    Rational ones are exact: roots of a monic integer polynomial that are rational are integers.
    """
    batch = np.frombuffer(entries).reshape(shape)
    rows = [[Fraction(float(x)) for x in row] for row in batch]
    scale = max(x.denominator for row in rows for x in row)
    integers = flint.fmpz_mat([[int(x * scale) for x in row] for row in rows])
    gram = integers.transpose() * integers
    trace = flint.fmpz(sum(int(gram[a, a]) for a in range(gram.nrows())))
    polynomial = gram.charpoly()
    found: list[tuple[Any, int]] = []
    with flint.ctx.workprec(
        precision + int(trace).bit_length()
    ):  # narrow enough to single out an integer
        for root, multiplicity in polynomial.complex_roots():
            whole = root.real.unique_fmpz()
            exact = whole is not None and polynomial(whole) == 0
            found.append((flint.fmpq(whole, trace) if exact else root.real / trace, multiplicity))
        found.sort(key=lambda pair: float(flint.arb(pair[0]).mid()))
    return [value for value, _ in found], [multiplicity for _, multiplicity in found]


def _grouped(item: Any) -> tuple[list[Any], list[int]]:
    """Distinct eigenvalues, smallest first, with multiplicities: exact, or enclosed for a batch."""
    if isinstance(item, np.ndarray):
        batch = np.ascontiguousarray(item, dtype=np.float64)
        return _batch_spectrum(batch.tobytes(), batch.shape, flint.ctx.prec)
    distinct = sorted(set(item))
    return (
        [flint.fmpq(x.numerator, x.denominator) for x in distinct],
        [item.count(x) for x in distinct],
    )


def _flat(item: Any) -> list[Any]:
    """All eigenvalues, smallest first."""
    return [e for e, m in zip(*_grouped(item), strict=True) for _ in range(m)]


def _pair(batch: np.ndarray[Any, Any]) -> list[sp.Expr]:
    """Both eigenvalues of a two-sample batch, as radicals: at n = 2 V and V̂ tie, which no ball
    decides.
    """
    exact = np.array([[Fraction(float(x)) for x in row] for row in batch], dtype=object)
    (a, b), (_, c) = exact.T @ exact
    inside = Fraction(1, 4) - (a * c - b * b) / (a + c) ** 2
    root = sp.sqrt(sp.Rational(inside.numerator, inside.denominator))
    return [sp.Rational(1, 2) - root, sp.Rational(1, 2) + root]


def spectrum_values(item: Any) -> Mapping[str, Any]:
    """Symbol values of a spectrum: a tuple of ``Fraction`` of sum 1, or a float (d, n) batch."""
    if isinstance(item, np.ndarray) and item.shape[1] == 2:
        pair = _pair(item)
        return {"n": 2, "lambda": pair, "s": pair[0]}
    flat = _flat(item)
    return {"n": len(flat), "lambda": flat, "s": flat[0]}


@lru_cache(maxsize=4096)
def _smallest_image(
    eigenvalues: tuple[Any, ...], multiplicities: tuple[int, ...], precision: int
) -> flint.arb:
    """p_n in a ball. Variants and sentinels ask for the same spectra: this is what they cost."""
    return rescale_map_enclosure(eigenvalues, multiplicities, precision=precision)[0]


def contraction_values(item: Any) -> Mapping[str, Any]:
    """As :func:`spectrum_values`, with ``p_n`` enclosed at the current ball precision (exact where
    it is).
    """
    eigenvalues, multiplicities = _grouped(item)
    size = sum(multiplicities)
    if len(eigenvalues) == 1:
        p_n: Any = flint.fmpq(1, size)  # exchangeable directions
    elif eigenvalues[0] == 0:
        p_n = flint.fmpq(0)
    else:
        enclose = _smallest_image if isinstance(item, tuple) else _smallest_image.__wrapped__
        p_n = enclose(tuple(eigenvalues), tuple(multiplicities), flint.ctx.prec)
    spread = [x for x, count in zip(eigenvalues, multiplicities, strict=True) for _ in range(count)]
    return {"n": size, "lambda": spread, "s": eigenvalues[0], "p_n": p_n}


def _root(value: Any) -> Any:
    """The square root, as an exact radical where it is one of a rational."""
    return (
        sp.sqrt(sp.Rational(int(value.p), int(value.q)))
        if isinstance(value, flint.fmpq)
        else value.sqrt()
    )


def singular_values(item: Any) -> Mapping[str, Any]:
    """Symbol values of singular values with unit square sum: ``Fraction``s, or a float (d, n)
    batch.
    """
    if isinstance(item, np.ndarray):
        roots = [_root(x) for x in _flat(item)]
        return {"n": len(roots), "sigma": roots}
    return {"n": len(item), "sigma": list(item)}

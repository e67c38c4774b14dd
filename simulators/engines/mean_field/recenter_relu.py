"""The recenter–ReLU chain at infinite width: its Gram matrix moves by a deterministic map.

With K = JGJ, J = I − 11ᵀ/n, and cosines ρ_ij = K_ij/√(K_ii K_jj),

    G⁺_ij ∝ √(K_ii K_jj) κ(ρ_ij),   κ(ρ) = (√(1 − ρ²) + (π − arccos ρ) ρ)/π,

because E[ReLU(x) ReLU(y)] = κ(ρ)/2 for standard normal x, y of correlation ρ (Cho, Saul, Kernel
Methods for Deep Learning, NeurIPS 2009, the arc-cosine kernel of degree 1). The factor keeps the
trace.

Near ρ = −1 the two terms of κ cancel: with ψ = arccos(−ρ), πκ = sin ψ − ψ cos ψ = ψ³/3 − …, summed
as a series. Near ρ = 1 nothing cancels: κ ≥ 1/π for ρ ≥ 0 and 0 ≤ κ′ ≤ 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import numpy as np
from flint import arb, ctx, fmpq
from numpy.typing import ArrayLike, NDArray

from simulators.arguments import require
from simulators.arrays import Floats
from simulators.engines.mean_field.rescale import Exact

_EPS = float(np.finfo(np.float64).eps)
#: Taylor coefficients of (sin ψ − ψ cos ψ)/ψ³ in −ψ²: for ψ ≤ π/3 the first left out is below
#: 1e-18.
_CUBIC = np.array([(-1) ** k * (2 * k + 2) / math.factorial(2 * k + 3) for k in range(10)])


def sine_defect(angle: Floats) -> Floats:
    """sin ψ − ψ cos ψ for ψ in [0, π], with a relative error of a few 1e-16 however small ψ is. Any
    shape.

    Args:
        angle: ψ in radians.

    Example:
        >>> sine_defect(np.array([0.0, math.pi])).round(6).tolist()
        [0.0, 3.141593]
    """
    square = angle * angle
    near = angle * square * np.polynomial.polynomial.polyval(square, _CUBIC)
    return np.where(angle < 1.0, near, np.sin(angle) - angle * np.cos(angle))


def arc_cosine(cosine: ArrayLike) -> Floats:
    """κ(ρ), the cosine after ReLU at infinite width, for ρ in [−1, 1] of any shape.

    Relative error a few 1e-16 for every float ρ, near −1 too. Raises ``ValueError`` outside [−1, 1]
    and for NaN.

    Args:
        cosine: ρ.

    Example:
        >>> arc_cosine([-1, 0, 1]).round(6).tolist()
        [0.0, 0.31831, 1.0]
    """
    rho = np.asarray(cosine, dtype=np.float64)
    if not (abs(rho) <= 1).all():
        raise ValueError(f"cosine ranges over [{rho.min()}, {rho.max()}]; want numbers in [-1, 1]")
    return _kappa(np.atleast_1d(rho)).reshape(rho.shape)


def _kappa(rho: Floats) -> Floats:
    value = np.arccos(rho)
    np.subtract(math.pi, value, out=value)
    value *= rho
    value += np.sqrt((1 - rho) * (1 + rho))
    value /= math.pi
    low = rho < -0.5
    if low.any():
        # 1 + ρ is exact there, and arcsin keeps its relative accuracy
        value[low] = sine_defect(2 * np.arcsin(np.sqrt((1 + rho[low]) / 2))) / math.pi
    return np.asarray(value)


def recenter_relu_map(gram: ArrayLike) -> Floats:
    """One layer of the recenter–ReLU chain at infinite width, Gram matrix to Gram matrix, with the
    trace kept.

    ``gram`` is real of shape ``(..., n, n)``, n ≥ 3, symmetric and positive semidefinite up to
    rounding, of any scale; so is the result, exactly symmetric. Every entry is good to a few
    1e-16·√(G_ii G_jj) beyond what the subtraction of the mean costs. Cost: O(n²) arc cosines and
    one Cholesky factorisation, to test definiteness; memory some ten times the input.

    Raises ``TypeError`` when the entries are not real numbers; ``ValueError`` when the shape does
    not fit, when an entry is NaN or infinite, when a matrix is asymmetric or indefinite beyond
    rounding, or when a column equals the mean of the batch to rounding, so that recentring leaves a
    zero column.

    Example:
        >>> recenter_relu_map(np.eye(3)).round(3)[0].tolist()
        [1.0, 0.109, 0.109]
    """
    given = np.asarray(gram)
    matrices, scales = admit_grams(given, least=3)
    return (scales[:, None, None] * _layer(matrices / scales[:, None, None])).reshape(given.shape)


def admit_grams(given: NDArray[np.generic], *, least: int) -> tuple[Floats, Floats]:
    """Gram matrices (k, n, n) from an array of shape ``(..., n, n)``, n ≥ ``least``, and the
    largest diagonal entry of each.

    Raises ``TypeError`` when the entries are not real numbers; ``ValueError`` for what is no Gram
    matrix: another shape, NaN, no positive diagonal entry, asymmetric or indefinite beyond
    rounding.

    Args:
        given: one matrix or many.
        least: the fewest samples, at least 1.

    Example:
        >>> [part.shape for part in admit_grams(np.eye(3), least=3)]
        [(1, 3, 3), (1,)]
    """
    require(
        given.dtype.kind in "fiu", f"gram has dtype {given.dtype}; give real numbers", TypeError
    )
    require(
        given.ndim >= 2 and given.shape[-1] == given.shape[-2] and given.shape[-1] >= least,
        f"gram has shape {given.shape}; give (..., n, n) with n ≥ {least}",
    )
    n = given.shape[-1]
    matrices = given.astype(np.float64).reshape(-1, n, n)
    require(np.isfinite(matrices).all(), "gram must be finite, without NaN")
    diagonals = np.diagonal(matrices, axis1=1, axis2=2)
    scales = diagonals.max(axis=1)
    require(
        (scales > 0).all(),
        "gram has no positive diagonal entry; give the Gram matrix of a batch that is not zero",
    )
    noise = n * _EPS * scales
    skew = abs(matrices - matrices.swapaxes(1, 2)).max(axis=(1, 2))
    if (skew > noise).any():
        raise ValueError(f"gram is asymmetric by {skew.max():.3g}; give HᵀH")
    # A negative eigenvalue below rounding is let pass: HᵀH of dependent columns has some.
    allowed = n * noise
    try:
        np.linalg.cholesky(matrices + allowed[:, None, None] * np.eye(n))
    except np.linalg.LinAlgError:
        smallest = np.linalg.eigvalsh(matrices)[:, 0]
        if (smallest < -allowed).any():
            raise ValueError(
                f"gram is indefinite, with eigenvalue {smallest.min():.3g}; give HᵀH"
            ) from None
    return matrices, np.asarray(scales)


def _layer(grams: Floats) -> Floats:
    """Matrices, (batch, n, n), with largest diagonal entry 1."""
    n = grams.shape[-1]
    means = grams.mean(axis=2)
    shift = means[:, :, None] + means[:, None, :]
    shift -= means.mean(axis=1)[:, None, None]
    centred = (grams + grams.swapaxes(1, 2)) / 2 - shift
    squares = np.diagonal(centred, axis1=1, axis2=2).copy()
    zero = np.argwhere(squares <= 16 * _EPS)
    if zero.size:
        raise ValueError(
            f"gram: column {zero[0, 1]} of the batch equals the mean to rounding, so recentring "
            "leaves a zero column, which has no angle"
        )
    norms = np.sqrt(squares)
    scale = norms[:, :, None] * norms[:, None, :]
    np.divide(centred, scale, out=centred)
    np.clip(centred, -1, 1, out=centred)
    layer = _kappa(centred)
    layer *= scale
    layer[:, np.arange(n), np.arange(n)] = squares
    layer *= (np.trace(grams, axis1=1, axis2=2) / squares.sum(axis=1))[:, None, None]
    return layer


def arc_cosine_enclosure(cosine: arb) -> arb:
    """A ball that contains κ(ρ) for every ρ of the ball ``cosine`` in [−1, 1].

    κ is monotone, so the ends decide; what of the ball lies beyond [−1, 1] is rounding and is cut
    off. Raises ``ValueError`` if the ball does not meet [−1, 1].

    Example:
        >>> arc_cosine_enclosure(arb(0)).overlaps(1 / arb.pi())
        True
    """
    one = arb(1)
    if not cosine.is_finite() or cosine > 1 or cosine < -1:
        raise ValueError(f"cosine {cosine} does not meet [-1, 1]")
    low, high = cosine.lower().max(-one), cosine.upper().min(one)
    return _kappa_at(low) if low == high else _kappa_at(low).union(_kappa_at(high))


def _kappa_at(rho: arb) -> arb:
    if rho == -1:
        return arb(0)
    return (((1 - rho) * (1 + rho)).sqrt() + (arb.pi() - rho.acos()) * rho) / arb.pi()


def recenter_relu_map_enclosure(
    gram: Sequence[Sequence[Exact]], *, precision: int = 128
) -> list[list[arb]]:
    """Balls that contain the entries of `recenter_relu_map` at an exact Gram matrix, or at every
    one in balls.

    ``gram`` is n rows of n entries, n ≥ 3: `int`, `Fraction`, `fmpq` or `arb`. Symmetry is required
    of exact entries and means overlap for balls; definiteness is not tested. Radii are some
    2^-precision for exact entries. Cost: n² arc cosines, a few microseconds each.

    Raises ``TypeError`` for a float or any other type; ``ValueError`` when the shape does not fit,
    when entries are certainly asymmetric, or when a recentred column may be zero.

    Args:
        gram: a Gram matrix, n × n.
        precision: in bits.

    Example:
        >>> identity = [[int(i == j) for j in range(3)] for i in range(3)]
        >>> recenter_relu_map_enclosure(identity)[0][0].contains(1)
        True
    """
    n = len(gram)
    with ctx.workprec(precision + 32):
        rows = read_gram(gram, least=3)
        means = [sum(row, arb(0)) / n for row in rows]
        mean = sum(means, arb(0)) / n

        def centred(i: int, j: int) -> arb:
            return rows[i][j] - means[i] - means[j] + mean

        squares = [centred(i, i) for i in range(n)]
        for i, square in enumerate(squares):
            require(
                square > 0,
                f"gram: column {i} of the batch may equal the mean, so recentring may leave a zero "
                "column, which has no angle",
            )
        norms = [square.sqrt() for square in squares]
        factor = sum((rows[i][i] for i in range(n)), arb(0)) / sum(squares, arb(0))
        layer = [[factor * square] * n for square in squares]
        for i, j in combinations(range(n), 2):
            scale = norms[j] * norms[i]
            cosine = arc_cosine_enclosure(centred(j, i) / scale)
            layer[i][j] = layer[j][i] = factor * scale * cosine
    return layer


def read_gram(gram: Sequence[Sequence[Exact]], *, least: int) -> list[list[arb]]:
    """A Gram matrix of exact entries or balls, as balls, n × n with n ≥ ``least``.

    Raises ``TypeError`` for a float or any other type; ``ValueError`` when the shape does not fit
    and for entries that are certainly asymmetric.

    Args:
        gram: n rows of n entries: `int`, `Fraction`, `fmpq` or `arb`.
        least: the fewest samples, at least 1.

    Example:
        >>> read_gram([[1]], least=1)[0][0] == 1
        True
    """
    n = len(gram)
    require(
        n >= least and all(len(row) == n for row in gram),
        f"gram has {n} rows of lengths {sorted({len(row) for row in gram})}; give n × n with "
        f"n ≥ {least}",
    )
    rows = [list(map(_read, row)) for row in gram]
    for i, j in combinations(range(n), 2):
        require(rows[i][j].overlaps(rows[j][i]), f"gram is asymmetric at ({j}, {i})")
    return rows


def _read(value: Exact) -> arb:
    if isinstance(value, Fraction):
        value = fmpq(value.numerator, value.denominator)
    if not isinstance(value, int | fmpq | arb):
        raise TypeError(
            f"gram has an entry {value!r} of type {type(value).__name__}; give int, Fraction, fmpq "
            "or arb"
        )
    return arb(value)

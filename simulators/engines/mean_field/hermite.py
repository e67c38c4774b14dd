"""Hermite expansions of a function of a normal variable, in floats and in balls.

With h_k = He_k/√k!, orthonormal under the standard normal law, and φ in L²,

    φ(√q x) = Σ_k c_k(q) h_k(x),   E φ(√q x) φ(√r y) = Σ_k c_k(q) c_k(r) ρ^k

for standard normal x, y of correlation ρ (Mehler). What a sum up to K leaves out is, by Cauchy and
Schwarz, at most |ρ|^(K+1) √(R(q) R(r)), R(q) = E φ(√q x)² − Σ_{k≤K} c_k(q)²: of φ nothing else need
be known.

**Floats.** Composite Gauss–Legendre on panels that end at 0, so that a kink there does no harm.

**Balls.** The trapezoidal rule with nodes x_j = jh, |x_j| ≤ R, and the two things it leaves out,
for φ analytic in |Im z| ≤ y with |φ(z)| ≤ A + B|Re z| there:

- *the step*: f(z) = φ(√q z) h_k(z) exp(−z²/2)/√(2π) is analytic in the strip, and the integral of
  |f| along Im z = b, |b| ≤ y, is at most M = exp(y²/2) (A + B√q) √L_k(−y²), because
  E|h_k(x + iy)|² = L_k(−y²), the Laguerre polynomial: the rule's error is at most
  2M/(exp(2πy/h) − 1) (Trefethen, Weideman, The Exponentially Convergent Trapezoidal Rule, SIAM
  Review 56, 2014, Theorem 5.1). For φ², M = exp(y²/2) (A + B√q)².
- *the ends*: |h_k(x)| ≤ 1.0865 exp(x²/4) (Cramér; Szegő, Orthogonal Polynomials, 1939, 8.91.10), so
  nodes beyond R add up to at most 2·1.0865/√(2π)·exp(−R²/4) (2A/R + 2B√q), A and B of the real
  line; for φ² that times (A + B√q R) exp(−R²/4) is more than enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import TypeAlias

import numpy as np
from flint import arb, arb_mat, ctx

from simulators.arrays import Floats

__all__ = ["Analytic", "Expansion", "expansion", "expansion_enclosure"]

Real: TypeAlias = Callable[[Floats], Floats]

_REACH = 13.0
"""In standard deviations: h_k(x) exp(−x²/2) is below 5e-19 beyond, for every k."""
_END = 1e-12
"""The share of E φ² that the outermost panels may have."""
_PANEL_NODES = 32
_PANELS = 52  # of length 1/2: h_k, k ≤ 1024, turns at most 16 radians in each
LARGEST_DEGREE = 1024
_NEGLIGIBLE = 4 * float(np.finfo(np.float64).eps)
_CRAMER = Fraction(10865, 10000)
_GUARD_BITS = 32


@dataclass(frozen=True)
class Analytic:
    """What the enclosure of an expansion must know of φ.

    - ``function``: φ of a ball, on the real line
    - ``strip``: φ is analytic where |Im z| is less
    - ``bound``: y in [0, strip) to A, B with |φ(z)| ≤ A + B|Re z| for |Im z| ≤ y

    Example:
        >>> sine = Analytic(arb.sin, math.inf, lambda y: (y.cosh(), arb(0)))
        >>> sine.bound(arb(0))[0] == 1
        True
    """

    function: Callable[[arb], arb]
    strip: float
    bound: Callable[[arb], tuple[arb, arb]]


@dataclass(frozen=True)
class Expansion:
    """φ(√q x) for each of some variances q: ``coefficients`` c_0 … c_K and ``remainder`` R.

    Float arrays of shapes ``(..., K + 1)`` and ``(...)``.

    Example:
        >>> found = expansion(np.sin, np.array([1.0]))
        >>> float(found.coefficients[0, 1].round(4))
        0.6065
    """

    coefficients: Floats
    remainder: Floats


def expansion(function: Real, variances: Floats, degree: int | None = None) -> Expansion:
    """The expansion of ``function``, NumPy's arrays to arrays of their shape, for each variance.

    ``variances`` ≥ 0 have shape (m,). Up to ``degree`` ≤ 1024, or else as far as the remainder is
    not negligible, and no further than 1024. Absolute error some 1e-15 of φ's norm where φ is
    smooth but for a kink or a jump at 0; for kinks elsewhere some 1e-4 of what they change.

    Cost: 1664 values of φ for each variance, and a matrix product. Raises ``ValueError`` where φ
    grows so that E φ(√q x)² is not finite, or not to be had of |x| ≤ 13.

    Example:
        >>> expansion(np.abs, np.array([1.0]), 1).coefficients.round(4).tolist()
        [[0.7979, 0.0]]
    """
    nodes, weights = _quadrature()
    with np.errstate(over="ignore", invalid="ignore"):
        values = function(np.sqrt(variances)[:, None] * nodes)
        weighted = values * weights
        shares = values * weighted
        squares = shares.sum(axis=1)
        ends = shares[:, :_PANEL_NODES].sum(axis=1) + shares[:, -_PANEL_NODES:].sum(axis=1)
    small = (ends <= _END * squares) & np.isfinite(squares)
    if not small.all():
        raise ValueError(
            f"the square of the function has no finite mean over normal variables of variance "
            f"{variances[~small][0]:.3g}, or one made {_REACH:g} standard deviations out"
        )
    reach = LARGEST_DEGREE if degree is None else degree
    size = min(reach, 64) if degree is None else degree
    while True:
        coefficients = weighted @ _hermite_table()[: size + 1].T
        remainder = np.maximum(squares - (coefficients**2).sum(axis=1), 0.0)
        if size == reach or (remainder <= _NEGLIGIBLE * squares).all():
            return Expansion(coefficients, remainder)
        size *= 2


@cache
def _quadrature() -> tuple[Floats, Floats]:
    """Nodes, and weights under the standard normal law."""
    inner, shares = np.polynomial.legendre.leggauss(_PANEL_NODES)
    ends = np.linspace(-_REACH, _REACH, _PANELS + 1)
    half = _REACH / _PANELS
    nodes = ((ends[:-1] + half)[:, None] + half * inner).ravel()
    weights = np.tile(half * shares, _PANELS) * np.exp(-nodes * nodes / 2)
    return nodes, weights / math.sqrt(2 * math.pi)


@cache
def _hermite_table() -> Floats:
    """h_k at the nodes, (1025, nodes)."""
    nodes, _ = _quadrature()
    table = np.empty((LARGEST_DEGREE + 1, len(nodes)))
    table[0], table[1] = 1.0, nodes
    for k in range(1, LARGEST_DEGREE):
        table[k + 1] = (nodes * table[k] - math.sqrt(k) * table[k - 1]) / math.sqrt(k + 1)
    return table


def expansion_enclosure(
    analytic: Analytic, variance: arb, degree: int, precision: int
) -> tuple[list[arb], arb]:
    """Balls that contain c_0 … c_K and E φ(√q x)², for every q of the ball ``variance`` ≥ 0.

    ``degree`` is K ≥ 0. For an exact variance radii are some 2^-precision·√L_K(1). Cost: some
    precision²/10 nodes of K products, a few tenths of a second at 128 bits and K = 160, of which
    the greater part is kept for other variances.

    Example:
        >>> sine = Analytic(arb.sin, math.inf, lambda y: (y.cosh(), arb(0)))
        >>> found, square = expansion_enclosure(sine, arb(1), 3, 64)
        >>> found[1].overlaps((-arb(1) / 2).exp()), square.overlaps((1 - arb(-2).exp()) / 2)
        (True, True)
    """
    with ctx.workprec(precision + _GUARD_BITS):
        root = _root(variance)
        inside = _height(analytic.strip, root)
        height, grid = _ball(inside), _grid(inside, degree, precision)
        values = [analytic.function(root * node) for node in grid.nodes]
        sums = arb_mat([values]) * grid.table
        square = sum((v * v * w for v, w in zip(values, grid.weights, strict=True)), arb(0))

        offset, slope = analytic.bound(root * height)
        strip = offset + slope * root
        step = 2 * (height * height / 2).exp() / ((2 * arb.pi() * height / grid.step).exp() - 1)
        offset, slope = analytic.bound(arb(0))
        reach = grid.nodes[-1]
        fall = (-reach * reach / 4).exp()
        ends = (
            2
            * _ball(_CRAMER)
            / (2 * arb.pi()).sqrt()
            * fall
            * (2 * offset / reach + 2 * slope * root)
        )
        left = (step * strip * grid.growth.sqrt() + ends).abs_upper()
        found = [sums[0, k] + arb(0, left) for k in range(degree + 1)]
        beyond = ends * (offset + slope * root * reach) * fall
        return found, square + arb(0, (step * strip * strip + beyond).abs_upper())


def _root(variance: arb) -> arb:
    """√q of a ball that may reach below 0 by rounding."""
    return variance.nonnegative_part().sqrt() if not variance > 0 else variance.sqrt()


def _height(strip: float, root: arb) -> Fraction:
    """A dyadic y with y√q certainly inside the strip, at most 3/2."""
    height = Fraction(3, 2)
    most = float(root.abs_upper()) * (1 + 1e-9)
    while float(height) * most >= 0.9 * strip:
        height *= Fraction(3, 4)
    return height


def _ball(value: Fraction) -> arb:
    return arb(value.numerator) / value.denominator


@dataclass(frozen=True)
class _Grid:
    """Nodes, weights under the normal law, h_k at the nodes times the weights (nodes, K + 1), and
    L_K(−y²).
    """

    step: arb
    nodes: list[arb]
    weights: list[arb]
    table: arb_mat
    growth: arb


@lru_cache(maxsize=32)
def _grid(height: Fraction, degree: int, precision: int) -> _Grid:
    square = _ball(height) ** 2
    growth = (-square).laguerre_l(degree, 0)  # it grows with k
    goal = (precision + 4) * math.log(2) + float(growth.log().mid()) / 2
    step = Fraction(math.floor(2**12 * 2 * math.pi * float(height) / (goal + 4)), 2**12)
    reach = 2 * math.sqrt((precision + 4) * math.log(2))
    count = math.ceil(reach / step)
    nodes = [_ball(j * step) for j in range(-count, count + 1)]
    scale = _ball(step) / (2 * arb.pi()).sqrt()
    weights = [scale * (-node * node / 2).exp() for node in nodes]
    # The recurrence may magnify a rounding as much as h_k(ix) grows, exp(x√k) at most.
    lost = math.ceil(count * step * math.sqrt(degree) / math.log(2))
    with ctx.workprec(int(ctx.prec) + lost):
        roots = [arb(k).sqrt() for k in range(degree + 1)]
        rows = [_hermite_values(node, roots) for node in nodes]
    table = []
    for row, weight in zip(rows, weights, strict=True):
        table.append([+value * weight for value in row])
    return _Grid(_ball(step), nodes, weights, arb_mat(table), growth)


def _hermite_values(node: arb, roots: list[arb]) -> list[arb]:
    """h_0 … h_K at a number; ``roots`` are √0 … √K."""
    row = [arb(1), node][: len(roots)]
    for k in range(1, len(roots) - 1):
        row.append((node * row[k] - roots[k] * row[k - 1]) / roots[k + 1])
    return row

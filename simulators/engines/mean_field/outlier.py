"""The recenter–ReLU layer on batches of n − 1 equal samples and one other, at infinite width: one
number moves.

There "equal" means exchangeable: the cluster's samples share a norm and their cosines. Rows of K =
JGJ sum to zero, so K is fixed, up to scale, by y = −K_co/K_cc in (0, n − 1]: K_oo/K_cc = (n − 1) y,
cosine (y − 1)/(n − 2) in the cluster and −√(y/(n − 1)) between it and the outlier. The layer is a
map y ↦ f_n(y).

Both square roots at the ends of (0, n − 1] disappear in the angle ψ, cos ψ = √(y/(n − 1)), π − ψ
being the angle between cluster and outlier: ψ = 0 is the exact two-block point, cos ψ = 1/(n − 1)
the symmetric one. Let φ be the angle within the cluster, sin(φ/2) = √((n − 1)/(2(n − 2))) sin ψ,
and c = cos ψ. Then

    1 − κ(cos φ) = (1 − H)(1 − cos φ),   H(φ) = (sin φ − φ cos φ)/(π(1 − cos φ)),
    tan² ψ⁺ / tan² ψ = n²(1 − H)c²/S,    S = n²(1 − H)c² + (n − 1) e(ψ),
    e(ψ) = c² ((n + 1)H − 2 + 2ψ/π) + H/(n − 1) − sin(2ψ)/π,

so that the fixed points other than ψ = 0 are the zeros of e in (0, π/2), and S_{n−1} splits the
Jacobian of the map on Gram matrices at each of them into four parts:
- on the invariant matrices: 0 (scale, the trace being fixed) and the slope f_n′ = 1 − (n − 1) e′
  sin 2ψ/(4S);
- on cluster matrices with zero row sums, multiplicity (n − 1)(n − 4)/2: κ′(cos φ)/(1 − H), below 1
  as κ is convex;
- n − 2 times a 2 × 2 block, on K_ii = αv_i, K_ij = β(v_i + v_j), K_io = −(α + (n − 3)β)v_i with Σv
  = 0: see `blocks`;
- 0 on the n-dimensional kernel of G ↦ JGJ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from simulators.arguments import require, whole_number
from simulators.arrays import Floats
from simulators.engines.mean_field.recenter_relu import arc_cosine, sine_defect

_LARGEST = 10**9


@dataclass(frozen=True)
class FixedPoint:
    """A fixed point of the layer on Gram matrices, invariant under exchanging samples of the
    cluster.

    ``angle`` is ψ; ``y`` = (n − 1) cos² ψ. ``cluster_cosine`` and ``outlier_cosine`` are those of
    the Gram matrix, after ReLU, ``norm_ratio`` is ‖o‖²/‖c‖² there. ``slope`` is f_n′(y);
    ``spectral_radius`` that of the Jacobian on all Gram matrices of the trace, with n(n + 1)/2 − 1
    eigenvalues.

    Example:
        >>> point = symmetric_fixed_point(5)
        >>> round(point.norm_ratio, 12), point.gram.shape
        (1.0, (5, 5))
    """

    n: int
    angle: float
    cluster_cosine: float
    outlier_cosine: float
    norm_ratio: float
    slope: float
    spectral_radius: float

    @property
    def y(self) -> float:
        """(n − 1) cos² ψ, the coordinate in which `reduced_map` moves; in (0, n − 1].

        1/(n − 1) at the symmetric point.

        Example:
            >>> round(symmetric_fixed_point(5).y, 12)
            0.25
        """
        return (self.n - 1) * math.cos(self.angle) ** 2

    @property
    def gram(self) -> Floats:
        """The (n, n) Gram matrix with cluster norm 1, the outlier last.

        A Gram matrix that `recenter_relu_map` leaves as it is, up to rounding.
        """
        matrix = np.full((self.n, self.n), self.cluster_cosine)
        matrix[-1] = matrix[:, -1] = self.outlier_cosine * math.sqrt(self.norm_ratio)
        np.fill_diagonal(matrix, 1.0)
        matrix[-1, -1] = self.norm_ratio
        return matrix


def reduced_map(y: ArrayLike, n: SupportsIndex) -> Floats:
    """f_n(y): one layer in the coordinate y, any shape, y in (0, n − 1].

    Raises ``ValueError`` for n < 3 or y outside. Relative error a few 1e-16, and of n − 1 − y near
    the two-block point what rounding y leaves of it.

    Args:
        y: the coordinate, floats of any shape.
        n: samples, at least 3.

    Example:
        >>> point = outlier_fixed_point(10)
        >>> abs(float(reduced_map(point.y, 10)) - point.y) < 1e-12
        True
    """
    size = _size(n)
    points = np.asarray(y, dtype=np.float64)
    if not ((points > 0) & (points <= size - 1)).all():
        raise ValueError(f"y ranges over [{points.min()}, {points.max()}]; want (0, {size - 1}]")
    square = 1 - points / (size - 1)  # sin² ψ, and 1 − cos ψ of it
    angle = 2 * np.arcsin(np.sqrt(square / (1 + np.sqrt(1 - square)) / 2))
    return np.asarray((size - 1) / (1 + np.tan(angle) ** 2 * _growth(angle, size)))


def _growth(angle: Floats, n: int) -> Floats:
    """tan² ψ⁺ / tan² ψ."""
    _, H = _cluster(angle, n)
    product = n * n * (1 - H) * np.cos(angle) ** 2
    return np.asarray(product / (product + (n - 1) * _excess(angle, n)))


def _cluster(angle: float | Floats, n: int) -> tuple[Floats, Floats]:
    """φ and H(φ)."""
    phi: Floats = 2 * np.arcsin(math.sqrt((n - 1) / (2 * (n - 2))) * np.sin(angle))
    with np.errstate(invalid="ignore"):
        H = sine_defect(phi) / (2 * math.pi * np.sin(phi / 2) ** 2)
    return phi, np.where(phi > 0, H, 0.0)


def _excess(angle: float | Floats, n: int) -> Floats:
    """e(ψ)."""
    _, H = _cluster(angle, n)
    c = np.cos(angle)
    return (
        c * c * ((n + 1) * H - 2 + 2 * angle / math.pi) + H / (n - 1) - np.sin(2 * angle) / math.pi
    )


def _excess_slope(angle: float, n: int) -> float:
    """e′(ψ) for ψ > 0."""
    phi, H = map(float, _cluster(angle, n))
    # H′ = sin φ (φ − sin φ)/(π (1 − cos φ)²)
    rate = math.sin(phi) * _angle_defect(phi) / (4 * math.pi * math.sin(phi / 2) ** 4)
    rate *= 2 * math.tan(phi / 2) / math.tan(angle)  # dφ/dψ
    c, s = math.cos(angle), math.sin(angle)
    inner = (n + 1) * H - 2 + 2 * angle / math.pi
    return float(
        c * c * ((n + 1) * rate + 2 / math.pi)
        - 2 * c * s * inner
        + rate / (n - 1)
        - 2 * math.cos(2 * angle) / math.pi
    )


def _angle_defect(phi: float) -> float:
    """φ − sin φ, to a few 1e-16 of itself."""
    if phi > 0.5:
        return phi - math.sin(phi)
    return phi**3 * sum(
        float((-1) ** k) * phi ** (2 * k) / math.factorial(2 * k + 3) for k in range(8)
    )


def blocks(angle: float, n: int) -> tuple[float, float, Floats]:
    """At a zero ψ of e: the slope f_n′, the eigenvalue on cluster matrices, the 2 × 2 block in (α,
    β).

    ``angle`` is ψ in (0, π/2), ``n`` ≥ 3. They are derived in the docstring of this module.

    Example:
        >>> slope, within, block = blocks(outlier_fixed_point(10).angle, 10)
        >>> 0 < slope < 1, block.shape
        (True, (2, 2))
    """
    phi, H = map(float, _cluster(angle, n))
    c, s, h = math.cos(angle), math.sin(angle), 1 - H
    slope = 1 - (n - 1) * _excess_slope(angle, n) * s / (2 * n * n * h * c)
    k, k_o = 1 - phi / math.pi, angle / math.pi  # κ′ at the two cosines
    bend = math.sin(phi) / math.pi  # κ − ρκ′ in the cluster
    weight = (n - 1) * c * s / (2 * math.pi)
    row_a = 1 + (n - 3) * bend / 2 + weight - k_o
    row_b = (n - 3) * (k - k_o)
    block = (
        np.array([[1 - 2 * row_a / n, -2 * row_b / n], [bend / 2 - row_a / n, k - row_b / n]]) / h
    )
    return slope, k / h, block


def _point(angle: float, n: int) -> FixedPoint:
    phi, _ = _cluster(angle, n)
    slope, within, block = blocks(angle, n)
    radius = max(abs(slope), float(abs(np.linalg.eigvals(block)).max()), within if n > 4 else 0.0)
    return FixedPoint(
        n=n,
        angle=angle,
        cluster_cosine=float(arc_cosine(math.cos(phi))),
        outlier_cosine=float(sine_defect(np.asarray(angle))) / math.pi,
        norm_ratio=((n - 1) * math.cos(angle)) ** 2,
        slope=slope,
        spectral_radius=radius,
    )


def symmetric_fixed_point(n: SupportsIndex) -> FixedPoint:
    """The fixed point with equal norms and cosines κ(−1/(n − 1)). Raises ``ValueError`` for n
    < 3.

    ``n`` is a whole number from 3 to 10⁹. Cost: some 0.2 ms. Accuracy as of
    `outlier_fixed_point`.

    Example:
        >>> round(symmetric_fixed_point(3).cluster_cosine, 6)
        0.108998
    """
    size = _size(n)
    return _point(math.acos(1 / (size - 1)), size)


def outlier_fixed_point(n: SupportsIndex) -> FixedPoint | None:
    """The attracting fixed point with one outlier, or None where there is none (n ≤ 6).

    ``n`` is a whole number from 3 to 10⁹, at a cost of some 0.2 ms. Relative error of every field
    some 1e-14, of ``1 - cluster_cosine`` what rounding leaves of it. Nothing here is certified:
    `outlier_enclosure` has the balls. Raises ``TypeError`` unless n is a whole number,
    ``ValueError`` for n outside.

    Example:
        >>> outlier_fixed_point(6) is None, outlier_fixed_point(7).spectral_radius < 1
        (True, True)
    """
    size = _size(n)
    found = _first_zero(size)
    return None if found is None else _point(found, size)


def _first_zero(n: int) -> float | None:
    """The zero of e nearest to 0, by Newton's method from the left, unless it is the symmetric
    point.

    Where there is none below, the steps lead past the maximum of e or past the symmetric point.
    """
    symmetric = math.acos(1 / (n - 1))
    angle = 3 * math.pi / (n + 1) / math.sqrt(2 * (n - 1) / (n - 2))  # the zero of the tangent at 0
    while angle < symmetric * (1 - 1e-6):
        rate = _excess_slope(angle, n)
        if rate <= 0:
            return None
        step = -float(_excess(angle, n)) / rate
        if step <= 2 * np.finfo(float).eps * angle:
            return angle
        angle += step
    return None


def _size(n: SupportsIndex) -> int:
    size = whole_number("n", n, 3)
    require(size <= _LARGEST, f"n={size}; want a whole number from 3 to {_LARGEST}")
    return size

"""The fixed points of f_n for one batch size: isolated, counted and enclosed in balls, with the
spectrum at each; and where the outlier is born, with n real.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from flint import arb, arb_mat, arb_series, ctx, fmpq

from simulators.arguments import require
from simulators.engines.mean_field.outlier_enclosure import (
    SpectrumEnclosure,
    cluster_angle_series,
    excess_series,
    spectrum_enclosure,
)
from theorems.checking.root_isolation import UndecidedError, isolate, narrow, over

__all__ = [
    "PRECISION",
    "FixedPoints",
    "Point",
    "SaddleNode",
    "find",
    "one_apart",
    "saddle_node",
]

Number: TypeAlias = Fraction | arb

PRECISION = 192
#: ψ runs over [0, π/2); this dyadic end lies just beyond, where e is still analytic and has no
#: zero.
_END = fmpq(101, 64)
_SADDLE_PRECISION = 128
_MOST = 7
_LEAST = 4  # at n = 3 the arc sine reaches its singularity at ψ = π/2; 3 is counted by itself
#: Half the sides of the box around the saddle-node, in ψ and n.
_AROUND = (fmpq(1, 16), fmpq(1, 128))
_SLICES = 32
_NARROWEST = fmpq(1, 2**16)


@dataclass(frozen=True)
class Point:
    """A fixed point of f_n: ψ, y = (n − 1) cos² ψ, the cluster's angle φ before ReLU, and the
    Jacobian's spectrum.
    """

    angle: arb
    y: arb
    cluster_angle: arb
    spectrum: SpectrumEnclosure


@dataclass(frozen=True)
class FixedPoints:
    """All fixed points of f_n on (0, n − 1] but the exact two-block point n − 1, by decreasing y;
    one is symmetric.
    """

    n: int
    outlier: Point | None
    separatrix: Point | None
    symmetric: Point

    @property
    def others(self) -> int:
        """The number of fixed points besides the symmetric and the two-block one: 0 or 2.

        Example:
            >>> find(6).others, find(7).others
            (0, 2)
        """
        return len(self.points) - 1

    @property
    def points(self) -> dict[str, Point]:
        """Those that there are, by the names of their fields.

        Example:
            >>> list(find(7).points)
            ['outlier', 'separatrix', 'symmetric']
        """
        named = {
            "outlier": self.outlier,
            "separatrix": self.separatrix,
            "symmetric": self.symmetric,
        }
        return {name: point for name, point in named.items() if point is not None}


@lru_cache(maxsize=256)
def find(n: int, precision: int = PRECISION) -> FixedPoints:
    """The fixed points for ``n`` samples, from 3 to some 10⁹.

    Raises `UndecidedError` if the balls leave their number open or show a picture other than
    these: one rising zero of e, or a rising, a falling and a rising one, the last of them
    symmetric. Cost: some ten milliseconds.
    """
    require(n >= 3, f"n={n}; want at least 3")
    with ctx.workprec(precision):
        size = arb(n)

        def excess(angle: arb_series) -> arb_series:
            return excess_series(angle, size)

        zeros, _ = isolate(excess, fmpq(0), _END)
        symmetric = (1 / (size - 1)).acos()
        if [z.rising for z in zeros] not in ([True], [True, False, True]) or not (
            arb(zeros[-1].low) < symmetric < arb(zeros[-1].high)
        ):
            raise UndecidedError(f"n={n}: {len(zeros)} zeros, not as described")
        found = [_point(narrow(excess, zero), n) for zero in zeros]
    outlier, separatrix = found[:2] if len(found) == 3 else (None, None)
    return FixedPoints(n, outlier, separatrix, found[-1])


def _point(angle: arb, n: int) -> Point:
    phi = cluster_angle_series(arb_series([angle], 1), arb(n))[0]
    return Point(angle, (n - 1) * angle.cos() ** 2, phi, spectrum_enclosure(angle, n))


def one_apart(
    n: int, square: Number, inner: Number, across: Number, apart: Number
) -> list[list[Number]]:
    """The Gram matrix of n - 1 alike samples and a last one, n rows of n numbers.

    The alike ones have squared norm ``square`` and product ``inner`` with each other, ``across``
    with the last, whose squared norm is ``apart``.

    Example:
        >>> [[int(x) for x in row] for row in one_apart(3, *map(Fraction, (1, 2, 3, 4)))]
        [[1, 2, 3], [2, 1, 3], [3, 3, 4]]
    """
    rows = [[inner] * (n - 1) + [across] for _ in range(n - 1)]
    for k, row in enumerate(rows):
        row[k] = square
    return [*rows, [across] * (n - 1) + [apart]]


# --- where the outlier is born --------------------------------------------------------------------


@dataclass(frozen=True)
class SaddleNode:
    """ψ* and n*: e has a double zero at one real batch size n*, between 6 and 7.

    No other fixed point for real n in [4, n*), exactly two for n in (n*, 7]. The pair (ψ*, n*)
    solves e = e_ψ = 0. It is enclosed by Krawczyk's operator, which proves that the box holds
    exactly one solution. Around it, e_ψψ < 0 and e_n > 0: the maximum of e in ψ rises through 0 at
    n*. Elsewhere the zeros of e are counted for whole intervals of n at once, from 4 to 7.
    """

    angle: arb
    n: arb


def _taylor(angle: arb, n: arb, direction: tuple[int, int], order: int) -> arb:
    """The Taylor coefficient of e of that order along ``direction`` in (ψ, n)."""
    terms = order + 1
    psi, size = (
        arb_series([at, arb(way)], terms) for at, way in zip((angle, n), direction, strict=True)
    )
    return excess_series(psi, size)[order]


def _derivatives(angle: arb, n: arb) -> tuple[arb, arb, arb, arb]:
    """e_ψ, e_n, e_ψψ and e_ψn; the last by polarisation."""
    down, across = _taylor(angle, n, (1, 0), 2), _taylor(angle, n, (0, 1), 2)
    return (
        _taylor(angle, n, (1, 0), 1),
        _taylor(angle, n, (0, 1), 1),
        2 * down,
        _taylor(angle, n, (1, 1), 2) - down - across,
    )


def _critical(angle: float, n: float) -> tuple[arb, arb]:
    """(ψ*, n*) by Newton's method from a guess, then Krawczyk's operator around the limit."""
    point = (arb(angle), arb(n))
    for _ in range(8):
        down, across = _newton_step(*point)
        point = (point[0] - down).mid(), (point[1] - across).mid()
    width = arb(0, 1e-9)
    box = (point[0] + width, point[1] + width)
    slope, size, bend, mixed = _derivatives(*point)
    inverse = arb_mat([[slope, size], [bend, mixed]]).inv()
    inverse = arb_mat(2, 2, list(map(arb.mid, inverse.entries())))
    slope, size, bend, mixed = _derivatives(*box)
    value = arb_mat([[_taylor(*point, (1, 0), 0)], [_taylor(*point, (1, 0), 1)]])
    identity = arb_mat([[1, 0], [0, 1]])
    offset = arb_mat([[width], [width]])
    image = (
        inverse * (-1 * value)
        + (identity - inverse * arb_mat([[slope, size], [bend, mixed]])) * offset
    )
    require(
        all(abs(image[k, 0]) < width.rad() for k in range(2)),
        "Krawczyk's operator does not map the box into itself",
        UndecidedError,
    )
    return point[0] + image[0, 0], point[1] + image[1, 0]


def _newton_step(angle: arb, n: arb) -> tuple[arb, arb]:
    slope, size, bend, mixed = _derivatives(angle, n)
    value = arb_mat([[_taylor(angle, n, (1, 0), 0)], [slope]])
    step = arb_mat([[slope, size], [bend, mixed]]).inv() * value
    return step[0, 0], step[1, 0]


def _excess_over(sizes: arb) -> Callable[[arb_series], arb_series]:
    """e as a function of ψ for every n of a ball, by the mean value theorem in n: value, and slope
    if asked for.
    """
    middle = sizes.mid()

    def excess(psi: arb_series) -> arb_series:
        angle = psi[0]
        rates = [_taylor(angle, sizes, (0, 1), 1)]
        if psi.prec > 1:
            rates.append((_taylor(angle, sizes, (1, 1), 2) - _taylor(angle, sizes, (1, -1), 2)) / 2)
        return excess_series(psi, middle) + (sizes - middle) * arb_series(rates, psi.prec)

    return excess


@lru_cache(maxsize=1)
def saddle_node() -> SaddleNode:
    """The saddle-node, with the count of fixed points on both sides of it.

    Raises `UndecidedError` if a ball leaves something open. Cost: some seconds.
    """
    with ctx.workprec(_SADDLE_PRECISION):
        angle, n = _critical(1.13, 6.5)
        centre = [fmpq(round(float(x.mid()) * 2**20), 2**20) for x in (angle, n)]
        (left, right), (low, high) = (
            (c - half, c + half) for c, half in zip(centre, _AROUND, strict=True)
        )
        _fold(left, right, low, high)
        _scan(fmpq(_LEAST), low, 1)
        _scan(high, fmpq(_MOST), 3)
        return SaddleNode(angle, n)


def _fold(left: fmpq, right: fmpq, low: fmpq, high: fmpq) -> None:
    """In the box e is concave in ψ, rising in n and negative at both ends of ψ; beyond, only the
    symmetric zero.
    """
    sizes = over(low, high)
    excess = _excess_over(sizes)
    for k in range(_SLICES):
        slice_ = over(
            left + (right - left) * k / _SLICES, left + (right - left) * (k + 1) / _SLICES
        )
        _, rise, bend, _ = _derivatives(slice_, sizes)
        require(rise > 0 and bend < 0, "the fold is open", UndecidedError)
    require(
        all(excess(arb_series([arb(end)], 1))[0] < 0 for end in (left, right)),
        "e may vanish at an end of the fold",
        UndecidedError,
    )
    before, _ = isolate(excess, fmpq(0), left)
    after, _ = isolate(excess, right, _END)
    require(
        not before and [zero.rising for zero in after] == [True],
        "zeros beside the fold",
        UndecidedError,
    )


def _scan(low: fmpq, high: fmpq, zeros: int) -> None:
    """Show that e has ``zeros`` zeros for every real n in [low, high], halving the interval."""
    waiting = [(low, high)]
    while waiting:
        left, right = waiting.pop()
        sizes = over(left, right)
        try:
            found, _ = isolate(_excess_over(sizes), fmpq(0), _END)
        except (UndecidedError, ValueError):
            if right - left < _NARROWEST:
                raise UndecidedError(f"the count is open near n={float(left)}") from None
            middle = (left + right) / 2
            waiting += [(middle, right), (left, middle)]
            continue
        require(
            len(found) == zeros,
            f"{len(found)} zeros for n in [{float(left)}, {float(right)}], not {zeros}",
            UndecidedError,
        )

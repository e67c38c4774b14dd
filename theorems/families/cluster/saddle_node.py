"""Where the outlier is born: e has a double zero at one real batch size n*, between 6 and 7.

The pair (ψ*, n*) solves e = e_ψ = 0. It is enclosed by Krawczyk's operator, which proves that the
box holds exactly one solution. Around it, e_ψψ < 0 and e_n > 0: the maximum of e in ψ rises through
0 at n*. Elsewhere the zeros of e are counted for whole intervals of n at once, from 4 to 7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from flint import arb, arb_mat, arb_series, ctx, fmpq

from simulators.engines.mean_field.outlier_enclosure import excess_series
from theorems.checking.root_isolation import UndecidedError, isolate, over

__all__ = ["SaddleNode", "saddle_node"]

_PRECISION = 128
_END = fmpq(101, 64)
_MOST = 7
_LEAST = 4  # at n = 3 the arc sine reaches its singularity at ψ = π/2; 3 is counted by itself
#: Half the sides of the box around the saddle-node, in ψ and n.
_AROUND = (fmpq(1, 16), fmpq(1, 128))
_SLICES = 32
_NARROWEST = fmpq(1, 2**16)


@dataclass(frozen=True)
class SaddleNode:
    """ψ* and n*; no other fixed point for real n in [4, n*), exactly two for n in (n*, 7], shown on
    ``cells`` of n.
    """

    angle: arb
    n: arb
    cells: int


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
    inverse = arb_mat([[inverse[i, j].mid() for j in range(2)] for i in range(2)])
    slope, size, bend, mixed = _derivatives(*box)
    value = arb_mat([[_taylor(*point, (1, 0), 0)], [_taylor(*point, (1, 0), 1)]])
    identity = arb_mat([[1, 0], [0, 1]])
    offset = arb_mat([[width], [width]])
    image = (
        inverse * (-1 * value)
        + (identity - inverse * arb_mat([[slope, size], [bend, mixed]])) * offset
    )
    if not all(abs(image[k, 0]) < width.rad() for k in range(2)):
        raise UndecidedError("Krawczyk's operator does not map the box into itself")
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

    Raises :class:`UndecidedError` if a ball leaves something open. Cost: some seconds.
    """
    with ctx.workprec(_PRECISION):
        angle, n = _critical(1.13, 6.5)
        centre = [fmpq(round(float(x.mid()) * 2**20), 2**20) for x in (angle, n)]
        (left, right), (low, high) = (
            (c - half, c + half) for c, half in zip(centre, _AROUND, strict=True)
        )
        _fold(left, right, low, high)
        cells = _scan(fmpq(_LEAST), low, 1) + _scan(high, fmpq(_MOST), 3)
        return SaddleNode(angle, n, cells + 1)


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
        if not (rise > 0 and bend < 0):
            raise UndecidedError("the fold is open")
    if not all(excess(arb_series([arb(end)], 1))[0] < 0 for end in (left, right)):
        raise UndecidedError("e may vanish at an end of the fold")
    before, _ = isolate(excess, fmpq(0), left)
    after, _ = isolate(excess, right, _END)
    if before or [zero.rising for zero in after] != [True]:
        raise UndecidedError("zeros beside the fold")


def _scan(low: fmpq, high: fmpq, zeros: int) -> int:
    """Show that e has ``zeros`` zeros for every real n in [low, high]; the number of intervals of
    n.
    """
    done, waiting = 0, [(low, high)]
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
        if len(found) != zeros:
            raise UndecidedError(
                f"{len(found)} zeros for n in [{float(left)}, {float(right)}], not {zeros}"
            )
        done += 1
    return done

"""How likely a random boundary through the midpoint of two balls misses both, in balls of numbers.

The balls have radius δ and centres 2r apart; x = δ²/r². The weight is standard normal: with Z its
part along the line of centres, and those in the spaces of the balls, the boundary misses a ball if
|Z| r is more than δ times the length of the part in that ball's space.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb

import flint

from theorems.algebraic import rational

__all__ = ["beyond", "in_one_space", "in_two_spaces"]


def beyond(size: flint.arb) -> flint.arb:
    """P(|Z| > size) of a standard normal Z, at the current precision.

    Example:
        >>> beyond(flint.arb(1)).str(6, radius=False)
        '0.317311'
    """
    return (size / flint.arb(2).sqrt()).erfc()


def in_one_space(dimension: int, x: Fraction) -> flint.arb:
    """Both balls in one space that holds their centres: 1 - I_x(½, (dimension - 1)/2).

    Args:
        dimension: at least 2.
        x: δ²/r², at least 0; from 1 on the balls hold the midpoint, and none is missed.

    Example:
        >>> in_one_space(200, Fraction(1, 200)).str(6, radius=False)
        '0.318525'
    """
    if x >= 1:
        return flint.arb(0)
    half = flint.arb(1) / 2
    return 1 - flint.arb(rational(x)).beta_lower(half, (dimension - 1) * half, regularized=1)


def in_two_spaces(half: int, x: Fraction) -> flint.arb:
    """Balls of dimension K = 2 half in spaces normal to each other and to the line of centres.

    E F(Z²/x)², F the distribution function of χ²_K, which is elementary where K is even.

    Args:
        half: K/2, at least 1.
        x: δ²/r², above 0.

    Cost: half² terms in rationals; kept.

    Example:
        >>> in_two_spaces(50, Fraction(1, 200)).str(6, radius=False)
        '0.463636'
    """
    once, twice = _sums(half, x)
    exact = rational(x)
    first = flint.arb(exact / (1 + exact)).sqrt()
    second = flint.arb(exact / (2 + exact)).sqrt()
    return 1 - 2 * once * first + twice * second


@lru_cache(maxsize=4096)
def _sums(half: int, x: Fraction) -> tuple[flint.fmpq, flint.fmpq]:
    """Σ C(2j, j)/(4(1+x))^j over j < half, and the same in 2+x over pairs, with C(i+j, i)."""
    one, two = rational(1 / (4 * (1 + x))), rational(1 / (4 * (2 + x)))
    once = sum((comb(2 * j, j) * one**j for j in range(half)), flint.fmpq(0))
    twice = flint.fmpq(0)
    for total in range(2 * half - 1):
        least, most = max(0, total - half + 1), min(total, half - 1)
        pairs = sum(comb(total, i) for i in range(least, most + 1))
        twice += pairs * comb(2 * total, total) * two**total
    return once, twice

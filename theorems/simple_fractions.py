"""The simplest fraction of an interval (Stern–Brocot tree)."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["simplest_between"]


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of smallest denominator in [low, high]; of these, the one nearest to 0.

    Raises ``ValueError`` unless low <= high. Source: the Stern–Brocot tree.

    Example:
        >>> simplest_between(Fraction(31, 100), Fraction(4, 10))
        Fraction(1, 3)
    """
    if low > high:
        raise ValueError(f"low={low} exceeds high={high}")
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -simplest_between(-high, -low)
    whole = low.__ceil__()
    if whole <= high:
        return Fraction(whole)
    floor = low.__floor__()
    return floor + 1 / simplest_between(1 / (high - floor), 1 / (low - floor))

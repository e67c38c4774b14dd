"""The simplest fraction of an interval (Stern–Brocot tree)."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["simplest_between"]


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of smallest denominator in [low, high]; of these, the one nearest to 0 (Stern–Brocot).

    Raises ``ValueError`` unless low <= high.
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

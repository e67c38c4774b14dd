"""Numbers and times in few digits."""

from __future__ import annotations

import math

__all__ = ["number", "seconds"]


def number(x: float) -> str:
    """Three digits, without an exponent where a reader can do without.

    Example:
        >>> number(1234.5), number(0.01234), number(0.0000123)
        ('1230', '0.0123', '1.2e-05')
    """
    if x == 0 or not math.isfinite(x):
        return str(x)
    rounded = float(f"{x:.3g}")
    decimals = 2 - math.floor(math.log10(abs(rounded)))
    return f"{x:.1e}" if decimals > 6 else f"{rounded:.{max(0, decimals)}f}"


def seconds(x: float) -> str:
    """A time with a unit that leaves it few digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if x >= 0.99 * size:
            return f"{number(x / size)} {unit}"
    return f"{number(x / 1e-9)} ns"

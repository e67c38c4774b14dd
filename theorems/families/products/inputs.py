"""Exact inputs of the family's claims: sizes, and means over the number of active units.

Inputs are mappings by symbol name.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import comb

from simulators.lazy import composite
from simulators.lazy import strategies as st

__all__ = ["Item", "active_probabilities", "sizes", "width_families"]

#: Values by symbol name.
Item = Mapping[str, object]


def sizes(**largest: int) -> st.SearchStrategy[Item]:
    """Whole numbers of at least 1, by name.

    - ``largest``: the largest of each

    Example:
        >>> sizes(n=20, k=4).validate()
    """
    return st.fixed_dictionaries({name: st.integers(1, most) for name, most in largest.items()})


@composite
def width_families(draw: st.DrawFn) -> Item:
    """Widths of 1 to 8 layers, each from 1 to 64, and a number a in [0, 8].

    Example:
        >>> width_families().validate()
    """
    widths = draw(st.lists(st.integers(1, 64), min_size=1, max_size=8))
    excess = draw(st.fractions(0, 8, max_denominator=12))
    return {"L": len(widths), "x": tuple(map(Fraction, widths)), "a": excess}


def active_probabilities(n: int) -> tuple[Fraction, ...]:
    """How likely 0, 1, … n of n units are active, each with probability ½.

    - ``n``: number of units, at least 0

    Example:
        >>> active_probabilities(2)
        (Fraction(1, 4), Fraction(1, 2), Fraction(1, 4))
    """
    return tuple(Fraction(comb(n, b), 2**n) for b in range(n + 1))

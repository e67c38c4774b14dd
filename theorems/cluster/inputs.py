"""Exact inputs of the family's pointwise claims: corners that are always tried, strategies that roam."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

__all__ = ["layer_corners", "layer_inputs", "row_corners", "row_inputs", "sizes"]

Item = Mapping[str, Any]
_TINY = Fraction(1, 10**12)


def _numbers() -> SearchStrategy[Fraction]:
    plain = st.fractions(min_value=-20, max_value=20, max_denominator=12)
    return st.one_of(plain, st.sampled_from((Fraction(0), Fraction(1), -_TINY, 1 / _TINY)))


def _vectors(size: int) -> SearchStrategy[tuple[Fraction, ...]]:
    return st.tuples(*(_numbers() for _ in range(size)))


@st.composite
def layer_inputs(draw: Any, within: str = "") -> Item:
    """Weights, blocks and two columns: both in the ``within`` block, "first" or "other", or one in each."""
    n = draw(st.integers(3 if within else 2, 7))
    # two different columns of one block, where the block must hold them
    m = draw(st.integers(2 if within == "first" else 1, n - (2 if within == "other" else 1)))
    d, p = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    first, other = st.integers(0, m - 1), st.integers(m, n - 1)
    i = draw(other if within == "other" else first)
    j = draw((first if within == "first" else other).filter(lambda x: x != i))
    return {"n": n, "m": m, "d": d, "p": p, "s": draw(_numbers()), "W": draw(st.tuples(*(_vectors(d),) * p)),
            "c": draw(_vectors(d)), "o": draw(_vectors(d)), "r": draw(st.integers(0, p - 1)), "i": i, "j": j}


def layer_corners(within: str = "") -> list[Item]:
    """Every block split of n ≤ 8 once, both signs of u - v, a row where the blocks tie, and huge contrasts."""
    weights = ((Fraction(1), Fraction(0)), (Fraction(-1), Fraction(1, 3)), (Fraction(0), Fraction(1)),
               (1 / _TINY, _TINY))
    c, o = (Fraction(2), Fraction(5)), (Fraction(1, 2), Fraction(5))  # the third row ties them
    found = []
    for n in range(2, 9):
        for m in range(1, n):
            pair = {"first": (0, m - 1), "other": (m, n - 1)}.get(within, (m - 1, m))
            if not within or pair[0] != pair[1]:
                found += [{"n": n, "m": m, "d": 2, "p": 4, "s": Fraction(3, 7), "W": weights, "c": c, "o": o,
                           "r": row, "i": pair[0], "j": pair[1]} for row in (range(4) if within else (0,))]
    return found


@st.composite
def row_inputs(draw: Any, column: str) -> Item:
    """One row with values u != v on the blocks, and a column of the "first" or "other" one."""
    n = draw(st.integers(2, 12))
    m = draw(st.integers(1, n - 1))
    u = draw(_numbers())
    v = draw(_numbers().filter(lambda x: x != u))
    return {"n": n, "m": m, "u": u, "v": v, "j": draw(st.integers(0, m - 1) if column == "first"
                                                      else st.integers(m, n - 1))}


def row_corners(column: str) -> list[Item]:
    """Every block split of n ≤ 8, both signs."""
    return [{"n": n, "m": m, "u": u, "v": -u, "j": 0 if column == "first" else n - 1}
            for n in range(2, 9) for m in range(1, n) for u in (Fraction(1), Fraction(-3, 7))]


def sizes() -> SearchStrategy[int]:
    """Batch sizes, most of them small."""
    return st.one_of(st.integers(3, 100), st.integers(3, 10**6))

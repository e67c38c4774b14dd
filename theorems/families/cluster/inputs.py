"""Exact inputs of the family's pointwise claims: corners that are always tried, strategies that
roam.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from simulators.lazy import composite
from simulators.lazy import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


__all__ = [
    "law_corners",
    "law_inputs",
    "layer_corners",
    "layer_inputs",
    "row_corners",
    "row_inputs",
    "sizes",
    "symmetric_corners",
    "symmetric_inputs",
]

Item = Mapping[str, Any]
_TINY = Fraction(1, 10**12)


def _numbers() -> SearchStrategy[Fraction]:
    plain = st.fractions(min_value=-20, max_value=20, max_denominator=12)
    return st.one_of(plain, st.sampled_from((Fraction(0), Fraction(1), -_TINY, 1 / _TINY)))


def _vectors(size: int) -> SearchStrategy[tuple[Fraction, ...]]:
    return st.tuples(*(_numbers() for _ in range(size)))


@composite
def layer_inputs(draw: Any, within: str = "") -> Item:
    """Weights, blocks and two columns: both in the ``within`` block, "first" or "other", or one in
    each.
    """
    n = draw(st.integers(3 if within else 2, 7))
    # two different columns of one block, where the block must hold them
    m = draw(st.integers(2 if within == "first" else 1, n - (2 if within == "other" else 1)))
    d, p = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    first, other = st.integers(0, m - 1), st.integers(m, n - 1)
    i = draw(other if within == "other" else first)
    j = draw((first if within == "first" else other).filter(lambda x: x != i))
    return {
        "n": n,
        "m": m,
        "d": d,
        "p": p,
        "s": draw(_numbers()),
        "W": draw(st.tuples(*(_vectors(d),) * p)),
        "c": draw(_vectors(d)),
        "o": draw(_vectors(d)),
        "r": draw(st.integers(0, p - 1)),
        "i": i,
        "j": j,
    }


def layer_corners(within: str = "", *, ties: bool = True) -> list[Item]:
    """Every block split of n ≤ 8, both signs of u - v, and with ``ties`` a row where the blocks tie
    and contrasts.
    """
    weights: tuple[tuple[Fraction, ...], ...] = (
        (Fraction(1), Fraction(0)),
        (Fraction(-1), Fraction(1, 3)),
    )
    if ties:  # in the first of these two rows
        weights += ((Fraction(0), Fraction(1)), (1 / _TINY, _TINY))
    c, o = (Fraction(2), Fraction(5)), (Fraction(1, 2), Fraction(5))
    found: list[Item] = []
    for n in range(2, 9):
        for m in range(1, n):
            pair = {"first": (0, m - 1), "other": (m, n - 1)}.get(within, (m - 1, m))
            if not within or pair[0] != pair[1]:
                found += [
                    {
                        "n": n,
                        "m": m,
                        "d": 2,
                        "p": len(weights),
                        "s": Fraction(3, 7),
                        "W": weights,
                        "c": c,
                        "o": o,
                        "r": row,
                        "i": pair[0],
                        "j": pair[1],
                    }
                    for row in (range(len(weights)) if within else (0,))
                ]
    return found


@composite
def law_inputs(draw: Any) -> Item:
    """A finite symmetric law of a row of weights, blocks, and a column of each."""
    item = dict(draw(layer_inputs()))
    weights = draw(st.tuples(*(st.integers(0, 5),) * item["p"]).filter(any))
    return item | {"P": tuple(Fraction(x, sum(weights)) for x in weights)}


def law_corners() -> list[Item]:
    """Four pairs of outcomes, equally probable, for every block split of n ≤ 8."""
    return [{**item, "P": (Fraction(1, 4),) * 4} for item in layer_corners()]


@composite
def row_inputs(draw: Any, column: str) -> Item:
    """One row with values u != v on the blocks, and a column of the "first" or "other" one."""
    n = draw(st.integers(2, 12))
    m = draw(st.integers(1, n - 1))
    u = draw(_numbers())
    v = draw(_numbers().filter(lambda x: x != u))
    return {
        "n": n,
        "m": m,
        "u": u,
        "v": v,
        "j": draw(st.integers(0, m - 1) if column == "first" else st.integers(m, n - 1)),
    }


def row_corners(column: str) -> list[Item]:
    """Every block split of n ≤ 8, both signs."""
    return [
        {"n": n, "m": m, "u": u, "v": -u, "j": 0 if column == "first" else n - 1}
        for n in range(2, 9)
        for m in range(1, n)
        for u in (Fraction(1), Fraction(-3, 7))
    ]


def sizes() -> SearchStrategy[int]:
    """Batch sizes, most of them small."""
    return st.one_of(st.integers(3, 100), st.integers(3, 10**6))


@composite
def symmetric_inputs(draw: Any) -> Item:
    """Equal squared norms a, equal products b < a, and two samples."""
    n = draw(st.integers(3, 5))
    a = draw(st.fractions(Fraction(1, 10), 10, max_denominator=20))
    b = draw(st.fractions(-10, 10, max_denominator=20).filter(lambda x: x < a))
    return {
        "n": n,
        "a": a,
        "b": b,
        "i": draw(st.integers(0, n - 1)),
        "j": draw(st.integers(0, n - 1)),
    }


def symmetric_corners() -> list[Item]:
    """Orthogonal, nearly collinear and simplex starts, on and off the diagonal."""
    return [
        {"n": n, "a": Fraction(1), "b": b, "i": 0, "j": j}
        for n in (3, 4, 6)
        for j in (0, n - 1)
        for b in (Fraction(0), 1 - Fraction(1, 10**6), Fraction(-1, n - 1))
    ]

"""Exact inputs of the family's pointwise claims: corners that are always tried, strategies that
roam.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product

from simulators.lazy import composite
from simulators.lazy import strategies as st
from simulators.strategies import Vector

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

#: Values by symbol name: numbers, vectors, and matrices as rows.
Item = Mapping[str, object]
_TINY = Fraction(1, 10**12)
#: Every split of 2 to 8 samples in two blocks: their number, and that of the first.
_SPLITS = [(n, m) for n, m in product(range(2, 9), range(1, 8)) if m < n]


def _numbers() -> st.SearchStrategy[Fraction]:
    plain = st.fractions(min_value=-20, max_value=20, max_denominator=12)
    return st.one_of(plain, st.sampled_from((Fraction(0), Fraction(1), -_TINY, 1 / _TINY)))


def _vectors(size: int) -> st.SearchStrategy[Vector]:
    return st.tuples(*(_numbers() for _ in range(size)))


def _layer(draw: st.DrawFn, within: str) -> tuple[int, Item]:
    """The width of the output, and a layer of it."""
    n = draw(st.integers(3 if within else 2, 7))
    # two different columns of one block, where the block must hold them
    m = draw(st.integers(2 if within == "first" else 1, n - (2 if within == "other" else 1)))
    d, p = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    first, other = st.integers(0, m - 1), st.integers(m, n - 1)
    i = draw(other if within == "other" else first)
    j = draw((first if within == "first" else other).filter(lambda x: x != i))
    return p, {
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


@composite
def layer_inputs(draw: st.DrawFn, within: str = "") -> Item:
    """Weights, blocks and two columns: both in the ``within`` block, "first" or "other", or one in
    each.

    Of up to 7 samples, and widths up to 4.

    Example:
        >>> layer_inputs().validate()
    """
    return _layer(draw, within)[1]


def layer_corners(within: str = "", *, ties: bool = True) -> list[Item]:
    """Every block split of n ≤ 8, both signs of u - v, and with ``ties`` a row where the blocks tie
    and contrasts.
    """
    weights = [(Fraction(1), Fraction(0)), (Fraction(-1), Fraction(1, 3))]
    if ties:  # in the first of these two rows
        weights += [(Fraction(0), Fraction(1)), (1 / _TINY, _TINY)]
    c, o = (Fraction(2), Fraction(5)), (Fraction(1, 2), Fraction(5))
    found: list[Item] = []
    for n, m in _SPLITS:
        i, j = {"first": (0, m - 1), "other": (m, n - 1)}.get(within, (m - 1, m))
        if within and i == j:
            continue
        sizes = {"n": n, "m": m, "d": 2, "p": len(weights), "s": Fraction(3, 7)}
        item = {**sizes, "W": tuple(weights), "c": c, "o": o}
        rows = range(len(weights)) if within else (0,)
        found += [{**item, "r": row, "i": i, "j": j} for row in rows]
    return found


@composite
def law_inputs(draw: st.DrawFn) -> Item:
    """A finite symmetric law of a row of weights, blocks, and a column of each.

    ``P`` holds the probability of each pair of opposite outcomes, in up to 20ths.

    Example:
        >>> law_inputs().validate()
    """
    outcomes, item = _layer(draw, "")
    weights = draw(st.tuples(*(st.integers(0, 5),) * outcomes).filter(any))
    return {**item, "P": tuple(Fraction(x, sum(weights)) for x in weights)}


def law_corners() -> list[Item]:
    """Four pairs of outcomes, equally probable, for every block split of n ≤ 8.

    Example:
        >>> len(law_corners())
        28
    """
    return [{**item, "P": (Fraction(1, 4),) * 4} for item in layer_corners()]


@composite
def row_inputs(draw: st.DrawFn, column: str) -> Item:
    """One row with values u != v on the blocks, and a column of the "first" or "other" one.

    Of up to 12 samples.

    Example:
        >>> row_inputs("other").validate()
    """
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
    """Every block split of n ≤ 8, both signs, and the outer column of the "first" or "other" block.

    Example:
        >>> row_corners("first")[0]["j"]
        0
    """
    values = product(_SPLITS, (Fraction(1), Fraction(-3, 7)))
    return [
        {"n": n, "m": m, "u": u, "v": -u, "j": 0 if column == "first" else n - 1}
        for (n, m), u in values
    ]


def sizes() -> st.SearchStrategy[int]:
    """Batch sizes from 3 to 10⁶, most of them small.

    Example:
        >>> sizes().validate()
    """
    return st.one_of(st.integers(3, 100), st.integers(3, 10**6))


@composite
def symmetric_inputs(draw: st.DrawFn) -> Item:
    """Equal squared norms a, equal products b < a, and two of 3 to 5 samples.

    Example:
        >>> symmetric_inputs().validate()
    """
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
    """Orthogonal, nearly collinear and simplex starts, on and off the diagonal.

    Example:
        >>> len(symmetric_corners())
        18
    """
    found: list[Item] = []
    for n in (3, 4, 6):
        products = (Fraction(0), 1 - Fraction(1, 10**6), Fraction(-1, n - 1))
        places = product((0, n - 1), products)
        found += [{"n": n, "a": Fraction(1), "b": b, "i": 0, "j": j} for j, b in places]
    return found

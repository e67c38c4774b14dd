"""Exact inputs of the family's claims: a unit or a layer with its inputs, and populations with a
batch size.

Inputs are mappings by symbol name. Corners: one input, one coordinate, repeated and collinear
points, a weight across the data, batches of one and of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from simulators.lazy import composite
from simulators.lazy import strategies as st
from simulators.strategies import CLOSE, Vector
from theorems.checking.rational_inputs import rational_rows, walsh_signs

__all__ = [
    "drawn_unit_corners",
    "drawn_units",
    "indexed_corners",
    "indexed_of_batch",
    "indexed_units",
    "layer_corners",
    "layer_of_batch",
    "layers",
    "population_corners",
    "populations",
    "unit_corners",
    "unit_of_batch",
    "units",
]

#: Values by symbol name: numbers, vectors, and matrices as rows.
Item = Mapping[str, object]
Numbers = tuple[Fraction | int, ...]

HALF = Fraction(1, 2)


#: Sixths: repeated and collinear points are likely, and exact arithmetic needs no longer numbers to
#: tell sides apart.
@cache
def _numbers(least: int = -30, greatest: int = 30) -> st.SearchStrategy[Fraction]:
    return st.integers(least, greatest).map(lambda whole: Fraction(whole, 6))


def _positive() -> st.SearchStrategy[Fraction]:
    return _numbers(1, 60)


@cache
def _vectors(size: int) -> st.SearchStrategy[Vector]:
    return st.tuples(*(_numbers(),) * size)


def _data(z: Sequence[Iterable[Fraction | int]], **more: object) -> Item:
    """Inputs one a row, by symbol name, with their numbers and whatever else is given."""
    rows = tuple(tuple(map(Fraction, row)) for row in z)
    return {"z": rows, "N": len(rows), "d": len(rows[0]), **more}


def _dot(w: Iterable[Fraction | int], z: Iterable[Fraction | int]) -> Fraction:
    return sum((Fraction(a) * b for a, b in zip(w, z, strict=True)), Fraction(0))


# --- one unit -------------------------------------------------------------------------------------

#: Weights with their inputs.
_UNITS: tuple[tuple[Numbers, tuple[Numbers, ...]], ...] = (
    ((2,), ((3,),)),
    ((2,), ((3,), (-1,))),
    ((0, 1), ((1, 1), (1, 1), (1, 1))),
    ((1, 0), ((0, 1), (0, -5), (0, 3))),
    ((1, 1), ((1, 2), (2, 4), (4, 8))),
    ((1, -2, HALF), ((1, 0, 0), (0, 1, 0), (0, 0, 1), (10**6, 0, 0))),
)


@composite
def _drawn_unit(draw: st.DrawFn, least: int) -> tuple[Vector, list[Vector]]:
    """A weight and its inputs, ``least`` or more."""
    dimension = draw(st.integers(1, 3))
    z = draw(st.lists(_vectors(dimension), min_size=least, max_size=5))
    return draw(_vectors(dimension)), z


def unit_corners() -> list[Item]:
    """Weights with inputs and a threshold mu: the first input's value, the mean, one close to it.

    Returns every corner of the family thrice, as values by symbol name.

    Example:
        >>> unit_corners()[0]["mu"]
        Fraction(6, 1)
    """
    found: list[Item] = []
    for w, z in _UNITS:
        values = [_dot(w, point) for point in z]
        middle = sum(values) / len(values)
        found += [_data(z, w=w, mu=mu) for mu in (values[0], middle, middle + CLOSE)]
    return found


def units() -> st.SearchStrategy[Item]:
    """Weights of dimension 1 to 3 with 1 to 5 inputs and a threshold mu, in sixths up to 5.

    Example:
        >>> units().validate()
    """
    return st.builds(lambda unit, mu: _data(unit[1], w=unit[0], mu=mu), _drawn_unit(1), _numbers())


def unit_of_batch(batch: NDArray[np.float64]) -> Item:
    """The unit with weight (1, -1, 1, …) on the user's (d, n) samples, its threshold at the first.

    Example:
        >>> unit_of_batch(np.eye(2))["mu"]
        Fraction(1, 1)
    """
    rows = rational_rows(batch.T)
    w = walsh_signs(1, len(rows[0]))
    return _data(rows, w=w, mu=_dot(w, rows[0]))


def indexed_corners() -> list[Item]:
    """The corners' units with the number r of an input, first and last, and a factor c.

    Example:
        >>> indexed_corners()[0]["c"]
        Fraction(1, 2)
    """
    read = product(_UNITS, (0, -1), (HALF, 10**9))
    return [_data(z, w=w, r=r % len(z), c=c) for (w, z), r, c in read]


def indexed_units() -> st.SearchStrategy[Item]:
    """Units with the number r of an input and a factor c; w is not 0: distances are defined.

    They have 2 to 5 inputs; c is at most 10, in sixths.

    Example:
        >>> indexed_units().validate()
    """

    def indexed(w: Vector, z: list[Vector]) -> st.SearchStrategy[Item]:
        return st.builds(
            lambda r, c: _data(z, w=w, r=r, c=c), st.integers(0, len(z) - 1), _positive()
        )

    return _drawn_unit(2).filter(lambda unit: any(unit[0])).flatmap(lambda unit: indexed(*unit))


def indexed_of_batch(batch: NDArray[np.float64]) -> Item:
    """As `unit_of_batch`, read at the sample farthest above the boundary, with factor c = 3.

    Example:
        >>> indexed_of_batch(np.eye(2))["r"]
        0
    """
    values = [_dot(walsh_signs(1, len(row)), row) for row in rational_rows(batch.T)]
    return {**unit_of_batch(batch), "r": values.index(max(values)), "c": 3}


# --- populations and batch sizes ------------------------------------------------------------------

#: By how batches are drawn: the least and largest population.
_SIZES = {"part": (1, 5), "proper": (2, 5), "any": (1, 4)}
_POPULATIONS: tuple[Numbers, ...] = (
    (3,),
    (2, 2),
    (-1, 1),
    (0, 0, 1),
    (1, HALF, 10**6),
    (1, 1, 1, 5),
)


def population_corners(kind: str) -> list[Item]:
    """Populations x of N numbers with batch sizes b = 1, 2, …

    ``kind``: "part" or, where N > 1, "proper" for b up to N; "any" for b up to N + 1.

    Example:
        >>> population_corners("part")[0]
        {'x': (3,), 'N': 1, 'b': 1}
    """
    least, _ = _SIZES[kind]
    return [
        {"x": x, "N": len(x), "b": b}
        for x, b in product(_POPULATIONS, range(1, 6))
        if least <= len(x) and b <= len(x) + (kind == "any")
    ]


def populations(kind: str) -> st.SearchStrategy[Item]:
    """Populations and batch sizes of the kinds of `population_corners`; at most 256 batches
    each.

    Example:
        >>> populations("any").validate()
    """
    least, most = _SIZES[kind]

    def sized(x: Vector) -> st.SearchStrategy[Item]:
        return st.builds(
            lambda b: {"x": x, "N": len(x), "b": b},
            st.integers(1, most if kind == "any" else len(x)),
        )

    return st.integers(least, most).flatmap(_vectors).flatmap(sized)


def drawn_unit_corners() -> list[Item]:
    """The corners' units of two inputs or more, with every batch size b up to their number.

    Example:
        >>> [item["b"] for item in drawn_unit_corners()[:2]]
        [1, 2]
    """
    return [
        _data(z, w=w, b=b)
        for (w, z), b in product(_UNITS, range(1, 5))
        if len(z) > 1 and b <= len(z)
    ]


def drawn_units() -> st.SearchStrategy[Item]:
    """Units with at least two inputs and a batch size b up to their number, 5 at most.

    Example:
        >>> drawn_units().validate()
    """
    return _drawn_unit(2).flatmap(
        lambda unit: st.builds(
            lambda b: _data(unit[1], w=unit[0], b=b), st.integers(1, len(unit[1]))
        )
    )


# --- a layer of units -----------------------------------------------------------------------------


def layer_corners() -> list[Item]:
    """One unit or three, the last of weight zero, on the corners' inputs; a point on and off the
    boundaries.

    Returns m weights W, the number r of a unit, a point y, a share t and a radius rho for each.

    Example:
        >>> layer_corners()[0]["m"]
        1
    """
    found: list[Item] = []
    for w, z in _UNITS:
        weights = (w, walsh_signs(1, len(w)), (0,) * len(w))
        centre = tuple(sum(map(Fraction, column)) / len(z) for column in zip(*z, strict=True))
        for y in (centre, tuple(value + 1 for value in centre), z[0]):
            more: dict[str, object] = {"y": y, "t": HALF, "rho": 1}
            found += [
                _data(z, W=(w,), m=1, r=0, **more),
                _data(z, W=weights, m=3, r=1, **more),
                _data(z, W=weights, m=3, r=2, **more),
            ]
    return found


@composite
def layers(draw: st.DrawFn) -> Item:
    """Layers of one to three units with the number r of one, a point y, share t and radius rho.

    Inputs are 1 to 4 of dimension 1 to 3; share and radius are at most 10, in sixths.

    Example:
        >>> layers().validate()
    """
    dimension, units = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    z = draw(st.lists(_vectors(dimension), min_size=1, max_size=4))
    W = draw(st.lists(_vectors(dimension), min_size=units, max_size=units))
    return _data(
        z,
        W=W,
        m=units,
        r=draw(st.integers(0, units - 1)),
        y=draw(_vectors(dimension)),
        t=draw(_positive()),
        rho=draw(_positive()),
    )


def layer_of_batch(batch: NDArray[np.float64]) -> Item:
    """Three units of signs on the user's (d, n) samples, seen from the first of them.

    Example:
        >>> layer_of_batch(np.eye(2))["m"]
        3
    """
    rows = rational_rows(batch.T)
    weights = [walsh_signs(number, len(rows[0])) for number in (1, 2, 3)]
    return _data(rows, W=weights, m=3, r=2, y=rows[0], t=Fraction(3), rho=Fraction(1))

"""Exact inputs of the family's claims: a unit or a layer with its inputs, and populations with a
batch size.

Inputs are mappings by symbol name. Corners: one input, one coordinate, repeated and collinear
points, a weight across the data, batches of one and of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from simulators.lazy import composite
from simulators.lazy import strategies as st
from simulators.strategies import CLOSE

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

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

Item = Mapping[str, Any]

HALF = Fraction(1, 2)


#: Sixths: repeated and collinear points are likely, and exact arithmetic needs no longer numbers to
#: tell sides apart.
@cache
def _numbers(least: int = -30, greatest: int = 30) -> SearchStrategy[Fraction]:
    return st.integers(least, greatest).map(lambda whole: Fraction(whole, 6))


def _positive() -> SearchStrategy[Fraction]:
    return _numbers(1, 60)


@cache
def _vectors(size: int) -> SearchStrategy[tuple[Fraction, ...]]:
    return st.tuples(*(_numbers(),) * size)


def _data(z: Any, **more: Any) -> Item:
    """Inputs one a row, by symbol name, with their numbers and whatever else is given."""
    return {"z": tuple(tuple(map(Fraction, row)) for row in z), "N": len(z), "d": len(z[0]), **more}


def _rows(batch: Any) -> list[list[Fraction]]:
    """The user's samples, exactly, one a row."""
    return [[Fraction(float(entry)) for entry in sample] for sample in np.asarray(batch).T]


def _signs(number: int, size: int) -> tuple[Fraction, ...]:
    """Row ``number`` of Walsh's signs."""
    return tuple(Fraction((-1) ** (number & k).bit_count()) for k in range(size))


def _dot(w: Any, z: Any) -> Fraction:
    return sum((a * b for a, b in zip(w, z, strict=True)), Fraction(0))


# --- one unit -------------------------------------------------------------------------------------

#: Weights with their inputs.
_UNITS: tuple[tuple[Any, Any], ...] = (
    ((2,), ((3,),)),
    ((2,), ((3,), (-1,))),
    ((0, 1), ((1, 1), (1, 1), (1, 1))),
    ((1, 0), ((0, 1), (0, -5), (0, 3))),
    ((1, 1), ((1, 2), (2, 4), (4, 8))),
    ((1, -2, HALF), ((1, 0, 0), (0, 1, 0), (0, 0, 1), (10**6, 0, 0))),
)


@composite
def _draw_unit(draw: Any, least: int) -> Item:
    dimension = draw(st.integers(1, 3))
    z = draw(st.lists(_vectors(dimension), min_size=least, max_size=5))
    return _data(z, w=draw(_vectors(dimension)))


def unit_corners() -> list[Item]:
    """Every corner with the first input's value as threshold, with the mean, and with one close to
    it.
    """
    found = []
    for w, z in _UNITS:
        values = [_dot(w, point) for point in z]
        middle = sum(values) / len(values)
        found += [_data(z, w=w, mu=mu) for mu in (values[0], middle, middle + CLOSE)]
    return found


def units() -> SearchStrategy[Item]:
    return st.builds(lambda unit, mu: {**unit, "mu": mu}, _draw_unit(1), _numbers())


def unit_of_batch(batch: Any) -> Item:
    """The unit with weight (1, -1, 1, …) on the user's samples, its threshold at the first."""
    rows = _rows(batch)
    w = _signs(1, len(rows[0]))
    return _data(rows, w=w, mu=_dot(w, rows[0]))


def indexed_corners() -> list[Item]:
    return [
        _data(z, w=w, r=r, c=c) for w, z in _UNITS for r in (0, len(z) - 1) for c in (HALF, 10**9)
    ]


def indexed_units() -> SearchStrategy[Item]:
    """Units with the number r of an input and a factor c; w is not 0: distances are defined."""

    def indexed(unit: Item) -> SearchStrategy[Item]:
        return st.builds(
            lambda r, c: {**unit, "r": r, "c": c}, st.integers(0, unit["N"] - 1), _positive()
        )

    return _draw_unit(2).filter(lambda unit: any(unit["w"])).flatmap(indexed)


def indexed_of_batch(batch: Any) -> Item:
    """As :func:`unit_of_batch`, read at the sample farthest above the boundary."""
    item = unit_of_batch(batch)
    values = [_dot(item["w"], row) for row in item["z"]]
    return {**item, "r": values.index(max(values)), "c": 3}


# --- populations and batch sizes ------------------------------------------------------------------

#: By how batches are drawn: the least and largest population.
_SIZES = {"part": (1, 5), "proper": (2, 5), "any": (1, 4)}
_POPULATIONS: tuple[tuple[Any, ...], ...] = (
    (3,),
    (2, 2),
    (-1, 1),
    (0, 0, 1),
    (1, HALF, 10**6),
    (1, 1, 1, 5),
)


def population_corners(kind: str) -> list[Item]:
    """Populations with b = 1, 2, …: up to N for ``part`` and ``proper`` (where N > 1), beyond it
    for ``any``.
    """
    least, _ = _SIZES[kind]
    return [
        {"x": x, "N": len(x), "b": b}
        for x in _POPULATIONS
        if len(x) >= least
        for b in range(1, len(x) + 1 + (kind == "any"))
    ]


def populations(kind: str) -> SearchStrategy[Item]:
    """Populations and batch sizes of the kinds of :func:`population_corners`; at most 256 batches
    each.
    """
    least, most = _SIZES[kind]

    def sized(x: tuple[Fraction, ...]) -> SearchStrategy[Item]:
        return st.builds(
            lambda b: {"x": x, "N": len(x), "b": b},
            st.integers(1, most if kind == "any" else len(x)),
        )

    return st.integers(least, most).flatmap(_vectors).flatmap(sized)


def drawn_unit_corners() -> list[Item]:
    return [_data(z, w=w, b=b) for w, z in _UNITS if len(z) > 1 for b in range(1, len(z) + 1)]


def drawn_units() -> SearchStrategy[Item]:
    """Units with at least two inputs and a batch size up to their number."""
    return _draw_unit(2).flatmap(
        lambda unit: st.builds(lambda b: {**unit, "b": b}, st.integers(1, unit["N"]))
    )


# --- a layer of units -----------------------------------------------------------------------------


def layer_corners() -> list[Item]:
    """One unit or three, the last of weight zero, on the corners' inputs; a point on and off the
    boundaries.
    """
    found = []
    for w, z in _UNITS:
        weights = (w, _signs(1, len(w)), (0,) * len(w))
        centre = tuple(sum(map(Fraction, column)) / len(z) for column in zip(*z, strict=True))
        for y in (centre, tuple(value + 1 for value in centre), z[0]):
            more = {"y": y, "t": HALF, "rho": 1}
            found += [
                _data(z, W=(w,), m=1, r=0, **more),
                _data(z, W=weights, m=3, r=1, **more),
                _data(z, W=weights, m=3, r=2, **more),
            ]
    return found


@composite
def _draw_layer(draw: Any) -> Item:
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


def layers() -> SearchStrategy[Item]:
    """Layers of one to three units with the number r of one, a point y, share t and radius rho."""
    return _draw_layer()


def layer_of_batch(batch: Any) -> Item:
    """Three units of signs on the user's samples, seen from the first of them."""
    rows = _rows(batch)
    weights = [_signs(number, len(rows[0])) for number in (1, 2, 3)]
    return _data(rows, W=weights, m=3, r=2, y=rows[0], t=Fraction(3), rho=Fraction(1))

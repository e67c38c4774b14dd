"""Bends of enumerated boundaries, exactly: both directions there, and the normals by the chain rule.

Directions come from the vertices of the partition. Normals come from the weights alone, at the
middle of the edge on the first side: nothing that the partition composed is used for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from simulators.lazy import strategies as st
from simulators.splines.boundaries import bends
from simulators.splines.network import Network
from simulators.splines.operations import Activation, Affine, Operation
from simulators.splines.partition import Partition, linear_regions
from simulators.splines.slices import coordinate_slice
from theorems.families.splines.inputs import Item

__all__ = [
    "Layers",
    "bend_corners",
    "bend_inputs",
    "bend_items",
    "full_turn_corners",
    "full_turn_inputs",
    "full_turn_items",
]

Vector = tuple[Fraction, ...]
Rows = tuple[Vector, ...]

_SLOPES = (Fraction(0), Fraction(1, 8), Fraction(-1))
_SQUARE = np.array([[-4.0, -4.0], [4.0, -4.0], [4.0, 4.0], [-4.0, 4.0]])
_SHAPES = ((2, 3, 2), (2, 4, 3), (2, 3, 2, 2), (2, 3, 3, 3))


@dataclass(frozen=True)
class Layers:
    """A network on two inputs: matrices and offsets of floats, and the slope below 0 of its units.

    Example:
        >>> Layers(((np.eye(2), np.zeros(2)),), Fraction(0)).network.widths
        (2,)
    """

    weights: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]
    slope: Fraction

    @classmethod
    def drawn(cls, sizes: Sequence[int], slope: Fraction, seed: int) -> Layers:
        """Weights in eighths up to 2, offsets up to 1.

        Example:
            >>> len(Layers.drawn((2, 3, 1), Fraction(0), 0).weights)
            2
        """
        draws = np.random.default_rng(seed)
        pairs = zip(sizes[1:], sizes[:-1], strict=True)
        return cls(
            tuple(
                (draws.integers(-16, 17, shape) / 8, draws.integers(-8, 9, shape[0]) / 8)
                for shape in pairs
            ),
            slope,
        )

    @property
    def central(self) -> Layers:
        """The same without offsets: every boundary of every layer meets 0."""
        return Layers(tuple((w, np.zeros_like(b)) for w, b in self.weights), self.slope)

    @property
    def network(self) -> Network:
        operations: list[Operation] = []
        for weights, offset in self.weights:
            operations.append(Affine(len(operations), weights, offset))
            operations.append(Activation(len(operations), float(self.slope)))
        return Network(2, tuple(operations))

    def partition(self) -> Partition:
        """Its regions on [-4, 4]²."""
        return linear_regions(self.network, coordinate_slice(2), _SQUARE)

    def seen(self, point: Vector) -> list[tuple[Vector, Rows]]:
        """Of each layer, the values and gradients of its units at a point, by the chain rule."""
        values: Vector = point
        slopes: Rows = ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)))
        found = []
        for weights, offset in self.weights:
            rows = [tuple(map(Fraction, row)) for row in weights.tolist()]
            heights = tuple(
                _dot(row, values) + Fraction(x)
                for row, x in zip(rows, offset.tolist(), strict=True)
            )
            columns = tuple(zip(*slopes, strict=True))
            gradients = tuple(tuple(_dot(row, column) for column in columns) for row in rows)
            found.append((heights, gradients))
            factors = [Fraction(1) if x > 0 else self.slope for x in heights]
            values = tuple(f * x for f, x in zip(factors, heights, strict=True))
            slopes = tuple(_times(f, row) for f, row in zip(factors, gradients, strict=True))
        return found

    def derivative(
        self, seen: Sequence[tuple[Vector, Rows]], crossed: tuple[int, int], bent: tuple[int, int]
    ) -> Fraction:
        """By how much unit ``bent`` rises with what ``crossed``, of an earlier layer, gives."""
        layer, unit = crossed
        along = [Fraction(x) for x in self.weights[layer + 1][0][:, unit].tolist()]
        for later in range(layer + 1, bent[0]):
            heights = seen[later][0]
            along = [x if y > 0 else self.slope * x for x, y in zip(along, heights, strict=True)]
            rows = self.weights[later + 1][0].tolist()
            along = [_dot(tuple(map(Fraction, row)), along) for row in rows]
        return along[bent[1]]


def _dot(one: Sequence[Fraction], other: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(one, other, strict=True)), Fraction(0))


def _times(factor: Fraction, row: Vector) -> Vector:
    return tuple(factor * x for x in row)


def _minus(one: Vector, other: Vector) -> Vector:
    return tuple(a - b for a, b in zip(one, other, strict=True))


def _middle(one: Vector, other: Vector) -> Vector:
    return tuple((x + y) / 2 for x, y in zip(one, other, strict=True))


def _fractions(point: Sequence[fmpq]) -> Vector:
    return tuple(Fraction(int(x.p), int(x.q)) for x in point)


@dataclass(frozen=True)
class _Bend:
    """A bend of unit ``unit`` of layer ``layer``: both directions, what is seen at the middles of
    both edges, and the earlier units (layer, unit) that are zero there.
    """

    layer: int
    unit: int
    u: Vector
    v: Vector
    before: list[tuple[Vector, Rows]]
    behind: list[tuple[Vector, Rows]]
    crossed: list[tuple[int, int]]

    @property
    def smooth(self) -> bool:
        """Whether no unit that is crossed is zero along either edge."""
        sides = (self.before, self.behind)
        return all(side[layer][0][unit] for side in sides for layer, unit in self.crossed)


def _bends(layers: Layers) -> Iterator[_Bend]:
    found = layers.partition()
    for vertices, layer, unit in zip(*bends(found), strict=True):
        before, at, behind = (_fractions(found.exact_vertex(int(k))) for k in vertices)
        there = layers.seen(at)[:layer]
        yield _Bend(
            layer,
            unit,
            _minus(at, before),
            _minus(behind, at),
            layers.seen(_middle(before, at)),
            layers.seen(_middle(at, behind)),
            [
                (k, place)
                for k, (heights, _) in enumerate(there)
                for place in np.flatnonzero([x == 0 for x in heights]).tolist()
            ],
        )


def bend_items(layers: Layers) -> Iterator[Item]:
    """All bends of a network's boundaries on [-4, 4]², where one unit alone is crossed.

    Returns of each both directions ``u`` and ``v``, the normal ``g`` on the first side, ``h`` that
    of the unit crossed, the derivative ``omega`` by what that gives, its slope ``a``, and ``s``: 1
    where it is negative on the first side, else −1.

    Example:
        >>> item = next(bend_items(Layers.drawn((2, 3, 2), Fraction(0), 1)))
        >>> sorted(item)
        ['a', 'g', 'h', 'omega', 's', 'u', 'v']
    """
    for bend in _bends(layers):
        if len(bend.crossed) != 1 or not bend.smooth:
            continue
        old, place = bend.crossed[0]
        yield {
            "u": bend.u,
            "v": bend.v,
            "g": bend.before[bend.layer][1][bend.unit],
            "h": bend.before[old][1][place],
            "omega": layers.derivative(bend.before, (old, place), (bend.layer, bend.unit)),
            "a": layers.slope,
            "s": Fraction(1 if bend.before[old][0][place] < 0 else -1),
        }


def full_turn_items(layers: Layers) -> Iterator[Item]:
    """All bends of a network's boundaries on [-4, 4]², however many units are crossed there.

    Returns of each both directions ``u`` and ``v``, and the normals ``g`` before it and ``f``
    behind it. Bends where an edge lies along the boundary of a unit that is crossed are left out:
    there the unit has no normal.

    Example:
        >>> sorted(next(full_turn_items(Layers.drawn((2, 3, 2), Fraction(0), 1))))
        ['f', 'g', 'u', 'v']
    """
    for bend in _bends(layers):
        if bend.smooth:
            normals = (side[bend.layer][1][bend.unit] for side in (bend.before, bend.behind))
            yield dict(zip("uvgf", (bend.u, bend.v, *normals), strict=True))


@cache
def _of(sizes: tuple[int, ...], slope: Fraction, seed: int) -> tuple[Item, ...]:
    return tuple(bend_items(Layers.drawn(sizes, slope, seed)))


@cache
def _full_turns(
    sizes: tuple[int, ...], slope: Fraction, seed: int, central: bool
) -> tuple[Item, ...]:
    drawn = Layers.drawn(sizes, slope, seed)
    return tuple(full_turn_items(drawn.central if central else drawn))


def bend_corners() -> list[Item]:
    """All bends of a network of each slope and shape: two layers and three.

    Example:
        >>> len(bend_corners()) > 100
        True
    """
    found: list[Item] = []
    for number, sizes in enumerate(_SHAPES):
        for slope in _SLOPES:
            found += _of(sizes, slope, number)
    return found


def full_turn_corners() -> list[Item]:
    """All bends of a network of each slope and shape, as drawn and without offsets.

    Without them all boundaries meet in 0, where a unit of a later layer crosses those of all earlier
    ones at once.

    Example:
        >>> len(full_turn_corners()) > len(bend_corners())
        True
    """
    found: list[Item] = []
    for number, sizes in enumerate(_SHAPES):
        for slope in _SLOPES:
            for central in (False, True):
                found += _full_turns(sizes, slope, number, central)
    return found


def bend_inputs() -> st.SearchStrategy[Item]:
    """A bend of a network of any of the shapes and slopes.

    Example:
        >>> bend_inputs().validate()
    """

    def chosen(sizes: tuple[int, ...], slope: Fraction, seed: int, number: int) -> Item:
        known = _of(sizes, slope, seed) or _of((2, 4, 3), slope, 1)
        return known[number % len(known)]

    return st.builds(chosen, *_networks(), st.integers(0, 10**6))


def full_turn_inputs() -> st.SearchStrategy[Item]:
    """A bend of a network of any of the shapes and slopes, with offsets or without.

    Example:
        >>> full_turn_inputs().validate()
    """

    def chosen(
        sizes: tuple[int, ...], slope: Fraction, seed: int, central: bool, number: int
    ) -> Item:
        known = _full_turns(sizes, slope, seed, central) or _full_turns((2, 4, 3), slope, 1, False)
        return known[number % len(known)]

    return st.builds(chosen, *_networks(), st.booleans(), st.integers(0, 10**6))


def _networks() -> tuple[st.SearchStrategy[Any], ...]:
    return st.sampled_from(_SHAPES), st.sampled_from(_SLOPES), st.integers(0, 30)

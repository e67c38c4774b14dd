"""Regions of small networks by going through all sign patterns, in Fractions and without a mesh.

Nothing of `simulators.splines` but the numbers of its operations is used: affine maps are composed
here anew, and a pattern counts if the polygon, clipped by each of its half-planes, keeps an area.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

Point = tuple[Fraction, Fraction]
Row = tuple[Fraction, Fraction, Fraction]
Weights = tuple[NDArray[np.float64], NDArray[np.float64]]


def clipped(corners: Sequence[Point], row: Row, sign: int) -> list[Point]:
    """The part of a convex polygon where sign · (c + a u + b v) ≥ 0."""
    c, a, b = (sign * x for x in row)
    heights = [c + a * u + b * v for u, v in corners]
    kept: list[Point] = []
    for k, (here, there) in enumerate(zip(heights, heights[1:] + heights[:1], strict=True)):
        (u, v), (s, t) = corners[k], corners[(k + 1) % len(corners)]
        if here >= 0:
            kept.append((u, v))
        if here * there < 0:
            share = here / (here - there)
            kept.append((u + share * (s - u), v + share * (t - v)))
    return kept


def area(corners: Sequence[Point]) -> Fraction:
    if not corners:
        return Fraction(0)
    pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
    return sum((a * d - b * c for (a, b), (c, d) in pairs), Fraction(0)) / 2


def by_force(
    layers: Sequence[Weights], slope: float, polygon: Sequence[tuple[float, float]]
) -> dict[tuple[int, ...], Fraction]:
    """The area of each sign pattern of positive area; a unit that is 0 there has sign 0.

    ``layers`` are matrices and offsets on two inputs, each followed by the activation.
    """
    start = [(Fraction(0), Fraction(1), Fraction(0)), (Fraction(0), Fraction(0), Fraction(1))]
    corners = [(Fraction(u), Fraction(v)) for u, v in polygon]
    found: dict[tuple[int, ...], Fraction] = {}
    _descend(layers, Fraction(slope), corners, start, (), found)
    return found


def _descend(
    layers: Sequence[Weights],
    slope: Fraction,
    corners: list[Point],
    rows: list[Row],
    pattern: tuple[int, ...],
    found: dict[tuple[int, ...], Fraction],
) -> None:
    if not layers:
        found[pattern] = area(corners)
        return
    weights, offset = layers[0]
    images = [_image(w, b, rows) for w, b in zip(weights, offset, strict=True)]
    choices = [(0,) if row == (0, 0, 0) else (1, -1) for row in images]
    for signs in product(*choices):
        part = corners
        for row, sign in zip(images, signs, strict=True):
            part = clipped(part, row, sign) if sign else part
        if area(part) > 0:
            after = [
                _scaled(r, Fraction(1) if s > 0 else slope)
                for r, s in zip(images, signs, strict=True)
            ]
            _descend(layers[1:], slope, part, after, pattern + signs, found)


def _image(weights: NDArray[np.float64], offset: float, rows: Sequence[Row]) -> Row:
    pairs = list(zip(map(Fraction, weights.tolist()), rows, strict=True))
    c, a, b = (sum((w * row[k] for w, row in pairs), Fraction(0)) for k in range(3))
    return c + Fraction(float(offset)), a, b


def _scaled(row: Row, factor: Fraction) -> Row:
    return factor * row[0], factor * row[1], factor * row[2]

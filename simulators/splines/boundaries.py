"""Where units are zero on a plane: edges by unit, the folds of these, what is near points.

Edges, and which of them meet in a fold, are those of exact arithmetic; lengths, angles and
distances are floats. Lengths and angles are those of input space, where they depend on the
coordinates of the plane, unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import require, told
from simulators.splines.lines import SIDE
from simulators.splines.partition import Partition
from simulators.splines.rationals import nearest
from simulators.splines.slices import Slice

__all__ = ["Boundaries", "Folds", "bends", "boundaries", "density_near", "distances", "folds"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Boundaries:
    """The edges between regions, E of them.

    - ``ends`` (E, 2, 2): both ends in coordinates of the plane
    - ``layer``, ``unit`` (E,): the unit that is zero there
    - ``lengths`` (E,): in input space

    Example:
        >>> import numpy as np
        >>> Boundaries(np.zeros((1, 2, 2)), np.zeros(1, int), np.zeros(1, int), np.zeros(1)).count
        1
    """

    ends: Floats
    layer: Ints
    unit: Ints
    lengths: Floats

    @property
    def count(self) -> int:
        """E."""
        return len(self.layer)


@dataclass(frozen=True, eq=False)
class Folds:
    """Points where the boundary of a unit bends, because it crosses that of an earlier unit.

    - ``points`` (K, 2): in coordinates of the plane
    - ``layer``, ``unit`` (K,): whose boundary bends
    - ``angles`` (K,): by how much, in radians, from 0 for not at all to π; in input space

    Example:
        >>> import numpy as np
        >>> len(Folds(np.zeros((3, 2)), np.zeros(3, int), np.zeros(3, int), np.zeros(3)).angles)
        3
    """

    points: Floats
    layer: Ints
    unit: Ints
    angles: Floats


def _metric(plane: Slice) -> Floats:
    """The matrix (2, 2) of inner products of the plane's directions."""
    directions = np.stack([nearest(plane.first), nearest(plane.second)])
    return np.asarray(directions @ directions.T)


def boundaries(found: Partition) -> Boundaries:
    """The edges between regions.

    Example:
        >>> from simulators.splines.examples import corner
        >>> edges = boundaries(corner())
        >>> edges.count, round(float(edges.lengths.sum()), 6)
        (4, 4.414214)
    """
    mesh = found.mesh
    inner = np.flatnonzero(
        (found.lines.layer[mesh.line] != SIDE) & (np.arange(len(mesh.twin)) < mesh.twin)
    )
    ends = found.points[np.stack([mesh.origin[inner], mesh.origin[mesh.twin[inner]]], axis=1)]
    run = ends[:, 1] - ends[:, 0]
    lengths = np.sqrt(np.einsum("ei,ij,ej->e", run, _metric(found.plane), run))
    lines = mesh.line[inner]
    return Boundaries(ends, found.lines.layer[lines], found.lines.unit[lines], lengths)


def folds(found: Partition) -> Folds:
    """The bends of the boundaries: vertices with just two edges of one unit, on different lines.

    Where more than two edges of a unit meet, its boundary branches, and has no angle.

    Example:
        >>> from simulators.splines.examples import corner
        >>> bent = folds(corner())
        >>> bent.points.tolist(), bent.layer.tolist(), np.degrees(bent.angles).round(9).tolist()
        ([[0.0, 0.0]], [1], [45.0])
    """
    one, other = _bent_pairs(found)
    mesh, lines = found.mesh, found.lines
    middle = found.points[mesh.origin[one]]
    arriving = middle - found.points[mesh.origin[mesh.twin[one]]]
    leaving = found.points[mesh.origin[mesh.twin[other]]] - middle
    # a line's own direction is more accurate than the ends of a short edge
    before = _along(found, mesh.line[one], arriving)
    behind = _along(found, mesh.line[other], leaving)
    angles = _angles(_metric(found.plane), before, behind)
    return Folds(middle, lines.layer[mesh.line[one]], lines.unit[mesh.line[one]], angles)


def bends(found: Partition) -> tuple[Ints, Ints, Ints]:
    """The vertices of each of the `folds`, in the same order: before, at and behind it, (K, 3); the
    layers and units (K,) whose boundaries bend. Their exact places are `Partition.exact_vertex`.

    Example:
        >>> from simulators.splines.examples import corner
        >>> vertices, layer, unit = bends(corner())
        >>> [corner().exact_vertex(int(k)) for k in vertices[0]][1], layer.tolist()
        ((0, 0), [1])
    """
    one, other = _bent_pairs(found)
    mesh, lines = found.mesh, found.lines
    ends = (mesh.origin[mesh.twin[one]], mesh.origin[one], mesh.origin[mesh.twin[other]])
    line = mesh.line[one]
    return np.stack(ends, axis=1), lines.layer[line], lines.unit[line]


def _bent_pairs(found: Partition) -> tuple[Ints, Ints]:
    """Both half-edges that leave a bend along the boundary that bends there."""
    mesh, lines = found.mesh, found.lines
    half_edges = np.flatnonzero(lines.layer[mesh.line] != SIDE)
    line = mesh.line[half_edges]
    keys = np.stack([mesh.origin[half_edges], lines.layer[line], lines.unit[line]], axis=1)
    order = np.lexsort(keys.T[::-1])
    half_edges, keys = half_edges[order], keys[order]
    new = np.ones(len(keys), dtype=bool)
    new[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    pairs = starts[np.diff([*starts, len(keys)]) == 2]
    one, other = half_edges[pairs], half_edges[pairs + 1]
    bent = mesh.line[one] != mesh.line[other]
    return one[bent], other[bent]


def _along(found: Partition, lines: Ints, towards: Floats) -> Floats:
    """The directions (K, 2) of lines, each with the sense of ``towards``."""
    _, a, b = found.lines.coefficients[lines].T
    directions = np.stack([-b, a], axis=1)
    sense = np.sign((directions * towards).sum(axis=1))
    return np.asarray(directions * np.where(sense == 0, 1.0, sense)[:, None])


def _angles(metric: Floats, one: Floats, other: Floats) -> Floats:
    """Angles between vectors of the plane, pair by pair, in input space."""
    inner = np.einsum("ki,ij,kj->k", one, metric, other)
    outer = np.sqrt(np.linalg.det(metric)) * (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
    return np.asarray(np.arctan2(np.abs(outer), inner))


def distances(found: Partition, points: Floats) -> Floats:
    """How far points (N, 2) of the plane are from the nearest boundary in it, in input space, (N,).

    Infinite where there is no boundary.

    Args:
        found: the regions; boundaries beyond their polygon are not seen.
        points: in coordinates of the plane.

    Example:
        >>> from simulators.splines.examples import corner
        >>> distances(corner(), np.array([[0.5, 0.25], [-0.5, 0.0]])).tolist()
        [0.5, 0.0]
    """
    # in coordinates in which the plane is as in input space
    root = np.linalg.cholesky(_metric(found.plane)).T
    ends = boundaries(found).ends @ root.T
    if not len(ends):
        return np.full(len(points), np.inf)
    starts, runs = ends[:, 0], ends[:, 1] - ends[:, 0]
    squares = np.maximum((runs**2).sum(axis=1), np.finfo(float).tiny)
    nearest_ones = np.empty(len(points))
    for k, point in enumerate(points @ root.T):
        gap = point - starts
        share = np.clip((gap * runs).sum(axis=1) / squares, 0.0, 1.0)
        nearest_ones[k] = np.hypot(*(gap - share[:, None] * runs).T).min()
    return nearest_ones


def density_near(found: Partition, points: Floats, radius: float) -> tuple[float, float]:
    """Length of boundary per area within ``radius`` of points, averaged, and on the whole polygon.

    Both in coordinates of the plane. Only discs that lie inside the polygon count; without one the
    first is NaN.

    Args:
        found: the regions.
        points: (N, 2).
        radius: positive.

    Example:
        >>> from simulators.splines.examples import corner
        >>> near, everywhere = density_near(corner(), np.array([[0.0, 0.5]]), 0.25)
        >>> round(near, 6), round(everywhere, 6)
        (2.546479, 1.103553)
    """
    require(radius > 0, f"radius={told(radius)}: want a positive number")
    edges = boundaries(found)
    starts, runs = edges.ends[:, 0], edges.ends[:, 1] - edges.ends[:, 0]
    lengths = np.hypot(*runs.T)
    directions = runs / np.maximum(lengths, np.finfo(float).tiny)[:, None]
    corners = found.polygon
    sides = np.roll(corners, -1, axis=0) - corners
    total, discs = 0.0, 0
    for point in points:
        gap = point - corners
        inward = (sides[:, 0] * gap[:, 1] - sides[:, 1] * gap[:, 0]) / np.hypot(*sides.T)
        if inward.min() < radius:
            continue
        discs += 1
        away = point - starts
        along = (away * directions).sum(axis=1)
        across = (away**2).sum(axis=1) - along**2
        half = np.sqrt(np.maximum(radius**2 - across, 0.0))
        inside = np.minimum(along + half, lengths) - np.maximum(along - half, 0.0)
        total += float(np.maximum(inside, 0.0).sum())
    area = float(found.areas().sum())
    near = total / (discs * np.pi * radius**2) if discs else float("nan")
    return near, float(lengths.sum()) / area

"""The linear regions of a network on a convex polygon of a plane, layer by layer, unit by unit.

Method. The polygon is a mesh of convex faces (`mesh`), each with the affine maps of what is still
read (`affine_maps`). At an activation, every unit in turn has a sign at every vertex of the mesh:
in floats where the value exceeds a bound on its error, in rationals elsewhere. Signs are those of
a continuous function, so that they do not depend on the face from which they are taken; edges
between opposite signs get a vertex, faces with both signs an edge. A vertex is the crossing of two
lines, and known exactly whenever it matters.

Guarantee. Faces, edges, vertices and signs are those of exact arithmetic, degenerate cases
included: a unit that is 0 at a vertex, along an edge or all over a face has sign 0 there. Only
what is read off in floats (coordinates, areas) is rounded.

Cost. For each unit, that of its signs at the vertices before its activation, and of the faces that
are parts of regions which it crosses: about in proportion to the regions found for networks of a
given width.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from simulators.arguments import require, told
from simulators.splines.affine_maps import ULP, AffineMaps, maps_of
from simulators.splines.exact_maps import ExactMaps
from simulators.splines.growing import Growing
from simulators.splines.layer import Layer, patterns_of
from simulators.splines.lines import SIDE, Lines
from simulators.splines.mesh import OUTSIDE, Mesh
from simulators.splines.network import Network, last_reads
from simulators.splines.operations import Activation, Affine
from simulators.splines.rationals import nearest, rationals, sign_of
from simulators.splines.slices import Slice

__all__ = ["Partition", "Progress", "linear_regions"]

_ENTRIES_AT_ONCE = 2_000_000  # coefficients of maps

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Progress = Callable[[int, int, int], None]
"""Called before each unit with the number of its layer, its own, and of regions so far."""


@dataclass(frozen=True, eq=False)
class Partition:
    """The regions of a network on a polygon of a plane.

    - ``mesh``: faces 1 … R are the regions; ``lines``: what its edges lie on
    - ``layers``: signs and parents, activation by activation
    - ``points`` (V, 2): vertices in floats; ``bounds`` (V, 2): how far off they are at most
    - ``pairs`` (V, 2): the two lines that each vertex is the crossing of
    - ``outputs``: the affine map of the output on each region, in floats; None if incomplete
    - ``complete``: whether all units were gone through; else the units before ``reached``, (layer,
      unit), were
    - ``exact_signs``: how many signs floats did not tell

    Example:
        >>> from simulators.splines.operations import Affine
        >>> from simulators.splines.slices import coordinate_slice
        >>> cross = Affine(0, np.eye(2), np.zeros(2))
        >>> network = Network(2, (cross, Activation(1, 0.0)))
        >>> square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        >>> found = linear_regions(network, coordinate_slice(2), square)
        >>> found.regions, found.areas().tolist(), found.exact_areas()
        (4, [1.0, 1.0, 1.0, 1.0], [1, 1, 1, 1])
        >>> found.patterns().tolist()
        [[1, 1], [-1, 1], [1, -1], [-1, -1]]
    """

    network: Network
    plane: Slice
    polygon: Floats
    mesh: Mesh
    lines: Lines
    layers: tuple[Layer, ...]
    maps: ExactMaps
    points: Floats
    bounds: Floats
    pairs: Ints
    outputs: AffineMaps | None
    reached: tuple[int, int]
    complete: bool
    exact_signs: int

    @property
    def regions(self) -> int:
        """Their number R."""
        return self.mesh.faces

    def patterns(self) -> NDArray[np.int8]:
        """The sign of every unit on every region, of shape (R, units)."""
        return patterns_of(self.layers)

    def areas(self) -> Floats:
        """The area of each region in (u, v), in floats, of shape (R,)."""
        order, starts = self.mesh.cycles()
        corners = self.points[self.mesh.origin[order]]
        # about a corner of each region, so that small regions far from 0 lose nothing
        corners = corners - np.repeat(corners[starts[:-1]], np.diff(starts), axis=0)
        following = corners[_following(starts)]
        cross = corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]
        return np.asarray(np.add.reduceat(cross, starts[:-1]) / 2)

    def exact_vertex(self, vertex: int) -> tuple[fmpq, fmpq]:
        """The coordinates of a vertex, exactly.

        Args:
            vertex: its number, from 0.
        """
        return self.lines.exact_meeting(*self.pairs[vertex].tolist())

    def corners(self, region: int) -> list[int]:
        """The vertices of a region, counter-clockwise.

        Args:
            region: its number, from 0.
        """
        start = int(self.mesh.first[region + 1])
        found: list[int] = []
        walking = start
        while not found or walking != start:
            found.append(int(self.mesh.origin[walking]))
            walking = int(self.mesh.after[walking])
        return found

    def exact_areas(self) -> list[fmpq]:
        """The area of each region, exactly. Slow: each takes the exact maps of what it borders on.

        They add up to that of the polygon.
        """
        vertices = [self.exact_vertex(v) for v in range(self.mesh.vertices)]
        found: list[fmpq] = []
        for region in range(self.regions):
            corners = [vertices[v] for v in self.corners(region)]
            found.append(_exact_area(corners))
        return found

    def exact_output(self, region: int) -> list[tuple[fmpq, fmpq, fmpq]]:
        """The affine map of each output on a region, exactly: c₀, c_u, c_v.

        Args:
            region: its number, from 0; of a complete partition.
        """
        depth = len(self.layers)
        require(self.complete, "the partition is not complete; give it more time, or more regions")
        found = self.maps.before(depth, region)[len(self.network.operations)]
        return [(found[i, 0], found[i, 1], found[i, 2]) for i in range(found.nrows())]


def linear_regions(
    network: Network,
    plane: Slice,
    polygon: Floats,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    seconds: float | None = None,
    most: int | None = None,
) -> Partition:
    """The linear regions of a network on a convex polygon of a plane.

    Args:
        network: operations on D features.
        plane: a plane in R^D.
        polygon: (corners, 2), the corners in coordinates of the plane, in either direction.
        progress: told of each unit.
        stop: asked before each unit whether to stop, with what was found.
        seconds: stop after so many, with what was found.
        most: stop at more than so many regions, with what was found.

    Raises:
        ValueError: the polygon is not convex, or the plane of another dimension.

    Example:
        >>> from simulators.splines.operations import Affine
        >>> from simulators.splines.slices import coordinate_slice
        >>> three = Affine(0, np.array([[1.0, 0], [0, 1.0], [1.0, 1.0]]), np.array([0, 0, 0.5]))
        >>> network = Network(2, (three, Activation(1, 0.0)))
        >>> square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        >>> linear_regions(network, coordinate_slice(2), square).regions
        7
    """
    require(
        plane.dimension == network.inputs,
        f"plane of dimension {plane.dimension}: the network reads {network.inputs}",
    )
    return _Work(network, plane, _checked(polygon), progress, stop, seconds, most).run()


class _Work:
    """What grows while regions are cut."""

    def __init__(
        self,
        network: Network,
        plane: Slice,
        polygon: Floats,
        progress: Progress | None,
        stop: Callable[[], bool] | None,
        seconds: float | None,
        most: int | None,
    ) -> None:
        self.network, self.plane, self.polygon = network, plane, polygon
        self.progress, self.stop, self.most = progress, stop, most
        self.until = None if seconds is None else time.monotonic() + seconds
        self.layers: list[Layer] = []
        self.extent = np.concatenate([[1.0], np.abs(polygon).max(axis=0)])
        self.maps = ExactMaps(network, [plane], self.layers)
        corners = len(polygon)
        self.mesh = Mesh(corners, tuple(range(corners)))
        self.lines = Lines(_sides(polygon), self.extent, self.maps)
        self.points, self.bounds = Growing(polygon), Growing(np.zeros_like(polygon))
        number = np.arange(corners)
        self.pairs = Growing(np.stack([(number - 1) % corners, number], axis=1))
        self.last = last_reads(network.operations)
        self.exact_signs = 0
        self.firsts = [0]  # the number of the first unit of each activation, over all

    @np.errstate(over="ignore", invalid="ignore")  # what is beyond floats goes to rationals
    def run(self) -> Partition:
        """All operations in turn."""
        plane, operations = self.plane, self.network.operations
        columns = (plane.origin, plane.first, plane.second)
        at = [i for i, each in enumerate(operations) if isinstance(each, Activation)]
        ends = [*at, len(operations)]
        values = self._through(0, ends[0], {0: maps_of(columns, self.extent)})
        reached = (0, 0)
        complete = True
        for layer, i in enumerate(at):
            source = values[operations[i].reads[0]]
            cut, unit = self._cut(layer, source)
            self.layers.append(cut)
            reached = (layer, unit)
            if unit < len(source.values):
                complete = False
                break
            values = self._after(i, ends[layer + 1], values, cut)
        return Partition(
            network=self.network,
            plane=self.plane,
            polygon=self.polygon,
            mesh=self.mesh,
            lines=self.lines,
            layers=tuple(self.layers),
            maps=self.maps,
            points=self.points.rows,
            bounds=self.bounds.rows,
            pairs=self.pairs.rows,
            outputs=values[len(operations)] if complete else None,
            reached=reached,
            complete=complete,
            exact_signs=self.exact_signs,
        )

    def _through(
        self, start: int, end: int, values: dict[int, AffineMaps]
    ) -> dict[int, AffineMaps]:
        """What is read from operation ``end`` on, after those from ``start``: no activations."""
        for i in range(start, end):
            operation = self.network.operations[i]
            if not isinstance(operation, Activation):
                values[i + 1] = operation.of_maps([values[k] for k in operation.reads])
            values = {k: v for k, v in values.items() if k == i + 1 or self.last.get(k, -1) > i}
        return {k: v for k, v in values.items() if k == end or self.last.get(k, -1) >= end}

    def _after(
        self, i: int, end: int, values: dict[int, AffineMaps], cut: Layer
    ) -> dict[int, AffineMaps]:
        """The same after activation ``i``, on the regions that it has left.

        Some regions at a time: all of what is between two activations may be far beyond caches.
        """
        activation = self.network.operations[i]
        if not isinstance(activation, Activation):
            raise TypeError(f"operation {i}: {activation}, want an activation")
        source = values[activation.source]
        others = [each for each in self.network.operations if not isinstance(each, Affine)]
        told = any(i + 1 in each.reads for each in others)
        first = self.firsts[-2] if told else None
        kept = {k: v for k, v in values.items() if self.last.get(k, -1) > i}
        count, step = len(cut.parents), max(_ENTRIES_AT_ONCE // (3 * len(source.values)), 1)
        found: dict[int, AffineMaps] = {}
        for start in range(0, count, step):
            some = slice(start, start + step)
            part = Layer(cut.parents[some], cut.signs[:, some])
            maps = {k: v.take(part.parents) for k, v in kept.items()}
            maps[i + 1] = activation.of_maps_where(source, part, first)
            maps = self._through(i + 1, end, maps)
            if step >= count:
                return maps
            found = found or {k: v.room(count) for k, v in maps.items()}
            for k, v in maps.items():
                found[k].put(v, start)
        return found

    def _cut(self, layer: int, maps: AffineMaps) -> tuple[Layer, int]:
        """Cut by every unit of an activation, and how many units were gone through.

        The signs of units that were not are 0.
        """
        self.firsts.append(self.firsts[-1] + len(maps.values))
        cut = _LayerCut(self, layer, maps)
        for unit in range(len(maps.values)):
            if self._stopped():
                return cut.done(), unit
            if self.progress is not None:
                self.progress(layer, unit, self.mesh.faces)
            cut.by(unit)
        return cut.done(), len(maps.values)

    def _stopped(self) -> bool:
        if self.stop is not None and self.stop():
            return True
        late = self.until is not None and time.monotonic() > self.until
        return late or (self.most is not None and self.mesh.faces > self.most)

    def exact_sign(self, layer: int, unit: int, region: int, vertex: int) -> int:
        """The sign of a unit at a vertex, by the map of a region before its activation."""
        self.exact_signs += 1
        u, v = self.lines.exact_meeting(*self.pairs.rows[vertex].tolist())
        start, first, second = self.maps.unit(layer, region, unit)
        return sign_of(start + first * u + second * v)

    def zero_at(self, units: NDArray[np.int32], vertices: Ints) -> NDArray[np.bool_]:
        """Whether each vertex is on the boundary of a unit, by the lines that cross there.

        Units are counted over all layers, and −1 is none.
        """
        lines = self.pairs.rows[vertices]
        layers = self.lines.layer[lines]
        numbers = np.array(self.firsts)[layers] + self.lines.unit[lines]
        on = (layers != SIDE) & (numbers == units[:, None])
        return np.asarray(on.any(axis=1) & (units >= 0))

    def place(self, edges: Ints, cuts: Ints) -> None:
        """New vertices where the lines of cut edges meet the lines that cut them."""
        points, bounds = self.lines.meetings(edges, cuts)
        for k in np.flatnonzero(np.isinf(bounds).any(axis=1)).tolist():
            points[k] = nearest(self.lines.exact_meeting(int(edges[k]), int(cuts[k])))
            bounds[k] = ULP * np.abs(points[k])
        self.points.append(points)
        self.bounds.append(bounds)
        self.pairs.append(np.stack([edges, cuts], axis=1))


class _LayerCut:
    """Cutting by the units of one activation.

    A region before the activation that a unit does not cross has its sign as a whole, and of the
    faces only parts of the others are looked at.
    """

    def __init__(self, work: _Work, layer: int, maps: AffineMaps) -> None:
        self.work, self.layer, self.maps = work, layer, maps
        mesh = self.mesh = work.mesh
        self.mothers = mesh.faces
        # of each face, the region before the activation; of face 0, outside, a number of its own
        self.region = Growing(np.arange(-1, mesh.faces))
        self.region.rows[OUTSIDE] = mesh.faces
        # of each vertex, a region from which it is looked at
        self.seen = Growing(self.region.rows[mesh.face[mesh.corner]])
        self.signs = Growing(np.zeros((len(mesh.first), len(maps.values)), dtype=np.int8))
        self.old = np.arange(mesh.vertices)
        inside = np.flatnonzero(mesh.face != OUTSIDE)
        self.old_corners, self.old_regions = (
            mesh.origin[inside],
            self.region.rows[mesh.face[inside]],
        )

    def done(self) -> Layer:
        """Parents and signs of the regions there are now."""
        return Layer(self.region.rows[1:].copy(), np.ascontiguousarray(self.signs.rows[1:].T))

    def by(self, unit: int) -> None:
        """Cut by a unit."""
        mesh, old = self.mesh, len(self.old)
        at = np.zeros(mesh.vertices, dtype=np.int8)
        at[:old] = self._signs(unit, self.old)
        at_corners = at[self.old_corners]
        above, below = np.zeros((2, self.mothers + 1), dtype=np.int8)
        above[self.old_regions[at_corners > 0]] = 1
        below[self.old_regions[at_corners < 0]] = 1
        self.signs.rows[:, unit] = (above - below)[self.region.rows]
        crossed = (above & below).astype(bool)
        if not crossed.any():
            return
        met = crossed[self.region.rows]
        half_edges = np.flatnonzero(met[mesh.face])
        wanted = np.zeros(mesh.vertices, dtype=bool)
        wanted[mesh.origin[half_edges]] = True
        newer = old + np.flatnonzero(wanted[old:])
        at[newer] = self._signs(unit, newer)
        edges = mesh.split_edges(at, half_edges)
        at = np.concatenate([at, np.zeros(len(edges.vertices), dtype=np.int8)])
        split = mesh.split_faces(at, np.concatenate([half_edges, edges.new]))
        regions = self.region.rows[split.positive]
        numbers = self._lines(unit, np.unique(regions))
        mesh.line[split.edges] = mesh.line[mesh.twin[split.edges]] = numbers[regions]
        self.region.append(regions)
        self.signs.append(self.signs.rows[split.positive])
        beside = self.region.rows[mesh.face[mesh.corner[edges.vertices]]]
        self.seen.append(beside)
        self.work.place(mesh.line[edges.half_edges], numbers[beside])
        faces = np.concatenate([np.flatnonzero(met), split.negative])
        self.signs.rows[faces, unit] = mesh.face_signs(at, faces)

    def _lines(self, unit: int, regions: Ints) -> Ints:
        """The numbers of the lines where a unit is zero, new ones, by region."""
        found = np.full(self.mothers, -1)
        found[regions] = self.work.lines.add(
            self.layer,
            unit,
            regions,
            self.maps.values[unit][:, regions].T,
            self.maps.errors[unit][regions],
        )
        return found

    def _signs(self, unit: int, vertices: Ints) -> NDArray[np.int8]:
        """The sign of a unit at some vertices."""
        regions = self.seen.rows[vertices]
        c, a, b = self.maps.values[unit][:, regions]
        x, y = self.work.points.rows[vertices].T
        dx, dy = self.work.bounds.rows[vertices].T
        with np.errstate(all="ignore"):
            along, across = a * x, b * y
            values = c + along + across
            doubt = self.maps.errors[unit][regions] + np.abs(a) * dx + np.abs(b) * dy
            doubt += 4 * ULP * (np.abs(c) + np.abs(along) + np.abs(across))
            sure = (np.abs(values) > doubt * (1 + 1e-9)) | ((doubt == 0) & (values == 0))
        found: NDArray[np.int8] = np.sign(np.where(sure, values, 0.0)).astype(np.int8)
        unsure = np.flatnonzero(~sure)
        if self.maps.multiple_of is not None:
            known = self.maps.multiple_of[unit][regions[unsure]]
            unsure = unsure[~self.work.zero_at(known, vertices[unsure])]
        for k in unsure.tolist():
            vertex, region = int(vertices[k]), int(regions[k])
            found[k] = self.work.exact_sign(self.layer, unit, region, vertex)
        return found


def _following(starts: Ints) -> Ints:
    """For entries in blocks that begin at ``starts``, the number of the next, cyclically."""
    found = np.arange(1, starts[-1] + 1)
    found[starts[1:] - 1] = starts[:-1]
    return found


def _exact_area(corners: Sequence[tuple[fmpq, fmpq]]) -> fmpq:
    pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
    return sum((a * d - b * c for (a, b), (c, d) in pairs), fmpq(0)) / 2


def _sides(polygon: Floats) -> list[tuple[fmpq, fmpq, fmpq]]:
    """Exact lines through consecutive corners, positive to their left."""
    exact = [tuple(rationals(corner)) for corner in polygon]
    pairs = zip(exact, [*exact[1:], exact[0]], strict=True)
    return [(a * d - b * c, b - d, c - a) for (a, b), (c, d) in pairs]


def _checked(polygon: Floats) -> Floats:
    """The corners counter-clockwise; raises ``ValueError`` for what is no convex polygon."""
    corners = np.asarray(polygon, dtype=np.float64)
    wanted = "want (corners, 2), at least 3 corners"
    require(
        corners.ndim == 2 and corners.shape[1] == 2 and len(corners) > 2,
        f"polygon of shape {corners.shape}: {wanted}",
    )
    require(np.isfinite(corners).all(), "polygon: a corner is not finite; want finite coordinates")
    exact = [tuple(rationals(corner)) for corner in corners]
    if _exact_area(exact) < 0:
        corners, exact = corners[::-1].copy(), exact[::-1]
    turns = [_turn(exact[k - 2], exact[k - 1], exact[k]) for k in range(len(exact))]
    once = sum(exact[k - 1] < min(exact[k - 2], exact[k]) for k in range(len(exact))) == 1
    require(
        min(turns) > 0 and once,
        f"polygon={told(corners.tolist())}: want the corners of a convex polygon, in order",
    )
    return corners


def _turn(one: tuple[fmpq, ...], two: tuple[fmpq, ...], three: tuple[fmpq, ...]) -> int:
    """1 for a turn to the left, −1 to the right, 0 for none."""
    (a, b), (c, d), (e, f) = one, two, three
    return sign_of((c - a) * (f - b) - (d - b) * (e - a))

"""Where segments of input space, of any dimension, cross the boundaries of a network's units.

Method. That of `partition`, with pieces of segments for faces: unit by unit, a sign at every node
between pieces, in floats where a bound on their error allows, else in rationals. All segments are
cut at once.

Guarantee. Pieces and signs are those of exact arithmetic for the segments between the given
floats. Places of crossings are floats with bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from simulators.arguments import require
from simulators.splines.affine_maps import ULP, AffineMaps, maps_of
from simulators.splines.exact_maps import ExactMaps
from simulators.splines.layer import Layer, patterns_of
from simulators.splines.network import Network, last_reads
from simulators.splines.operations import Activation
from simulators.splines.rationals import nearest, rationals, sign_of
from simulators.splines.slices import Slice

__all__ = ["Segments", "cut_segments"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_END = -1
_EXTENT = np.array([1.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class Segments:
    """S segments, cut into P pieces on each of which the network is affine.

    - ``places`` (P − S,): where the crossings are, from 0 at the start of a segment to 1 at its
      end; segment after segment, each in order
    - ``bounds`` (P − S,): how far off they are at most
    - ``segment``, ``layer``, ``unit`` (P − S,): of each crossing. Where several units are zero at
      one place, it is one crossing, of the first of them
    - ``patterns`` (P, units): signs on each piece, in the same order
    - ``counts`` (S,): of pieces of each segment
    - ``exact_signs``: how many signs floats did not tell

    Example:
        >>> from simulators.splines.examples import corner
        >>> found = cut_segments(corner().network, np.array([[-1.0, 0.5]]), np.array([[1.0, -0.5]]))
        >>> found.counts.tolist(), found.places.tolist(), found.layer.tolist()
        ([2], [0.5], [0])
    """

    places: Floats
    bounds: Floats
    segment: Ints
    layer: Ints
    unit: Ints
    patterns: NDArray[np.int8]
    counts: Ints
    exact_signs: int


def cut_segments(network: Network, starts: Floats, ends: Floats) -> Segments:
    """The pieces of the segments between points (S, D) and as many others.

    Raises:
        ValueError: shapes that do not fit, or points that are not finite.

    Example:
        >>> from simulators.splines.operations import Affine
        >>> network = Network(3, (Affine(0, np.eye(3), np.zeros(3)), Activation(1, 0.0)))
        >>> found = cut_segments(network, np.full((1, 3), -1.0), np.array([[1.0, 3.0, -0.5]]))
        >>> found.places.tolist(), found.unit.tolist(), found.patterns[-1].tolist()
        ([0.25, 0.5], [1, 0], [1, 1, -1])
    """
    start, end = np.asarray(starts, dtype=np.float64), np.asarray(ends, dtype=np.float64)
    shapes = f"starts of shape {start.shape}, ends of shape {end.shape}"
    require(
        start.ndim == 2 and start.shape == end.shape and start.shape[1] == network.inputs,
        f"{shapes}: want (S, {network.inputs}) for both",
    )
    require(
        np.isfinite(start).all() and np.isfinite(end).all(),
        "starts, ends: a point is not finite; want finite coordinates",
    )
    return _Cutting(network, start, end).run()


class _Cutting:
    """Pieces between nodes, while they are cut. The first 2S nodes are the ends of the segments."""

    def __init__(self, network: Network, starts: Floats, ends: Floats) -> None:
        self.network = network
        self.layers: list[Layer] = []
        planes = [_line(start, end) for start, end in zip(starts, ends, strict=True)]
        self.planes = planes
        self.maps = ExactMaps(network, planes, self.layers)
        count = len(planes)
        number = np.arange(count)
        self.left, self.right = number, count + number
        self.places = np.repeat([0.0, 1.0], count)
        self.bounds = np.zeros(2 * count)
        self.owner = np.tile(number, 2)  # the segment of each node
        self.beside = np.tile(number, 2)  # a piece that each node is an end of
        # the layer, unit, and region before that layer, whose zero each node is
        self.cause = np.tile(np.full((1, 3), _END), (2 * count, 1))
        self.exact: dict[int, fmpq] = {}
        self.exact_signs = 0

    @np.errstate(over="ignore", invalid="ignore")  # what is beyond floats goes to rationals
    def run(self) -> Segments:
        operations = self.network.operations
        last = last_reads(operations)
        values = {0: _start_maps(self.planes)}
        for i, operation in enumerate(operations):
            if isinstance(operation, Activation):
                source = values[operation.source]
                layer = self._cut(source)
                self.layers.append(layer)
                values = {
                    k: v.take(layer.parents) for k, v in values.items() if last.get(k, -1) > i
                }
                after = operation.of_maps_where(source, layer)
                values[i + 1] = after
            else:
                values[i + 1] = operation.of_maps([values[k] for k in operation.reads])
            values = {k: v for k, v in values.items() if k == i + 1 or last.get(k, -1) > i}
        return self._told()

    def _cut(self, maps: AffineMaps) -> Layer:
        """Cut by every unit of an activation."""
        layer, units = len(self.layers), len(maps.values)
        parents = np.arange(len(self.left))
        seen = parents[self.beside]
        signs = np.zeros((units, len(parents)), dtype=np.int8)
        for unit in range(units):
            coefficients, errors = maps.values[unit], maps.errors[unit]
            at = self._signs(layer, unit, coefficients[:, seen], errors[seen], seen)
            cut = np.flatnonzero(at[self.left] * at[self.right] < 0)
            if len(cut):
                mothers = parents[cut]
                nodes = len(at) + np.arange(len(cut))
                self._place(layer, unit, mothers, coefficients[:, mothers], errors[mothers])
                pieces = len(self.left) + np.arange(len(cut))
                self.owner = np.concatenate([self.owner, self.owner[self.left[cut]]])
                self.beside = np.concatenate([self.beside, cut])
                # an end keeps a piece that it is an end of
                self.beside[self.right[cut]] = pieces
                self.left = np.concatenate([self.left, nodes])
                self.right = np.concatenate([self.right, self.right[cut]])
                self.right[cut] = nodes
                parents = np.concatenate([parents, mothers])
                seen = np.concatenate([seen, mothers])
                seen[self.right[pieces]] = mothers
                signs = np.concatenate([signs, signs[:, cut]], axis=1)
                at = np.concatenate([at, np.zeros(len(cut), dtype=np.int8)])
            ends = at[self.left]
            signs[unit] = np.where(ends != 0, ends, at[self.right])
        return Layer(parents, signs)

    def _signs(
        self, layer: int, unit: int, coefficients: Floats, errors: Floats, regions: Ints
    ) -> NDArray[np.int8]:
        """The sign of a unit at every node, by the maps (3, nodes) given for each."""
        c, a, _ = coefficients
        with np.errstate(all="ignore"):
            along = a * self.places
            values = c + along
            doubt = errors + 4 * ULP * (np.abs(c) + np.abs(along)) + np.abs(a) * self.bounds
            sure = (np.abs(values) > doubt * (1 + 1e-9)) | ((doubt == 0) & (values == 0))
        found: NDArray[np.int8] = np.sign(np.where(sure, values, 0.0)).astype(np.int8)
        for node in np.flatnonzero(~sure).tolist():
            self.exact_signs += 1
            start, slope, _ = self.maps.unit(layer, int(regions[node]), unit)
            found[node] = sign_of(start + slope * self._exact_place(node))
        return found

    def _exact_place(self, node: int) -> fmpq:
        if node not in self.exact:
            layer, unit, region = self.cause[node].tolist()
            if layer == _END:
                self.exact[node] = fmpq(int(self.places[node]))
            else:
                start, slope, _ = self.maps.unit(layer, region, unit)
                self.exact[node] = -start / slope
        return self.exact[node]

    def _place(
        self, layer: int, unit: int, regions: Ints, coefficients: Floats, errors: Floats
    ) -> None:
        """New nodes where a unit is zero by the maps (3, count) of regions."""
        c, a, _ = coefficients
        with np.errstate(all="ignore"):
            places = -c / a
            residual = np.abs(c + a * places) + 4 * ULP * (np.abs(c) + np.abs(a * places))
            bounds = (errors + residual) / np.abs(a) * (1 + 1e-9)
        first = len(self.places)
        cause = np.stack(
            [np.full_like(regions, layer), np.full_like(regions, unit), regions], axis=1
        )
        self.places = np.concatenate([self.places, places])
        self.bounds = np.concatenate([self.bounds, bounds])
        self.cause = np.concatenate([self.cause, cause])
        unsure = ~(np.isfinite(places) & np.isfinite(bounds))
        for node in (first + np.flatnonzero(unsure)).tolist():
            self.places[node] = nearest([self._exact_place(node)])[0]
            self.bounds[node] = ULP

    def _told(self) -> Segments:
        """Pieces and crossings, segment after segment, by walking from node to node."""
        count, pieces = len(self.planes), len(self.left)
        starting = np.full(len(self.places), _END)
        starting[self.left] = np.arange(pieces)
        position = np.empty(pieces, dtype=np.int64)
        walking, step = np.arange(count), 0
        while len(walking):
            position[walking] = step
            following = starting[self.right[walking]]
            walking, step = following[following != _END], step + 1
        owner = self.owner[self.left]
        order = np.lexsort([position, owner])
        nodes = self.left[order]
        nodes = nodes[nodes >= 2 * count]
        layer, unit, _ = self.cause[nodes].T
        return Segments(
            places=self.places[nodes],
            bounds=self.bounds[nodes],
            segment=self.owner[nodes],
            layer=layer,
            unit=unit,
            patterns=_patterns(self.layers, pieces)[order],
            counts=np.bincount(owner, minlength=count),
            exact_signs=self.exact_signs,
        )


def _patterns(layers: Sequence[Layer], pieces: int) -> NDArray[np.int8]:
    return patterns_of(layers) if layers else np.zeros((pieces, 0), dtype=np.int8)


def _line(start: Floats, end: Floats) -> Slice:
    """A segment as a plane of which the second direction is nothing."""
    first = rationals(start)
    run = [y - x for x, y in zip(first, rationals(end), strict=True)]
    return Slice(tuple(first), tuple(run), (fmpq(0),) * len(run))


def _start_maps(planes: Sequence[Slice]) -> AffineMaps:
    """The maps of all segments: a region each."""
    each = [maps_of((plane.origin, plane.first, plane.second), _EXTENT) for plane in planes]
    values = np.concatenate([maps.values for maps in each], axis=2)
    errors = np.concatenate([maps.errors for maps in each], axis=1)
    return AffineMaps(values, errors, _EXTENT)

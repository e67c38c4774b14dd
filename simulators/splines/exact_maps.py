"""The exact affine maps of regions, computed when they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from flint import fmpq, fmpq_mat

from simulators.splines.layer import Layer
from simulators.splines.network import Network, last_reads
from simulators.splines.operations import Activation
from simulators.splines.slices import Slice

__all__ = ["ExactMaps"]

_ENTRIES_HELD = 2_000_000


class ExactMaps:
    """Exact affine maps of regions, column by column: n × 3 rationals c₀, c_u, c_v.

    Args:
        network: whose maps.
        planes: one slice for each region before the first activation; one where all is one.
        layers: of the activations that are done; may grow.

    Example:
        >>> import numpy as np
        >>> from simulators.splines.operations import Affine
        >>> from simulators.splines.slices import coordinate_slice
        >>> network = Network(2, (Affine(0, np.array([[1.0, 2.0]]), np.array([3.0])),))
        >>> ExactMaps(network, [coordinate_slice(2)], []).before(0, 0)[1]
        [3, 1, 2]
    """

    def __init__(self, network: Network, planes: Sequence[Slice], layers: Sequence[Layer]) -> None:
        self._operations = network.operations
        self._layers = layers
        self._places = [
            i for i, each in enumerate(self._operations) if isinstance(each, Activation)
        ]
        self._last = last_reads(self._operations)
        self._planes = planes
        self._held: OrderedDict[tuple[int, int], dict[int, fmpq_mat]] = OrderedDict()
        self._entries = 0

    def before(self, layer: int, region: int) -> dict[int, fmpq_mat]:
        """The values that are still read, by number, where activation ``layer`` reads its own; for
        the number of activations, those after the last operation.

        Args:
            layer: from 0.
            region: of those before that activation.
        """
        key = (layer, region)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        if layer == 0:
            plane = self._planes[region]
            rows = zip(plane.origin, plane.first, plane.second, strict=True)
            entries = [x for row in rows for x in row]
            values, place = {0: fmpq_mat(plane.dimension, 3, entries)}, 0
        else:
            done = self._layers[layer - 1]
            values = dict(self.before(layer - 1, int(done.parents[region])))
            place = self._places[layer - 1]
            activation = self._operations[place]
            signs = done.signs[:, region].tolist()
            if isinstance(activation, Activation):
                values[place + 1] = activation.exactly_where(values[activation.source], signs)
            place += 1
        end = self._places[layer] if layer < len(self._places) else len(self._operations)
        for i in range(place, end):
            operation = self._operations[i]
            if not isinstance(operation, Activation):
                values[i + 1] = operation.exactly([values[k] for k in operation.reads])
        kept = {k: v for k, v in values.items() if k == end or self._last.get(k, -1) >= end}
        self._hold(key, kept)
        return kept

    def unit(self, layer: int, region: int, unit: int) -> tuple[fmpq, fmpq, fmpq]:
        """The coefficients of what a unit of activation ``layer`` reads.

        Args:
            layer: from 0.
            region: of those before that activation.
            unit: from 0.
        """
        source = self._operations[self._places[layer]].reads[0]
        found = self.before(layer, region)[source]
        return found[unit, 0], found[unit, 1], found[unit, 2]

    def _hold(self, key: tuple[int, int], values: dict[int, fmpq_mat]) -> None:
        self._held[key] = values
        self._entries += sum(3 * matrix.nrows() for matrix in values.values())
        while self._entries > _ENTRIES_HELD and len(self._held) > 1:
            gone = self._held.popitem(last=False)[1]
            self._entries -= sum(3 * matrix.nrows() for matrix in gone.values())

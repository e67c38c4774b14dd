"""What regions are made of: at each activation, which region each came from and its signs.

The exact affine maps of a region follow from that, and are computed when they are asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from simulators.splines.network import Network, last_reads
from simulators.splines.operations import Activation
from simulators.splines.slices import Slice

__all__ = ["ExactMaps", "Layer", "patterns_of"]

_ENTRIES_HELD = 2_000_000


@dataclass(frozen=True, eq=False)
class Layer:
    """The regions after an activation: R of them.

    - ``parents`` (R,): numbers of the regions before it that they are parts of; before the first
      activation, of the planes or segments that are cut
    - ``signs`` (units, R): −1, 0, 1, of each unit on each region

    Example:
        >>> Layer(np.array([0, 0]), np.array([[1, -1]], np.int8)).signs.shape
        (1, 2)
    """

    parents: NDArray[np.int64]
    signs: NDArray[np.int8]


def patterns_of(layers: Sequence[Layer]) -> NDArray[np.int8]:
    """The signs of all units on the regions after the last of the layers, of shape (R, units).

    Example:
        >>> first = Layer(np.array([0, 0]), np.array([[1, -1]], np.int8))
        >>> second = Layer(np.array([0, 1, 1]), np.array([[1, 1, -1]], np.int8))
        >>> patterns_of([first, second]).tolist()
        [[1, 1], [-1, 1], [-1, -1]]
    """
    regions = np.arange(len(layers[-1].parents)) if layers else np.zeros(1, dtype=np.int64)
    blocks: list[NDArray[np.int8]] = [np.zeros((0, len(regions)), dtype=np.int8)]
    for layer in reversed(layers):
        blocks.append(layer.signs[:, regions])
        regions = layer.parents[regions]
    return np.concatenate(blocks[::-1]).T


class ExactMaps:
    """Exact affine maps of regions, column by column: n × 3 rationals c₀, c_u, c_v.

    Args:
        network: whose maps.
        planes: one slice for each region before the first activation; one where all is one.
        layers: of the activations that are done; may grow.

    Example:
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

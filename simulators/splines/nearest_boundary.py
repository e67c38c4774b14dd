"""How far samples of any dimension are from the nearest boundary of a network.

The region of a sample is the intersection of half-spaces, one for each unit: where the affine map
of that unit on the region keeps its sign. From a point inside, the nearest point of the border is
that of the nearest of these hyperplanes, so the distance is the least of |z|/‖∇z‖ over all units of
all layers, with the gradients at the sample itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import require
from simulators.splines.network import Network
from simulators.splines.operations import Activation, Operation

__all__ = ["NearestBoundaries", "nearest_boundaries"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NearestBoundaries:
    """For each of N samples, the ``distances`` (N,) to the nearest boundary, and the ``layer`` and
    ``unit`` (N,) whose boundary it is.

    The distance is infinite, and layer and unit −1, where no unit has a gradient.

    Example:
        >>> NearestBoundaries(np.ones(1), np.zeros(1, int), np.zeros(1, int)).distances.item()
        1.0
    """

    distances: Floats
    layer: Ints
    unit: Ints


def nearest_boundaries(network: Network, points: Floats) -> NearestBoundaries:
    """The distance of each sample to the nearest boundary of a unit of any layer.

    Exact up to float64's rounding, with no search: relative to the size of z in it, which is lost
    where a sample is on a boundary. A unit that is 0 with its gradient bounds nothing.

    Cost: that of the network on N · D columns.

    Args:
        network: of D inputs.
        points: (N, D).

    Raises:
        ValueError: points of another shape.

    Example:
        >>> from simulators.splines.operations import Affine
        >>> network = Network(3, (Affine(0, np.eye(3), np.zeros(3)), Activation(1, 0.0)))
        >>> found = nearest_boundaries(network, np.array([[3.0, -2.0, 5.0]]))
        >>> found.distances.tolist(), found.unit.tolist()
        ([2.0], [1])
    """
    array = np.asarray(points, dtype=np.float64)
    require(
        array.ndim == 2 and array.shape[1] == network.inputs,
        f"points of shape {array.shape}: want (N, {network.inputs})",
    )
    distances = np.full(len(array), np.inf)
    layers, units = np.full(len(array), -1), np.full(len(array), -1)
    for k, point in enumerate(array):
        values = network.values(point[None])
        slopes = [np.eye(network.inputs)]
        layer = 0
        for operation in network.operations:
            if isinstance(operation, Activation):
                heights, gradients = values[operation.source][:, 0], slopes[operation.source]
                steep = np.linalg.norm(gradients, axis=1)
                away = np.full(len(heights), np.inf)
                np.divide(np.abs(heights), steep, out=away, where=steep > 0)
                unit = int(away.argmin())
                if away[unit] < distances[k]:
                    distances[k], layers[k], units[k] = away[unit], layer, unit
                layer += 1
            slopes.append(_slopes(operation, values, slopes))
    return NearestBoundaries(distances, layers, units)


def _slopes(operation: Operation, values: list[Floats], slopes: list[Floats]) -> Floats:
    """The Jacobian (n, D) of what an operation gives."""
    reads = [slopes[k] for k in operation.reads]
    if isinstance(operation, Activation):
        factor = np.where(values[operation.source] > 0, 1.0, operation.slope)
        return np.asarray(factor * reads[0])
    return operation.of_slopes(reads)

"""A small partition whose every number is known, for examples."""

from __future__ import annotations

import numpy as np

from simulators.splines.network import Network
from simulators.splines.operations import Activation, Affine
from simulators.splines.partition import Partition, linear_regions
from simulators.splines.slices import coordinate_slice

__all__ = ["corner"]


def corner() -> Partition:
    """ReLU(u), then ReLU(v + ReLU(u)), on [−1, 1]²; v passes the first layer as ReLU(v + 4) − 4.

    The boundary of the second follows v = 0 for u ≤ 0, and v = −u beyond.

    Example:
        >>> found = corner()
        >>> found.regions, sorted(found.areas().tolist())
        (4, [0.5, 1.0, 1.0, 1.5])
    """
    first = Affine(0, np.eye(2), np.array([0.0, 4.0]))
    second = Affine(2, np.array([[1.0, 1.0]]), np.array([-4.0]))
    network = Network(2, (first, Activation(1, 0.0), second, Activation(3, 0.0)))
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return linear_regions(network, coordinate_slice(2), square)

"""Samples for means of what is read off one layer of a trajectory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulators import Trajectory
from theorems.checking.expectation import Floats, Instance
from theorems.statement import Statement

__all__ = ["at_layer"]


def at_layer(
    observable: str, layer: int = -1
) -> Callable[[Statement, Trajectory, Instance], Floats]:
    """What `Expectation` samples where its instances have one readout: an observable at a layer.

    - ``observable``: the name of one number a replica, among those that are simulated
    - ``layer``: a column of the trajectory, 0 for the start itself; the last by default

    Returns a function that gives (replicas, 1) values.

    Example:
        >>> from simulators import rescale_chain, simulate
        >>> run = simulate(rescale_chain(8), np.eye(8, 2), depth=3, replicas=5)
        >>> at_layer("orthogonality_gap")(None, run, None).shape
        (5, 1)
    """

    def sample(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
        return np.asarray(trajectory[observable][:, layer])[:, None]

    return sample

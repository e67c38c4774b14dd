"""Gradients of networks of several depths, each gone back from its own last layer.

The networks are the first layers of one: a stream is drawn layer by layer, so that a seed gives the
same weights at any depth.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from simulators.arguments import require
from simulators.chains import Chain
from simulators.last_gradient import Backward
from simulators.observables import Observable
from simulators.simulate import simulate
from simulators.streams import Seed
from simulators.trajectory import Trajectory

__all__ = ["simulate_depths"]


def simulate_depths(
    chain: Chain,
    batch: ArrayLike,
    *,
    depths: Sequence[int],
    observables: Sequence[Observable],
    at_batch: Collection[str],
    backward: Backward,
    replicas: int = 1,
    seed: Seed = 0,
    engine: str = "auto",
) -> Trajectory:
    """One trajectory of networks of several depths.

    - ``depths``: whole numbers ≥ 1
    - ``observables``: of another name each; those that read the backward pass are measured in the
      network of ell layers and stand in column ell, NaN where ``depths`` does not name it; the
      others are those of the deepest network, in all columns
    - ``at_batch``: names of observables of gradients that are measured at the batch; the others are
      at the last layer, where the gradient is ``backward``
    - the rest: as `simulators.simulate` takes it

    In column ell the rounding errors are those of the network of ell layers, from the batch on.
    Raises what `simulators.simulate` raises, and `ValueError` for no depths. Cost: that of a
    simulation of each depth.

    Example:
        >>> from simulators import batchnorm_chain
        >>> from simulators.observables import OBSERVABLES
        >>> norm = OBSERVABLES["gradient_norm"].measured
        >>> found = simulate_depths(
        ...     batchnorm_chain(64, "identity"), np.eye(64, 8), depths=(1, 3), replicas=5,
        ...     observables=(norm,), at_batch={"gradient_norm"}, backward="gaussian")
        >>> np.isnan(found["gradient_norm"]).any(axis=0).tolist()
        [True, False, True, False]
    """
    require(depths, "depths=() is empty; give at least one depth")
    back = [measure for measure in observables if measure.backward]
    runs = {
        depth: simulate(
            chain,
            batch,
            depth=depth,
            replicas=replicas,
            seed=seed,
            observables=observables if depth == max(depths) else back,
            engine=engine,
            backward=backward,
        )
        for depth in sorted(set(depths))
    }
    deepest = runs[max(runs)]
    values, rounding = dict(deepest.values), np.array(deepest.rounding)
    for measure in back:
        values[measure.name] = np.full(deepest[measure.name].shape, np.nan)
        for depth, run in runs.items():
            column = 0 if measure.name in at_batch else depth
            values[measure.name][:, depth] = run[measure.name][:, column]
    for depth, run in runs.items():
        rounding[:, depth] = run.rounding.max(axis=1)
    return replace(deepest, values=values, rounding=rounding)

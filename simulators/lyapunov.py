"""The leading Lyapunov exponents of deep linear networks: how fast volumes grow, at any depth.

A frame Q of k orthonormal columns is carried through the layers and orthonormalised after each, QR
= AQ; the exponents are the averages of log R_ii (Benettin, Galgani, Giorgilli, Strelcyn 1980).
Nothing overflows or underflows, however deep: only logarithms accumulate.

For A = W or A = I + γW with Gaussian W, WQ is a width × k standard Gaussian matrix, independent of
the past. So a layer costs width · k normals rather than width², exactly in law.
"""

from __future__ import annotations

import math
from functools import partial
from threading import Event
from typing import Any

import numpy as np
from numpy.random import SeedSequence

from simulators.arguments import whole_number
from simulators.backend import NumpyBackend
from simulators.layers import Residual
from simulators.streams import pack, replica_groups, root_sequence, units_of
from simulators.workers import cores, run_all, until

_GROUP = 2**14  # entries of a layer over all replicas of a group
_PIECE = 2**16  # entries drawn at once


def leading_exponents(
    width: int,
    gamma: float = math.inf,
    *,
    depth: int,
    replicas: int = 1,
    seed: Any = 0,
    count: int = 2,
) -> np.ndarray[Any, Any]:
    """Averages over ``depth`` layers of the ``count`` leading growth rates, shape ``(replicas,
    count)``.

    Layers are H → H + γWH with W of ``width`` × ``width`` independent standard normal entries; γ =
    ∞ means H → WH. Growth rates are natural logarithms a layer, the largest first as ``depth``
    grows. ``seed`` as for `simulate`; replica i depends on the seed and i alone. Cost per layer and
    replica: width · count normals and a QR decomposition of as many entries.

    Raises `TypeError` or `ValueError` naming the argument: ``width`` ≥ 2, 1 ≤ ``count`` ≤
    ``width``, ``gamma`` in (0, ∞], ``depth`` and ``replicas`` ≥ 1.
    """
    width = whole_number("width", width, 2)
    depth, replicas = whole_number("depth", depth, 1), whole_number("replicas", replicas, 1)
    if not 1 <= whole_number("count", count, 1) <= width:
        raise ValueError(f"count={count} exceeds width={width}; there are only {width} exponents")
    gamma = Residual(gamma).gamma
    if gamma == 0:
        raise ValueError("gamma=0 leaves every frame where it is; give a γ > 0, or math.inf")
    root = root_sequence(seed)
    rates = np.empty((replicas, count))

    def follow(group: range, stop: Event) -> None:
        rates[group.start : group.stop] = _rates(
            width, gamma, depth, count, group, root, len(group) == replicas, stop
        )

    run_all(
        [
            partial(follow, group)
            for group in replica_groups(replicas, width * count, _GROUP, cores())
        ],
        cores(),
    )
    return rates


def _rates(
    width: int,
    gamma: float,
    depth: int,
    count: int,
    group: range,
    root: SeedSequence,
    ahead: bool,
    stop: Event,
) -> np.ndarray[Any, Any]:
    pieces = list(pack([(width * count, "gaussian")] * depth, group, _PIECE))
    draws = units_of(pieces, NumpyBackend("float64").draws(root, "lyapunov", pieces, ahead=ahead))
    frame = np.broadcast_to(np.eye(width, count), (len(group), width, count))
    total = np.zeros((len(group), count))
    for entries in until(stop, draws):
        image = entries.reshape(len(group), width, count)
        if gamma != math.inf:
            image = frame + gamma * image
        frame, factor = np.linalg.qr(image)
        total += np.log(np.abs(np.diagonal(factor, axis1=-2, axis2=-1)))
    return total / depth

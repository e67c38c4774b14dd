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

import numpy as np

from simulators.arguments import require, whole_number
from simulators.arrays import Floats
from simulators.backend import NumpyBackend
from simulators.layers import Residual
from simulators.streams import Seed, pack, replica_groups, root_sequence, units_of
from simulators.workers import cores, run_all, until

__all__ = ["leading_exponents"]

_GROUP = 2**14  # entries of a layer over all replicas of a group
_PIECE = 2**16  # entries drawn at once


def leading_exponents(
    width: int,
    gamma: float = math.inf,
    *,
    depth: int,
    replicas: int = 1,
    seed: Seed = 0,
    count: int = 2,
) -> Floats:
    """The ``count`` leading growth rates on average over ``depth`` layers, ``(replicas, count)``.

    Layers are H → H + γWH with W of ``width`` × ``width`` independent standard normal entries; γ =
    ∞ means H → WH. Growth rates are natural logarithms a layer, the largest first as ``depth``
    grows. ``seed`` as for `simulate`; replica i depends on the seed and i alone. Cost per layer and
    replica: width · count normals and a QR decomposition of as many entries.

    Raises `TypeError` or `ValueError` naming the argument: ``width`` ≥ 2, 1 ≤ ``count`` ≤
    ``width``, ``gamma`` in (0, ∞], ``depth`` and ``replicas`` ≥ 1.

    Example:
        >>> leading_exponents(8, depth=50, replicas=3).shape
        (3, 2)
    """
    width = whole_number("width", width, 2)
    depth, replicas = whole_number("depth", depth, 1), whole_number("replicas", replicas, 1)
    require(
        1 <= whole_number("count", count, 1) <= width,
        f"count={count} exceeds width={width}; there are only {width} exponents",
    )
    gamma = Residual(gamma).gamma
    require(gamma != 0, "gamma=0 leaves every frame where it is; give a γ > 0, or math.inf")
    root = root_sequence(seed)
    rates = np.zeros((replicas, count))
    units = [(width * count, "gaussian")] * depth

    def follow(group: range, stop: Event) -> None:
        pieces = list(pack(units, group, _PIECE))
        backend = NumpyBackend("float64")
        draws = backend.draws(root, "lyapunov", pieces, ahead=len(group) == replicas)
        frame: Floats = np.broadcast_to(np.eye(width, count), (len(group), width, count))
        for entries in until(stop, units_of(pieces, draws)):
            image = np.asarray(entries).reshape(len(group), width, count)
            if gamma != math.inf:
                image = frame + gamma * image
            frame, factor = np.linalg.qr(image)
            growth = np.log(np.abs(np.diagonal(factor, axis1=-2, axis2=-1)))
            rates[group.start : group.stop] += growth

    groups = replica_groups(replicas, width * count, _GROUP, cores())
    run_all([partial(follow, group) for group in groups], cores())
    return rates / depth
